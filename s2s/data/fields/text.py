"""The field of texts: a tokenizer makes ids of them, and text of ids again.

field = TextField(tokenizer=choose(Tokenizer, "word"))      # or TextField().bind(tokenizer), one that both sides share
field.fit(texts)
batch = field.collate(field.encode_all(texts))      # Padded: data [B, S], lengths [B]
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Literal, Self, TypeVar

import numpy as np
import torch
from torch import Tensor

from s2s.data.fields.base import Field
from s2s.data.tokenizers.base import Tokenizer, normalize_text
from s2s.errors import RecipeError, mounted
from s2s.registry import ComponentConfig, PositiveInt
from s2s.tensors import EOS, PAD, FieldSpec, Padded

Token = TypeVar("Token")


class TextField(Field, kind="text"):
    """Text, as ids that end in EOS.

    tokenizer   a tokenizer of its own; null for the one that it is bound to, the task's: both sides then have one
                vocabulary
    max_length  most ids of a row, EOS counted
    cut         what longer texts lose, wherever they come from: their start, middle or end; null drops such
                training rows instead, and leaves other texts as they are
    replace     regular expressions and what stands for what they match, one after the other, before a text is
                cut into tokens: {"<br />": " ", '@\\w+': "@user"}; for a field with a tokenizer of its own

    Raises RecipeError for an expression that is none.
    """

    takes, shapes = ("text",), ("ids",)
    max_length: int
    ends = 1

    def __init__(
        self,
        *,
        tokenizer: ComponentConfig[Tokenizer] | None = None,
        max_length: PositiveInt = 200,
        cut: Literal["start", "middle", "end"] | None = None,
        replace: dict[str, str] | None = None,
    ) -> None:
        self.borrowed = tokenizer is None
        self._tokenizer = None if tokenizer is None else tokenizer()
        self.max_length, self.cut = max_length, cut
        if replace and self.borrowed:
            raise RecipeError("replace", "would change a tokenizer that both sides share", "give the field its own")
        self.replacements = [compiled_replacements(*pair) for pair in (replace or {}).items()]

    @property
    def tokenizer(self) -> Tokenizer:
        """Its own, or the one it is bound to. Raises RecipeError where it has neither."""
        if self._tokenizer is None:
            hint = f"name one: tokenizer: unigram; there are: {', '.join(sorted(Tokenizer.registry))}"
            raise RecipeError("tokenizer", "text needs a tokenizer, and there is none to share", hint)
        return self._tokenizer

    def bind(self, shared: Tokenizer | None) -> Self:
        if self.borrowed:
            self._tokenizer = shared
        assert self.tokenizer is not None
        return self

    def fit(self, values: Iterable[str]) -> None:
        with mounted("tokenizer"):
            self.tokenizer.fit(map(self.replaced, values))

    def replaced(self, text: str) -> str:
        """The text as the tokenizer gets it."""
        for pattern, words in self.replacements:
            text = pattern.sub(words, text)
        return text

    def shares(self, tokenizer: Tokenizer) -> bool:
        return self.tokenizer is tokenizer

    @property
    def space(self) -> FieldSpec:
        return FieldSpec("ids", len(self.tokenizer), self.tokenizer.fingerprint)

    def guesses(self) -> list[FieldSpec]:
        """One tokenizer for both sides is one vocabulary."""
        return [FieldSpec("ids", self.tokenizer.expected_size(), f"tokenizer {id(self.tokenizer)}")]

    @property
    def samples(self) -> bool:
        return self.tokenizer.samples

    def encode_all(self, values: Sequence[str]) -> list[np.ndarray]:
        """Arrays of int32 ids [S], each with EOS at its end."""
        texts = [*map(self.replaced, values)] if self.replacements else values
        ids = self.tokenizer.encode_all(texts)
        return with_eos(ids if self.cut is None else [*map(self.shortened, ids)])

    def sample(self, value: str, seed: int) -> np.ndarray:
        return np.array([*self.shortened(self.tokenizer.sample(self.replaced(value), seed)), EOS], dtype=np.int32)

    def shortened(self, ids: Sequence[Token]) -> Sequence[Token]:
        """As `cut` has it, with room for EOS."""
        most = self.max_length - 1
        if self.cut is None or len(ids) <= most:
            return ids
        head = {"start": 0, "middle": most // 2, "end": most}[self.cut]
        return [*ids[:head], *ids[len(ids) - (most - head) :]]

    def collate(self, rows: Sequence[np.ndarray]) -> Padded:
        """Ids on a rectangle [B, S] of PAD; both tensors are torch.long, on the CPU."""
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        data = np.full((len(rows), lengths.max(initial=0)), PAD, dtype=np.int64)
        data[np.arange(data.shape[1]) < lengths[:, None]] = np.concatenate(rows) if len(rows) else ()
        return Padded(torch.from_numpy(data), torch.from_numpy(lengths))

    def decode(self, ids: Iterable[int]) -> str:
        """Text again; PAD, BOS and EOS are left out. Takes a list, an array or a tensor [T]."""
        return self.tokenizer.decode(id_list(ids))

    def comparable(self, text: str) -> str:
        """In the Unicode form that the tokenizer writes, and NFC at least: one code for one visible character."""
        form = self.tokenizer.normalization
        return normalize_text(text, "nfc" if form == "none" else form, lowercase=False)

    def pieces(self, ids: Iterable[int]) -> list[str]:
        return self.tokenizer.pieces(id_list(ids))

    def typed(self, value: str) -> list[str]:
        """The pieces of a text as they were typed, but for what `replace` has put in other words and places."""
        found = self.tokenizer.typed(self.replaced(value))
        if self.replacements:
            before = self.tokenizer.typed(value)
            found = before if len(before) == len(found) else found
        return list(self.shortened(found))

    def stem(self, folder: Path, name: str) -> Path:
        """A shared tokenizer is kept once, under a name of its own."""
        return folder / ("shared" if self.borrowed else name)

    def save(self, folder: Path, name: str) -> None:
        self.tokenizer.save(self.stem(folder, name))

    def load(self, folder: Path, name: str) -> None:
        self.tokenizer.load(self.stem(folder, name))

    @property
    def fingerprint(self) -> str:
        cut = f" {self.cut} {self.max_length}" if self.cut else ""
        replaced = "".join(f" {pattern.pattern!r}: {words!r}" for pattern, words in self.replacements)
        return f"{self.tokenizer.fingerprint}{cut}{replaced}"


def compiled_replacements(pattern: str, words: str) -> tuple[re.Pattern[str], str]:
    """A regular expression, and what stands for it; both are tried. Raises RecipeError."""
    try:
        found = re.compile(pattern)
        found.sub(words, "")
    except (re.error, IndexError) as error:
        hint = r"write ( and . that mean themselves as \( and \.; \1 is the first group"
        raise RecipeError("replace", f"{pattern!r}: {words!r} is no regular expression: {error}", hint) from None
    return found, words


def id_list(ids: Iterable[int]) -> Iterable[int]:
    """Ids as Python's own numbers, whatever held them."""
    return ids.tolist() if isinstance(ids, np.ndarray | Tensor) else ids


def with_eos(rows: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """Each row and EOS, as views of one array: no allocation a row."""
    ends = np.cumsum(np.fromiter((len(row) + 1 for row in rows), dtype=np.int64, count=len(rows)))
    flat = np.full(ends[-1] if len(rows) else 0, EOS, dtype=np.int32)
    real = np.ones(len(flat), dtype=bool)
    real[ends - 1] = False
    flat[real] = np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=len(flat) - len(rows))
    bounds = [0, *ends.tolist()]
    return [flat[start:end] for start, end in pairwise(bounds)]
