"""Pairs of encoder and head: what fits, what is shared, and what is said when it does not fit."""

import inspect

import pytest
import torch

from s2s.config import configure
from s2s.errors import RecipeError
from s2s.nn.bridge import Bridge
from s2s.nn.cells import Cell
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head
from s2s.nn.model import Model, build_model
from s2s.tensors import FieldSpec, Padded
from tests.helpers.small_models import HEADS, SOURCES, TARGETS, VOCABULARY, batch_of, build, close, padded

IDS = FieldSpec("ids", VOCABULARY, "shared")


def pair(encoder="rnn", head="decoder", source=IDS, target=IDS, **options):
    return build_model(configure(Encoder, encoder), configure(Head, head), source, target, **options)


@pytest.mark.parametrize("bridge", sorted(Bridge.registry))
def test_the_encoder_works_out_how_it_ended_only_if_asked(bridge):
    model = build(head={"bridge": bridge})
    state = model.encode(batch_of().source).state
    assert len(state) == (2 if Bridge.registry[bridge].uses_state else 0)
    assert model.head.uses_state == Bridge.registry[bridge].uses_state


def test_asking_how_it_ended_changes_nothing_else():
    model = build({"layers": 2})
    source = batch_of().source
    close(model.encoder(source, final_state=True).memory, model.encoder(source, final_state=False).memory)


@pytest.mark.parametrize("theirs", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("ours", ["lstm", "gru", "rnn"])
def test_any_cell_reads_for_any_cell(theirs, ours):
    for bridge in sorted(Bridge.registry):
        for layers in (1, 3):
            model = build({"cell": theirs, "layers": 2}, {"cell": ours, "bridge": bridge, "layers": layers})
            assert model(batch_of()).logits.isfinite().all()


@pytest.mark.parametrize("head", HEADS)
def test_tied_weights_are_one(head):
    model = build(head={"kind": head, "tied_output": True}, tied_embeddings=True)
    weights = {model.encoder.embed.weight, model.head.embed.weight, model.head.out.weight}
    assert len(weights) == 1
    only = build(head={"kind": head, "tied_output": True})
    assert only.head.out.weight is only.head.embed.weight
    assert only.head.embed.weight is not only.encoder.embed.weight
    half = build(head={"kind": head}, tied_embeddings=True)
    assert half.head.embed.weight is half.encoder.embed.weight
    assert half.head.out.weight is not half.head.embed.weight
    assert len(list(model.parameters())) == len(list(half.parameters())) - 1 == len(list(only.parameters())) - 1


def test_tied_weights_stay_one_through_training_and_loading():
    model = build(head={"tied_output": True}, tied_embeddings=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model(batch_of()).logits.square().mean().backward()
    optimizer.step()
    other = build(head={"tied_output": True}, tied_embeddings=True, seed=9)
    other.load_state_dict(model.state_dict())
    assert other.head.out.weight is other.encoder.embed.weight
    close(other(batch_of()).logits, model(batch_of()).logits)


def test_tied_logits_start_sane():
    torch.manual_seed(0)
    space = FieldSpec("ids", 1000, "shared")
    model = pair(
        {"kind": "rnn", "embedding": 64}, {"kind": "decoder", "embedding": 64, "tied_output": True}, space, space
    )
    assert model(batch_of()).logits.std() < 1


def paths_of(model):
    return list(map(str, model.paths()))


class Averages(Head):
    """A head without a recurrence."""


def test_a_model_without_a_recurrence_has_a_path_too():
    model = Model(configure(Encoder, "project")(FieldSpec("vectors", 3)), Averages(3, IDS))
    assert paths_of(model) == ["encoder project without recurrence", "head Averages without recurrence"]
    assert not any(path.loops or path.slow_to_write for path in model.paths())


def test_paths():
    assert paths_of(build()) == ["encoder lstm fused", "head lstm fused"]
    assert paths_of(build({"cell": "gru"}, {"cell": "rnn-by-hand"})) == ["encoder gru fused", "head rnn-by-hand looped"]
    assert paths_of(build(head={"kind": "luong"}))[1] == "head lstm fused, step by step"


@pytest.mark.parametrize("head", HEADS)
def test_the_defaults_fit_together(head):
    layers = {"layers": 2} if head == "gnmt" else {}
    model = pair(head={"kind": head, **layers})
    assert model.encoder.width == 512
    assert model(batch_of()).logits.shape == (9, VOCABULARY)
    pair(head={"kind": head, "attention": "scaled-dot", "bridge": "copy", **layers})


def test_a_source_on_its_own_device_and_dtype():
    model = build().double()
    assert model(batch_of()).logits.dtype == torch.float64
    source = Padded(batch_of().source.data, batch_of().source.lengths.int())
    close(model.encode(source).memory, model.encode(batch_of().source).memory)


MISTAKES = {
    "source": (
        {"source": FieldSpec("tags", 3)},
        "model.encoder: rnn reads ids or vectors, and the source is tags\n  those that read tags: none yet",
    ),
    "target": (
        {"target": FieldSpec("label", 3)},
        "model.head: decoder writes ids, and the target is label\n  those that write label: classifier",
    ),
    "target that others write": (
        {"encoder": "rnn", "source": FieldSpec("label", 3)},
        "model.encoder: rnn reads ids or vectors, and the source is label\n  those that read label: none yet",
    ),
    "gnmt without attention": (
        {"head": {"kind": "gnmt", "attention": None, "layers": 2}},
        "model.head.attention: gnmt needs attention, found null\n  use one of: additive, concat, dot, scaled-dot, "
        "general, multi-head; or the kind decoder, which can do without",
    ),
    "bahdanau without attention": (
        {"head": {"kind": "bahdanau", "attention": None}},
        "model.head.attention: bahdanau needs attention, found null\n  use one of: additive, concat, dot, scaled-dot, "
        "general, multi-head; or the kind decoder, which can do without",
    ),
    "gnmt with one layer": (
        {"head": "gnmt"},
        "model.head.layers: gnmt needs 2 layers or more, found 1\n  "
        "use layers: 2, or the kind decoder",
    ),
    "dot of unequal sizes": (
        {"head": {"kind": "decoder", "attention": "dot", "hidden": 64}},
        "model.head.attention: dot needs equal sizes: the decoder's state is 64 wide, the encoder's memory 512\n  "
        "use attention: general, or a decoder with hidden: 512 (a bidirectional encoder's memory is twice its hidden size)",
    ),
    "copy of unequal sizes": (
        {"head": {"kind": "decoder", "bridge": "copy", "hidden": 64}},
        "model.head.bridge: copy needs equal sizes: the encoder's state is 512 wide, the decoder's 64\n  "
        "use bridge: linear, or a decoder with hidden: 512 (a bidirectional encoder's state is twice its hidden size)",
    ),
    "heads that do not divide": (
        {"head": {"kind": "decoder", "attention": {"kind": "multi-head", "heads": 3}}, "encoder": {"kind": "rnn", "hidden": 4}},
        "model.head.attention.heads: 3 heads cannot share a memory that is 8 wide\n  "
        "use a number that divides it: 1, 2, 4, 8",
    ),
    "tied vocabularies that differ": (
        {"target": FieldSpec("ids", 20, "theirs"), "tied_embeddings": True},
        "model.tied_embeddings: source (11 tokens) and target (20 tokens) have vocabularies of their own\n  "
        "let both sides share the task's tokenizer, or turn it off: model.tied_embeddings=false",
    ),
    "tied vocabularies without a name": (
        {"source": FieldSpec("ids", 11), "target": FieldSpec("ids", 11), "tied_embeddings": True},
        "model.tied_embeddings: source (11 tokens) and target (11 tokens) have vocabularies of their own\n  "
        "let both sides share the task's tokenizer, or turn it off: model.tied_embeddings=false",
    ),
    "tied widths that differ": (
        {"head": {"kind": "decoder", "embedding": 64}, "tied_embeddings": True},
        "model.tied_embeddings: the encoder's embedding is 256 wide, the head's 64\n  "
        "make model.encoder.embedding and model.head.embedding equal, or turn it off: model.tied_embeddings=false",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_said_about_a_mistake(mistake):
    options, message = MISTAKES[mistake]
    with pytest.raises(RecipeError) as error:
        pair(**options)
    assert str(error.value) == message


def test_nothing_to_tie_to(monkeypatch):
    class Deaf(Encoder):
        input_modalities, width = ("ids",), 512

    monkeypatch.setitem(Encoder.registry, "deaf", Deaf)
    with pytest.raises(RecipeError) as error:
        pair("deaf", tied_embeddings=True)
    assert str(error.value) == (
        "model.tied_embeddings: the encoder has no embedding to share\n  turn it off: model.tied_embeddings=false"
    )


def test_a_head_that_does_not_write_says_so():
    with pytest.raises(NotImplementedError, match="Head does not write step by step"):
        Head(8, IDS).start(None)
    with pytest.raises(NotImplementedError, match="Head does not write step by step"):
        Head(8, IDS).step(None, None, None)


@pytest.mark.parametrize("family", [Cell, Bridge, Encoder, Head])
def test_every_kind_names_its_source(family):
    for kind, part in family.registry.items():
        assert "https://" in inspect.getdoc(part), kind


@pytest.mark.parametrize("head", HEADS)
def test_a_source_that_is_shared_is_as_good_as_one_of_its_own(head):
    """Five captions cost one look at a picture: each of them meets the same encoding."""
    model = build(head={"kind": head})
    owner = torch.tensor([1, 1, 0])
    own = batch_of([SOURCES[1], SOURCES[1], SOURCES[0]], TARGETS, extra=2)
    shared = own._replace(source=padded(SOURCES[:2], extra=2), source_index=owner)
    close(model(shared).logits, model(own).logits)
