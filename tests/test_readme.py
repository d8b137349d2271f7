"""The README and the pages of docs/ run: every command in them, in its order, on data small enough for a test."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from s2s.recipe import parse_recipe
from s2s.recipe_index import shipped

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCS = sorted((ROOT / "docs").rglob("*.md"))
# Pages about speed teach nothing, and measure for minutes: tests/bench runs what they name. tests/test_python_page.py
# runs the page of Python.
PAGES = ["README.md", *(str(path.relative_to(ROOT)) for path in DOCS if path.stem not in ("performance", "python"))]

# What makes a recipe small enough for a test, appended to its `s2s train` line.
SMALL = "training.steps=3 training.epochs=1 training.validate_every=3 decoding.max_length=5 training.validation_search.max_length=5"
SMALLER = {
    "demo": "data.size=300",
    "multi30k": "task.tokenizer.size=40 training.batch_size=200",
    "mine.yaml": "task.tokenizer.size=40",
    "mio.yaml": "task.tokenizer.size=40",
    "hello": "",
}
GERMAN = [
    f"der {a} {b} sieht {n} vögel" for a in ("alte", "junge", "kleine") for b in ("mann", "hund") for n in range(20)
]
ENGLISH = [f"the {a} {b} sees {n} birds" for a in ("old", "young", "small") for b in ("man", "dog") for n in range(20)]


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.M | re.S)


def commands(page: str) -> list[str]:
    lines = [line.split("   #")[0].strip() for block in blocks("sh", page) for line in block.splitlines()]
    return [line for line in lines if line]


def small(command: str) -> str:
    found = re.match(r"s2s train (\S+)", command)
    if not found:
        return command
    more = SMALLER[found[1]]
    words, out, where = command.partition(" --out")
    return f"{words} {SMALL if more else ''} {more}{out}{where}"


def recipes_of(page: str) -> dict[str, str]:
    """Whole recipes on a page, by their names."""
    found = {yaml.safe_load(block).get("name"): block for block in blocks("yaml", page)}
    return {name: block for name, block in found.items() if name}


@pytest.fixture(params=PAGES)
def page(request) -> str:
    return (ROOT / request.param).read_text()


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> str:
    """One for all pages: they begin with the same demo."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def desk(tmp_path, page) -> Path:
    """A folder with the files that the pages speak of, ../shared/data/multi30k among them."""
    corpus, desk = tmp_path / "shared" / "data" / "multi30k", tmp_path / "desk"
    corpus.mkdir(parents=True)
    desk.mkdir()
    for name, rows in (("train", slice(0, 90)), ("val", slice(90, 100)), ("test_2016_flickr", slice(100, 120))):
        (corpus / f"{name}.de").write_text("".join(f"{x}\n" for x in GERMAN[rows]))
        (corpus / f"{name}.en").write_text("".join(f"{x}\n" for x in ENGLISH[rows]))
    for name, lines in (("my.de", GERMAN), ("my.en", ENGLISH), ("frases.en", ENGLISH), ("frases.es", GERMAN)):
        (desk / name).write_text("".join(f"{x}\n" for x in lines))
    for name, text in recipes_of(page).items():
        (desk / f"{name}.yaml").write_text(text)
    return desk


def run(command: str, desk: Path, cache: str) -> None:
    """In a shell of its own, as a reader would."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "S2S_CACHE": cache}
    done = subprocess.run(["bash", "-c", command], cwd=desk, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    assert done.stdout.strip()


def run_here(command: str, monkeypatch, capsys) -> None:
    """The same without a new Python, whose imports would take longer than all the rest."""
    from s2s.cli import main

    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with open(os.devnull) as nothing, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", nothing)
        code: object = 0
        try:
            main()
            code = 0
        except SystemExit as done:
            code = done.code
    assert not code, f"{command}\n{capsys.readouterr().err}"


def test_every_command_runs(page, desk, cache, monkeypatch, capsys):
    monkeypatch.chdir(desk)
    monkeypatch.setenv("S2S_CACHE", cache)
    assert len(commands(page)) >= 10
    for command in commands(page):
        if command.startswith("tools/"):
            assert os.access(ROOT / command, os.X_OK), command
        elif command.startswith("s2s "):
            run_here(small(command), monkeypatch, capsys)
        else:
            run(command, desk, cache)
    script = blocks("python", page)[0]
    run(f"python - <<'END'\n{script}\nEND", desk, cache)


def test_what_is_said_in_passing_is_there(page):
    """Commands within sentences and tables: their verbs, and the recipes they name."""
    from s2s.cli.app import app

    verbs = {command.name or command.callback.__name__ for command in app.registered_commands} | {"recipes"}
    said = re.findall(r"`s2s (\w+)(?: (?:runs/)?([\w.-]+))?", page)
    assert {verb for verb, _ in said} <= verbs
    known = {name for name, _ in shipped()} | {f"{name}.yaml" for name in recipes_of(page)}
    assert {name for verb, name in said if verb == "train" and name.islower()} <= known


def test_links_lead_somewhere(page, request):
    here = (ROOT / request.node.callspec.params["page"]).parent
    for target in re.findall(r"\]\(([^)]+)\)", page):
        if target.startswith("#"):
            assert re.search(rf"^#+ {target[1:].replace('-', '[ -]')}$", page, flags=re.M | re.I), target
        elif "://" not in target:
            assert (here / target).exists(), target


def test_a_recipe_of_five_lines_has_five_lines(page):
    (recipe,) = recipes_of(page).values()
    assert len(yaml.safe_load(recipe)) == len(recipe.splitlines()) == 5
    parse_recipe(recipe)


def test_every_task_of_the_table_has_its_recipe_and_its_verb():
    from s2s.cli.app import app
    from s2s.recipe_index import find_recipe

    rows = re.findall(r"`s2s train (\S+)` \| `s2s (\w+) runs/(\S+?)[ `]", README)
    assert len(rows) == 6
    verbs = {command.name or command.callback.__name__ for command in app.registered_commands}
    for recipe, verb, run in rows:
        assert recipe == run
        assert parse_recipe(find_recipe(recipe).read_text()).task.factory.verb == verb
        assert verb in verbs


def test_the_tables_say_what_goes_together():
    """Each field with all the encoders that read it, the heads that write it and the tasks that have it."""
    from s2s.data.fields.base import Field
    from s2s.nn.encoders.base import Encoder
    from s2s.nn.heads.base import Head
    from s2s.tasks.task import Task

    def own(family) -> dict:
        """The kinds that s2s brings; other tests may have added some."""
        return {kind: made for kind, made in family.registry.items() if made.__module__.startswith("s2s.")}

    def able(family, attribute, shapes) -> set[str]:
        return {kind for kind, made in own(family).items() if set(getattr(made, attribute)) & set(shapes)}

    def columns(head: str) -> list[list[list[str]]]:
        (rows,) = re.findall(rf"^\| {head} \| field .*\n.*---\|\n((?:\|.*\n)+)", README, flags=re.M)
        return [[re.findall(r"`([\w-]+)`", cell) for cell in row.split("|")[2:-1]] for row in rows.splitlines()]

    sources, targets = columns("source"), columns("target")
    for (field,), encoders in sources:
        assert set(encoders) == able(Encoder, "input_modalities", Field.registry[field].shapes), field
    for (field,), heads, tasks in targets:
        shapes = Field.registry[field].shapes
        assert (set(heads), set(tasks)) == (
            able(Head, "output_modalities", shapes),
            able(Task, "target_shapes", shapes),
        )
    listed = [kind for family in (sources, targets) for row in family for kind in row[1]]
    assert set(listed) == set(own(Encoder)) | set(own(Head))
    assert {row[0][0] for row in sources + targets} == set(own(Field))


def test_the_part_of_ones_own_works(tmp_path):
    from s2s.nn.attention import Attention
    from s2s.tensors import FieldSpec

    part = blocks("python")[1]
    (tmp_path / "my_parts.py").write_text(part)
    text = "name: x\nuses: [my_parts.py]\ntask: translation\ndata: generated\nmodel: {head: {attention: {kind: cosine, sharpness: 5}}}"
    try:
        recipe = parse_recipe(text, folder=tmp_path)
        recipe.build_model(FieldSpec("ids", 10), FieldSpec("ids", 10))
    finally:
        Attention.registry.pop("cosine", None)


def test_the_tree_names_what_is_there():
    (tree,) = re.findall(r"^```\n(s2s/.*?)^```", README, flags=re.M | re.S)
    for name in re.findall(r"(?:^|\s)(\w+\.py|\w+/)(?=\s)", tree):
        assert (ROOT / "s2s" / name).exists() or (ROOT / name).exists() or (ROOT / "tools" / name).exists(), name
    there = {
        path.name + "/" * path.is_dir()
        for path in (ROOT / "s2s").iterdir()
        if path.name[0] not in "._" and path.suffix != ".typed"
    }
    assert sorted(name for name in there if name not in tree) == [], "are not named"
