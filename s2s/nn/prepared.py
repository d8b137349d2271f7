"""Steps of a recurrence with all worked out beforehand that does not depend on what is written.

    stack = PreparedStack(head.stack, vectors)      # h [B, H], cells = stack(ids [B], cells)

What the first layer makes of a piece is looked up in a table, its input weights times every embedding; for the
layers above, input and recurrent weights are one matrix, so that a layer is one product. The weights are copied:
prepare again where training goes on.
"""

from typing import Any

import torch
from torch import Tensor

from s2s.nn.cells import LSTM
from s2s.nn.stack import Stack
from s2s.tensors import State

LARGEST = 1 << 26  # numbers in the table: 256 MiB


def can_prepare(stack: Stack, size: int) -> bool:
    """Layers of plain lstm with nothing between them, in evaluation on a CPU, in 32 bits; `size` is V."""
    weight = next(stack.parameters())
    return (
        not stack.training
        and all(type(cell) is LSTM for cell in stack.cells)
        and not (stack.residual or len(stack.norms) or stack.beside)
        and stack.ways == 1
        and weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and size * 4 * stack.hidden <= LARGEST
    )


class PreparedStack:
    """h, cells = stack(ids, cells): what the pieces [B] do to cells of 2 x [B, L, H]; h [B, H] is the top one's.

    vectors  [V, E], what the first layer reads for each piece; None for one-hot vectors
    """

    @torch.no_grad()
    def __init__(self, stack: Stack, vectors: Tensor | None) -> None:
        self.hidden = stack.hidden
        cores: list[Any] = [cell.core for cell in stack.cells]
        order = torch.arange(4 * self.hidden).view(4, -1)[[0, 1, 3, 2]].flatten()  # the tanh gate last
        first, *upper = [
            (core.weight_ih_l0[order], core.weight_hh_l0[order], (core.bias_ih_l0 + core.bias_hh_l0)[order])
            for core in cores
        ]
        self.table = (first[0].t() if vectors is None else vectors @ first[0].t()) + first[2]  # [V, 4H]
        self.recurrent = first[1].contiguous()  # [4H, H]
        self.upper = [(torch.cat([w, u], 1), bias) for w, u, bias in upper]  # [4H, 2H] and [4H]

    @torch.no_grad()
    def __call__(self, ids: Tensor, cells: State) -> tuple[Tensor, State]:
        before, kept = cells
        h, c = self._cell(affine(self.table[ids], self.recurrent, before[:, 0]), kept[:, 0])
        states, insides = [h], [c]
        for layer, (weight, bias) in enumerate(self.upper, 1):
            x = torch.cat([h, before[:, layer]], 1)
            h, c = self._cell(affine(bias.expand(len(x), -1), weight, x), kept[:, layer])
            states.append(h)
            insides.append(c)
        return h, (torch.stack(states, 1), torch.stack(insides, 1))

    def _cell(self, gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Gates [B, 4H] before their curves, and the old inside [B, H], to the new state and inside."""
        size = self.hidden
        i, f, o = gates[:, : 3 * size].sigmoid_().chunk(3, 1)
        c = torch.addcmul(f * c, i, gates[:, 3 * size :].tanh_())
        return o * c.tanh(), c


def affine(bias: Tensor, weight: Tensor, x: Tensor) -> Tensor:
    """bias [B, N] + x [B, I] times weight [N, I]; for one row the product of a matrix and a vector, which is faster."""
    if len(x) == 1:
        return torch.addmv(bias[0], weight, x[0])[None]
    return torch.addmm(bias, x, weight.t())
