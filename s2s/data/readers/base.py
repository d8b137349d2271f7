"""Where examples come from: the family of readers, and the reader of parallel text files.

data: {kind: text, path: corpus, source: de, target: en}     # corpus/train.de, corpus/train.en, corpus/val.de, ...
data: {kind: text, path: ., train: my, source: de, target: en}     # my.de and my.en; validation is held out of them
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from s2s.data.pictures import Picture
from s2s.data.readers.context import context_of
from s2s.data.source_files import digest, digest_files, existing, missing, read_lines
from s2s.errors import DataError, OptionError
from s2s.registry import Count, Family, Fraction, Positive

AUTO = "auto"
NUMBER = re.compile(r"\+?([0-9]+)(?:\.0*)?")  # of a label: a column with gaps holds 1.0 where it held 1
USUAL = {"validation": ("validation", "valid", "val", "dev"), "test": ("test",)}

Source = str | Picture | np.ndarray  # text; a picture; numbers [F] or [S, F]; an empty text where there is no source
SourceType = Literal["text", "picture", "numbers", "nothing"]


def shown(source: Source) -> str:
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
class Reader(Family, ABC):
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
    hold_out: Count | Fraction = 1000
    max_characters: Positive = 20_000
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
            return next((usual for usual in USUAL.get(split, (AUTO,)) if self.offers(usual)), None)
        return name

    def has(self, split: str) -> bool:
        """Whether there is such a split; one that a recipe names is, and reading it says if it is missing."""
        name = self.named(split)
        return name is not None and (split in ("train", *USUAL) or self.offers(name))

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
            usual = " or ".join(USUAL.get(split, (split,)))
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
    if len(plain) < 10 and (number := NUMBER.fullmatch(plain)) and int(number[1]) < len(labels):
        return labels[int(number[1])]
    raise DataError(where, f"has the label {text!r}", f"data.labels names: {', '.join(labels)}, for 0, 1, ...")


@dataclass(kw_only=True)
class Text(Reader, kind="text"):
    """Parallel text, a sentence a line: {path}/{train}.{source} and {path}/{train}.{target}, also as .gz.

    source, target  endings of file names (`de`, `de.txt`), or whole names of the two training files;
                    a list of targets is several references
    """

    path: Path
    source: str
    target: str | tuple[str, ...]

    def locate(self, name: str, ending: str) -> Path | None:
        whole = [self.path / ending] if name == self.train else []
        return existing(self.path / f"{name}.{ending}", *whole)

    def endings(self) -> tuple[str, ...]:
        return (self.source, self.target) if isinstance(self.target, str) else (self.source, *self.target)

    def files(self, name: str) -> list[Path]:
        """The source file, then the target files."""
        if self.path.is_file():
            hint = "give the folder, and the rest as: train: my, source: de, target: en (my.de and my.en)"
            raise DataError(str(self.path), "is a file, and parallel text is two or more", hint)
        paths = [(self.locate(name, ending), ending) for ending in self.endings()]
        if wrong := [self.path / f"{name}.{ending}" for path, ending in paths if path is None]:
            raise missing(wrong[0])
        return [path for path, _ in paths if path is not None]

    def offers(self, name: str) -> bool:
        # One file of a pair is enough: a validation set without its target is a mistake to be told of.
        return any(self.locate(name, ending) for ending in self.endings())

    def placed(self, name: str) -> Iterator[tuple[Place, Row]]:
        source, *targets = self.files(name)
        return parallel(source, targets, several=not isinstance(self.target, str))

    def contents(self, name: str) -> str:
        return digest("text", isinstance(self.target, str), digest_files(self.files(name)))


def parallel(source: Path, targets: Sequence[Path], *, several: bool = False) -> Iterator[tuple[Place, Row]]:
    """Line n of the source with line n of every target. Raises DataError where their counts differ."""
    paths = (source, *targets)
    for number, texts in enumerate(zip_longest(*map(read_lines, paths)), 1):
        if None in texts:
            raise unequal(paths)
        place = Place(f"{source}:{number}", f"{targets[0]}:{number}")
        yield place, Row(texts[0], list(texts[1:]) if several else texts[1])


def unequal(paths: Sequence[Path]) -> DataError:
    counts = [sum(1 for _ in read_lines(path)) for path in paths]
    other = next(i for i, count in enumerate(counts) if count != counts[0])
    what = f"has {counts[0]:,} lines, and {paths[other]} has {counts[other]:,}"
    hint = "line n of one must translate line n of the other: look for a line that was lost or broken in two"
    return DataError(str(paths[0]), what, hint)


GENERATORS = {  # what is generated: modules of data/synthetic, of which the first has generate(split, seed=, size=)
    "translation": ("translation.py", "sampling.py", "spanish/*.py"),
    "sentiment": ("sentiment.py", "sampling.py"),
    "tags": ("tags.py", "sampling.py"),
    "drawings": ("shapes.py",),
    "dialogue": ("dialogue.py", "../readers/context.py", "sampling.py"),
}


@dataclass(kw_only=True)
class Generated(Reader, kind="generated"):
    """Rows made by s2s's own grammars (s2s.data.synthetic.translation and its like): nothing to download.

    what  translation: English and Spanish; sentiment: reviews, positive or negative; tags: words, and which of
          them are dates, times, prices, amounts and spans; drawings: pictures of shapes, and what they show;
          dialogue: small talk, and what to answer
    size  training rows; null is as many as the demo needs
    seed  which ones
    """

    what: Literal["translation", "sentiment", "tags", "drawings", "dialogue"] = "translation"
    size: Positive | None = None
    seed: Count = 1

    @property
    def source_type(self) -> SourceType:
        return "picture" if self.what == "drawings" else "text"

    @property
    def turns_seen(self) -> int:
        return 3 if self.what == "dialogue" else 1

    def offers(self, name: str) -> bool:
        return name in ("train", "validation", "test")

    def rows(self, name: str) -> Iterator[Row]:
        module = import_module(f"s2s.data.synthetic.{Path(GENERATORS[self.what][0]).stem}")
        pairs = module.generate(name, seed=self.seed, size=self.size if name == "train" else None)
        return (Row(source, target) for source, target in pairs)

    def contents(self, name: str) -> str:
        here = Path(__file__).parents[1] / "synthetic"
        code = [path for pattern in GENERATORS[self.what] for path in sorted(here.glob(pattern))]
        return digest(self.what, name, self.seed, self.size, digest_files(code))  # the data is what the code makes
