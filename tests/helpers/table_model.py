"""A table of numbers that stands in for a model, and every answer to it counted out in plain Python."""

import itertools
from typing import Any, NamedTuple

import torch
from torch import Tensor

from s2s.config import configure
from s2s.decoding.filters import Filter
from s2s.tensors import BOS, EOS

V, T, S, ROWS = 7, 4, 3, 12  # vocabulary, steps that differ, source positions, rows
PIECES = (4, 5, 6)  # what may be written; 0 to 3 are PAD, BOS, EOS and UNK


class Output(NamedTuple):
    logits: Tensor
    state: Any
    weights: Tensor | None


class TableMemory(NamedTuple):
    row: Tensor  # [N], which table
    valid: Tensor  # [N, S]


class Table:
    """logits by row, time, last piece but one and last piece: so a state that is not reordered is wrong."""

    def __init__(self, seed: int = 0, attention: bool = True, scale: float = 1.5) -> None:
        dice = torch.Generator().manual_seed(seed)
        self.logits = scale * torch.randn(ROWS, T, V, V, V, generator=dice)
        lengths = torch.arange(ROWS) % S + 1
        self.valid = torch.arange(S) < lengths[:, None]
        weights = torch.randn(ROWS, T, V, S, generator=dice).masked_fill(~self.valid[:, None, None], float("-inf"))
        self.weights = weights.softmax(-1)
        self.attention = attention
        self.known: dict[tuple, Tensor] = {}
        self.sizes: list[int] = []  # how many rows each step had

    def __call__(self, ids: Tensor, memory: TableMemory, state: tuple[Tensor, Tensor]) -> Output:
        self.sizes.append(len(ids))
        t, before = state
        at = t.clamp(max=T - 1)
        weights = self.weights[memory.row, at, ids] if self.attention else None
        return Output(self.logits[memory.row, at, before, ids], (t + 1, ids), weights)

    def start(self, rows: list[int] | None = None) -> tuple[TableMemory, tuple[Tensor, Tensor], Tensor]:
        row = torch.arange(ROWS) if rows is None else torch.tensor(rows, dtype=torch.long)
        row = row.to(self.logits.device)
        bos = torch.full_like(row, BOS)
        return TableMemory(row, self.valid[row]), (torch.zeros_like(row), bos), bos

    def to(self, device: str) -> "Table":
        self.logits, self.weights, self.valid = (t.to(device) for t in (self.logits, self.weights, self.valid))
        return self

    def log_probabilities(self, row: int, written: list[int]) -> Tensor:
        """[V], of what comes after `written`."""
        before, last = [BOS, BOS, *written][-2:]
        key = row, min(len(written), T - 1), before, last
        if key not in self.known:
            self.known[key] = self.logits[key].double().log_softmax(-1)
        return self.known[key]

    def log_probability(self, row: int, pieces: list[int]) -> float:
        """Of pieces in a row, with EOS where it is written."""
        if ("sum", row, *pieces) not in self.known:
            steps = [self.log_probabilities(row, pieces[:t])[piece] for t, piece in enumerate(pieces)]
            self.known["sum", row, *pieces] = torch.stack(steps).sum()
        return self.known["sum", row, *pieces].item()

    def coverage(self, row: int, pieces: list[int]) -> float:
        """sum of log(min(attention, 1)) over the real source positions."""
        if ("coverage", row, *pieces) not in self.known:
            read = [BOS, *pieces[:-1]]
            steps = [self.weights[row, min(t, T - 1), last].double() for t, last in enumerate(read)]
            attention = torch.stack(steps).sum(0)[self.valid[row]]
            self.known["coverage", row, *pieces] = attention.clamp(max=1.0).log().sum()
        return self.known["coverage", row, *pieces].item()

    def score(self, row: int, pieces: list[int], length_penalty: float, coverage_penalty: float) -> float:
        score = self.log_probability(row, pieces) / len(pieces) ** length_penalty
        return score + coverage_penalty * self.coverage(row, pieces) if coverage_penalty else score


def every_answer(max_length: int = T) -> list[list[int]]:
    """All that ends in at most max_length steps, then all that is cut off there."""
    ended = [[*p, EOS] for n in range(max_length) for p in itertools.product(PIECES, repeat=n)]
    return ended + [list(p) for p in itertools.product(PIECES, repeat=max_length)]


def repeats(pieces: list[int], size: int) -> bool:
    """Is there a run of `size` pieces twice?"""
    runs = [tuple(pieces[i : i + size]) for i in range(len(pieces) - size + 1)]
    return len(runs) > len(set(runs))


def whole(hypothesis) -> list[int]:
    """Pieces as the model was asked for them."""
    return [*hypothesis.ids, EOS] if hypothesis.finished else hypothesis.ids


def no_repeat(size: int):
    return (configure(Filter, {"kind": "no-repeat", "size": size}),)
