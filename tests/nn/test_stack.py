"""Stacks: any layers, any direction; padding and neighbours change nothing, not even the last bit that matters."""

import pytest
import torch

from s2s.config import configure
from s2s.execution import PathKind
from s2s.nn.cells import Cell
from s2s.nn.stack import Stack, flip, flip_index
from tests.helpers.small_models import close

KINDS = sorted(Cell.registry)
X, LENGTHS = torch.randn(4, 5, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([5, 2, 4, 1])


def stack(kind, layers=2, ways=2, **options):
    torch.manual_seed(1)
    return Stack(configure(Cell, kind), 4, 6, layers, bidirectional=ways == 2, **options).eval()


@pytest.mark.parametrize("ways", [1, 2])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("lengths", [None, LENGTHS, torch.full((4,), 5)], ids=["full", "lengths", "equal"])
@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_by_hand_equals_torchs_own_stack(kind, lengths, layers, ways):
    """The reference is torch's many-layered module on a packed sequence."""
    reference = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind](
        4, 6, layers, batch_first=True, bidirectional=ways == 2
    )
    pack, pad = torch.nn.utils.rnn.pack_padded_sequence, torch.nn.utils.rnn.pad_packed_sequence
    packed = X if lengths is None else pack(X, lengths, batch_first=True, enforce_sorted=False)
    wanted, end = reference(packed)
    wanted = wanted if lengths is None else pad(wanted, batch_first=True)[0]
    end = end if isinstance(end, tuple) else (end,)
    end = tuple(part.view(layers, ways, 4, 6).permute(2, 0, 1, 3).flatten(2) for part in end)  # [B, L, D*H]
    wanted.square().sum().backward()
    for name in (kind, f"{kind}-by-hand"):
        ours = stack(name, layers, ways)
        for i, cell in enumerate(ours.cells):
            for w in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                tail = f"l{i // ways}{'_reverse' if i % ways else ''}"
                getattr(cell.core, f"{w}_l0").data = getattr(reference, f"{w}_{tail}").data
        outputs, state = ours(X, lengths=lengths)
        close(outputs, wanted)
        close(state, end)
        assert ours(X, lengths=lengths, final_state=False)[1] == ()
        close(ours(X, lengths=lengths, final_state=False)[0], wanted)
        outputs.square().sum().backward()
        close(ours.cells[0].core.weight_ih_l0.grad, reference.weight_ih_l0.grad)
        close(ours.cells[-1].core.weight_hh_l0.grad, list(reference.named_parameters())[-3][1].grad)


@pytest.mark.parametrize("options", [{}, {"residual": True, "layer_norm": True}], ids=["plain", "dressed"])
@pytest.mark.parametrize("ways", [1, 2])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_padding_and_neighbors_change_nothing(kind, layers, ways, options):
    s = stack(kind, layers, ways, **options)
    start = tuple(torch.randn(4, layers, s.width) for _ in range(s.parts))
    junk = torch.where((torch.arange(7) < LENGTHS[:, None])[..., None], torch.cat([X, X[:, :2]], 1), 1e3)
    outputs, state = s(X, start, LENGTHS)
    for final_state in (True, False):
        wider, end = s(junk, start, LENGTHS, final_state)
        close(wider[:, :5], outputs)
        assert not wider[:, 5:].any()
        close(end, state if final_state else ())
    for i, n in enumerate(LENGTHS.tolist()):
        alone, end = s(X[i : i + 1, :n], tuple(part[i : i + 1] for part in start))
        close(outputs[i : i + 1, :n], alone)
        assert not outputs[i, n:].any()
        close(tuple(part[i : i + 1] for part in state), end)


@pytest.mark.parametrize("options", [{}, {"residual": True, "layer_norm": True}], ids=["plain", "dressed"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_is_a_sequence_of_length_one(kind, options):
    s = stack(kind, 3, 1, **options)
    whole, end = s(X)
    state, steps = None, []
    for t in range(5):
        y, state = s(X[:, t : t + 1], state)
        steps.append(y)
    close(torch.cat(steps, 1), whole)
    close(state, end)


def test_flipping_keeps_padding_on_the_right_and_undoes_itself():
    index = flip_index(LENGTHS, 5)
    flipped = flip(X, index)
    for row, back, n in zip(X, flipped, LENGTHS.tolist()):
        assert torch.equal(back, torch.cat([row[:n].flip(0), row[n:]]))
    assert torch.equal(flip(flipped, index), X)
    assert torch.equal(flip(X, None), X.flip(1))


def test_residual_connections_start_at_the_second_layer():
    s = stack("gru", 3, 1, residual=True)
    for cell in list(s.cells)[1:]:
        for parameter in cell.parameters():
            parameter.data.zero_()  # such a gru says nothing but zeros
    close(s(X)[0], s.cells[0](X)[0])
    s.residual = False
    assert not s(X)[0].any()
    first = stack("gru", 1, 1, residual=True)
    close(first(X)[0], first.cells[0](X)[0])


def test_layer_norm_is_of_every_layers_output_before_the_sum():
    s = stack("gru", 2, 1, layer_norm=True, residual=True)
    norm = torch.nn.functional.layer_norm
    first = norm(s.cells[0](X)[0], (6,))
    close(s(X)[0], first + norm(s.cells[1](first)[0], (6,)))
    assert len(stack("gru", 2, 1).norms) == 0


def test_what_is_looked_at_joins_the_layers_above():
    s = stack("gru", 3, 1, beside=2)
    beside, seen = torch.randn(4, 5, 2), []

    def look(h):
        seen.append(h)
        return beside

    outputs, _ = s(X, look=look)
    first = s.cells[0](X)[0]
    second = s.cells[1](torch.cat([first, beside], -1))[0]
    close(seen, [first])
    close(outputs, s.cells[2](torch.cat([second, beside], -1))[0])


def test_it_says_how_it_runs():
    assert (stack("lstm").cell, stack("lstm").path) == ("lstm", PathKind.FUSED)
    assert (stack("gru-by-hand").cell, stack("gru-by-hand").path) == ("gru-by-hand", PathKind.LOOPED)
    assert [(stack(k).parts, stack(k, ways=1).width) for k in ("lstm", "gru", "rnn")] == [(2, 6), (1, 6), (1, 6)]
    assert stack("lstm").width == 12
