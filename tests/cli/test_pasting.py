"""Commands that s2s prints can be pasted: values with blanks are quoted, and a command is one line however narrow."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from rich.console import Console

from s2s.api.train import train as train_run
from s2s.cli.recipes import copy
from s2s.cli.train import next_steps
from s2s.cli.train import train_command as train_verb
from s2s.data.cache import damaged_cache
from s2s.data.source_files import read_lines
from s2s.errors import DataError, command
from s2s.recipe import read_recipe
from s2s.training.position import TrainingResult, TrainingState

ROOT = Path(__file__).parents[2]
AWKWARD = [
    "training.schedule={kind: cosine, warmup: 5}",
    "data.path=my data/it's $HOME",
    "name=*",
    "model.head=a;b",
    "",
]


@pytest.fixture
def narrow(monkeypatch):
    """Both streams of the command line, 40 columns wide."""
    streams = {
        name: Console(width=40, record=True, highlight=False, soft_wrap=name == "output")
        for name in ("output", "errors")
    }
    for name, console in streams.items():
        monkeypatch.setattr(f"s2s.cli.train.{name}", lambda console=console: console)
    return streams


def test_a_command_is_read_by_a_shell_as_it_was_meant():
    assert shlex.split(command("s2s", "train", *AWKWARD)) == ["s2s", "train", *AWKWARD]
    assert command("s2s", "train", "demo", "training.epochs=5") == "s2s train demo training.epochs=5"


@pytest.mark.parametrize("fused", [False, True])
def test_the_line_after_a_stop_is_the_command_that_was_given(tmp_path, monkeypatch, narrow, fused):
    stopped = TrainingResult("asked", TrainingState(step=7))
    monkeypatch.setattr("s2s.api.train.train", lambda *arguments, **options: stopped)
    recipe = tmp_path / "a recipe.yaml"
    recipe.write_text((ROOT / "recipes" / "characters" / "hello.yaml").read_text())
    changes, out = (
        ["training.schedule={kind: cosine, warmup: 5}", "name=a name that is much longer than a line"],
        tmp_path / "a run",
    )
    with pytest.raises(typer.Exit):
        train_verb(str(recipe), changes, out=out, fresh=True, require_fused=fused)
    said = narrow["errors"].export_text()
    (line,) = [line for line in said.splitlines() if line.startswith("go on: ")]
    words = ["s2s", "train", str(recipe), *changes, "--out", str(out), *["--require-fused"] * fused]
    assert shlex.split(line.removeprefix("go on: ")) == words, (
        "all that was said, but for --fresh: it would begin again"
    )


def test_what_comes_next_after_training(tmp_path, narrow):
    folder = tmp_path / "runs of mine" / "x"
    recipe = read_recipe(ROOT / "recipes" / "characters" / "hello.yaml", ["training.epochs=1", "training.device=cpu"])
    train_run(recipe, folder)
    lines = [shlex.split(line) for line in next_steps(recipe, folder)]
    assert lines == [["s2s", "evaluate", str(folder)], ["s2s", "generate", str(folder)]]


def test_a_copied_recipe(tmp_path, capsys):
    copy("hello", tmp_path / "my recipe.yaml")
    assert shlex.split(capsys.readouterr().out.rpartition("then: ")[2]) == [
        "s2s",
        "train",
        str(tmp_path / "my recipe.yaml"),
    ]


def test_hints_about_files(tmp_path):
    path = tmp_path / "my data.txt"
    path.write_bytes("ñ\n".encode("latin-1"))
    with pytest.raises(DataError, match="from Latin-1") as caught:
        list(read_lines(path))
    said = str(caught.value).rpartition("for instance: ")[2]
    assert shlex.split(said) == ["iconv", "-f", "ISO-8859-1", "-t", "UTF-8", str(path), ">", "NEW"]
    said = str(damaged_cache(path, ValueError("x"))).rpartition("again: ")[2]
    assert shlex.split(said) == ["rm", "-r", str(path)]


def test_no_command_is_put_together_without_quotes():
    """In the source, what stands in braces after the name of a program goes through command()."""
    loose = re.compile(r"\b(s2s|python|rm|chmod|iconv|tr) ([^\"'{}]* )?\{(?!command\()")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "s2s").rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if loose.search(line) and "version(" not in line and "FORMAT" not in line
    ]
    assert not wrong, "\n".join(wrong)
