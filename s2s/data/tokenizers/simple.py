"""Tokenizers that need no library: characters, words, bytes.

tokenizer = Words(min_count=2, punctuation="split")
tokenizer.fit(texts)
tokenizer.pieces(tokenizer.encode("Two red houses."))      # Two red houses ￭.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal

from s2s.data.tokenizers.base import (
    UNKNOWN,
    Normalization,
    Tokenizer,
    digest_of,
    normalize_text,
    visible_token,
    with_ending,
)
from s2s.data.tokenizers.typed import as_typed
from s2s.data.tokenizers.vocabulary import SPECIALS, Vocabulary
from s2s.errors import OptionError
from s2s.registry import PositiveInt
from s2s.tensors import UNK

JOINER = "￭"  # glues a piece to its neighbor; a text that holds it gets JOINER_TWIN, which looks the same
JOINER_TWIN = "■"


class VocabularyTokenizer(Tokenizer):
    """A tokenizer whose vocabulary is a list: a member is split() and join().

    min_count       rarer tokens are unknown
    limit           most tokens to keep; null keeps all
    lowercase       lowercase every text; what is decoded is then lowercase too
    normalization   nfc: one code for one visible character, nothing visible changes; nfkc: also ligatures,
                    full-width forms and the like become plain; none: as it is (Unicode Standard Annex 15)
    """

    vocabulary: Vocabulary

    def __init__(
        self,
        *,
        min_count: PositiveInt = 1,
        limit: PositiveInt | None = None,
        lowercase: bool = False,
        normalization: Normalization = "nfc",
    ) -> None:
        self.min_count, self.limit = min_count, limit
        self.lowercase, self.normalization = lowercase, normalization

    def split(self, text: str) -> list[str]:
        raise NotImplementedError

    def join(self, pieces: list[str]) -> str:
        raise NotImplementedError

    def fit(self, texts: Iterable[str]) -> None:
        self.vocabulary = Vocabulary.count(map(self.prepared, texts), self.limit, self.min_count)
        if len(self.vocabulary) == len(SPECIALS):
            rarer = f"no token is there {self.min_count} times" if self.min_count > 1 else "there is no text"
            raise OptionError("", f"has nothing to learn from: {rarer}", "check the training data")

    def prepared(self, text: str) -> list[str]:
        return self.split(normalize_text(text, self.normalization, self.lowercase))

    def encode(self, text: str) -> list[int]:
        return [self.vocabulary[piece] for piece in self.prepared(text)]

    def typed(self, text: str) -> list[str]:
        pieces = self.prepared(text)
        found = as_typed(text, pieces, lambda part: normalize_text(part, self.normalization, self.lowercase))
        return [piece if piece.strip() else visible_token(piece) for piece in found]

    def unseen(self, text: str) -> list[str]:
        """The pieces of a text that the vocabulary does not have, each once, in order."""
        return [piece for piece in dict.fromkeys(self.prepared(text)) if piece not in self.vocabulary]

    def decode(self, ids: Iterable[int]) -> str:
        pieces = self.vocabulary.pieces
        return self.join([pieces[i] if UNK < i < len(pieces) else UNKNOWN for i in ids if not 0 <= i < UNK])

    def pieces(self, ids: Iterable[int]) -> list[str]:
        names = self.vocabulary.pieces
        return [visible_token(names[i]) if 0 <= i < len(names) else UNKNOWN for i in ids]

    def __len__(self) -> int:
        return len(self.vocabulary)

    def expected_size(self) -> int:
        return self.limit or super().expected_size()

    def save(self, stem: Path) -> None:
        self.vocabulary.save(with_ending(stem, ".vocab"))

    def load(self, stem: Path) -> None:
        self.vocabulary = Vocabulary.load(with_ending(stem, ".vocab"))

    @property
    def fingerprint(self) -> str:
        return digest_of(type(self).__name__, self.vocabulary.to_bytes(), self.lowercase, self.normalization)


class Characters(VocabularyTokenizer, kind="char"):
    """Every character is a token, white space and line breaks too.

    Character-level models: Sutskever et al. 2011, https://icml.cc/2011/papers/524_icmlpaper.pdf
    """

    def split(self, text: str) -> list[str]:
        return list(text)

    def join(self, pieces: list[str]) -> str:
        return "".join(pieces)


class Words(VocabularyTokenizer, kind="word"):
    """Pieces are words, and the marks before and after them: `(twenty-one?` is `(￭` `twenty-one` `￭?`.

    The joiner ￭ says on which side a mark had no space, so that decode() puts the text together again,
    with any white space as one space. Marks inside a word, as in `don't` or `3.50`, belong to it.

    punctuation   split: marks at the ends of words are tokens; keep: only white space separates

    Joiners: Klein et al. 2017 (OpenNMT), https://arxiv.org/abs/1701.02810
    """

    def __init__(
        self,
        *,
        min_count: PositiveInt = 1,
        limit: PositiveInt | None = None,
        lowercase: bool = False,
        normalization: Normalization = "nfc",
        punctuation: Literal["split", "keep"] = "split",
    ) -> None:
        super().__init__(min_count=min_count, limit=limit, lowercase=lowercase, normalization=normalization)
        self.punctuation = punctuation

    def split(self, text: str) -> list[str]:
        if self.punctuation == "keep":
            return text.split()
        return [piece for run in text.replace(JOINER, JOINER_TWIN).split() for piece in split_marks(run)]

    def join(self, pieces: list[str]) -> str:
        text = " ".join(pieces)
        if self.punctuation == "keep":
            return text
        return text.replace(f" {JOINER}", "").replace(f"{JOINER} ", "").replace(JOINER, "")

    @property
    def fingerprint(self) -> str:
        return digest_of(super().fingerprint, self.punctuation)


class Bytes(Tokenizer, kind="byte"):
    """Every byte of UTF-8 is a token: no text is unknown, and there is nothing to learn or to save.

    Byte-level models: Gillick et al. 2016, https://arxiv.org/abs/1512.00103
    """

    first = len(SPECIALS)  # the id of byte 0

    def fit(self, texts: Iterable[str]) -> None:
        """Nothing to learn."""

    def encode(self, text: str) -> list[int]:
        return [byte + self.first for byte in text.encode("utf-8", "surrogatepass")]

    def decode(self, ids: Iterable[int]) -> str:
        mark = UNKNOWN.encode()
        known = ([i - self.first] if self.first <= i < len(self) else mark for i in ids if not 0 <= i < UNK)
        data = bytes(byte for part in known for byte in part)
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:  # a model may well write half a character
            return data.decode("utf-8", "replace")

    def pieces(self, ids: Iterable[int]) -> list[str]:
        return [self.name(i) for i in ids]

    def name(self, i: int) -> str:
        if not 0 <= i < len(self):
            return UNKNOWN
        byte = i - self.first
        return SPECIALS[i] if byte < 0 else visible_token(chr(byte)) if byte < 128 else f"<0x{byte:02X}>"

    def __len__(self) -> int:
        return self.first + 256

    def save(self, stem: Path) -> None:
        """Nothing to keep."""

    def load(self, stem: Path) -> None:
        """Nothing to read."""

    @property
    def fingerprint(self) -> str:
        return digest_of("Bytes")


@lru_cache(maxsize=1 << 16)
def split_marks(run: str) -> tuple[str, ...]:
    """A run without white space, as the marks before, the word, and the marks after."""
    start, end = 0, len(run)
    while start < end and is_mark(run[start]):
        start += 1
    while end > start and is_mark(run[end - 1]):
        end -= 1
    if start == end:  # nothing but marks: each leans on the one before
        return (run[0], *(JOINER + mark for mark in run[1:]))
    return (*(mark + JOINER for mark in run[:start]), run[start:end], *(JOINER + mark for mark in run[end:]))


def is_mark(character: str) -> bool:
    """Punctuation and symbols."""
    return unicodedata.category(character)[0] in "PS"
