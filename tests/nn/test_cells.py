"""Torch's kernels and the equations of the papers are the same cells; a step is a sequence of length one."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from s2s.nn.cells import Cell, Looped
from tests.helpers.small_models import close

KINDS = sorted(Cell.registry)
X, LENGTHS = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([5, 2, 4])
PAIRS = [("lstm", {}), ("gru", {}), ("rnn", {"nonlinearity": "tanh"}), ("rnn", {"nonlinearity": "relu"})]


def states(cell, batch=3):
    return tuple(torch.randn(batch, 6) for _ in range(cell.parts))


def test_pairs_are_all_there():
    assert {kind for kind, _ in PAIRS} | {f"{kind}-by-hand" for kind, _ in PAIRS} == set(KINDS)


@pytest.mark.parametrize(("kind", "options"), PAIRS)
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("final_state", [False, True])
def test_by_hand_equals_fused(kind, options, lengths, started, final_state):
    fused, by_hand = Cell.registry[kind](4, 6, **options), Cell.registry[f"{kind}-by-hand"](4, 6, **options)
    by_hand.load_state_dict(fused.state_dict())  # the weights travel, under the same names
    state = states(fused) if started else None
    seen = []
    for cell in (fused, by_hand):
        x = X.clone().requires_grad_()
        outputs, end = cell(x, state, lengths, final_state)
        if lengths is not None:
            outputs = outputs * (torch.arange(5) < lengths[:, None])[..., None]
        assert len(end) == (cell.parts if final_state else 0)
        sum((t * torch.linspace(-1, 1, t.numel()).view(t.shape)).sum() for t in (outputs, *end)).backward()
        seen.append([outputs, end, x.grad, [p.grad for p in cell.parameters()]])
    close(*seen)


@pytest.mark.parametrize(("kind", "options"), [*PAIRS, *((f"{kind}-by-hand", options) for kind, options in PAIRS)])
def test_a_step_is_a_sequence_of_length_one(kind, options):
    cell = Cell.registry[kind](4, 6, **options)
    state = start = states(cell)
    steps = []
    for t in range(5):
        y, state = cell(X[:, t : t + 1], state)
        steps.append(y)
    whole, end = cell(X, start)
    close(torch.cat(steps, 1), whole)
    close(state, end)
    assert cell(X[:, :1], final_state=False)[1] == ()
    close(cell(X[:, :1])[0], cell(X[:, :1], cell.start(X))[0])


@pytest.mark.parametrize("kind", KINDS)
def test_zeros_are_the_state_that_nobody_gave(kind):
    cell = Cell.registry[kind](4, 6)
    close(cell(X, None, LENGTHS)[1], cell(X, cell.start(X), LENGTHS)[1])
    assert [part.shape for part in cell.start(X)] == [(3, 6)] * cell.parts


@pytest.mark.parametrize("kind", KINDS)
def test_padding_does_not_reach_the_final_state(kind):
    cell = Cell.registry[kind](4, 6)
    y, state = cell(X, None, LENGTHS)
    for i, n in enumerate(LENGTHS.tolist()):
        alone, end = cell(X[i : i + 1, :n])
        close(y[i : i + 1, :n], alone)
        close(tuple(part[i : i + 1] for part in state), end)


def test_only_an_lstm_whose_end_is_asked_for_is_packed(monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("packed")

    monkeypatch.setattr("s2s.nn.cells.pack_padded_sequence", refuse)
    for kind in KINDS:
        Cell.registry[kind](4, 6)(X, None, LENGTHS, False)
        Cell.registry[kind](4, 6)(X)
    Cell.registry["gru"](4, 6)(X, None, LENGTHS)
    with pytest.raises(AssertionError, match="packed"):
        Cell.registry["lstm"](4, 6)(X, None, LENGTHS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_of_another_dtype_is_taken(kind):
    """Under autocast a bridge hands over bf16, and the embeddings are fp32."""
    cell = Cell.registry[kind](4, 6)
    state = tuple(part.bfloat16() for part in states(cell))
    with torch.autocast("cpu", torch.bfloat16, enabled=issubclass(Cell.registry[kind], Looped)):
        for x in (X, X[:, :1]):
            assert cell(x, state)[0].isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_every_cell_says_how_it_runs(kind):
    assert Cell.registry[kind].path == ("looped" if kind.endswith("by-hand") else "fused")


class Strict(Looped):
    """A cell of one's own whose kernel takes one dtype only."""

    parts = 1

    def weights(self, inputs, hidden):
        return torch.nn.Linear(inputs + hidden, hidden)

    def step(self, w, x, state):
        return (torch.nn.functional.linear(torch.cat([x[..., :0], state[0]], -1), w.weight[:, -self.hidden :]).tanh(),)


@pytest.mark.parametrize("make", [lambda: Strict(3, 4), lambda: Cell.registry["gru"](3, 4)], ids=["looped", "fused"])
@pytest.mark.parametrize("length", [1, 3])
def test_a_state_of_another_dtype_is_read_in_that_of_the_input(make, length):
    torch.manual_seed(1)
    cell, x = make(), torch.randn(2, length, 3)
    state = (torch.randn(2, 4).bfloat16(),)
    outputs, end = cell(x, state)
    wanted, _ = cell(x, (state[0].float(),))
    assert outputs.dtype == end[0].dtype == torch.float32
    assert torch.equal(outputs, wanted)


def test_what_cudnn_says_of_dropped_weights_does_not_reach_the_screen():
    code = (
        "import s2s.nn.cells, warnings\n"
        "warnings.warn('RNN module weights are not part of single contiguous chunk of memory. This means ...')\n"
        "warnings.warn('another one')"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert "another one" in done.stderr
    assert "RNN module weights" not in done.stderr
