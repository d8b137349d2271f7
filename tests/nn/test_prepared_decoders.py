"""Prepared steps of decoders that look at a source: they are the steps, for every wiring, attention and cell."""

import pytest
import torch

from s2s.nn import products
from s2s.nn.decoder import Decoder, Parallel
from s2s.nn.products import Int8, int8
from s2s.tensors import BOS, leaves, repeat
from tests.helpers.small_models import ATTENTIONS, FEWEST, SOURCES, build, padded

HEADS = ["bahdanau", "decoder", "gnmt", "luong"]


def decoder(kind="decoder", **options):
    model = build(head={"kind": kind, "layers": FEWEST[kind], **options}).eval()
    return model.head, *model.head.start(model.encode(padded(SOURCES)))


def compare(plain, prepared, memory, state, steps=4, shared=None, **tolerance):
    """Both steps from the same start on; `shared` is the memory that the prepared one has."""
    other, ids = state, torch.full((len(leaves(state)[0]),), BOS)
    for t in range(steps):
        expected, found = plain(ids, memory, state), prepared(ids, memory if shared is None else shared, other)
        torch.testing.assert_close(found.logits, expected.logits, **tolerance)
        torch.testing.assert_close(found.weights, expected.weights, **tolerance)
        assert type(found.state) is type(expected.state)
        for a, b in zip(leaves(found.state), leaves(expected.state), strict=True):
            torch.testing.assert_close(a, b, **tolerance)
        state, other = expected.state, found.state
        ids = 4 + (torch.arange(len(ids)) + t) % 6


@torch.no_grad()
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_a_prepared_step_is_the_step_with_every_attention(head, attention):
    plain, memory, state = decoder(head, attention=attention)
    prepared = plain.prepare_step()
    assert prepared != plain.step
    assert not plain.why_plain()
    compare(plain.step, prepared, memory, state)


@torch.no_grad()
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("options", [{}, {"hidden": 16, "layers": 3}, {"tied_output": True, "embedding": 6}], ids=str)
def test_hypotheses_of_one_source_share_its_memory(head, cell, options):
    plain, memory, state = decoder(head, cell=cell, **options)
    compare(plain.step, plain.prepare_step(), repeat(memory, 3), repeat(state, 3), shared=memory)


@torch.no_grad()
@pytest.mark.parametrize("make", [None, Int8])
def test_neighbors_and_padding_do_not_change_a_prepared_step(make):
    plain, memory, state = decoder()
    step = plain.prepare_step(make) if make else plain.prepare_step()
    model = build(head={"kind": "decoder"}).eval()
    alone = model.head.start(model.encode(padded(SOURCES[1:2])))
    longer = model.head.start(model.encode(padded(SOURCES, extra=3)))
    ids = torch.tensor([5, 6, 7])
    found = step(ids, memory, state).logits
    torch.testing.assert_close(found, step(ids, *longer).logits)
    torch.testing.assert_close(found[1:2], step(ids[1:2], *alone).logits)


class Strange(Parallel):
    def readout(self, *parts):
        return -super().readout(*parts)


def test_a_decoder_of_ones_own_steps_as_it_says():
    plain = decoder()[0]
    plain.__class__ = Strange
    assert plain.prepare_step() == plain.step
    assert "Strange" in plain.why_plain()
    assert not vars(Decoder)["prepares"]


@torch.no_grad()
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("hidden", [6, 16])  # an lstm of 16 units is one call of a kernel
def test_weights_of_eight_bits_come_close(head, cell, hidden, monkeypatch):
    plain, memory, state = decoder(head, cell=cell, hidden=hidden)
    compare(plain.step, plain.prepare_step(Int8), memory, state, atol=0.03, rtol=0.03)
    monkeypatch.setattr(products, "LITTLE", 0)
    compare(plain.step, plain.prepare_step(int8), memory, state, atol=0.03, rtol=0.03)


def test_a_model_says_how_it_writes():
    model = build().eval()
    assert model.prepare().paths == ["encoder lstm fused", "head prepared"]
    assert model.prepare(int8).paths[0] == "encoder lstm fused"  # small
    assert model.prepare(int8).paths[1].startswith("head prepared int8")
    assert build(head={"cell": "rnn"}).eval().prepare().paths[1] == "head plain: cell rnn has no prepared step"
