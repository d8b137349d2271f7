import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from s2s.cli.score import score
from s2s.errors import DataError
from s2s.tasks.losses import Likelihood
from s2s.tensors import FieldSpec
from tests.helpers.language_models import LINES, generator_for

app = typer.Typer()
app.command()(score)


class Pairs:
    """A model of pairs: as many nats as there are words in the answer, and one for its end."""

    def __init__(self, shape="ids") -> None:
        self.task = SimpleNamespace(source=SimpleNamespace(takes=(), space=FieldSpec(shape)), target=SimpleNamespace())

    def likelihood(self, rows):
        tokens = np.array([len(row.references[0].split()) + 1 for row in rows])
        sizes = np.array([len(row.references[0]) for row in rows])
        return Likelihood(tokens * 1.0, tokens, sizes, sizes)


@pytest.fixture
def run(monkeypatch):
    """run(model, FILE..., stdin=b"...") -> the result of `s2s score RUN FILE...`."""

    def call(model, *arguments, stdin: bytes = b""):
        monkeypatch.setattr("s2s.cli.score.open_run", lambda name, *_, **__: (name, model))
        result = CliRunner().invoke(app, ["runs/toy", *map(str, arguments)], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return path


def test_a_text_has_bits(run, text):
    record = json.loads(run(generator_for(), text, "--json").stdout)
    whole = text.read_text()
    assert record["name"] == str(text)
    assert record["lines"] == len(LINES)
    assert record["characters"] == record["pieces"] == len(whole)
    assert record["bytes"] == len(whole.encode())
    nats = -record["log_probability"]
    assert record["bits_per_character"] == pytest.approx(nats / math.log(2) / len(whole), abs=1e-4)
    assert record["bits_per_byte"] < record["bits_per_character"]
    assert record["perplexity"] == pytest.approx(math.exp(nats / len(whole)), rel=1e-3)


def test_levels_count_the_same_text(run, text):
    sizes = {
        kind: json.loads(run(generator_for(kind), text, "--json").stdout)["bytes"]
        for kind in ("char", "byte", "bpe", "word")
    }
    assert len(set(sizes.values())) == 1


def test_a_table_for_people(run, text):
    shown = run(generator_for(), text, text).stdout
    for word in ("log probability", "perplexity", "bits per character", "bits per byte"):
        assert word in shown


def test_standard_input_is_a_file(run, text):
    piped = json.loads(run(generator_for(), "-", "--json", stdin=text.read_bytes()).stdout)
    assert {**piped, "name": ""} == {**json.loads(run(generator_for(), text, "--json").stdout), "name": ""}


def test_each_line_has_its_numbers(run, text):
    lines = [line.split("\t") for line in run(generator_for(), text, "--each").stdout.splitlines()]
    assert [line[3] for line in lines] == LINES
    assert [int(line[1]) for line in lines] == [len(line) + 1 for line in LINES]
    total = json.loads(run(generator_for(), text, "--json").stdout)["log_probability"]
    assert sum(float(line[0]) for line in lines) == pytest.approx(total, abs=1e-2)
    records = [json.loads(line) for line in run(generator_for(), text, "--each", "--json").stdout.splitlines()]
    assert [r["text"] for r in records] == LINES
    assert "source" not in records[0]


def test_exact_is_asked_for(run, text):
    assert run(generator_for(), text, "--exact", "--json").stdout == run(generator_for(), text, "--json").stdout


def test_unknown_pieces_are_warned_of(run, tmp_path):
    (tmp_path / "a").write_text("the Ж cat Ж\n")
    assert "2 tokens are unknown" in run(generator_for(), tmp_path / "a").stderr


def test_pairs_of_files(run, tmp_path):
    (tmp_path / "a.de").write_text("ein Hund\neine Katze\n")
    (tmp_path / "a.en").write_text("a dog\na big cat\n")
    record = json.loads(run(Pairs(), tmp_path / "a.de", tmp_path / "a.en", "--json").stdout)
    assert (record["lines"], record["pieces"], record["log_probability"]) == (2, 7, -7.0)
    assert record["characters"] == len("a doga big cat")
    each = run(Pairs(), tmp_path / "a.de", tmp_path / "a.en", "--each").stdout.splitlines()
    assert each == ["-3.0000\t3\t2.718\tein Hund\ta dog", "-4.0000\t4\t2.718\teine Katze\ta big cat"]


def test_pairs_in_columns(run, tmp_path):
    (tmp_path / "a.tsv").write_text("ein Hund\ta dog\n")
    (tmp_path / "b.tsv").write_text("eine Katze\ta cat\n")
    names = tmp_path / "a.tsv", tmp_path / "b.tsv"
    assert len(run(Pairs(), *names, "--json").stdout.splitlines()) == 2
    assert json.loads(run(Pairs(), "-", "--json", stdin=b"ein Hund\ta dog\n").stdout)["pieces"] == 3


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": "x\ny\n", "b": "x\n"}, "has 1 lines, and .*a has 2"),
        ({"a": "one column\n"}, "a:1: has no tab"),
        ({"a": "x\ty\nz\n"}, "a:2: has no tab"),
        ({"a": ""}, "is empty"),
        ({"none": None}, "there is no such file"),
    ],
    ids=["unequal", "no columns", "a line without a tab", "empty", "missing"],
)
def test_files_that_are_no_pairs(run, tmp_path, files, message):
    for name, content in files.items():
        if content is not None:
            (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        run(Pairs(), *(tmp_path / name for name in files))


def test_pictures_are_not_read(run, text):
    with pytest.raises(DataError, match="reads image, and s2s score reads texts"):
        run(Pairs("image"), text)


def test_an_empty_input_is_a_mistake(run):
    with pytest.raises(DataError, match="standard input: is empty"):
        run(generator_for(), "-")
