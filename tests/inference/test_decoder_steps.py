"""Prepared steps of decoders that look at a source: they are the steps, for every wiring, attention and cell."""

import pytest
import torch

from s2s.devices import bf16_trouble
from s2s.execution import NumberFormat, PathKind
from s2s.inference import linear
from s2s.inference.compile import compile_for_inference
from s2s.inference.native import linear as native
from s2s.inference.step import WIRINGS, Wiring, compile_step, fast_path_unavailable
from s2s.nn.heads.decoder import AttentionDecoder, DecoderOutput
from s2s.tensors import BOS, repeat, tree_leaves
from tests.helpers.small_models import ATTENTIONS, FEWEST, HEADS, SOURCES, build, padded

INT8 = NumberFormat.INT8


def decoder(kind="decoder", **options):
    model = build(head={"kind": kind, "layers": FEWEST[kind], **options}).eval()
    return model.head, *model.head.start(model.encode(padded(SOURCES)))


def compare(plain, prepared, memory, state, steps=4, shared=None, **tolerance):
    """Both steps from the same start on; `shared` is the memory that the prepared one has."""
    other, ids = state, torch.full((len(tree_leaves(state)[0]),), BOS)
    for t in range(steps):
        expected, found = plain(ids, memory, state), prepared(ids, memory if shared is None else shared, other)
        torch.testing.assert_close(found.logits, expected.logits, **tolerance)
        torch.testing.assert_close(found.weights, expected.weights, **tolerance)
        assert type(found.state) is type(expected.state)
        for a, b in zip(tree_leaves(found.state), tree_leaves(expected.state), strict=True):
            torch.testing.assert_close(a, b, **tolerance)
        state, other = expected.state, found.state
        ids = 4 + (torch.arange(len(ids)) + t) % 6


@torch.no_grad()
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_a_prepared_step_is_the_step_with_every_attention(head, attention):
    plain, memory, state = decoder(head, attention=attention)
    assert not fast_path_unavailable(plain)
    compare(plain.step, compile_step(plain), memory, state)


@torch.no_grad()
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("options", [{}, {"hidden": 16, "layers": 3}, {"tied_output": True, "embedding": 6}], ids=str)
def test_hypotheses_of_one_source_share_its_memory(head, cell, options):
    plain, memory, state = decoder(head, cell=cell, **options)
    compare(plain.step, compile_step(plain), repeat(memory, 3), repeat(state, 3), shared=memory)


@torch.no_grad()
@pytest.mark.parametrize("format", [NumberFormat.FP32, INT8])
def test_neighbors_and_padding_do_not_change_a_prepared_step(format, monkeypatch):
    monkeypatch.setattr(linear, "SMALL_WEIGHT_COUNT", 0)
    plain, memory, state = decoder()
    step = compile_step(plain, format)
    model = build(head={"kind": "decoder"}).eval()
    alone = model.head.start(model.encode(padded(SOURCES[1:2])))
    longer = model.head.start(model.encode(padded(SOURCES, extra=3)))
    ids = torch.tensor([5, 6, 7])
    found = step(ids, memory, state).logits
    torch.testing.assert_close(found, step(ids, *longer).logits)
    torch.testing.assert_close(found[1:2], step(ids[1:2], *alone).logits)


class Strange(AttentionDecoder):
    def readout(self, *parts):
        return -super().readout(*parts)


def test_a_decoder_of_ones_own_steps_as_it_says():
    model = build().eval()
    model.head.__class__ = Strange
    assert compile_for_inference(model).step == model.head.step
    assert "Strange" in fast_path_unavailable(model.head)


class Twice(AttentionDecoder):
    def read(self, x, memory, state):
        h, cells = self.stack(x, state.cells)
        context, weights = self.attend(2 * h, memory)
        return DecoderOutput(self.readout(h, context), state._replace(cells=cells), weights)


@torch.no_grad()
def test_a_decoder_of_ones_own_may_say_that_it_keeps_to_its_parts(monkeypatch):
    plain, memory, state = decoder()
    plain.__class__ = Twice
    monkeypatch.setitem(WIRINGS, Twice, Wiring())
    assert not fast_path_unavailable(plain)
    compare(plain.step, compile_step(plain), memory, state)


class Parts:
    """What read() may touch, and nothing else."""

    def __init__(self, decoder):
        self.stack, self.attend, self.readout = decoder.stack, decoder.attend, decoder.readout


@torch.no_grad()
@pytest.mark.parametrize("head", HEADS)
def test_every_read_keeps_to_the_parts_that_it_may_touch(head):
    plain, memory, state = decoder(head)
    x = torch.randn(len(SOURCES), 1, plain.embed.embedding_dim)
    found, expected = type(plain).read(Parts(plain), x, memory, state), plain.read(x, memory, state)
    assert torch.equal(found.vectors, expected.vectors)


@torch.no_grad()
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("hidden", [6, 16])  # an lstm of 16 units is one call of a kernel
def test_weights_of_eight_bits_come_close(head, cell, hidden, monkeypatch):
    plain, memory, state = decoder(head, cell=cell, hidden=hidden)
    monkeypatch.setattr(linear, "SMALL_WEIGHT_COUNT", 0)
    compare(plain.step, compile_step(plain, INT8), memory, state, atol=0.03, rtol=0.03)


def written(model, precision=None):
    return list(map(str, compile_for_inference(model, precision).paths))


def test_a_model_says_how_it_writes(monkeypatch):
    model = build().eval()
    assert written(model) == ["encoder lstm fused", "head prepared"]
    assert written(build(head={"cell": "rnn"}))[1] == "head plain: cell rnn has no prepared step"
    assert written(build().train())[1] == "head plain: it is in training"
    assert written(model, NumberFormat.FP16)[1] == "head plain: layers compute in fp16"
    assert compile_for_inference(model, NumberFormat.FP16).step == model.head.step
    assert written(model, NumberFormat.BF16)[1] == "head prepared bf16"
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert written(model)[1] == "head prepared bf16"
    monkeypatch.setattr(native, "int8_unavailable", lambda: "no compiler")
    assert written(model, INT8) == ["encoder lstm fused", "head prepared: no weights of 8 bits, no compiler"]
    assert compile_for_inference(model, INT8).paths[1].kind is PathKind.PREPARED


@pytest.mark.skipif(bool(native.int8_unavailable()), reason="no native kernels here")
def test_eight_bits_say_so():
    found = compile_for_inference(build(encoder={"hidden": 192}), INT8).paths
    assert [path.kind for path in found] == [PathKind.INT8, PathKind.INT8]
    assert list(map(str, found)) == ["encoder lstm prepared int8", "head prepared int8"]


@pytest.mark.parametrize(
    ("head", "slow", "said"),
    [
        ({}, False, "head lstm fused"),
        ({"kind": "luong"}, False, "head lstm fused, step by step"),
        ({"cell": "rnn"}, False, "head rnn fused"),
        ({"cell": "lstm-by-hand"}, True, "head lstm-by-hand looped"),
    ],
)
def test_off_the_cpu_the_kernels_of_torch_are_the_fast_way(head, slow, said):
    """No GPU is needed to ask: meta tensors are on no CPU either."""
    path = compile_for_inference(build(head=head).to("meta"), NumberFormat.BF16).paths[1]
    assert str(path) == said
    assert path.slow_to_write is slow


needs_bf16 = pytest.mark.skipif(bool(bf16_trouble()), reason="bf16 does not work on this CPU")


@needs_bf16
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("autocast", [True, False])
def test_products_of_sixteen_bits_come_close(head, cell, autocast):
    """With what an encoder under autocast gives, too: memory and state of 16 bits."""
    model = build(encoder={"cell": cell}, head={"kind": head, "cell": cell, "bridge": "linear"})
    exact = compile_for_inference(model)
    ids = torch.tensor([5, 6, 7])
    results = []
    for how, half in ((exact, False), (compile_for_inference(model, NumberFormat.BF16), autocast)):
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            memory, state = model.head.start(how.encode(padded(SOURCES)))
            first = how.step(ids, memory, state)
            results.append(how.step(ids + 1, memory, first.state))
    expected, found = results
    assert found.logits.dtype == torch.float32
    torch.testing.assert_close(found.logits, expected.logits, atol=0.03, rtol=0.03)
    for a, b in zip(tree_leaves(found.state), tree_leaves(expected.state), strict=True):
        torch.testing.assert_close(a, b, atol=0.03, rtol=0.03)
