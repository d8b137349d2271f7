"""The README runs: every command in it, in its order, on data small enough for a test."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from s2s.recipe import parse_recipe

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()

# What makes a recipe small enough for a test, appended to its `s2s train` line.
SMALL = "training.steps=3 training.epochs=1 training.validate_every=3 decoding.max_length=5 training.validation_search.max_length=5"
SMALLER = {
    "demo": "data.size=300",
    "multi30k": "task.tokenizer.size=40 training.batch_size=200",
    "mine.yaml": "task.tokenizer.size=40",
    "hello": "",
}
GERMAN = [
    f"der {a} {b} sieht {n} vögel" for a in ("alte", "junge", "kleine") for b in ("mann", "hund") for n in range(20)
]
ENGLISH = [f"the {a} {b} sees {n} birds" for a in ("old", "young", "small") for b in ("man", "dog") for n in range(20)]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.M | re.S)


def commands() -> list[str]:
    lines = [line.split("   #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line]


def small(command: str) -> str:
    found = re.match(r"s2s train (\S+)", command)
    if not found:
        return command
    more = SMALLER[found[1]]
    words, out, where = command.partition(" --out")
    return f"{words} {SMALL if more else ''} {more}{out}{where}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A folder with the files that the README speaks of, ../shared/data/multi30k among them."""
    top = tmp_path_factory.mktemp("readme")
    corpus, desk = top / "shared" / "data" / "multi30k", top / "desk"
    corpus.mkdir(parents=True)
    desk.mkdir()
    for name, rows in (("train", slice(0, 90)), ("val", slice(90, 100)), ("test_2016_flickr", slice(100, 120))):
        (corpus / f"{name}.de").write_text("".join(f"{x}\n" for x in GERMAN[rows]))
        (corpus / f"{name}.en").write_text("".join(f"{x}\n" for x in ENGLISH[rows]))
    (desk / "my.de").write_text("".join(f"{x}\n" for x in GERMAN))
    (desk / "my.en").write_text("".join(f"{x}\n" for x in ENGLISH))
    (recipe,) = [block for block in blocks("yaml") if "name: mine" in block]
    (desk / "mine.yaml").write_text(recipe)
    return desk


def run(command: str, desk: Path, cache: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "S2S_CACHE": cache}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=desk,
        env=env,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )


def test_every_command_runs(desk, tmp_path):
    assert len(commands()) >= 12
    for command in commands():
        if command.startswith("tools/"):
            assert os.access(ROOT / command, os.X_OK), command
            continue
        done = run(small(command), desk, str(tmp_path / "cache"))
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    (script,) = blocks("python")[:1]
    done = run(f"python - <<'END'\n{script}\nEND", desk, str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[")


def test_every_task_of_the_table_has_its_recipe_and_its_verb():
    from s2s.cli.app import app
    from s2s.shipped import find_recipe

    rows = re.findall(r"`s2s train (\S+)` \| `s2s (\w+) runs/(\S+?)[ `]", README)
    assert len(rows) == 6
    verbs = {command.name or command.callback.__name__ for command in app.registered_commands}
    for recipe, verb, run in rows:
        assert recipe == run
        assert parse_recipe(find_recipe(recipe).read_text()).task.maker.verb == verb
        assert verb in verbs


def test_the_recipe_of_five_lines_has_five_lines():
    (recipe,) = [block for block in blocks("yaml") if "name: mine" in block]
    assert len(yaml.safe_load(recipe)) == 5
    parse_recipe(recipe)


def test_the_part_of_ones_own_works(tmp_path):
    from s2s.nn.attention import Attention
    from s2s.tensors import Space

    part = blocks("python")[1]
    (tmp_path / "my_parts.py").write_text(part)
    text = "name: x\nuses: [my_parts.py]\ntask: translation\ndata: generated\nmodel: {head: {attention: {kind: cosine, sharpness: 5}}}"
    try:
        recipe = parse_recipe(text, folder=tmp_path)
        recipe.build_model(Space("ids", 10), Space("ids", 10))
    finally:
        Attention.kinds.pop("cosine", None)


def test_the_tree_names_what_is_there():
    (tree,) = re.findall(r"^```\n(s2s/.*?)^```", README, flags=re.M | re.S)
    for name in re.findall(r"(?:^|\s)(\w+\.py|\w+/)(?=\s)", tree):
        assert (ROOT / "s2s" / name).exists() or (ROOT / name).exists() or (ROOT / "tools" / name).exists(), name
