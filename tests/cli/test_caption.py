"""s2s caption, on a writer that needs no model: what it says of a picture is told by the picture's bytes."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import s2s.cli.caption as module
from s2s.cli.caption import caption
from s2s.cli.sources import cell, chunked, walk
from s2s.config import configure
from s2s.data.values import value_type
from s2s.decoding.search import Search
from s2s.errors import DataError, RunError
from s2s.predictors.seq2seq import Alignment, Prediction
from s2s.registry import options_of

app = typer.Typer()
app.command()(caption)


class FakeField:
    takes = ("picture",)
    space = SimpleNamespace(modality="image")

    def encode_all(self, pictures):
        for picture in pictures:
            if b"broken" in picture.data:
                raise DataError(picture.name, "is no picture", "draw it again")
        return [picture.data for picture in pictures]


class FakeWriter:
    """Says what the bytes of a picture say; the n-th best caption has n signs after it."""

    def __init__(self, attention=True):
        self.task = SimpleNamespace(source=FakeField(), verb="caption")
        self.recipe = SimpleNamespace(
            name="toy",
            task=SimpleNamespace(kind="captioning"),
            decoding=configure(Search, {"kind": "beam", "beam_size": 4}),
        )
        self.attention = attention
        self.asked = []

    def search(self, pictures, search):
        self.task.source.encode_all(pictures)
        self.asked.append((len(pictures), search))
        known = options_of(search.factory)
        count = search.kwargs.get("nbest", known["nbest"].default) if "nbest" in known else 1
        texts = [picture.data.decode() for picture in pictures]
        return [[Prediction(text + "!" * n, -1.0 - n, -2.0 - n, [4, 5]) for n in range(count)] for text in texts]

    def align_all(self, pictures, written):
        return [self.align() for _ in pictures]

    def align(self):
        if not self.attention:
            return None
        weights = [[0.7, 0.1, 0.1, 0.1], [0.25] * 4, [0.1, 0.1, 0.1, 0.7]]
        return Alignment(["1,1", "1,2", "2,1", "2,2"], ["a", "dog", "</s>"], weights, (2, 2))

    def seen(self, picture):
        return np.full((8, 8, 3), 200, dtype=np.uint8)


@pytest.fixture
def writer():
    return FakeWriter()


@pytest.fixture
def run(writer, monkeypatch):
    """run("folder", "--json") -> the result of `s2s caption RUN folder --json`."""
    monkeypatch.setattr(module, "open_run", lambda run, *_, **__: (run, writer))

    def call(*arguments, code=0):
        result = CliRunner().invoke(app, ["runs/toy", *map(str, arguments)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return call


@pytest.fixture
def folder(tmp_path):
    """Three pictures, one of them deeper, and what is none."""
    for name, data in [
        ("b.png", "a dog"),
        ("a.JPG", "a cat"),
        ("c/a.webp", "a tree"),
        ("notes.txt", "no picture"),
        (".hidden.png", "hidden"),
        (".cache/d.png", "hidden"),
    ]:
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / name).write_text(data)
    return tmp_path / "pictures"


def test_a_line_a_picture_in_the_order_of_names(run, folder):
    wanted = [f"{folder}/a.JPG\ta cat", f"{folder}/b.png\ta dog", f"{folder}/c/a.webp\ta tree"]
    assert run(folder).stdout.splitlines() == wanted
    assert run(folder / "c", folder / "b.png").stdout.splitlines() == [wanted[2], wanted[1]]


def test_a_file_that_is_named_is_a_picture_whatever_its_ending(run, folder):
    assert run(folder / "notes.txt").stdout == f"{folder}/notes.txt\tno picture\n"


def test_broken_pictures_are_named_and_the_rest_is_captioned(run, folder, writer):
    (folder / "aa.png").write_text("broken")
    result = run(folder, folder / "missing.png", code=1)
    assert [line.split("\t")[1] for line in result.stdout.splitlines()] == ["a cat", "a dog", "a tree"]
    assert "skipped:" in result.stderr
    assert "aa.png: is no picture\n  draw it again" in result.stderr
    assert "missing.png: there is no such file or folder" in result.stderr
    assert [count for count, _ in writer.asked] == [3]


def test_where_nothing_can_be_read_nothing_is_said(run, folder):
    (folder / "empty").mkdir()
    result = run(folder / "empty", folder / "nowhere", code=1)
    assert result.stdout == ""
    assert "has no pictures in it" in result.stderr
    assert "nowhere" in result.stderr


def test_what_is_not_about_a_picture_is_not_hidden(run, folder, writer, monkeypatch):
    def search(*_):
        raise DataError("the model", "is tired")

    monkeypatch.setattr(writer, "search", search)
    with pytest.raises(DataError, match="is tired"):
        run(folder)


def test_nbest_has_a_line_a_caption(run, folder, writer):
    lines = run(folder / "b.png", "--nbest", 2).stdout.splitlines()
    assert lines == [f"{folder}/b.png\t-1.0000\ta dog", f"{folder}/b.png\t-2.0000\ta dog!"]
    run(folder / "b.png", "--search", "beam_size=7", "--search", "length_penalty=0.5")
    assert dict(writer.asked[-1][1].kwargs) == {"beam_size": 7, "length_penalty": 0.5}


def test_json_has_hypotheses_and_where_it_looked(run, folder, writer):
    (line,) = map(json.loads, run(folder / "b.png", "--json", "--nbest", 2).stdout.splitlines())
    assert line["source"] == f"{folder}/b.png"
    assert [h["text"] for h in line["hypotheses"]] == ["a dog", "a dog!"]
    assert line["hypotheses"][1] == {"text": "a dog!", "score": -2.0, "log_probability": -3.0}
    assert line["alignment"]["grid"] == [2, 2]
    assert line["alignment"]["target"] == ["a", "dog", "</s>"]
    assert line["alignment"]["weights"][0] == [0.7, 0.1, 0.1, 0.1]
    writer.attention = False
    (line,) = map(json.loads, run(folder / "b.png", "--json").stdout.splitlines())
    assert line["alignment"] is None


def test_attention_writes_a_picture_each(run, folder, tmp_path):
    pytest.importorskip("matplotlib")
    out = tmp_path / "looked"
    assert len(run(folder, folder / "a.JPG", "--attention", out).stdout.splitlines()) == 4
    assert sorted(path.name for path in out.iterdir()) == ["a-2.png", "a-3.png", "a.png", "b.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in out.iterdir())


def test_a_model_without_attention_has_none_to_draw(run, folder, tmp_path, writer):
    pytest.importorskip("matplotlib")
    writer.attention = False
    with pytest.raises(RunError, match="has no attention to draw"):
        run(folder, "--attention", tmp_path / "looked")


def test_names_do_not_break_lines():
    assert cell("a\tb\nc.png") == "a b c.png"


def test_a_large_folder_is_read_bit_by_bit():
    taken = []
    first = next(chunked((taken.append(i) or i for i in range(1000)), 10))
    assert first == list(range(10)) == taken
    assert [len(some) for some in chunked(range(25), 10)] == [10, 10, 5]


def test_walk_takes_a_file_as_it_is(tmp_path):
    assert walk(tmp_path / "x.txt", value_type("picture")) == [tmp_path / "x.txt"]
