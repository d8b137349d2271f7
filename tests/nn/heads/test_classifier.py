"""Heads that choose: padding and neighbors change nothing, and what is to be learned is learned."""

import pytest
import torch

from s2s.config import configure
from s2s.data.fields.categorical import Label, Labels, Tags
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head
from s2s.nn.model import build_model
from s2s.nn.pooling import Pooling
from s2s.tasks.losses import binary_cross_entropy, cross_entropy
from s2s.tensors import EOS, Batch, EncoderOutput, FieldSpec, Padded


def padded(rows: list[list[int]], width: int = 0) -> Padded:
    width = max(width, *map(len, rows))
    data = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    return Padded(data, torch.tensor([len(row) for row in rows]))


def model_for(head: object, target: FieldSpec, **encoder: object):
    torch.manual_seed(1)
    options = {"kind": "rnn", "embedding": 6, "hidden": 5, **encoder}
    return build_model(configure(Encoder, options), configure(Head, head), FieldSpec("ids", 20), target).eval()


SOURCES = [[4, 5, 6, EOS], [7, EOS], [8, 9, 4, 5, 10, 11, EOS]]


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("pooling", [*sorted(Pooling.registry), ["mean", "max"]])
def test_padding_and_neighbors_change_nothing(pooling, cell, bidirectional):
    head = {"kind": "classifier", "pooling": pooling}
    model = model_for(head, FieldSpec("label", 3), cell=cell, bidirectional=bidirectional, layers=2)
    together = model.head.answer(model.encode(padded(SOURCES, 11)))
    for i, source in enumerate(SOURCES):
        alone = model.head.answer(model.encode(padded([source])))
        torch.testing.assert_close(alone.logits[0], together.logits[i])
        if alone.weights is not None:
            torch.testing.assert_close(alone.weights[0], together.weights[i, : len(source)])
            assert together.weights[i, len(source) :].eq(0).all()
            assert together.weights[i].sum().item() == pytest.approx(1)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_last_is_both_ends(cell):
    """The forward half has read the last real position, the backward half the first."""
    model = model_for({"kind": "classifier", "pooling": "last"}, FieldSpec("label", 2), cell=cell, layers=2)
    encoded = model.encode(padded(SOURCES, 9))
    vector = model.head.pooling[0](encoded).vector
    for i, source in enumerate(SOURCES):
        memory = encoded.memory[i, : len(source)]
        torch.testing.assert_close(vector[i], torch.cat([memory[-1, :5], memory[0, 5:]]))


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_tag_depends_on_its_sentence_alone(cell):
    model = model_for("tagger", FieldSpec("tags", 4), cell=cell)
    together = model.head.answer(model.encode(padded(SOURCES, 9))).logits
    for i, source in enumerate(SOURCES):
        alone = model.head.answer(model.encode(padded([source]))).logits
        torch.testing.assert_close(alone[0], together[i, : len(source)])


def test_poolings_are_what_they_say():
    memory = torch.randn(2, 3, 4)
    valid = torch.tensor([[True, True, False], [True, True, True]])
    state = (torch.randn(2, 2, 4), torch.randn(2, 2, 4))
    encoded = EncoderOutput(memory, valid, state)
    assert configure(Pooling, "mean")(4)(encoded).vector[0].allclose(memory[0, :2].mean(0))
    assert configure(Pooling, "max")(4)(encoded).vector[0].equal(memory[0, :2].amax(0))
    assert configure(Pooling, "last")(4)(encoded).vector.equal(state[0][:, 1])
    assert configure(Pooling, "last")(4)(encoded._replace(state=())).vector.equal(
        configure(Pooling, "mean")(4)(encoded).vector
    )
    attention = configure(Pooling, {"kind": "attention", "size": 3})(4)
    vector, weights = attention(encoded)
    assert weights[0, 2] == 0
    assert vector[1].allclose(sum(weights[1, s] * memory[1, s] for s in range(3)))


def test_only_last_asks_how_the_encoder_ended():
    for pooling, asks in (("last", True), ("mean", False), (["mean", "last"], True)):
        head = {"kind": "classifier", "pooling": pooling}
        assert model_for(head, FieldSpec("label", 2)).head.uses_state is asks


def learned(model, batch: Batch, loss, steps: int = 150) -> float:
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    model.train()
    for _ in range(steps):
        total = loss(model(batch), batch)
        optimizer.zero_grad()
        (total.total / total.tokens).backward()
        optimizer.step()
    model.eval()
    return total.total.item() / total.tokens


@pytest.mark.parametrize("pooling", [*sorted(Pooling.registry), ["mean", "max"]])
def test_labels_are_learned_by_heart(pooling):
    field = Label()
    field.fit(["a", "b", "c"])
    model = model_for({"kind": "classifier", "pooling": pooling, "hidden": 8}, field.space)
    source = padded(SOURCES)
    batch = Batch(source, field.collate(field.encode_all(["c", "a", "b"])), torch.arange(3))
    assert learned(model, batch, cross_entropy) < 0.1
    said = model.head.answer(model.encode(source)).logits.argmax(-1)
    assert [field.decode(i) for i in said] == ["c", "a", "b"]


def test_several_labels_are_learned_by_heart():
    field = Labels()
    field.fit(["a, b", "c"])
    model = model_for("classifier", field.space)
    source = padded(SOURCES)
    batch = Batch(source, field.collate(field.encode_all(["a, c", "b", "a,b,c"])), torch.arange(3))
    assert learned(model, batch, binary_cross_entropy) < 0.1
    said = model.head.answer(model.encode(source)).logits
    assert [field.decode((row > 0).nonzero()[:, 0].tolist()) for row in said] == ["a, c", "b", "a, b, c"]


def test_tags_are_learned_by_heart():
    field = Tags()
    field.fit(["A B C"])
    wanted = ["A B C", "B", "C C A B A B"]
    model = model_for("tagger", field.space)
    source, target = padded(SOURCES), field.collate(field.encode_all(wanted))
    batch = Batch(source, target, target.valid.flatten().nonzero().squeeze(1))
    assert learned(model, batch, cross_entropy) < 0.1
    said = model.head.answer(model.encode(source)).logits.argmax(-1)
    assert [field.decode(row[: len(text) - 1]) for row, text in zip(said, SOURCES)] == wanted
    assert model(batch).logits.argmax(-1).equal(batch.labels)
