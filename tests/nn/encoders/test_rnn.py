"""The recurrent encoder over ids and over vectors: padding and neighbors change nothing, and equations are what it says."""

import pytest
import torch

from s2s.config import configure
from s2s.errors import RecipeError
from s2s.inference.encoder import in_int8
from s2s.inference.native.linear import int8_unavailable
from s2s.nn.cells import Cell
from s2s.nn.encoders.base import Encoder
from s2s.nn.stack import Stack
from s2s.tensors import FieldSpec, Padded, tree_leaves

LENGTHS = torch.tensor([7, 3, 1, 7])
SPACES = {"ids": FieldSpec("ids", 20), "vectors": FieldSpec("vectors", 5)}
CELLS = [kind for kind, maker in Cell.registry.items() if maker.__module__.startswith("s2s.")]


def encoder(modality, **options):
    torch.manual_seed(2)
    return configure(Encoder, {"kind": "rnn", "embedding": 6, "hidden": 4, **options})(SPACES[modality])


def source(modality, lengths=LENGTHS, filler=0.0):
    torch.manual_seed(3)
    shape = (len(lengths), int(lengths.max()))
    data = torch.randint(4, 20, shape) if modality == "ids" else torch.randn(*shape, 5)
    padding = torch.arange(shape[1]) >= lengths[:, None]
    data[padding] = torch.tensor(filler).to(data.dtype)
    return Padded(data, lengths)


def leaves(encoded):
    return tree_leaves((encoded.memory, encoded.state))


@pytest.mark.parametrize("modality", SPACES)
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_padding_and_neighbors_change_nothing(modality, bidirectional, layers, cell):
    made = encoder(modality, bidirectional=bidirectional, layers=layers, cell=cell).eval()
    given = source(modality)
    together = made(given)
    assert together.memory.shape == (4, 7, made.width)
    assert made.width == (8 if bidirectional else 4)
    assert together.sequence
    for row, length in enumerate(LENGTHS.tolist()):
        alone = made(Padded(given.data[row : row + 1, :length], LENGTHS[row : row + 1]))
        torch.testing.assert_close(alone.memory[0], together.memory[row, :length])
        for one, every in zip(alone.state, together.state, strict=True):
            torch.testing.assert_close(one[0], every[row])


@pytest.mark.parametrize("bidirectional", [True, False])
def test_what_padding_holds_is_not_read(bidirectional):
    made = encoder("vectors", bidirectional=bidirectional, layers=2).eval()
    clean, dirty = made(source("vectors")), made(source("vectors", filler=1e3))
    torch.testing.assert_close(leaves(dirty), leaves(clean), rtol=0, atol=0)


@pytest.mark.parametrize("embedding", [6, None])
def test_vectors_are_mapped_and_then_read(embedding):
    made, given = encoder("vectors", embedding=embedding, bidirectional=False).eval(), source("vectors")
    x = given.data if embedding is None else given.data @ made.embed.map.weight.T + made.embed.map.bias
    outputs, _ = made.stack(x, lengths=given.lengths)
    torch.testing.assert_close(made(given).memory, outputs)
    assert made.stack.cells[0].inputs == (5 if embedding is None else 6)
    assert made.embedding() is None  # nothing to tie, and no word vectors to begin with


def test_ids_need_vectors():
    with pytest.raises(RecipeError, match="^embedding: is null, and ids have no vectors without it\n  give it a size"):
        encoder("ids", embedding=None)


@pytest.mark.parametrize("embedding", [6, None])
def test_positions_are_dropped_whole_in_training_alone(embedding):
    made = encoder("vectors", embedding=embedding, word_dropout=0.5)
    x = torch.randn(40, 50, 5)
    whole = made.eval().embed(x)
    dropped = made.train().embed(x)
    gone = (dropped == 0).all(-1)
    assert 0.4 < gone.float().mean() < 0.6
    torch.testing.assert_close(dropped[~gone], whole[~gone])
    assert not (whole == 0).all(-1).any()


@pytest.mark.skipif(bool(int8_unavailable()), reason=f"no native kernels here: {int8_unavailable()}")
@pytest.mark.parametrize("embedding", [40, None])
def test_vectors_are_read_in_8_bits_too(embedding):
    plain = encoder("vectors", embedding=embedding, hidden=192).eval().requires_grad_(False)
    quick = in_int8(plain)
    assert quick is not plain
    assert [type(part).__name__ for part in quick.modules() if isinstance(part, Stack)] == ["Stack"]
    for found, expected in zip(leaves(quick(source("vectors"))), leaves(plain(source("vectors"))), strict=True):
        assert (found - expected).norm() < 0.03 * expected.norm()
