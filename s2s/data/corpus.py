"""A corpus on disk: rows that were read once, checked, and are memory-mapped ever after.

    train = open_corpus(reader, "train")          # ingest.py: reads the files once; from then on only hashes them
    train[17].source
    encoded = encode_corpus(train, source, target)     # ids of every row, encoded once

Neither the text nor the ids have to fit in memory: ten million rows cost as much of it as ten thousand.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from s2s.data.arrow import hashed
from s2s.data.cache import cached_folder
from s2s.data.encoded import EncodedCorpus, Ids, in_pieces, open_ids, write_ids
from s2s.data.fields.base import Field
from s2s.data.fields.categorical import Categorical
from s2s.data.readers.base import Place, Reader, Row, Source
from s2s.data.source_files import digest
from s2s.data.values import value_type
from s2s.errors import DataError, RowError
from s2s.files import cache_folder

Side = Literal["source", "target"]

CORPUS_FORMAT = 3  # of the files in the cache: another number, and nothing old is found
CHUNK_SIZE = 1 << 24  # characters or bytes in memory at once, about


class Counts(NamedTuple):
    """What became of the rows of a file. Training leaves out the empty and the overlong; evaluation keeps the empty."""

    read: int = 0
    empty: int = 0  # a side is blank
    overlong: int = 0  # a side has more than max_characters


@dataclass(frozen=True, eq=False)
class Corpus:
    """Rows of one split, memory-mapped: len(corpus), corpus[i], and iteration in order.

    fingerprint  equal fingerprints hold equal rows
    counts       of the file that they come from, with rows that are held out
    several      whether rows have several references
    chosen       [rows], the numbers of its rows among those on disk; None is all of them
    names        of a row whose target was a list, these are all of them: one value, not several references
    reader       where the rows come from: it finds the place of one again, by reading up to it
    origin       the split that they were read as: train, for rows that are held out of it
    kind         the value type of its sources
    target_kind  the same of its targets
    """

    split: str
    fingerprint: str
    counts: Counts
    several: bool
    batches: list[pa.RecordBatch]
    starts: np.ndarray  # [batches + 1], the number of the first row of each batch
    chosen: np.ndarray | None = None
    names: Categorical | None = None
    reader: Reader | None = None
    origin: str = ""
    kind: str = "text"
    target_kind: str = "text"

    def __len__(self) -> int:
        return int(self.starts[-1]) if self.chosen is None else len(self.chosen)

    def __getitem__(self, i: int) -> Row:
        batch, place = self._find(i)
        return self._row(
            value_type(self.kind).from_arrow(batch.column(0)[place].as_py()), batch.column(1)[place].as_py()
        )

    def _find(self, i: int) -> tuple[pa.RecordBatch, int]:
        """The batch that row i is in, and its number there."""
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        row = i % len(self) if self.chosen is None else int(self.chosen[i])
        number = bisect_right(self.starts, row) - 1
        return self.batches[number], row - int(self.starts[number])

    def place(self, i: int) -> Place:
        """Where row i stands in the files. They are read again up to it: nothing has to be kept for a rare mistake,
        and a cache that was filled from a copy of the files names those that are here."""
        batch, place = self._find(i)
        number = batch.column("number")[place].as_py()
        placed = iter(()) if self.reader is None else self.reader.read_placed(self.origin)
        unknown = Place.both(f"{self.origin or self.split}: row {number + 1:,}")
        return next((place for place, _ in islice(placed, number, None)), unknown)

    def located(self, error: RowError, side: Side) -> DataError:
        """A mistake in one of these rows, with its place."""
        return error.located(getattr(self.place(error.row), side))

    def __iter__(self) -> Iterator[Row]:
        from_arrow = value_type(self.kind).from_arrow
        for batch in self.parts():
            yield from map(self._row, map(from_arrow, batch.column(0).to_pylist()), batch.column(1).to_pylist())

    def _row(self, source: Source, references: list[Any]) -> Row:
        if self.target_kind != "text":
            return Row(source, value_type(self.target_kind).from_arrow(references[0]))
        if self.names is not None:
            return Row(source, self.names.together(references))
        return Row(source, references if self.several else references[0])

    def parts(self) -> Iterator[pa.RecordBatch]:
        """The rows in order, some thousands at a time."""
        for number, batch in enumerate(self.batches):
            if self.chosen is None:
                yield batch
                continue
            first, last = np.searchsorted(self.chosen, self.starts[number : number + 2])
            if first < last:
                yield batch.take(pa.array(self.chosen[first:last] - self.starts[number]))

    def values(self, side: Side) -> Iterator[list[Any]]:
        """One side in order, some thousands at a time; of several references each, one after the other."""
        from_arrow = value_type(self.kind).from_arrow
        for part in self.parts():
            if side == "source":
                yield list(map(from_arrow, part.column(0).to_pylist()))
            elif self.names is not None:
                yield list(map(self.names.together, part.column(1).to_pylist()))
            else:
                yield list(map(value_type(self.target_kind).from_arrow, part.column(1).flatten().to_pylist()))

    def reference_counts(self) -> np.ndarray:
        """[rows], how many references each has."""
        counts = [part.column(1).value_lengths().to_numpy() for part in self.parts()]
        return np.concatenate(counts).astype(np.int64) if counts else np.zeros(0, np.int64)

    def hashes(self, side: Side) -> np.ndarray:
        """[rows], 64 bits of each text, without the white space around it: equal texts, equal numbers."""
        if side == "target" and self.names is not None:  # on disk are hashes of the first in each list
            return np.concatenate([np.zeros(0, np.uint64), *map(hashed, self.values("target"))])
        column = [batch.column(f"{side}_hash").to_numpy() for batch in self.batches]
        numbers = np.concatenate(column) if column else np.zeros(0, np.uint64)
        return numbers if self.chosen is None else numbers[self.chosen]

    def subset(self, keep: np.ndarray, split: str, name: str, counts: Counts) -> "Corpus":
        """The rows where keep is True; `name` tells their fingerprint from others of this corpus."""
        rows = np.flatnonzero(keep) if self.chosen is None else self.chosen[keep]
        return replace(self, split=split, fingerprint=digest(self.fingerprint, name), counts=counts, chosen=rows)


def hold_out(corpus: Corpus, amount: float, names: Categorical | None = None) -> tuple[Corpus, Corpus]:
    """(train, validation): so many rows, or below 1 this fraction of them, but a tenth at most, are set aside.

    Which ones, the hash of the source says: the choice stays when rows are added or change places, and
    equal sources are on one side. With names, a row whose name no other row in train would have stays there.
    """
    hashes = corpus.hashes("source")
    values, counts = np.unique(hashes, return_counts=True)  # in the order of their hashes: chance decided it
    if len(values) < 2:
        what = f"has {len(values)} different source, and a part of it must be set aside for validation"
        raise DataError(corpus.split, what, "add rows, or name a validation split: data.validation=NAME")
    wanted = max(1, min(int(amount if amount >= 1 else amount * len(corpus)), len(corpus) // 10))
    small = counts <= max(wanted, counts.min())  # a sentence that is there a thousand times stays in train
    values, counts = values[small], counts[small]
    number = max(1, int(np.searchsorted(np.cumsum(counts), wanted, side="right")))
    held = np.isin(hashes, values[:number])
    name = f"held out {wanted}"
    if names is not None and lacking(corpus, held, names):
        held = np.isin(hashes, spared(corpus, hashes, values, wanted, names))
        name = f"{name}, a row of each name stays: {digest(held.tobytes())}"
    train = corpus.subset(~held, corpus.split, f"not {name}", corpus.counts)
    return train, corpus.subset(held, "validation", name, Counts(int(held.sum())))


def lacking(corpus: Corpus, held: np.ndarray, names: Categorical) -> set[str]:
    """Names that are in rows which are held out, and in none of the others; looks no further than it must."""
    none = Counts()
    missing = {
        name
        for values in corpus.subset(held, "", "", none).values("target")
        for value in values
        for name in names.split(value)
    }
    for values in corpus.subset(~held, "", "", none).values("target"):
        missing.difference_update(*map(names.split, values))
        if not missing:
            break
    return missing


def spared(corpus: Corpus, hashes: np.ndarray, values: np.ndarray, wanted: int, names: Categorical) -> np.ndarray:
    """Hashes of sources to hold out, the first that there are but for those whose names would be lost to train.

    Where every one would lose some, the first alone: what validation alone has counts as wrong there.
    """
    left = Counter(name for several in corpus.values("target") for value in several for name in names.split(value))
    order = np.argsort(hashes, kind="stable")
    starts = np.searchsorted(hashes[order], values)
    ends = np.searchsorted(hashes[order], values, side="right")
    found: list[np.uint64] = []
    count = 0
    for value, start, end in zip(values, starts.tolist(), ends.tolist()):
        if found and count + end - start > wanted:
            break
        rows = [corpus[int(row)] for row in order[start:end]]
        these = Counter(name for row in rows for text in row.references for name in names.split(text))
        if all(left[name] > number for name, number in these.items()):
            left.subtract(these)
            found.append(value)
            count += end - start
    return np.array(found or values[:1])


def encode_corpus(corpus: Corpus, source: Field, target: Field, cache: Path | None = None) -> EncodedCorpus:
    """Both sides of every example, encoded where the cache does not have them.

    A row with several references is as many examples: it is learned from each of them.
    """
    folder = (cache or cache_folder()) / "ids"
    counts = corpus.reference_counts() if corpus.several else None
    sources = encode_side(corpus, "source", source, folder, len(corpus))
    targets = encode_side(corpus, "target", target, folder, len(corpus) if counts is None else int(counts.sum()))
    return EncodedCorpus(sources, targets, None if counts is None else np.repeat(np.arange(len(corpus)), counts))


def encode_side(corpus: Corpus, side: Side, field: Field, folder: Path, count: int) -> Ids:
    done = 0

    def encode(values: Sequence[Any]) -> list[np.ndarray]:
        nonlocal done
        try:
            rows = field.encode_all(values)
        except RowError as error:
            error.row += done
            if side == "target" and corpus.several:  # it counts references
                error.row = int(np.searchsorted(np.cumsum(corpus.reference_counts()), error.row, side="right"))
            raise corpus.located(error, side) from None
        done += len(values)
        return rows

    key = digest(CORPUS_FORMAT, corpus.fingerprint, side, field.fingerprint, field.dtype.str)
    chunks = in_pieces(corpus.values(side), max(1, CHUNK_SIZE // field.unit))
    with cached_folder(folder / key, lambda path: write_ids(path, chunks, encode, field.dtype)) as made:
        return open_ids(made, field.dtype, count, field.unit)
