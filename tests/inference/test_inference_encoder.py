"""An encoder in 8 bits says what it says in 32, for every row alone, padded or not."""

import pytest
import torch

from s2s.config import configure
from s2s.execution import PathKind
from s2s.inference.encoder import Int8Cell, in_int8
from s2s.inference.native.linear import int8_unavailable
from s2s.nn.cells import Cell
from s2s.nn.encoders.rnn import RNNEncoder
from s2s.tensors import FieldSpec, Padded, tree_leaves

pytestmark = pytest.mark.skipif(bool(int8_unavailable()), reason=f"no native kernels here: {int8_unavailable()}")
LENGTHS = torch.tensor([9, 4, 9, 1])


def encoder(**options):
    torch.manual_seed(2)
    return RNNEncoder(FieldSpec("ids", 50), **{"embedding": 40, "hidden": 192, **options}).eval().requires_grad_(False)


def source():
    torch.manual_seed(3)
    ids = torch.randint(4, 50, (4, 9))
    return Padded(ids.masked_fill(torch.arange(9) >= LENGTHS[:, None], 0), LENGTHS)


@pytest.mark.parametrize("final_state", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bidirectional": False},
        {"layers": 2, "residual": True, "layer_norm": True},
        {"cell": configure(Cell, "gru")},
        {"cell": configure(Cell, "gru"), "bidirectional": False, "layers": 2},
    ],
    ids=str,
)
def test_it_says_nearly_the_same(options, final_state):
    plain = encoder(**options)
    quick = in_int8(plain)
    assert all(isinstance(cell, Int8Cell) for cell in quick.stack.cells)
    assert not any(isinstance(cell, Int8Cell) for cell in plain.stack.cells)
    assert quick.stack.path is PathKind.INT8
    assert plain.stack.path is PathKind.FUSED
    expected, found = plain(source(), final_state), quick(source(), final_state)
    assert torch.equal(found.valid, expected.valid)
    assert len(found.state) == len(expected.state)
    for a, b in zip(
        tree_leaves(tuple(found)[:1]) + tree_leaves(found.state),
        tree_leaves(expected.memory) + tree_leaves(expected.state),
        strict=True,
    ):
        assert a.shape == b.shape
        assert (a - b).norm() < 0.03 * b.norm()
    assert not found.memory[~found.valid].any()


def test_neighbors_and_padding_change_nothing():
    quick, given = in_int8(encoder(layers=2, embedding=200)), source()  # wide: little matrices are not rounded
    together = quick(given)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = quick(Padded(given.data[row : row + 1, :length], LENGTHS[row : row + 1]))
        assert torch.equal(alone.memory[0], together.memory[row, :length])
        for one, all_rows in zip(alone.state, together.state, strict=True):
            assert torch.equal(one[0], all_rows[row])


def test_a_state_to_begin_with_is_used():
    plain = encoder(bidirectional=False)
    cell, x = plain.stack.cells[0], torch.randn(3, 5, 40)
    state = tuple(torch.rand(3, 192) for _ in range(2))
    found, expected = Int8Cell(cell)(x, state), cell(x, state)
    torch.testing.assert_close(found[0], expected[0], atol=0.02, rtol=0.05)
    assert (found[0] - cell(x)[0]).abs().max() > 0.1


@pytest.mark.parametrize("options", [{"hidden": 64}, {"hidden": 200}, {"cell": configure(Cell, "rnn")}], ids=str)
def test_where_there_is_nothing_to_gain_it_stays_itself(options):
    plain = encoder(**options)
    assert in_int8(plain) is plain
    assert in_int8(encoder().train()).stack.path is PathKind.FUSED
