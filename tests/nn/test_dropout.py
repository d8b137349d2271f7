"""Dropout, plain and locked, between layers and on words: only in training, and in the right places."""

import pytest
import torch

from s2s.config import configure
from s2s.errors import RecipeError
from s2s.nn.dropout import Dropout
from s2s.nn.embedding import Embedding
from s2s.nn.encoders.base import Encoder
from tests.helpers.small_models import HEADS, batch_of, build, close

X = torch.rand(3, 40, 10) + 1


@pytest.mark.parametrize("locked", [False, True])
def test_what_is_kept_grows_and_evaluation_changes_nothing(locked):
    drop = Dropout(0.25, locked)
    torch.manual_seed(0)
    y = drop(X)
    kept = y != 0
    close(y[kept], X[kept] / 0.75)
    assert 0.55 < kept.float().mean() < 0.95
    assert torch.equal(drop.eval()(X), X)
    assert torch.equal(Dropout(0.0, locked)(X), X)


def test_locked_keeps_one_mask_for_a_sequence():
    torch.manual_seed(0)
    gone = Dropout(0.5, locked=True)(X) == 0
    assert torch.equal(gone, gone[:, :1].expand_as(gone))
    assert not torch.equal(gone[0], gone[1])  # each sequence has its own
    plain = Dropout(0.5)(X) == 0
    assert not torch.equal(plain, plain[:, :1].expand_as(plain))


def test_a_mask_may_be_drawn_before_the_loop():
    drop = Dropout(0.5, locked=True)
    mask = drop.draw(X, 10)
    assert mask.shape == (3, 1, 10)
    close(torch.cat([drop(now, mask) for now in X.split(1, 1)], 1), drop(X, mask))
    assert drop.eval().draw(X, 10) is None
    assert Dropout(0.5).draw(X, 10) is None


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("head", HEADS)
def test_between_layers_in_every_decoder(head, locked):
    """Seen from the second layer: plain noise differs from step to step, a locked mask never does."""
    model = build(head={"kind": head, "layers": 2, "dropout": 0.5, "locked": locked}).train()
    seen = []
    model.head.stack.cells[1].register_forward_pre_hook(lambda cell, given: seen.append(given[0]))
    model(batch_of())
    gone = torch.cat(seen, 1) == 0
    assert gone.shape[1] == 5
    assert 0 < gone.float().mean() < 1
    assert torch.equal(gone, gone[:, :1].expand_as(gone)) == locked


@pytest.mark.parametrize("locked", [False, True])
def test_between_layers_in_the_encoder(locked):
    model = build(encoder={"layers": 2, "dropout": 0.5, "locked": locked}).train()
    seen = {}
    for i, cell in enumerate(model.encoder.stack.cells):
        cell.register_forward_pre_hook(lambda cell, given, i=i: seen.update({i: given[0]}))
    encoded = model.encode(batch_of().source)
    for x in (seen[0], seen[2], encoded.memory):  # on embeddings, between layers, on the memory
        gone = x[2] == 0  # the longest row, without padding
        assert gone.any()
        assert not gone.all()
        assert torch.equal(gone, gone[:1].expand_as(gone)) == locked


def test_before_the_projection():
    model = build(head={"dropout": 0.5}).train()
    seen = []
    model.head.out.register_forward_pre_hook(lambda out, given: seen.append(given[0]))
    model(batch_of())
    assert 0.2 < (seen[0] == 0).float().mean() < 0.8
    model.eval()(batch_of())
    assert not (seen[1] == 0).any()


def test_word_dropout_takes_whole_positions():
    embed = Embedding(20, 6, word_dropout=0.5)
    ids = torch.randint(4, 20, (50, 20))
    torch.manual_seed(0)
    vectors = embed(ids)
    gone = (vectors == 0).all(-1)
    assert 0.4 < gone.float().mean() < 0.6
    close(vectors[~gone], embed.weight[ids[~gone]])  # and what stays is not scaled
    close(embed.eval()(ids), embed.weight[ids])


@pytest.mark.parametrize("side", ["encoder", "head"])
def test_word_dropout_on_either_side(side):
    model = build(**{side: {"word_dropout": 0.5}}).train()
    seen = []
    getattr(model, side).embed.register_forward_hook(lambda m, given, vectors: seen.append(vectors))
    torch.manual_seed(0)
    model(batch_of())
    assert (seen[0][1:] == 0).all(-1).any()
    assert not (seen[0] == 0).all()


def test_embeddings_start_small_and_padding_is_zero():
    torch.manual_seed(0)
    embed = Embedding(1000, 64)
    assert not embed.weight[0].any()
    assert embed.weight[1:].std().item() == pytest.approx(64**-0.5, rel=0.02)


def test_dropping_everything_is_refused():
    with pytest.raises(RecipeError, match=r"model\.encoder\.dropout: must be from 0 to 0\.99, found 1"):
        configure(Encoder, {"kind": "rnn", "dropout": 1.0}, "model.encoder")
