"""Where examples come from: the family of readers, which give the rows of a split and the place of each."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from s2s.data.pictures import Picture
from s2s.data.readers.context import context_of
from s2s.data.source_files import digest
from s2s.errors import DataError, OptionError
from s2s.registry import NonNegativeInt, PositiveInt, Probability, Registrable

AUTO = "auto"
LABEL_NUMBER = re.compile(r"\+?([0-9]+)(?:\.0*)?")  # of a label: a column with gaps holds 1.0 where it held 1
USUAL_SPLIT_NAMES = {"validation": ("validation", "valid", "val", "dev"), "test": ("test",)}

Source = str | Picture | np.ndarray  # text; a picture; numbers [F] or [S, F]; an empty text where there is no source
SourceType = Literal["text", "picture", "numbers", "nothing"]


def source_text(source: Source) -> str:
    """A source in a line of text: itself, or the name of a picture."""
    if isinstance(source, str):
        return source
    return source.name if isinstance(source, Picture) else f"{' x '.join(map(str, source.shape))} numbers"


class Row(NamedTuple):
    """One example. A target that is a list is several references: training learns from each in turn.

    To a field of names (labels, tags), a list is all names of the row.
    """

    source: Source
    target: str | list[str]

    @property
    def references(self) -> list[str]:
        return [self.target] if isinstance(self.target, str) else self.target


class Place(NamedTuple):
    """Where the two sides of a row stand, for messages: train.tsv:7, train.parquet: row 7."""

    source: str
    target: str

    @classmethod
    def both(cls, where: str) -> "Place":
        return cls(where, where)


@dataclass(kw_only=True)
class Reader(Registrable, ABC):
    """Rows of a split: `train`, `validation`, `test`, or any other name that the data has.

    train           what the data calls its training split
    validation      the same; auto is the first of validation, valid, val, dev that is there, null is none:
    hold_out        then so many rows of train (or this fraction of them) are set aside for it, a tenth at most
    test            auto is the split called test, null is none
    max_characters  a training row with a longer side is left out, and counted
    labels          names for targets that are numbers: [negative, positive] calls 0 negative

    A member says which names it offers, gives their rows, and a fingerprint of what they hold. Rows come from rows(),
    or from placed() where it can say in which line of which file each of them stands.
    `source_type` says what its sources are; without one ("nothing"), blank targets are rows, too.
    """

    train: str = "train"
    validation: str | None = AUTO
    test: str | None = AUTO
    hold_out: NonNegativeInt | Probability = 1000
    max_characters: PositiveInt = 20_000
    labels: tuple[str, ...] = ()

    @property
    def source_type(self) -> SourceType:
        return "text"

    @property
    def turns_seen(self) -> int:
        """How many turns of a conversation are a source."""
        return 1

    def source_of(self, turns: Sequence[str]) -> str:
        """The source that its rows would have for the reply to these turns: what a chat asks with."""
        return context_of(turns, self.turns_seen)

    @abstractmethod
    def offers(self, name: str) -> bool:
        """Whether the data has something called `name`."""

    def rows(self, name: str) -> Iterator[Row]:
        """What is called `name`, from its beginning, a row at a time. Raises DataError."""
        if type(self).placed is Reader.placed:
            raise NotImplementedError(f"{type(self).__name__} gives no rows: it needs rows() or placed()")
        return (row for _, row in self.placed(name))

    def placed(self, name: str) -> Iterator[tuple[Place, Row]]:
        """The same rows, each with its place."""
        return ((Place.both(f"{name}: row {number:,}"), row) for number, row in enumerate(self.rows(name), 1))

    @abstractmethod
    def contents(self, name: str) -> str:
        """A text that changes when what is called `name` changes. Raises DataError."""

    def named(self, split: str) -> str | None:
        """What the data calls a split; None where there is none."""
        name = {"train": self.train, "validation": self.validation, "test": self.test}.get(split, split)
        if name == AUTO:
            return next((usual for usual in USUAL_SPLIT_NAMES.get(split, (AUTO,)) if self.offers(usual)), None)
        return name

    def has(self, split: str) -> bool:
        """Whether there is such a split; one that a recipe names is, and reading it says if it is missing."""
        name = self.named(split)
        return name is not None and (split in ("train", *USUAL_SPLIT_NAMES) or self.offers(name))

    def read(self, split: str) -> Iterator[Row]:
        """The rows of a split, one at a time. Raises DataError with file and line."""
        return (row for _, row in self.read_placed(split))

    def read_placed(self, split: str) -> Iterator[tuple[Place, Row]]:
        """The same rows, each with its place."""
        name = self.required(split)
        # A reader of one's own may change the rows() of another: then its placed() does not know these rows.
        first = next(one for one in type(self).__mro__ if "placed" in vars(one) or "rows" in vars(one))
        placed = self.placed(name) if "placed" in vars(first) else Reader.placed(self, name)
        if not self.labels:
            return placed
        return ((place, with_names(row, self.labels, place.target)) for place, row in placed)

    def fingerprint(self, split: str) -> str:
        """Changes when the rows of a split may have changed: what a cache is keyed by."""
        return digest(self.contents(self.required(split)), *self.labels)

    def required(self, split: str) -> str:
        name = self.named(split)
        if name is None:
            usual = " or ".join(USUAL_SPLIT_NAMES.get(split, (split,)))
            raise OptionError(split, f"there is no {split} split", f"name one, or add {usual} to the data")
        return name


def with_names(row: Row, labels: Sequence[str], where: str) -> Row:
    """A row whose target is a label, or several, by name. Raises DataError."""
    names = [label_of(text, labels, where) for text in row.references]
    return row._replace(target=names[0] if isinstance(row.target, str) else names)


def label_of(text: str, labels: Sequence[str], where: str) -> str:
    """The name of a label that is a number, as 1, 1.0 or ` 1`; a name stays as it is, and so does none.

    Raises DataError.
    """
    plain = text.strip()
    if plain in labels or not plain:
        return plain
    if len(plain) < 10 and (number := LABEL_NUMBER.fullmatch(plain)) and int(number[1]) < len(labels):
        return labels[int(number[1])]
    raise DataError(where, f"has the label {text!r}", f"data.labels names: {', '.join(labels)}, for 0, 1, ...")
