"""Cells: one recurrent layer that reads in one direction. Those of torch's kernels, and `Looped` for one's own."""

import warnings
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from s2s.execution import PathKind
from s2s.nn.dropout import DropoutRate
from s2s.registry import Registrable
from s2s.tensors import State

# weight_drop gives cuDNN recurrent weights of their own at every call, and it says so into a progress bar
warnings.filterwarnings("ignore", "RNN module weights are not part of single contiguous chunk of memory")


class Cell(nn.Module, Registrable):
    """outputs, state = cell(x, state, lengths, final_state)

    x            [B, T, I], padded on the right
    state        parts x [B, H]; None for zeros
    lengths      [B], at least 1 each; None where every position is real
    final_state  False where nobody asks how it ended: the state is then (), and may be cheaper to leave out
    outputs      [B, T, H]; past the end of a row they mean nothing
    state        parts x [B, H], after the last real position

    A step is a sequence of length one.
    """

    parts: ClassVar[int]  # tensors in a state: 1, or 2 for an lstm; the first is what the world sees
    path: ClassVar[PathKind]  # FUSED or LOOPED: one kernel for a whole sequence, or a Python loop over time

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.inputs, self.hidden = inputs, hidden

    def start(self, x: Tensor) -> State:
        """Zeros for the batch of x."""
        return tuple(x.new_zeros(len(x), self.hidden) for _ in range(self.parts))

    def forward(
        self, x: Tensor, state: State | None = None, lengths: Tensor | None = None, final_state: bool = True
    ) -> tuple[Tensor, State]:
        raise NotImplementedError


class Fused(Cell):
    """A cell that torch has kernels for: one for whole sequences, one for single steps, both on the same weights.

    Padding stands on the right, so it cannot reach what comes before it and the plain kernel may run over it:
    packing costs 1.4 times as much on a CPU. Only how an lstm ended cannot be read off its outputs.

    weight_drop  share of the recurrent weights that are zero for a whole call in training, the same ones for all
                 rows and positions: Merity et al. 2018, https://arxiv.org/abs/1708.02182
    """

    path = PathKind.FUSED
    core: nn.RNNBase
    weight_drop: float

    @property
    def weights(self) -> list[Any]:
        """What the kernels take, with the recurrent weights as they are in this call."""
        w = self.core
        recurrent = F.dropout(w.weight_hh_l0, self.weight_drop, self.training)  # type: ignore[arg-type]
        return [w.weight_ih_l0, recurrent, w.bias_ih_l0, w.bias_hh_l0]

    def run(self, x: Any, inner: Any) -> Any:
        """The kernel for whole sequences, padded or packed."""
        if not (self.training and self.weight_drop):
            return self.core(x, inner)
        kept = self.core._flat_weights
        self.core._flat_weights = self.weights
        try:
            return self.core(x, inner)
        finally:
            self.core._flat_weights = kept

    def step(self, x: Tensor, state: State, *weights: Tensor) -> State:
        """x [B, I] and a state to the next state."""
        raise NotImplementedError

    def forward(
        self, x: Tensor, state: State | None = None, lengths: Tensor | None = None, final_state: bool = True
    ) -> tuple[Tensor, State]:
        if state is not None:  # under autocast a state may come from a layer that computes in another dtype
            state = tuple(part.to(x.dtype) for part in state)
        if x.shape[1] == 1:  # then every position is real
            state = self.step(x[:, 0], state or self.start(x), *self.weights)
            return state[0][:, None], state if final_state else ()
        inner = self._inner(state)
        if not final_state:
            return self.run(x, inner)[0], ()
        if lengths is None:
            outputs, end = self.run(x, inner)
            return outputs, self._state(end)
        if self.parts == 1:
            outputs = self.run(x, inner)[0]
            last = (lengths - 1)[:, None, None].expand(-1, 1, self.hidden)
            return outputs, (outputs.gather(1, last).squeeze(1),)
        # torch wants the lengths on the CPU: the one place where a forward pass waits for the GPU
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        packed, end = self.run(packed, inner)
        outputs, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
        return outputs, self._state(end)

    def _inner(self, state: State | None) -> Any:  # [B, H] -> torch's [1, B, H]
        if state is None:
            return None
        parts = tuple(part[None].contiguous() for part in state)
        return parts if self.parts > 1 else parts[0]

    def _state(self, inner: Any) -> State:  # [1, B, H] -> [B, H]
        return tuple(part[0] for part in (inner if self.parts > 1 else (inner,)))


class RNN(Fused, kind="rnn"):
    """h' = tanh(W x + U h + b): Elman 1990, https://doi.org/10.1207/s15516709cog1402_1"""

    parts = 1

    def __init__(
        self,
        inputs: int,
        hidden: int,
        *,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        weight_drop: DropoutRate = 0.0,
    ) -> None:
        super().__init__(inputs, hidden)
        self.weight_drop = weight_drop
        self.core = nn.RNN(inputs, hidden, nonlinearity=nonlinearity, batch_first=True)
        self.nonlinearity = nonlinearity

    def step(self, x: Tensor, state: State, *weights: Tensor) -> State:
        kernel = torch.rnn_tanh_cell if self.nonlinearity == "tanh" else torch.rnn_relu_cell
        return (kernel(x, state[0], *weights),)


class GRU(Fused, kind="gru"):
    """Two gates, one state: Cho et al. 2014, https://arxiv.org/abs/1406.1078, with the reset after the product."""

    parts = 1

    def __init__(self, inputs: int, hidden: int, *, weight_drop: DropoutRate = 0.0) -> None:
        super().__init__(inputs, hidden)
        self.weight_drop = weight_drop
        self.core = nn.GRU(inputs, hidden, batch_first=True)

    def step(self, x: Tensor, state: State, *weights: Tensor) -> State:
        return (torch.gru_cell(x, state[0], *weights),)


class LSTM(Fused, kind="lstm"):
    """Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735, with the forget gate of Gers et al.
    2000, https://doi.org/10.1162/089976600300015015"""

    parts = 2

    def __init__(self, inputs: int, hidden: int, *, weight_drop: DropoutRate = 0.0) -> None:
        super().__init__(inputs, hidden)
        self.weight_drop = weight_drop
        self.core = nn.LSTM(inputs, hidden, batch_first=True)

    def step(self, x: Tensor, state: State, *weights: Tensor) -> State:
        return torch.lstm_cell(x, state, *weights)


class Looped(Cell):
    """A cell written as one step: subclass it and give `parts`, `weights` and `step`.

    class Mine(Looped, kind="mine"):
        parts = 1

        def weights(self, inputs, hidden):
            return nn.Linear(inputs + hidden, hidden)

        def step(self, w, x, state):
            return (w(torch.cat([x, state[0]], -1)).tanh(),)

    Slower than a fused one, and open to anything; cells_reference.py has the classics.
    """

    path = PathKind.LOOPED

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self.core = self.weights(inputs, hidden)

    def weights(self, inputs: int, hidden: int) -> nn.Module:
        """The parameters, as a module."""
        raise NotImplementedError

    def step(self, w: Any, x: Tensor, state: State) -> State:
        """The weights, x [B, I] and a state of [B, H] tensors to the next state."""
        raise NotImplementedError

    def forward(
        self, x: Tensor, state: State | None = None, lengths: Tensor | None = None, final_state: bool = True
    ) -> tuple[Tensor, State]:
        # a state that was carried here may be of a layer, or a device, that computes in another dtype
        state = self.start(x) if state is None else tuple(part.to(x.dtype) for part in state)
        outputs: list[Tensor] = []
        for t, now in enumerate(x.unbind(1)):
            new = self.step(self.core, now, state)
            outputs.append(new[0])
            if lengths is not None and final_state:  # past its end a row keeps its state
                real = (lengths > t)[:, None]
                new = tuple(torch.where(real, a, b) for a, b in zip(new, state, strict=True))
            state = new
        return torch.stack(outputs, dim=1), state if final_state else ()
