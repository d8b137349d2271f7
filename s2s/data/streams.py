"""One continuous text as batches: parallel rows, cut into chunks that go on where the chunk before ended.

    batches = StreamBatches(corpus, encoded, source, target, rows=64, chunk=128, seed=1)
    for batch in batches.epoch(0): ...      # [64, 128] at a time; batch.fresh is True for the first

All rows of the corpus are one stream of ids, in their order, an EOS at the end of each. A model that carries its
state from batch to batch reads it without a seam: truncated backpropagation, Williams & Peng 1990,
https://doi.org/10.1162/neco.1990.2.4.490
"""

from collections.abc import Iterator

import numpy as np
import torch

from s2s.data.corpus import Corpus
from s2s.data.encoded import EncodedCorpus
from s2s.data.fields.base import Field
from s2s.errors import DataError
from s2s.tensors import EOS, Batch, Padded

SHORTEST = 8192  # ids of a row that a loss is measured on: what its beginning lacks in context must not count


class StreamBatches:
    """A corpus as chunks of a text; the same calls as Batches.

    rows    parallel rows, each a part of the stream; fewer where the stream is short
    chunk   positions of a batch: how far a gradient reaches back
    jitter  passes begin at different places of the stream, so that chunks and rows end elsewhere each time
    """

    def __init__(
        self,
        corpus: Corpus,
        encoded: EncodedCorpus,
        source: Field,
        target: Field,
        *,
        rows: int,
        chunk: int = 128,
        seed: int = 1,
        jitter: bool = True,
    ) -> None:
        self.corpus, self.encoded, self.source, self.target = corpus, encoded, source, target
        self.ids = encoded.targets.flat
        self.chunk, self.seed, self.jitter = chunk, seed, jitter
        self.rows = max(1, min(rows, len(self.ids) // 2))
        if not len(self.ids):
            raise DataError(corpus.split, "has no text to learn from", "check the files that `data` names")

    def count(self, epoch: int) -> int:
        """Batches in a pass."""
        return -(-self.length(self.rows) // self.chunk)

    def length(self, rows: int) -> int:
        """Ids in the longest of so many rows."""
        return -(-len(self.ids) // rows)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of a pass from number `start` on; those before it cost nothing."""
        turn = 0
        if self.jitter:
            turn = int(np.random.default_rng([self.seed, number]).integers(len(self.ids)))
        for i in range(start, self.count(number)):
            yield self._batch(self.rows, i, self.chunk, turn)

    def in_order(self) -> Iterator[Batch]:
        """All of the stream once, without chance, in few and long rows: what a loss is measured on."""
        rows = max(1, min(self.rows, len(self.ids) // SHORTEST))
        for i in range(-(-self.length(rows) // self.chunk)):
            yield self._batch(rows, i, self.chunk, 0)

    def _batch(self, rows: int, number: int, chunk: int, turn: int) -> Batch:
        """Chunk `number` of every row. Rows are equally long but for the last, which may end before them."""
        total, length = len(self.ids), self.length(rows)
        begins = np.arange(rows) * length
        ends = np.minimum(begins + length, total)
        at = begins[:, None] + np.arange(number * chunk, min((number + 1) * chunk, length))
        valid = at < ends[:, None]
        data = self.ids[(at + turn) % total].astype(np.int64)
        before = at[:, 0] - 1
        first = self.ids[(before + turn) % total].astype(np.int64)
        first[before < 0] = EOS  # a text begins where a line does
        data[~valid] = EOS
        target = Padded(torch.from_numpy(data), torch.from_numpy(valid.sum(1)))
        positions = torch.from_numpy(np.flatnonzero(valid))
        source = self.source.collate([np.zeros(0, self.source.dtype)] * rows)
        seen = (np.stack([at[:, 0], np.maximum(at[:, 0], np.minimum(at[:, -1], ends - 1))]) + turn) % total
        return Batch(
            source, target, positions, self.lines(*seen), start_ids=torch.from_numpy(first), is_first_chunk=number == 0
        )

    def lines(self, begins: np.ndarray, ends: np.ndarray) -> tuple[int, ...]:
        """The rows of the corpus in which these parts of the stream begin and end: how a message names them."""
        places = np.concatenate([begins, ends])
        examples = np.unique(np.searchsorted(self.encoded.targets.offsets, places, side="right") - 1)
        return tuple(self.encoded.row(int(i)) for i in examples)
