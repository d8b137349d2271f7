"""A prepared encoder is the encoder: any cell, depth and direction, ragged sources, with and without its last state."""

import pytest
import torch
from nn_models import SOURCES, build, padded

from s2s.nn.encoders import RNNEncoder
from s2s.nn.products import Affine, Int8


def encoder(**options):
    return build(encoder={"kind": "rnn", **options}).eval().encoder


def compare(found, expected, **tolerance):
    torch.testing.assert_close(found.memory, expected.memory, **tolerance)
    assert torch.equal(found.valid, expected.valid)
    assert len(found.state) == len(expected.state)
    for a, b in zip(found.state, expected.state, strict=True):
        torch.testing.assert_close(a, b, **tolerance)


@torch.no_grad()
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("final_state", [True, False])
@pytest.mark.parametrize(("make", "near"), [(Affine, 1e-5), (Int8, 0.02)])
def test_a_prepared_encoder_is_the_encoder(cell, layers, bidirectional, final_state, make, near):
    plain = encoder(cell=cell, layers=layers, bidirectional=bidirectional, dropout=0.3)
    prepared = plain.prepare(make)
    assert prepared is not plain
    for source in (padded(SOURCES), padded(SOURCES, extra=2), padded(SOURCES[:1])):
        compare(prepared(source, final_state), plain(source, final_state), atol=near, rtol=near)


@torch.no_grad()
@pytest.mark.parametrize("make", [Affine, Int8])
def test_neighbors_and_padding_do_not_change_it(make):
    prepared = encoder(layers=2).prepare(make)
    together = prepared(padded(SOURCES, extra=3)).memory
    for row, source in enumerate(SOURCES):
        torch.testing.assert_close(prepared(padded([source])).memory[0], together[row, : len(source)])


class Strange(RNNEncoder):
    pass


@pytest.mark.parametrize("options", [{"cell": "rnn"}, {"residual": True, "layers": 2}, {"layer_norm": True}], ids=str)
def test_what_cannot_be_prepared_reads_as_before_and_says_why(options):
    plain = encoder(**options)
    assert plain.prepare() is plain
    assert plain.why_plain()
    plain = encoder()
    plain.__class__ = Strange
    assert plain.prepare() is plain
    assert "Strange" in plain.why_plain()


def test_a_model_says_how_it_writes():
    model = build().eval()
    assert model.prepare().paths == ["encoder prepared", "head prepared"]
    assert model.prepare(Int8).paths == ["encoder prepared int8", "head prepared int8"]
    assert build(head={"cell": "rnn"}).eval().prepare().paths[1] == "head plain: cell rnn has no prepared step"
