"""Value types: each comes back from Arrow as it was, and one of a user's own needs no change to s2s."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import s2s
from s2s.cli.sources import called
from s2s.data.fields.base import Field
from s2s.data.pictures import Picture
from s2s.data.readers.base import Reader
from s2s.data.values import ValueType, is_blank, shown, type_of, value_type
from s2s.errors import DataError, RecipeError
from s2s.tensors import FieldSpec

ROOT = Path(__file__).parents[2]
VALUES = {
    "text": [" Un ñu ", "", "a\tb"],
    "nothing": [""],
    "picture": [Picture(b"\x89PNG\x00", "a.png"), Picture(b"", "b.png")],
    "numbers": [np.arange(3, dtype=np.float32), np.ones((2, 4), np.float32), np.zeros((0, 4), np.float32)],
}
SHOWN = {"text": " Un ñu ", "nothing": "", "picture": "a.png", "numbers": "3 numbers"}


def ours() -> list[str]:
    return [kind for kind, maker in ValueType.registry.items() if maker.__module__.startswith("s2s.")]


def test_every_type_is_tried():
    assert sorted(VALUES) == sorted(ours())


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_comes_back_as_it_was(kind):
    one = value_type(kind)
    stored = pa.array([one.to_arrow(value) for value in VALUES[kind]], one.arrow_type())
    for value, back in zip(VALUES[kind], map(one.from_arrow, stored.to_pylist()), strict=True):
        assert type(back) is type(value)
        assert one.holds(back)
        assert one.key(back) == one.key(value)
        np.testing.assert_equal(back, value)
    assert one.show(VALUES[kind][0]) == SHOWN[kind]
    assert isinstance(type_of(VALUES[kind][0]), type(one) if kind != "nothing" else value_type("text").__class__)


def test_what_tells_values_apart():
    text, picture, numbers = map(value_type, ("text", "picture", "numbers"))
    assert text.key("a b ") == text.key(" a b") != text.key("a  b")
    assert picture.key(Picture(b"1", "a")) == picture.key(Picture(b"1", "b")) != picture.key(Picture(b"2", "a"))
    assert numbers.key(np.float32([1, 2])) != numbers.key(np.float32([2, 1]))
    assert (text.size("año"), text.characters("año"), text.words("un año")) == (3, 3, 2)
    assert (picture.size(Picture(b"123", "a")), picture.characters(Picture(b"123", "a"))) == (3, 0)
    assert (numbers.size(np.ones((2, 4), np.float32)), numbers.words(np.ones(2))) == (32, 0)
    assert [is_blank(value) for value in ("", " \n", "a", None, [], np.zeros(0))] == [True, True, *[False] * 4]


def test_the_nearest_type_is_meant(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 3), np.float32))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert type(mapped) is np.memmap
    assert shown(mapped) == "2 x 3 numbers"
    with pytest.raises(TypeError, match="no value type has complex"):
        type_of(1j)
    with pytest.raises(RecipeError, match="data: there is no value type 'pictures'\n  did you mean 'picture'"):
        value_type("pictures")
    names = [name for name, _ in value_type("numbers").read_all(tmp_path / "a.npy", FieldSpec("vector", 3))]
    assert names == [f"{tmp_path / 'a.npy'}:1", f"{tmp_path / 'a.npy'}:2"]
    assert called("numbers") == "arrays"
    assert called("tags") == "tags"


OWN = '''"""Drawings as pen strokes, and what is drawn: all that a new kind of data needs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from s2s.data.fields.features import Features
from s2s.data.readers.base import Reader, Row
from s2s.data.source_files import digest_files
from s2s.data.values import ValueType
from s2s.errors import DataError


class Strokes(ValueType, kind="strokes"):
    """Steps of a pen, [[right, down], ...]: Ha & Eck 2017, https://arxiv.org/abs/1704.03477"""

    python_type, plural, endings = list, "drawings", (".strokes",)

    def arrow_type(self):
        return pa.list_(pa.list_(pa.float32()))

    def read(self, path):
        try:
            return json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise DataError(str(path), f"is no drawing: {error}") from None


class StrokeField(Features, kind="strokes"):
    """Steps as vectors."""

    takes, shapes = ("strokes",), ("vectors",)

    def fit(self, values):
        super().fit(map(np.array, values))

    def encode_all(self, values):
        return super().encode_all([np.array(value, np.float32) for value in values])


@dataclass(kw_only=True)
class Drawings(Reader, kind="drawings"):
    """{path}/{train}.jsonl, an object a line: strokes, label."""

    path: Path

    @property
    def source_type(self) -> str:
        return "strokes"

    def offers(self, name: str) -> bool:
        return (self.path / f"{name}.jsonl").is_file()

    def rows(self, name: str) -> Iterator[Row]:
        for line in (self.path / f"{name}.jsonl").read_text().splitlines():
            record = json.loads(line)
            yield Row(record["strokes"], record["label"])

    def contents(self, name: str) -> str:
        return digest_files([self.path / f"{name}.jsonl"])
'''
RECIPE = """\
uses: own.py
name: drawn
task: {kind: classification, source: strokes, target: label}
data: {kind: drawings, path: drawings}
model:
  encoder: {kind: rnn, cell: gru, embedding: 8, hidden: 8}
  head: {kind: classifier, pooling: last}
training:
  {epochs: null, steps: 60, batch_size: 16, batch_unit: sentences, validate_every: 30, samples: 2, device: cpu,
   precision: fp32, optimizer: {kind: adam, learning_rate: 3e-2}}
"""
STEPS = {"across": [1.0, 0.0], "down": [0.0, 1.0]}


def drawing(label: str, length: int) -> list[list[float]]:
    return [STEPS[label]] * length


def s2s_command(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "s2s", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for family in (ValueType, Field, Reader):  # what own.py registers is gone with the test
        monkeypatch.setattr(family, "registry", dict(family.registry))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drawings").mkdir()
    for split, lengths in {"train": range(1, 25), "validation": (3, 7), "test": (5, 8, 30)}.items():
        records = [{"strokes": drawing(label, n), "label": label} for n in lengths for label in STEPS]
        (tmp_path / "drawings" / f"{split}.jsonl").write_text("".join(f"{json.dumps(r)}\n" for r in records))
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def test_a_value_type_of_ones_own_needs_a_file_and_no_change(folder):
    """Value type, field and reader in a file that `uses` names: checked, trained, evaluated, asked."""
    checked = s2s_command("check", "recipe.yaml")
    assert checked.returncode == 0, checked.stderr
    trained = s2s_command("train", "recipe.yaml", "--out", "run")
    assert trained.returncode == 0, trained.stderr
    assert "s2s classify run a.strokes --trust" in trained.stdout
    assert "it says: [[" in trained.stdout
    predictor = s2s.load("run", trust=True)
    assert predictor.predict([drawing("down", 4), drawing("across", 9)]) == ["down", "across"]
    found = s2s.evaluate(predictor, "test")
    assert found.scores[0].value == 100
    assert found.sources[0] == "[[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]"
    assert len(found.sources[4]) == 80
    assert found.by_length == []
    rows = list(s2s.read_recipe(folder / "recipe.yaml").data().read("test"))
    assert s2s.evaluate(predictor, rows).loss == found.loss
    for name, label in (("b", "across"), ("a", "down")):
        (folder / f"{name}.strokes").write_text(json.dumps(drawing(label, 6)))
    (folder / "c.strokes").write_text("no json")
    asked = s2s_command("predict", "run", ".", "--trust")
    assert asked.stdout == "a.strokes\tdown\nb.strokes\tacross\n"
    assert asked.stderr.startswith("skipped: c.strokes: is no drawing")
    assert asked.returncode == 1
    classified = s2s_command("classify", "run", "a.strokes", "--trust", "--json")
    assert json.loads(classified.stdout)["label"] == "down", classified.stderr
    nothing = s2s_command("predict", "run", "--trust")
    assert nothing.returncode == 2
    assert nothing.stderr == (
        "error: drawn: reads drawings, and none are named\n  name them, or folders of them, such as: a.strokes\n"
    )


def test_a_type_without_files_is_asked_from_python(folder):
    own = OWN.replace("    def read(self, path):", "    def other(self, path):")
    (folder / "own.py").write_text(own)
    trained = s2s_command("train", "recipe.yaml", "training.steps=1", "training.validate_every=1", "--out", "run")
    assert trained.returncode == 0, trained.stderr
    assert "s2s predict run --trust" in trained.stdout
    assert "Traceback" not in trained.stderr
    refused = s2s_command("predict", "run", "a.strokes", "--trust")
    assert refused.returncode == 2
    assert refused.stderr.startswith(
        "error: drawn: reads drawings, and no verb has files of that\n  ask it from Python"
    )
    assert s2s.load("run", trust=True).predict([drawing("down", 4)])[0] in STEPS


def test_a_source_of_another_type_is_named_with_its_place(folder):
    with (folder / "drawings" / "train.jsonl").open("a") as file:
        file.write('{"strokes": "a text", "label": "down"}\n')
    trained = s2s_command("train", "recipe.yaml", "--out", "run")
    assert trained.returncode == 2
    assert trained.stderr.splitlines()[-2:] == [
        "error: train: row 49: its source is of another kind than the data says",
        "  rows of one data set have sources of one type: Reader.source_type says which",
    ]


def test_a_type_that_nobody_has_registered(folder):
    (folder / "own.py").write_text(OWN.replace('return "strokes"', 'return "stroke"'))
    recipe = s2s.read_recipe(folder / "recipe.yaml", ["training.steps=1"])
    with pytest.raises((RecipeError, DataError)) as error:
        s2s.train(recipe, folder / "run")
    assert "\n" not in error.value.problems[0].what
    assert "stroke" in error.value.problems[0].what
