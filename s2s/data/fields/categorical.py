"""Fields whose values are names out of a few: a label, several labels at once, or a tag for every word.

label   "positive"                [B]
labels  "sports, politics"        [B, C] of 0 and 1
tags    "DET NOUN VERB"           Padded [B, T]

A name that training does not have is no class: it is encoded as UNSEEN, is -1 in a batch, and is none of the answers
that a model owes, so no loss knows of it. To metrics, which compare names, no model says it: every answer is wrong.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from s2s.data.fields.base import Field
from s2s.data.fields.text import id_list
from s2s.data.source_files import digest
from s2s.data.tokenizers.base import UNKNOWN
from s2s.data.tokenizers.vocabulary import SPECIALS, Vocabulary
from s2s.errors import DataError, OptionError
from s2s.tensors import FieldSpec, Padded

MAX_LABELS = 1000  # different names: a column with more holds something else,
UNSEEN = 0xFFFF  # the number of a name that is not among those of the training data
ONCE = 20  # and so does one with more than these, each of them there only once


class Categorical(Field):
    """A field whose ids are places in a sorted list of names; a member says how a value is split into names.

    optional  whether a row may have none; else a row without a name has nothing to be right about
    """

    takes = ("text",)
    modality: Any
    optional: ClassVar[bool] = False
    separator: str | None = None  # what stands between names, where a value may have several at once
    names: list[str]

    def split(self, value: str) -> list[str]:
        raise NotImplementedError

    def together(self, names: Sequence[str]) -> str:
        """The names of a row that were a list, as the value that split() takes apart. Raises DataError."""
        raise NotImplementedError

    def unseen(self, values: Iterable[str]) -> list[list[str]]:
        """The names in each value that training does not have."""
        known = set(self.names)
        return [[name for name in self.split(value) if name and name not in known] for value in values]

    def fit(self, values: Iterable[str]) -> None:
        """Learn the names. Raises OptionError where there are too many to be names, only one, or another every row."""
        found: Counter[str] = Counter()
        for value in values:
            found.update(self.split(value))
            if len(found) > MAX_LABELS:
                raise no_names(f"has more than {MAX_LABELS:,} different values", found)
        if len(found) > ONCE and found.total() == len(found):
            raise no_names(f"has {len(found):,} values, no two of them equal", found)
        if len(found) < 2:
            hint = "there must be two to choose from: look at the column that data.target names"
            what = f"has one value only: {next(iter(found))!r}" if found else "has no values"
            raise OptionError("", what, hint)
        self.names = sorted(found)

    @property
    def space(self) -> FieldSpec:
        return FieldSpec(self.modality, len(self.names))

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.uint16)

    def encode_all(self, values: Sequence[str]) -> list[np.ndarray]:
        """The numbers of the names in each value, UNSEEN where training has no such name."""
        place = {name: i for i, name in enumerate(self.names)}
        return [np.array([place.get(name, UNSEEN) for name in self.split(value)], self.dtype) for value in values]

    def pieces(self, ids: Iterable[int]) -> list[str]:
        return [self.names[i] if i < len(self.names) else UNKNOWN for i in id_list(ids)]

    def save(self, folder: Path, name: str) -> None:
        """A name a line, in the form of a vocabulary."""
        Vocabulary(self.names).save(folder / f"{name}.names")

    def load(self, folder: Path, name: str) -> None:
        self.names = Vocabulary.load(folder / f"{name}.names").pieces[len(SPECIALS) :]

    @property
    def fingerprint(self) -> str:
        return digest(self.modality, *self.names)

    def decode(self, ids: Any) -> str:
        """The names with the numbers that a model gave, as they stand in the data."""
        raise NotImplementedError


def no_names(what: str, found: Iterable[str]) -> OptionError:
    shown = ", ".join(repr(name[:30]) for name in sorted(found)[:3])
    hint = "labels are names out of a few: are the columns the right way round?"
    return OptionError("", f"{what} ({shown}, ...)", hint)


class Label(Categorical, kind="label"):
    """One name out of a few: a class."""

    modality = "label"
    shapes = (modality,)

    def split(self, value: str) -> list[str]:
        return [value.strip()]

    def collate(self, rows: Sequence[np.ndarray]) -> Tensor:
        """[B], the number of each label."""
        return label_ids([row[0] for row in rows])

    def together(self, names: Sequence[str]) -> str:
        if len(names) > 1:
            shown = ", ".join(repr(name[:30]) for name in names[:3])
            hint = "choose one of them, or learn several at once: task.target=labels"
            raise DataError("target", f"a row has {len(names)} labels ({shown})", hint)
        return names[0]

    def positions(self, target: Padded | Tensor) -> Tensor:
        assert isinstance(target, Tensor)
        return (target >= 0).nonzero().squeeze(1)

    def decode(self, ids: Any) -> str:
        """The name with this number."""
        return self.names[int(ids)]


class Labels(Categorical, kind="labels"):
    """One or more names at once: `sports, politics`.

    separator  what stands between names
    """

    modality = "labels"
    shapes = (modality,)
    optional = True
    separator: str

    def __init__(self, *, separator: str = ",") -> None:
        self.separator = separator

    def split(self, value: str) -> list[str]:
        names = (name.strip() for name in value.split(self.separator))
        return sorted({name for name in names if name})

    def collate(self, rows: Sequence[np.ndarray]) -> Tensor:
        """[B, C], 1 where a label is there; a label that training does not have is in no column."""
        data = torch.zeros(len(rows), len(self.names))
        for i, row in enumerate(rows):
            data[i, row[row != UNSEEN].astype(np.int64)] = 1
        return data

    def together(self, names: Sequence[str]) -> str:
        for name in names:
            if self.separator in name.strip():
                what = f"a label in a list holds {self.separator!r}, which stands between labels: {name[:60]!r}"
                hint = "choose what no label holds: task.target={kind: labels, separator: '|'}"
                raise DataError("target", what, hint)
        return self.between.join(names)

    def decode(self, ids: Iterable[int]) -> str:
        """The names with these numbers, as they stand in the data."""
        return self.between.join(self.pieces(ids))

    @property
    def between(self) -> str:
        """What is written between names."""
        return f"{self.separator.strip()} " if self.separator.strip() else self.separator

    @property
    def fingerprint(self) -> str:
        return digest(super().fingerprint, self.separator)


class Tags(Categorical, kind="tags"):
    """A name for every word of the source, with blanks between."""

    modality = "tags"
    shapes = (modality,)

    def split(self, value: str) -> list[str]:
        return value.split()

    def collate(self, rows: Sequence[np.ndarray]) -> Padded:
        """Numbers on a rectangle [B, T]."""
        lengths = torch.tensor([len(row) for row in rows])
        data = torch.zeros(len(rows), int(lengths.max()) if len(rows) else 0, dtype=torch.long)
        for i, row in enumerate(rows):
            data[i, : len(row)] = label_ids(row)
        return Padded(data, lengths)

    def together(self, names: Sequence[str]) -> str:
        return words_of(names)

    def positions(self, target: Padded | Tensor) -> Tensor:
        assert isinstance(target, Padded)
        return (target.valid & (target.data >= 0)).flatten().nonzero().squeeze(1)

    def decode(self, ids: Iterable[int]) -> str:
        """The names, with blanks between."""
        return " ".join(self.pieces(ids))


def label_ids(row: Sequence[int] | np.ndarray) -> Tensor:
    """Numbers of names for a model, which has none for a name that training does not have: that is -1."""
    found = np.array(row, dtype=np.int64)
    return torch.from_numpy(np.where(found == UNSEEN, -1, found))


def words_of(items: Iterable[str]) -> str:
    """A list of words, or of tags, as text with blanks between. White space inside one is `_`, and so is no letter
    at all: how many there are stays as it was."""
    return " ".join("_".join(item.split()) or "_" for item in items)
