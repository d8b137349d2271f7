"""Fields whose values are names out of a few: a label, several labels at once, or a tag for every word.

label   "positive"                [B]
labels  "sports, politics"        [B, C] of 0 and 1
tags    "DET NOUN VERB"           Padded [B, T]
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from s2s.data.fields import Field
from s2s.data.files import digest
from s2s.data.texts import plain
from s2s.data.vocabulary import SPECIALS, Vocabulary
from s2s.errors import OptionError, RowError, suggest
from s2s.tensors import Padded, Space

MOST = 1000  # different names: a column with more holds something else,
ONCE = 20  # and so does one with more than these, each of them there only once


class Names(Field):
    """A field whose ids are places in a sorted list of names; a member says how a value is split into names."""

    shape: Any
    separator: str | None = None  # what stands between names, where a value may have several at once
    names: list[str]

    def split(self, value: str) -> list[str]:
        raise NotImplementedError

    def fit(self, values: Iterable[str]) -> None:
        """Learn the names. Raises OptionError where there are too many to be names, only one, or another every row."""
        found: Counter[str] = Counter()
        for value in values:
            found.update(self.split(value))
            if len(found) > MOST:
                raise no_names(f"has more than {MOST:,} different values", found)
        if len(found) > ONCE and found.total() == len(found):
            raise no_names(f"has {len(found):,} values, no two of them equal", found)
        if len(found) < 2:
            hint = "there must be two to choose from: look at the column that data.target names"
            what = f"has one value only: {next(iter(found))!r}" if found else "has no values"
            raise OptionError("", what, hint)
        self.names = sorted(found)

    @property
    def space(self) -> Space:
        return Space(self.shape, len(self.names))

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.uint16)

    def encode_all(self, values: Sequence[str]) -> list[np.ndarray]:
        """The numbers of the names in each value. Raises RowError for a name that training does not have."""
        place = {name: i for i, name in enumerate(self.names)}
        try:
            return [np.array([place[name] for name in self.split(value)], self.dtype) for value in values]
        except KeyError as error:
            known = suggest(error.args[0], self.names).replace("options", "names")
            row = next(i for i, value in enumerate(values) if error.args[0] in self.split(value))
            raise RowError(row, f"{error.args[0]!r} is not among the names of the training data", known) from None

    def pieces(self, ids: Iterable[int]) -> list[str]:
        return [self.names[i] for i in plain(ids)]

    def save(self, folder: Path, name: str) -> None:
        """A name a line, in the form of a vocabulary."""
        Vocabulary(self.names).save(folder / f"{name}.names")

    def load(self, folder: Path, name: str) -> None:
        self.names = Vocabulary.load(folder / f"{name}.names").pieces[len(SPECIALS) :]

    @property
    def fingerprint(self) -> str:
        return digest(self.shape, *self.names)


def no_names(what: str, found: Iterable[str]) -> OptionError:
    shown = ", ".join(repr(name[:30]) for name in sorted(found)[:3])
    hint = "labels are names out of a few: are the columns the right way round?"
    return OptionError("", f"{what} ({shown}, ...)", hint)


class Label(Names, kind="label"):
    """One name out of a few: a class."""

    shape = "label"

    def split(self, value: str) -> list[str]:
        return [value.strip()]

    def collate(self, rows: Sequence[np.ndarray]) -> Tensor:
        """[B], the number of each label."""
        return torch.from_numpy(np.array([row[0] for row in rows], dtype=np.int64))

    def decode(self, ids: Any) -> str:
        """The name with this number."""
        return self.names[int(ids)]


class Labels(Names, kind="labels"):
    """One or more names at once: `sports, politics`.

    separator  what stands between names
    """

    shape = "labels"
    separator: str

    def __init__(self, *, separator: str = ",") -> None:
        self.separator = separator

    def split(self, value: str) -> list[str]:
        names = (name.strip() for name in value.split(self.separator))
        return sorted({name for name in names if name})

    def collate(self, rows: Sequence[np.ndarray]) -> Tensor:
        """[B, C], 1 where a label is there."""
        data = torch.zeros(len(rows), len(self.names))
        for i, row in enumerate(rows):
            data[i, row.astype(np.int64)] = 1
        return data

    def decode(self, ids: Iterable[int]) -> str:
        """The names with these numbers, as they stand in the data."""
        return (f"{self.separator.strip()} " if self.separator.strip() else self.separator).join(self.pieces(ids))

    @property
    def fingerprint(self) -> str:
        return digest(super().fingerprint, self.separator)


class Tags(Names, kind="tags"):
    """A name for every word of the source, with blanks between."""

    shape = "tags"

    def split(self, value: str) -> list[str]:
        return value.split()

    def collate(self, rows: Sequence[np.ndarray]) -> Padded:
        """Numbers on a rectangle [B, T]."""
        lengths = torch.tensor([len(row) for row in rows])
        data = torch.zeros(len(rows), int(lengths.max()) if len(rows) else 0, dtype=torch.long)
        for i, row in enumerate(rows):
            data[i, : len(row)] = torch.from_numpy(row.astype(np.int64))
        return Padded(data, lengths)

    def decode(self, ids: Iterable[int]) -> str:
        """The names, with blanks between."""
        return " ".join(self.pieces(ids))
