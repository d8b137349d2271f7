"""A user's own parts, in a file of the user's own: registered by being defined, used by name."""

import pytest
import torch
from torch import nn

from s2s.nn.attention import Attention
from s2s.nn.cells import Cell, Looped
from s2s.nn.heads.base import Head
from s2s.registry import PositiveInt
from tests.helpers.small_models import HEADS, batch_of, build, close, loss_of


@pytest.fixture
def own_parts(monkeypatch):
    for family in (Cell, Attention, Head):
        monkeypatch.setattr(family, "registry", dict(family.registry))

    class Minimal(Looped, kind="minimal-gate"):
        """A gru with one gate: Zhou et al. 2016, https://arxiv.org/abs/1603.09420"""

        parts = 1

        def weights(self, inputs, hidden):
            gate, new = nn.Linear(inputs + hidden, hidden), nn.Linear(inputs + hidden, hidden)
            return nn.ModuleDict({"gate": gate, "new": new})

        def step(self, w, x, state):
            (h,) = state
            f = w["gate"](torch.cat([x, h], -1)).sigmoid()
            return ((1 - f) * h + f * w["new"](torch.cat([x, f * h], -1)).tanh(),)

    class Third(Looped, kind="three-parts"):
        """A state of three, and an option."""

        parts = 3

        def __init__(self, inputs: int, hidden: int, *, times: PositiveInt = 1) -> None:
            super().__init__(inputs, hidden)
            self.times = times

        def weights(self, inputs, hidden):
            return nn.Linear(inputs + hidden, hidden)

        def step(self, w, x, state):
            h = w(torch.cat([x, state[1]], -1)).tanh() * self.times
            return h, (h + state[2]) / 2, (state[0] + state[1]) / 2

    class Cosine(Attention, kind="cosine"):
        """How well two directions agree."""

        def __init__(self, query: int, memory: int, *, sharpness: float = 10.0) -> None:
            super().__init__(query, memory)
            self.to_query, self.sharpness = nn.Linear(memory, query, bias=False), sharpness

        def keys(self, values):
            return nn.functional.normalize(self.to_query(values), dim=-1)

        def score(self, query, keys):
            return self.sharpness * nn.functional.normalize(query, dim=-1) @ keys.transpose(1, 2)


@pytest.mark.parametrize("cell", ["minimal-gate", {"kind": "three-parts", "times": 2}])
@pytest.mark.parametrize("head", HEADS)
def test_a_cell_of_ones_own_reads_and_writes(own_parts, head, cell):
    batch = batch_of()
    model = build({"cell": cell, "layers": 2}, {"kind": head, "cell": cell, "attention": "cosine", "bridge": "linear"})
    loss_of(model, batch).backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())
    wanted = model(batch).logits
    close(model(batch_of(extra=3)).logits, wanted)
    alone = model(batch_of([batch.source.data[1, :2].tolist()], [batch.target.data[1].tolist()])).logits
    close(wanted[3:8], alone)
    assert model.paths()[0].loops


def test_what_was_defined_there_is_gone_here():
    assert "minimal-gate" not in Cell.registry
