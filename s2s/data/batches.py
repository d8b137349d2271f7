"""Batches of rows of like length, the same ones whenever they are asked for again.

    batches = Batches(corpus, encoded, source, target, size=4000, unit="tokens", seed=1)
    for batch in batches.epoch(3, start=120): ...      # exactly what a whole third pass gives after 120 batches

Rows are shuffled, sorted by length within pools of about a hundred batches, cut, and the batches shuffled: little
padding, and still chance (Morishita et al. 2017, https://arxiv.org/abs/1706.05765, compare such orders).
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Literal

import numpy as np
import torch

from s2s.data.corpus import Corpus
from s2s.data.encoded import EncodedCorpus
from s2s.data.fields.base import Field
from s2s.errors import DataError
from s2s.tensors import Batch

BatchUnit = Literal["tokens", "sentences"]

POOL = 100  # batches that are sorted together
SOURCE_ROOM = 1.5  # padded source tokens to a padded target token that a batch may have, so that none is huge


def plan(
    source_lengths: np.ndarray,
    target_lengths: np.ndarray,
    *,
    size: int,
    unit: BatchUnit,
    seed: int,
    epoch: int,
    keep: np.ndarray | None = None,
    owner: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Row numbers of each batch of one pass: every row that `keep` allows, once.

    owner  [rows], equal where rows share a source: these stay together, but where a batch is full

    size   target tokens with padding, rows times the longest (then padded source tokens are at most 1.5 times
           as many), or sentences; a row that is longer than that is a batch of its own
    """
    chance = np.random.default_rng([seed, epoch])
    order = np.arange(len(target_lengths)) if keep is None else np.flatnonzero(keep)
    if owner is None:
        chance.shuffle(order)
    else:
        order = order[np.argsort(chance.permutation(int(owner.max(initial=-1)) + 1)[owner[order]], kind="stable")]
        target_lengths = longest_of(owner, target_lengths)
    pool = np.arange(len(order)) // pool_size(target_lengths[order], size, unit)
    order = order[sorted_by_length(source_lengths[order], target_lengths[order], pool)]
    ends = np.searchsorted(pool, np.arange(1, pool.max(initial=-1) + 2))
    cuts = cut(source_lengths[order], target_lengths[order], ends, size, unit)
    batches = [order[start:end] for start, end in cuts]
    chance.shuffle(batches)
    return batches


def pool_size(lengths: np.ndarray, size: int, unit: BatchUnit) -> int:
    """Rows of about a hundred batches."""
    rows = size if unit == "sentences" else size / max(1.0, float(lengths.mean())) if len(lengths) else 1
    return max(1, round(POOL * rows))


def longest_of(owner: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The greatest length among the rows of each one's owner: sorted by it, they stay together."""
    longest = np.zeros(int(owner.max(initial=-1)) + 1, dtype=lengths.dtype)
    np.maximum.at(longest, owner, lengths)
    of_owner: np.ndarray = longest[owner]
    return of_owner


def sorted_by_length(sources: np.ndarray, targets: np.ndarray, pool: np.ndarray | int = 0) -> np.ndarray:
    """The order by pool, then target length, then source length; ties stay as they are."""
    # One number a row is sorted four times as fast as three (np.lexsort).
    key = (pool * (targets.max(initial=0) + 1) + targets) * (sources.max(initial=0) + 1) + sources
    return np.argsort(key, kind="stable")


def cut(
    sources: np.ndarray, targets: np.ndarray, ends: np.ndarray, size: int, unit: BatchUnit
) -> Iterator[tuple[int, int]]:
    """(start, end) of batches as long as they may be; none crosses one of `ends`, before which targets only grow."""
    room = int(size * SOURCE_ROOM)
    begin = 0
    for end in map(int, ends):
        if unit == "sentences":
            yield from ((start, min(end, start + size)) for start in range(begin, end, size))
        else:
            # Plain numbers in plain Python: quicker than NumPy for batches of a few dozen rows, and it is one pass.
            start, longest = begin, 0
            for i, source, target in zip(range(begin, end), sources[begin:end].tolist(), targets[begin:end].tolist()):
                longest = max(longest, source)
                if i > start and (target * (i - start + 1) > size or longest * (i - start + 1) > room):
                    yield start, i
                    start, longest = i, source
            yield start, end
        begin = end


def make_batch(
    source: Field,
    target: Field,
    sources: Sequence[np.ndarray],
    targets: Sequence[np.ndarray],
    rows: tuple[int, ...] = (),
    owner: np.ndarray | None = None,
) -> Batch:
    """Encoded examples as tensors, with the places of real target positions found while they are on the CPU.

    owner  [targets], which of the sources each has; None where each has one of its own
    """
    padded = target.collate(targets)
    positions = target.positions(padded)
    owners = None if owner is None else torch.from_numpy(owner)
    return Batch(source.collate(sources), padded, positions, rows, source_index=owners)


def row_seed(seed: int, epoch: int, row: int) -> int:
    """Chance of one row in one pass, whatever came before it: 31 bits, which every library takes."""
    return int.from_bytes(blake2b(f"{seed} {epoch} {row}".encode(), digest_size=4).digest(), "little") >> 1


class Batches:
    """A corpus as batches.

    size, unit  as in plan()
    seed        of the order of rows, and of tokenizers that sample
    keep        [rows], True where a row is used; None uses all
    """

    def __init__(
        self,
        corpus: Corpus,
        encoded: EncodedCorpus,
        source: Field,
        target: Field,
        *,
        size: int,
        unit: BatchUnit = "tokens",
        seed: int = 1,
        keep: np.ndarray | None = None,
    ) -> None:
        self.corpus, self.encoded, self.source, self.target = corpus, encoded, source, target
        self.size, self.unit, self.seed, self.keep = size, unit, seed, keep
        self._planned: tuple[int, list[np.ndarray]] | None = None
        if keep is not None and not keep.any():
            what = f"has no row to use: all {len(keep):,} are longer than max_length"
            raise DataError(corpus.split, what, "raise max_length of task.source and task.target")

    def plan(self, epoch: int) -> list[np.ndarray]:
        """Row numbers of each batch of a pass; the last one asked for is remembered."""
        if self._planned is None or self._planned[0] != epoch:
            lengths = self.encoded.source_lengths, self.encoded.target_lengths
            batches = plan(
                *lengths,
                size=self.size,
                unit=self.unit,
                seed=self.seed,
                epoch=epoch,
                keep=self.keep,
                owner=self.encoded.owner,
            )
            self._planned = epoch, batches
        return self._planned[1]

    def count(self, epoch: int) -> int:
        """Batches in a pass; passes differ a little, because rows meet other rows."""
        return len(self.plan(epoch))

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of a pass from number `start` on; those before it cost nothing."""
        for rows in self.plan(number)[start:]:
            yield self._batch(rows, number)

    def in_order(self) -> Iterator[Batch]:
        """Every row once, shortest first, without chance: what a loss is measured on."""
        rows = np.arange(len(self.encoded)) if self.keep is None else np.flatnonzero(self.keep)
        sources, targets = self.encoded.source_lengths[rows], self.encoded.target_lengths[rows]
        if self.encoded.owner is not None:
            targets = longest_of(self.encoded.owner[rows], targets)
        order = sorted_by_length(sources, targets)
        for start, end in cut(sources[order], targets[order], np.array([len(order)]), self.size, self.unit):
            yield self._batch(rows[order[start:end]], None)

    def _batch(self, rows: np.ndarray, epoch: int | None) -> Batch:
        """`epoch` is None where nothing is sampled. A source that several of the examples have is in it once."""
        numbers = rows.tolist()
        owners = [self.encoded.row(i) for i in numbers]
        once, owner = owners, None
        if self.encoded.owner is not None:
            unique, owner = np.unique(owners, return_inverse=True)
            once = unique.tolist()
        sources = [self.encoded.sources[row] for row in once]
        targets = [self.encoded.target(i) for i in numbers]
        if epoch is not None:
            if self.target.samples:
                which = map(self.encoded.reference, numbers)
                texts = [self.corpus[i].references[k] for i, k in zip(owners, which)]
                targets = [self.target.sample(text, self._seed(epoch, i)) for text, i in zip(texts, numbers)]
            if self.source.samples:
                sources = [self.source.sample(self.corpus[row].source, self._seed(epoch, row)) for row in once]
            if self.source.augments:
                sources = [self.source.augment(array, self._seed(epoch, row)) for array, row in zip(sources, once)]
        return make_batch(self.source, self.target, sources, targets, tuple(owners), owner)

    def _seed(self, epoch: int, row: int) -> int:
        return row_seed(self.seed, epoch, row)
