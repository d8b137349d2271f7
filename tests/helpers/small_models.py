"""Small models and batches for the tests of nn/."""

import torch

from s2s.config import configure
from s2s.nn.attention import Attention
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head
from s2s.nn.heads.decoder import Decoder
from s2s.nn.initialization import Initializer
from s2s.nn.model import build_model
from s2s.tensors import EOS, PAD, Batch, FieldSpec, Padded

WIDTH = 8  # of every memory and every decoder, so that dot, copy and two heads all fit
VOCABULARY = 11
SOURCES = [[5, 6, 7, 2], [8, 2], [9, 4, 10, 6, 5, 2]]
TARGETS = [[7, 6, 2], [8, 9, 4, 10, 2], [2]]

HEADS = sorted(kind for kind, head in Head.registry.items() if issubclass(head, Decoder))  # whatever else was imported
ATTENTIONS = sorted(Attention.registry)
FEWEST = {kind: getattr(Head.registry[kind], "fewest_layers", 1) for kind in HEADS}
NEEDS_ATTENTION = {kind for kind in HEADS if getattr(Head.registry[kind], "needs_attention", False)}


def padded(rows, extra=0):
    """Id lists as Padded, with `extra` columns more than they need."""
    lengths = torch.tensor([len(row) for row in rows])
    data = torch.full((len(rows), int(lengths.max()) + extra), PAD)
    for i, row in enumerate(rows):
        data[i, : len(row)] = torch.tensor(row)
    return Padded(data, lengths)


def batch_of(sources=SOURCES, targets=TARGETS, extra=0):
    source, target = padded(sources, extra), padded(targets, extra)
    return Batch(source, target, target.valid.flatten().nonzero().squeeze(1))


def small(attention):
    """An attention as a recipe writes it, in a size that fits."""
    sizes = {"additive": {"size": 5}, "concat": {"size": 5}, "multi-head": {"heads": 2}}
    return None if attention is None else {"kind": attention, **sizes.get(attention, {})}


def build(
    encoder=None, head=None, seed=0, size=VOCABULARY, tied_embeddings=False, initialization="default", space=None
):
    """A model of about a thousand weights, in evaluation mode."""
    torch.manual_seed(seed)
    encoder = {"kind": "rnn", "embedding": 6, **(encoder or {})}
    encoder.setdefault("hidden", WIDTH // 2 if encoder.get("bidirectional", True) else WIDTH)
    head = {"kind": "decoder", "embedding": 6, "hidden": WIDTH, **(head or {})}
    head.setdefault("layers", FEWEST[head["kind"]])
    space = space or FieldSpec("ids", size, "shared")
    return build_model(
        configure(Encoder, encoder, "model.encoder"),
        configure(Head, head, "model.head"),
        space,
        FieldSpec("ids", size, "shared"),
        tied_embeddings=tied_embeddings,
        initialization=configure(Initializer, initialization, "model.initialization"),
    ).eval()


def loss_of(model, batch):
    return torch.nn.functional.cross_entropy(model(batch).logits, batch.labels)


def close(a, b, atol=1e-5, rtol=1e-4):
    torch.testing.assert_close(a, b, atol=atol, rtol=rtol)


def reverse(rows):
    """Every row back to front, EOS still last."""
    return [[*row[-2::-1], EOS] for row in rows]
