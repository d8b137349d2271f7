"""Ids on disk: one flat memory-mapped array and where each row begins, so that a batch is a gather."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2s.data.cache import damaged_cache
from s2s.data.fields.base import Field

Encode = Callable[[Sequence[Any]], list[np.ndarray]]


class Ids:
    """One side of a corpus as ids: ids[i] is row i [its length], read from the disk when it is looked at.

    unit  how many numbers are one position, where they are no ids
    """

    def __init__(self, flat: np.ndarray, offsets: np.ndarray, unit: int = 1) -> None:
        self.flat, self.offsets, self.unit = flat, offsets, unit

    @classmethod
    def of(cls, rows: Sequence[np.ndarray], unit: int = 1) -> "Ids":
        """Rows that are in memory."""
        return cls(np.concatenate(rows) if len(rows) else np.zeros(0, int), np.cumsum([0, *map(len, rows)]), unit)

    @property
    def lengths(self) -> np.ndarray:
        """[rows], how many positions each has, its EOS counted."""
        return np.diff(self.offsets) // self.unit

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> np.ndarray:
        return self.flat[self.offsets[i] : self.offsets[i + 1]]

    def count(self, piece: int) -> int:
        """How often an id is there, looking at a few megabytes at a time."""
        step = 1 << 22
        return sum(int(np.count_nonzero(self.flat[i : i + step] == piece)) for i in range(0, len(self.flat), step))


@dataclass(frozen=True)
class EncodedCorpus:
    """Both sides of every example: a row of the corpus with one of its references.

    owner  [examples], the row of each; None where every row has one reference, and is one example
    """

    sources: Ids  # a row each
    targets: Ids  # an example each
    owner: np.ndarray | None = None

    @property
    def source_lengths(self) -> np.ndarray:
        return self.sources.lengths if self.owner is None else self.sources.lengths[self.owner]

    @property
    def target_lengths(self) -> np.ndarray:
        return self.targets.lengths

    def source(self, i: int) -> np.ndarray:
        return self.sources[self.row(i)]

    def target(self, i: int) -> np.ndarray:
        return self.targets[i]

    def row(self, i: int) -> int:
        """The row that example i is of."""
        return i if self.owner is None else int(self.owner[i])

    def reference(self, i: int) -> int:
        """Which of the references of its row example i has."""
        return 0 if self.owner is None else i - int(np.searchsorted(self.owner, self.owner[i]))

    def __len__(self) -> int:
        return len(self.targets)

    def short_enough(self, source: Field, target: Field) -> np.ndarray:
        """[examples], True where neither side is longer than its field's `max_length`: what to train on."""
        keep = np.ones(len(self), dtype=bool)
        for lengths, field in ((self.source_lengths, source), (self.target_lengths, target)):
            if field.max_length is not None:
                keep &= lengths <= field.max_length
        return keep


def in_pieces(chunks: Iterable[Sequence[Any]], most: int) -> Iterator[Sequence[Any]]:
    """The same values, at most so many at a time: a picture that was a small file is a large array."""
    for values in chunks:
        yield from (values[start : start + most] for start in range(0, len(values), most))


def write_ids(folder: Path, chunks: Iterable[Sequence[Any]], encode: Encode, dtype: np.dtype) -> None:
    """Encode values a chunk at a time, and append them to the files that open_ids() maps."""
    end = 0
    with open(folder / "ids.bin", "wb") as flat, open(folder / "offsets.bin", "wb") as offsets:
        offsets.write(np.zeros(1, dtype=np.int64).tobytes())
        for lengths, ids in encoded(chunks, encode, dtype):
            flat.write(ids.tobytes())
            offsets.write((end + np.cumsum(lengths)).tobytes())
            end += int(lengths.sum())


def encoded(
    chunks: Iterable[Sequence[Any]], encode: Encode, dtype: np.dtype
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for values in chunks:
        rows = encode(values)
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        yield lengths, np.concatenate(rows).astype(dtype, copy=False)


def open_ids(folder: Path, dtype: np.dtype, rows: int, unit: int = 1) -> Ids:
    """What write_ids() wrote. Raises DataError where it has been damaged since."""
    try:
        ids = Ids(mapped(folder / "ids.bin", dtype), mapped(folder / "offsets.bin", np.dtype(np.int64)), unit)
        if len(ids) != rows or ids.offsets[-1] != len(ids.flat):
            raise ValueError(f"{len(ids):,} rows are there and {rows:,} should be")
    except (OSError, ValueError, IndexError) as error:
        raise damaged_cache(folder, error) from error
    return ids


def mapped(path: Path, dtype: np.dtype) -> np.ndarray:
    """A file as an array that is read where it is looked at; a plain view, which is quicker to slice than np.memmap."""
    if path.stat().st_size == 0:
        return np.zeros(0, dtype)
    return np.asarray(np.memmap(path, dtype, mode="r"))
