"""What Python users are given: every public name explained, types that reach them, and runs opened as what they are."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import s2s as package

PROGRAM = """
from pathlib import Path
import s2s

writer = s2s.load("runs/x", kind=s2s.Seq2SeqPredictor)
reveal_type(writer)
reveal_type(writer.search(["a"])[0][0].text)
reveal_type(s2s.load("runs/x"))
reveal_type(s2s.evaluate(writer, [s2s.Row("a", "b")]).scores[0].kind)
reveal_type(s2s.train(s2s.read_recipe("r.yaml"), Path("out"), reporter=s2s.Reporter()))
reveal_type(s2s.Conversation(writer).reply("a").text)
"""
TYPES = ["Seq2SeqPredictor", "str", "Predictor", "str", "TrainingResult", "str"]


@pytest.mark.parametrize("name", package.__all__)
def test_a_public_name_says_what_it_is_for(name):
    doc = inspect.getdoc(getattr(package, name)) or ""
    assert len(doc.split()) >= 4, name


def test_types_reach_the_programs_of_others():
    assert (Path(package.__file__).parent / "py.typed").is_file()


@pytest.mark.slow
def test_a_type_checker_knows_what_a_program_has(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "program.py").write_text(PROGRAM)
    root = Path(package.__file__).parents[1]
    command = [sys.executable, "-m", "mypy", "--config-file", root / "pyproject.toml", tmp_path / "program.py"]
    done = subprocess.run(list(map(str, command)), cwd=root, capture_output=True, text=True, check=False)
    found = [line.rpartition('"')[0].rpartition('"')[2] for line in done.stdout.splitlines() if "Revealed" in line]
    assert [kind.rpartition(".")[2] for kind in found] == TYPES, done.stdout


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("translation", "Seq2SeqPredictor", "ClassifierPredictor"),
        ("tag-text", "ClassifierPredictor", "LanguageModelPredictor"),
        ("language-model", "LanguageModelPredictor", "Seq2SeqPredictor"),
    ],
)
def test_a_run_is_opened_as_what_it_must_be(kind, right, wrong, run_of):
    assert type(package.load(run_of(kind), kind=getattr(package, right))).__name__ == right
    with pytest.raises(package.S2SError, match=f"answered by a {right} and not by a {wrong}"):
        package.load(run_of(kind), kind=getattr(package, wrong))


def test_a_split_is_named_or_rows_are_given(run_of):
    writer = package.load(run_of("translation"))
    by_name = package.evaluate(writer, "validation")
    rows = [package.Row(source, list(right)) for source, right in zip(by_name.sources, by_name.references, strict=True)]
    given = package.evaluate(writer, rows)
    assert (by_name.name, given.name) == ("validation", "rows")
    assert [(s.kind, s.value) for s in given.scores] == [(s.kind, s.value) for s in by_name.scores]
    with pytest.raises(package.S2SError, match="there is no split 'validaton'"):
        package.evaluate(writer, "validaton")
