"""A vocabulary is a list with ids, and its file says all of it."""

import errno
import os

import pytest

from s2s.data.tokenizers.vocabulary import SPECIALS, Vocabulary
from s2s.errors import RunError
from s2s.files import atomic_write
from s2s.tensors import BOS, EOS, PAD, UNK

ODD = [
    "\n",
    "\r",
    "\\",
    "\\n",
    "",
    " ",
    "\t",
    "\u2028",
    "\x85",
    "\x0b",
    "é",
    "e\u0301",
    "😀",
    "#",
    "# 4 pieces",
    "\ud800",
]


def test_specials_come_first_in_the_order_of_their_ids():
    pieces = Vocabulary(["a"]).pieces
    assert [pieces[i] for i in (PAD, BOS, EOS, UNK)] == list(SPECIALS) == pieces[:4]


def test_an_id_and_its_piece_are_two_ways_of_saying_one_thing():
    vocabulary = Vocabulary(ODD)
    assert [vocabulary.pieces[vocabulary[piece]] for piece in ODD] == ODD
    assert vocabulary["not there"] == UNK
    assert "not there" not in vocabulary
    assert "é" in vocabulary
    assert len(vocabulary) == len(ODD) + 4


def test_a_text_cannot_write_a_special():
    vocabulary = Vocabulary.count([SPECIALS])
    assert sorted(vocabulary[piece] for piece in SPECIALS) == [4, 5, 6, 7]
    assert all(Vocabulary()[piece] == UNK for piece in SPECIALS)


def test_count_keeps_the_most_frequent_and_does_not_care_for_order():
    rows = ["bbb", "aa", "cc", "d"]
    assert Vocabulary.count(rows).pieces[4:] == ["b", "a", "c", "d"]
    assert Vocabulary.count(reversed(rows)) == Vocabulary.count(rows)
    assert Vocabulary.count(rows, limit=2) == Vocabulary(["b", "a"])
    assert Vocabulary.count(rows, min_count=2) == Vocabulary(["b", "a", "c"])
    assert Vocabulary.count(rows, min_count=3, limit=2) == Vocabulary(["b"])


def test_saved_and_loaded_is_the_same(tmp_path):
    path = tmp_path / "folder" / "source.vocab"
    Vocabulary(ODD).save(path)
    assert Vocabulary.load(path) == Vocabulary(ODD)
    assert list(path.parent.iterdir()) == [path]


def test_the_file_has_a_piece_on_each_line(tmp_path):
    Vocabulary(["house", "a\nb"]).save(tmp_path / "v")
    assert (tmp_path / "v").read_text() == "# 6 pieces\n<pad>\n<s>\n</s>\n<unk>\nhouse\na\\nb\n"


GOOD = "# 6 pieces\n<pad>\n<s>\n</s>\n<unk>\na\nb\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1 is not"),
        ("a\nb\n", "line 1 is not"),
        (GOOD.replace("6", "7"), "line 1 promises 7 pieces, and 6 are there"),
        (GOOD + "c\n", "line 1 promises 6 pieces, and 7 are there"),
        (GOOD + "c", "line 1 promises 6 pieces"),
        (GOOD.replace("<s>", "<t>"), "the first pieces are not <pad>"),
        (GOOD.replace("b", "a"), "piece 'a' is there twice"),
        (GOOD.replace("b", "b\\"), "line 7 has 1 backslashes"),
        (GOOD.replace("b", "\\x"), "line 7 has 1 backslashes"),
        (GOOD.replace("b", "\udcff"), "is not UTF-8"),
    ],
)
def test_a_damaged_file_is_named_with_what_is_wrong(tmp_path, text, complaint):
    path = tmp_path / "source.vocab"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RunError, match=r"source\.vocab") as caught:
        Vocabulary.load(path)
    assert complaint in str(caught.value)


def test_wherever_a_file_is_cut_it_is_noticed(tmp_path):
    path = tmp_path / "source.vocab"
    whole = Vocabulary(["house", "tree", "\n"]).to_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(RunError, match=r"source\.vocab"):
            Vocabulary.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RunError, match=r"none.vocab: is missing"):
        Vocabulary.load(tmp_path / "none.vocab")
    with pytest.raises(RunError, match="cannot be read"):
        Vocabulary.load(tmp_path)


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "source.vocab"
    atomic_write(path, b"old")

    def full(old, new):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(RunError, match="source.vocab: the disk is full"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
