"""Word vectors from text files: which rows are taken, and what is said about files that are not right."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from s2s.data.tokenizers.simple import Bytes, Characters, Words
from s2s.data.tokenizers.subword import Unigram
from s2s.data.tokenizers.word_vectors import WordVectors
from s2s.errors import DataError, RecipeError, S2SError

LINES = ["the 1 2 3", ", 4 5 6", "House -7e-1 .8 9.", ". . . 10 11 12", "of 13 14 15"]


@pytest.fixture
def tokenizer():
    words = Words()
    words.fit(["The house, of (the) trees"])
    return words


@pytest.fixture
def write(tmp_path):
    def write(*lines: str | bytes, name="vectors.txt", end="\n"):
        data = b"".join((line.encode() if isinstance(line, str) else line) + end.encode() for line in lines)
        path = tmp_path / name
        path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
        return WordVectors(path=path)

    return write


def by_piece(tokenizer, found) -> dict[str, list[float]]:
    names = tokenizer.pieces(found.ids)
    return {name: [round(float(x), 4) for x in row] for name, row in zip(names, found.vectors, strict=True)}


EXPECTED = {"the": [1, 2, 3], "The": [1, 2, 3], "￭,": [4, 5, 6], "house": [-0.7, 0.8, 9], "of": [13, 14, 15]}


def test_rows_of_the_vocabulary_are_found(tokenizer, write):
    found = write(*LINES).read(tokenizer, 3)
    assert by_piece(tokenizer, found) == EXPECTED
    assert found.vectors.dtype == np.float32
    assert found.other_case == 2
    assert str(found) == "5 of 11 tokens (45.5%) have a vector, 2 of them in another case"


@pytest.mark.parametrize(
    ("lines", "name", "end"),
    [
        (LINES, "v.txt.gz", "\n"),
        (["5 3", *LINES], "v.vec", "\n"),
        (["5 3", *LINES], "v.vec", " \n"),
        (["5 3", *LINES], "v.vec.gz", " \r\n"),
        ([line.replace(" ", "\t") for line in LINES if not line.startswith(". .")], "v.tsv", "\n"),
        ([*LINES, ""], "v.txt", "\n"),
        ([*LINES, b"\xff\xfe\x85 1 2 3", b"a\xa0b 1 2 3", b"\xc2\x85 1 2 3"], "v.txt", "\n"),
        ([*LINES, "the 7 7 7", "at me@home.org 1 2 3", "trees(oak) 1 2 3"], "v.txt", "\n"),
    ],
    ids=["gzip", "header", "fasttext", "windows", "tabs", "blank line", "odd bytes", "twice and blanks"],
)
def test_every_way_such_files_are_written(tokenizer, write, lines, name, end):
    assert by_piece(tokenizer, write(*lines, name=name, end=end).read(tokenizer, 3)) == EXPECTED


def test_the_spelling_of_the_text_comes_first_wherever_it_stands(tokenizer, write):
    found = write("the 1 1", "The 2 2", "HOUSE 3 3", "House 4 4", "house 5 5").read(tokenizer, 2)
    assert by_piece(tokenizer, found) == {"the": [1, 1], "The": [2, 2], "house": [5, 5]}
    assert found.other_case == 0


def test_a_word_with_blanks_is_found(write):
    keep = Characters()
    keep.fit(["ab"])
    assert by_piece(keep, write("a 1 2", "b c 3 4").read(keep, 2)) == {"a": [1, 2]}


def test_specials_of_the_file_are_ours_but_padding(tokenizer, write):
    found = write("<pad> 1 1", "</s> 2 2", "<unk> 3 3").read(tokenizer, 2)
    assert by_piece(tokenizer, found) == {"</s>": [2, 2], "<unk>": [3, 3]}


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "holds no vectors"),
        (["5 3"], "holds no vectors"),
        (["the quick brown fox"], ":1: is no file of word vectors"),
        (["the 1 2 3", "of 1 2"], r":2: has 2 numbers, and the first line has 3"),
        (["the 1 2 3", "of 1 2 3 4"], r":2: has 4 numbers, and the first line has 3"),
        (["the 1 2 3", "of"], r":2: has 0 numbers"),
        (["the 1 2 3", "of 1 x 3"], r":2: 'x' is not a number"),
        (["the 1 2 3", "of 1 nan 3"], r":2: 'nan' is not a number"),
        (["the 1 2 3", "of 1  3"], r":2: '' is not a number"),
        (["the 1 2 3", "\0\0"], r":2: is no line of a word and numbers"),
        (["casa 1 2 3"], "no vector for any of 11 tokens\n.*such as"),
    ],
    ids=lambda value: str(len(value)) if isinstance(value, list) else None,
)
def test_files_that_are_not_right(tokenizer, write, lines, says):
    with pytest.raises(DataError, match=says):
        write(*lines).read(tokenizer, 3)


@pytest.mark.parametrize("lines", [["the 1 2", "of 1 2"], ["2 2", "the 1 2"]], ids=["glove", "fasttext"])
def test_another_width_is_explained(tokenizer, write, lines):
    with pytest.raises(RecipeError, match=r"are 2 wide, and the embedding is 300\n.*set model.head.embedding=2"):
        write(*lines).read(tokenizer, 300, "model.head.embedding")


def test_only_words_have_word_vectors(write):
    for tokenizer in (Bytes(), Unigram.__new__(Unigram)):
        with pytest.raises(RecipeError, match="choose tokenizer: word"):
            write(*LINES).read(tokenizer, 3)


def test_a_missing_or_broken_file(tokenizer, tmp_path):
    with pytest.raises(DataError, match="no such file"):
        WordVectors(path=tmp_path / "none.txt").read(tokenizer, 3)
    path = tmp_path / "cut.txt.gz"
    path.write_bytes(gzip.compress(("the 1 2 3\n" * 9999).encode(), mtime=0)[:60])
    with pytest.raises(S2SError, match="broken gzip"):
        WordVectors(path=path).read(tokenizer, 3)


def test_which_sides():
    assert WordVectors(path=Path("x"), side="both").sides == ("source", "target")
    assert WordVectors(path=Path("x")).sides == ("source",)
