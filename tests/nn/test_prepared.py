import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "predicting"))
from language import Silence, model_for

from s2s.nn.prepared import PreparedStep
from s2s.tensors import Memory


def begin(model, rows):
    return model.head.start(Silence()(torch.zeros(rows, 0)))


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("tied", [False, True])
def test_a_prepared_step_is_the_step(layers, rows, tied):
    model = model_for(30, layers=layers, tied_output=tied, dropout=0.5).eval()
    prepared = model.head.prepare_step()
    assert isinstance(prepared, PreparedStep)
    memory, state = begin(model, rows)
    other = state
    for t in range(6):
        ids = torch.arange(rows) + 3 * t
        expected, found = model.head.step(ids, memory, state), prepared(ids, memory, other)
        state, other = expected.state, found.state
        torch.testing.assert_close(found.logits, expected.logits)
        for a, b in zip(other.cells, state.cells, strict=True):
            torch.testing.assert_close(a, b)
        assert other.feed.shape == state.feed.shape
        assert isinstance(memory, Memory)


@pytest.mark.parametrize("rows", [1, 3])
def test_what_was_passed_in_stays_as_it_is(rows):
    model = model_for(30, layers=2).eval()
    memory, state = begin(model, rows)
    state = model.head.step(torch.arange(rows), memory, state).state
    before = [part.clone() for part in state.cells]
    prepared = model.head.prepare_step()
    first = prepared(torch.arange(rows), memory, state).logits
    assert all(torch.equal(a, b) for a, b in zip(before, state.cells, strict=True))
    assert torch.equal(first, prepared(torch.arange(rows), memory, state).logits)


@pytest.mark.parametrize(
    "options",
    [{"cell": "gru"}, {"cell": "rnn"}, {"residual": True, "layers": 2}, {"layer_norm": True}],
    ids=["gru", "rnn", "residual", "layer_norm"],
)
def test_what_cannot_be_prepared_steps_as_before(options):
    model = model_for(30, **options).eval()
    assert model.head.prepare_step() == model.head.step


def test_a_model_that_still_learns_is_not_prepared():
    model = model_for(30).train()
    assert model.head.prepare_step() == model.head.step
