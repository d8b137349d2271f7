"""Prepared steps of heads that look at nothing: they are the steps, for every cell, depth and width."""

import pytest
import torch

from s2s.inference.compile import compile_for_inference
from s2s.inference.step import compile_step, fast_path_unavailable
from s2s.tensors import tree_leaves
from tests.helpers.language_models import model_for

HEADS = ["decoder", "language-model"]


def begin(model, rows):
    return model.head.start(model.encode(torch.zeros(rows, 0)))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("embedding", [24, 64, None])
def test_a_prepared_step_is_the_step(head, cell, layers, rows, embedding):
    if embedding is None and head == "decoder":
        embedding = 20  # a decoder reads no one-hot vectors
    options = {"cell": cell, "embedding": embedding, "tied_output": embedding == 64, "dropout": 0.5}
    model = model_for(30, kind=head, layers=layers, **options).eval()
    prepared = compile_step(model.head)
    memory, state = begin(model, rows)
    other = state
    for t in range(6):
        ids = torch.arange(rows) + 3 * t
        expected, found = model.head.step(ids, memory, state), prepared(ids, memory, other)
        state, other = expected.state, found.state
        torch.testing.assert_close(found.logits, expected.logits)
        assert type(other) is type(state)
        for a, b in zip(tree_leaves(other), tree_leaves(state), strict=True):
            torch.testing.assert_close(a, b)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("rows", [1, 3])
def test_what_was_passed_in_stays_as_it_is(head, rows):
    model = model_for(30, kind=head, layers=2).eval()
    memory, state = begin(model, rows)
    state = model.head.step(torch.arange(rows), memory, state).state
    before = [part.clone() for part in tree_leaves(state)]
    prepared = compile_step(model.head)
    first = prepared(torch.arange(rows), memory, state).logits
    assert all(torch.equal(a, b) for a, b in zip(before, tree_leaves(state), strict=True))
    assert torch.equal(first, prepared(torch.arange(rows), memory, state).logits)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    "options",
    [{"cell": "rnn"}, {"residual": True, "layers": 2}, {"layer_norm": True}],
    ids=["rnn", "residual", "layer_norm"],
)
def test_what_cannot_be_prepared_steps_as_before_and_says_why(head, options):
    model = model_for(30, kind=head, **options).eval()
    assert compile_for_inference(model).step == model.head.step
    said = fast_path_unavailable(model.head)
    assert set(options) & set(said.replace(",", "").split()) or "cell rnn" in said


def test_a_model_that_still_learns_is_not_prepared():
    model = model_for(30).train()
    assert compile_for_inference(model).step == model.head.step
    assert "training" in fast_path_unavailable(model.head)
