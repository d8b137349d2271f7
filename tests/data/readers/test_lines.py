"""Readers of running text: every line in order, and validation is the end of it."""

import pytest

from s2s.config import configure
from s2s.data.ingest import has_split, open_corpus
from s2s.data.readers.base import Reader
from s2s.data.readers.lines import Lines  # noqa: F401  (registers the kinds)
from s2s.errors import DataError, RecipeError

TEXT = "".join(f"line {i}\n" if i % 3 else "\n" for i in range(40))


def reader(**options):
    return configure(Reader, {"kind": "lines", **options})()


def joined(reader, split: str) -> str:
    return "\n".join(row.target for row in reader.read(split))


@pytest.fixture
def book(tmp_path):
    (tmp_path / "book.txt").write_text(TEXT)
    return tmp_path / "book.txt"


@pytest.mark.parametrize("held", [0.1, 0.25, 17])
def test_the_last_characters_are_for_validation(book, held):
    found = reader(path=book, hold_out=held)
    whole = TEXT.removesuffix("\n") + "\n"
    cut = len(whole) - held if held >= 1 else int(len(whole) * (1 - held))
    assert joined(found, "train") == whole[:cut].removesuffix("\n")
    assert joined(found, "validation") == whole[cut:].removesuffix("\n")
    corpus = open_corpus(found, "train")
    assert [row.target for row in corpus] == whole[:cut].removesuffix("\n").split("\n")
    assert {row.source for row in corpus} == {""}


def test_files_of_their_own(tmp_path):
    for name in ("train", "valid", "test"):
        (tmp_path / f"{name}.txt").write_text(f"{name}\n\nend\n")
    found = reader(path=tmp_path)
    assert [joined(found, s) for s in ("train", "validation", "test")] == [
        f"{n}\n\nend" for n in ("train", "valid", "test")
    ]


def test_a_text_in_the_recipe():
    found = reader(text="hello", hold_out=0)
    assert joined(found, "train") == "hello"
    assert not has_split(found, "validation")
    assert not has_split(found, "test")


def test_what_every_python_brings_along():
    found = configure(Reader, "python")()
    train, validation = joined(found, "train"), joined(found, "validation")
    assert len(train) > 300_000
    assert 0.05 < len(validation) / len(train) < 0.15
    assert "lambda" in train


def test_another_text_is_another_fingerprint(book):
    before = reader(path=book).fingerprint("train")
    assert before != reader(path=book, hold_out=0.2).fingerprint("train")
    assert before != reader(path=book).fingerprint("validation")
    book.write_text(TEXT + "more")
    assert before != reader(path=book).fingerprint("train")


def test_mistakes_have_a_sentence(tmp_path, book):
    for options in ({}, {"path": book, "text": "a"}):
        with pytest.raises(RecipeError, match="path: is needed, or `text`"):
            reader(**options)
    with pytest.raises(DataError, match=r"train.txt"):
        list(reader(path=tmp_path).read("train"))
    with pytest.raises(DataError, match="no-book"):
        list(reader(path=tmp_path / "no-book.txt").read("train"))
    (tmp_path / "train.txt").write_text("")
    with pytest.raises(DataError, match="is empty"):
        open_corpus(reader(path=tmp_path, hold_out=0), "train")
