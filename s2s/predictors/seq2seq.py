"""A run that writes its answers, piece by piece: translations, captions, replies."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from s2s.config import configure
from s2s.data.readers.base import Row, Source
from s2s.decoding.batched import write_batches
from s2s.decoding.search import Hypothesis, Search
from s2s.errors import several
from s2s.predictors.base import Predictor
from s2s.registry import ComponentConfig
from s2s.tensors import BOS, EOS, move


class Prediction(NamedTuple):
    """One thing the model would write. Scores are natural logarithms."""

    text: str
    score: float  # what it was ranked by: the log-probability with the search's penalties
    log_probability: float
    ids: list[int]  # without BOS and EOS


class Alignment(NamedTuple):
    """Where the model looked: weights[t][s] for target piece t and source piece s; a row sums to one."""

    source: list[str]
    target: list[str]
    weights: list[list[float]]
    grid: tuple[int, int] | None = None  # of a picture: its positions in (rows, columns), row by row


class Seq2SeqPredictor(Predictor, kind="seq2seq"):
    """writer.search(["Ein Hund läuft."]) -> [[Prediction, ...]], n-best lists"""

    writes = True

    def answer(self, encoded: Sequence[np.ndarray]) -> list[str]:
        """The best text for each."""
        texts = [""] * len(encoded)
        for number, found in self._written(encoded, self.recipe.decoding):
            texts[number] = found[0].text
        return texts

    def search(
        self, sources: Sequence[Source], search: ComponentConfig[Search] | None = None
    ) -> list[list[Prediction]]:
        """The n-best list for each, best first; an empty list for a blank text.

        search  how to look for them; the recipe's `decoding` if not given
        """
        answers: list[list[Prediction]] = [[] for _ in sources]
        for row, found in self.search_as_written(sources, search):
            answers[row] = found
        return answers

    def search_as_written(
        self, sources: Sequence[Source], search: ComponentConfig[Search] | None = None
    ) -> Iterator[tuple[int, list[Prediction]]]:
        """(number of the source, its n-best list), in the order that batches are finished; blank ones are left out."""
        rows, encoded = self.encoded(sources)
        for number, found in self._written(encoded, search or self.recipe.decoding):
            yield rows[number], found

    def _written(
        self, encoded: Sequence[np.ndarray], search: ComponentConfig[Search]
    ) -> Iterator[tuple[int, list[Prediction]]]:
        """(number of the encoded source, its n-best list), batch by batch."""
        batches = write_batches(
            self.model,
            self.task.source,
            encoded,
            search,
            device=self.precision.device,
            batch_size=self.batch_size,
            prepared=self.prepared,
        )
        while True:
            with self.precision.autocast():  # not while the caller has its turn
                batch = next(batches, None)
            if batch is None:
                return
            for number, hypotheses in zip(*batch, strict=True):
                yield number, [self._read(h) for h in hypotheses]

    def _read(self, hypothesis: Hypothesis) -> Prediction:
        text = self.task.target.decode(hypothesis.ids)
        return Prediction(text, hypothesis.score, hypothesis.log_probability, hypothesis.ids)

    def write_aloud(
        self, source: Source, search: ComponentConfig[Search] | None, tell: Callable[[str], None]
    ) -> Prediction:
        """The best answer to one source; tell(text) hears it grow, piece by piece, and may stop it by raising.

        search  one that writes a single hypothesis: greedy, or sample with a count of one; None is greedy
        """
        (encoded,) = self.task.source.encode_all([source])
        ids: list[int] = []

        def step(last: Tensor, memory: Any, state: Any) -> Any:  # what a search has chosen is what it reads next
            if int(last[0]) != BOS:
                ids.append(int(last[0]))
                tell(self.task.target.decode(ids))
            return self.prepared.step(last, memory, state)

        with self.precision.answering():
            encoding = self.prepared.encode(move(self.task.source.collate([encoded]), self.precision.device))
            memory, state = self.model.head.start(encoding)
            found_by = search or configure(Search, "greedy")
            hypotheses = found_by(step, memory, state, torch.full((1,), BOS, device=self.precision.device))
        found = self._read(hypotheses[0][0])
        tell(found.text)
        return found

    def score(self, sources: Sequence[Source], targets: Sequence[str]) -> list[tuple[float, int]]:
        """(log-probability of the target given the source, its number of pieces with the end) for each pair."""
        pairs = zip(several(sources, "sources"), several(targets, "targets"), strict=True)
        found = self.likelihood([Row(source, target) for source, target in pairs])
        return [(-nats, tokens) for nats, tokens in zip(found.nats.tolist(), found.tokens.tolist())]

    def piece_scores(self, sources: Sequence[Source], written: Sequence[Sequence[int]]) -> list[np.ndarray]:
        """The log-probability of every written piece given its source, the end included: [pieces + 1] for each pair."""
        encoded = self.task.source.encode_all(several(sources, "sources"))
        targets = [np.array([*ids, EOS]) for ids in written]
        found = [np.zeros(0)] * len(targets)
        for rows, batch, output in self.forced(encoded, targets):
            each = self.task.nats(output, batch).split([len(targets[row]) for row in rows])
            for row, nats in zip(rows, each, strict=True):
                found[row] = -nats.cpu().double().numpy()
        return found

    def align(self, source: Source, ids: Sequence[int]) -> Alignment | None:
        """Where each written piece, the end included, came from; None for a model without attention."""
        return self.align_all([source], [ids])[0]

    def align_all(self, sources: Sequence[Source], written: Sequence[Sequence[int]]) -> list[Alignment | None]:
        """The same for many, in batches."""
        encoded = self.task.source.encode_all(several(sources, "sources"))
        targets = [np.array([*ids, EOS]) for ids in written]
        found: list[Alignment | None] = [None] * len(targets)
        for rows, batch, output in self.forced(encoded, targets):
            if output.weights is None:
                break
            grid = None
            if isinstance(batch.source, torch.Tensor) and batch.source.dim() == 4:  # pictures [B, 3, H, W]
                grid = grid_of(output.weights.shape[-1], *batch.source.shape[-2:])
            for row, weights in zip(rows, output.weights.tolist(), strict=True):
                names = self.named(sources[row], encoded[row]) if grid is None else cells(*grid)
                target = self.task.target.pieces(targets[row].tolist())
                lines = [line[: len(names)] for line in weights[: len(target)]]
                found[row] = Alignment(names, target, lines, grid)
        return found

    def named(self, source: Source, encoded: np.ndarray) -> list[str]:
        """A name for every position of a source: what was typed there, and what ends it."""
        field = self.task.source
        return [*field.typed(source), *field.pieces(encoded[len(encoded) - field.ends :])]

    def seen(self, picture: Source) -> np.ndarray:
        """[H, W, 3], bytes: a picture as the model sees it, under the grid of its alignment."""
        batch = self.task.source.collate(self.task.source.encode_all([picture]))
        assert isinstance(batch, torch.Tensor)
        tensor = batch[0]
        if tensor.is_floating_point():  # from whatever numbers stand for black and white
            low, high = float(tensor.min()), float(tensor.max())
            tensor = (tensor - low) / max(high - low, 1e-6) * 255
        return tensor[:3].expand(3, -1, -1).permute(1, 2, 0).round().byte().numpy()


def grid_of(positions: int, height: int, width: int) -> tuple[int, int]:
    """(rows, columns) of so many positions, laid out most like a picture of this height and width."""
    shapes = [(rows, positions // rows) for rows in range(1, positions + 1) if positions % rows == 0]
    return min(shapes, key=lambda shape: abs(math.log(shape[0] * width / (shape[1] * height))))


def cells(rows: int, columns: int) -> list[str]:
    """Names of the positions in a grid: row, column, from 1."""
    return [f"{row},{column}" for row in range(1, rows + 1) for column in range(1, columns + 1)]
