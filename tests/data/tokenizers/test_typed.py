"""What was typed comes back as it was typed: piece by piece, whatever a tokenizer knows and makes of it."""

import re

import pytest

import s2s.data.fields.text  # noqa: F401  (they register the tokenizers)
from s2s.config import configure
from s2s.data.fields.base import Field
from s2s.data.tokenizers.base import Tokenizer

TRAINED = ["the old house, and the cat .", "ein altes haus und die katze", "οδος und café", "0123456789"] * 20
TEXTS = [
    "The OLD Zebra, visits (Cyprus)!",
    "ΟΔΟΣ Σ",  # the lower case of a letter that depends on its neighbors
    "İstanbul ﬁne CAFE\u0301 café",  # one letter that becomes two, a ligature, two codes that become one
    "\u1112\u1161\u11ab 한글",  # a syllable typed as its letters
    "a ￭b ▁c　d\tx\u00a0y",
    "...",
    "naïve☂ zero\u200dwidth",
]
TOKENIZERS = [
    {"kind": "word"},
    {"kind": "word", "lowercase": True},
    {"kind": "word", "punctuation": "keep", "normalization": "nfkc", "lowercase": True},
    {"kind": "char", "lowercase": True},
    {"kind": "char", "normalization": "none"},
    {"kind": "unigram", "size": 40, "lowercase": True},
    {"kind": "bpe", "size": 40, "whitespace": "keep"},
]


def bare(text: str) -> str:
    text = re.sub(r"\\(u3000|xa0|t)", "", text)  # white space that is a piece is named
    return "".join(text.replace("￭", "").replace("▁", "").replace("■", "").replace("_", "").split())


@pytest.mark.parametrize("options", TOKENIZERS, ids=str)
def test_every_piece_has_the_letters_that_were_typed(options):
    tokenizer = configure(Tokenizer, options)()
    tokenizer.fit(TRAINED)
    for text in TEXTS:
        typed = tokenizer.typed(text)
        assert len(typed) == len(tokenizer.encode(text))
        assert bare("".join(typed)) == bare(text)


def test_words_are_cut_where_the_tokenizer_cuts_them():
    words = configure(Tokenizer, {"kind": "word", "lowercase": True})()
    words.fit(["the house"])
    assert words.typed("The ZEBRA, (CAFE\u0301)!") == ["The", "ZEBRA", "￭,", "(￭", "CAFE\u0301", "￭)", "￭!"]
    characters = configure(Tokenizer, "char")()
    characters.fit(["abc"])
    assert characters.typed("a X\n") == ["a", "▁", "X", "\\n"]


def test_bytes_are_bytes():
    tokenizer = configure(Tokenizer, "byte")()
    assert tokenizer.typed("aé") == ["a", "<0xC3>", "<0xA9>"]


def test_a_field_gives_the_pieces_it_encodes():
    keep = {"kind": "word", "punctuation": "keep"}
    field = configure(Field, {"kind": "text", "tokenizer": keep, "replace": {r"\d": "0"}})()
    field.fit(["paid 12 euros"])
    assert field.typed("Paid 345 Euros") == ["Paid", "345", "Euros"]
    field = configure(Field, {"kind": "text", "tokenizer": keep, "max_length": 4, "cut": "middle"})()
    field.fit(["a b"])
    text = "A B C D E"
    assert field.typed(text) == ["A", "D", "E"]
    assert len(field.encode_all([text])[0]) == 4
    assert configure(Field, "nothing")().typed("x") == []
