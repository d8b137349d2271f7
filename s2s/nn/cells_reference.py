"""The classic cells as their papers write them, to be read and to hold torch's kernels against.

They keep their weights as torch's modules do, under the same names, so weights travel between both.
"""

from typing import Any, Literal

from torch import Tensor, nn

from s2s.nn.cells import Looped
from s2s.tensors import State


def products(w: Any, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    """W x + b and U h + c for all gates at once: [B, gates * H] each."""
    return x @ w.weight_ih_l0.T + w.bias_ih_l0, h @ w.weight_hh_l0.T + w.bias_hh_l0


class RNNByHand(Looped, kind="rnn-by-hand"):
    """h' = tanh(W x + U h + b): Elman 1990, https://doi.org/10.1207/s15516709cog1402_1"""

    parts = 1

    def __init__(self, inputs: int, hidden: int, *, nonlinearity: Literal["tanh", "relu"] = "tanh") -> None:
        super().__init__(inputs, hidden)
        self.nonlinearity = nonlinearity

    def weights(self, inputs: int, hidden: int) -> nn.Module:
        return nn.RNN(inputs, hidden)

    def step(self, w: Any, x: Tensor, state: State) -> State:
        from_x, from_h = products(w, x, state[0])
        both = from_x + from_h
        return (both.tanh() if self.nonlinearity == "tanh" else both.relu(),)


class GRUByHand(Looped, kind="gru-by-hand"):
    """r, z = sigmoid(..);  n = tanh(W x + r (U h));  h' = (1 - z) n + z h: Cho et al. 2014,
    https://arxiv.org/abs/1406.1078, with the reset after the product, as the kernels have it"""

    parts = 1

    def weights(self, inputs: int, hidden: int) -> nn.Module:
        return nn.GRU(inputs, hidden)

    def step(self, w: Any, x: Tensor, state: State) -> State:
        (h,) = state
        from_x, from_h = products(w, x, h)
        rx, zx, nx = from_x.chunk(3, dim=-1)
        rh, zh, nh = from_h.chunk(3, dim=-1)
        r, z = (rx + rh).sigmoid(), (zx + zh).sigmoid()
        n = (nx + r * nh).tanh()
        return ((1 - z) * n + z * h,)


class LSTMByHand(Looped, kind="lstm-by-hand"):
    """i, f, o = sigmoid(..);  g = tanh(..);  c' = f c + i g;  h' = o tanh(c'): Gers et al. 2000,
    https://doi.org/10.1162/089976600300015015"""

    parts = 2

    def weights(self, inputs: int, hidden: int) -> nn.Module:
        return nn.LSTM(inputs, hidden)

    def step(self, w: Any, x: Tensor, state: State) -> State:
        h, c = state
        from_x, from_h = products(w, x, h)
        i, f, g, o = (from_x + from_h).chunk(4, dim=-1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c
