"""A decoder's step with all worked out beforehand that does not depend on what is written.

    step = prepare_step(decoder)          # takes and gives what decoder.step does, sooner at small batches

What the first layer makes of a piece is looked up in a table, its input weights times every embedding; for the
layers above, input and recurrent weights are one matrix, so that a layer is one product. The weights are copied:
prepare again where training goes on.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from s2s.nn.cells import LSTM
from s2s.nn.heads import StepOutput

if TYPE_CHECKING:
    from s2s.nn.decoder import Decoder, DecoderState

LARGEST = 1 << 26  # numbers in the table: 256 MiB


def can_prepare(decoder: "Decoder") -> bool:
    """Layers of plain lstm without attention or anything between them, in evaluation on a CPU, in 32 bits."""
    stack, weight = decoder.stack, decoder.embed.weight
    return (
        not decoder.training
        and decoder.attention is None
        and all(type(cell) is LSTM for cell in stack.cells)
        and not (stack.residual or len(stack.norms) or stack.beside or decoder.feed)
        and weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and len(weight) * 4 * stack.hidden <= LARGEST
    )


class PreparedStep:
    """output = step(ids [B], memory, state): the step of a decoder for which can_prepare() is true."""

    @torch.inference_mode()
    def __init__(self, decoder: "Decoder") -> None:
        self.decoder, self.hidden = decoder, decoder.stack.hidden
        cores: list[Any] = [cell.core for cell in decoder.stack.cells]
        order = torch.arange(4 * self.hidden).view(4, -1)[[0, 1, 3, 2]].flatten()  # the tanh gate last
        first, *upper = [
            (core.weight_ih_l0[order], core.weight_hh_l0[order], (core.bias_ih_l0 + core.bias_hh_l0)[order])
            for core in cores
        ]
        self.table = decoder.embed.weight @ first[0].t() + first[2]  # [V, 4H]
        self.recurrent = first[1].contiguous()  # [4H, H]
        self.upper = [(torch.cat([w, u], 1), bias) for w, u, bias in upper]  # [4H, 2H] and [4H]

    @torch.inference_mode()
    def __call__(self, ids: Tensor, memory: Any, state: "DecoderState") -> StepOutput:
        before, kept = state.cells
        h, c = self._cell(affine(self.table[ids], self.recurrent, before[:, 0]), kept[:, 0])
        states, insides = [h], [c]
        for layer, (weight, bias) in enumerate(self.upper, 1):
            x = torch.cat([h, before[:, layer]], 1)
            h, c = self._cell(affine(bias.expand(len(x), -1), weight, x), kept[:, layer])
            states.append(h)
            insides.append(c)
        cells = torch.stack(states, 1), torch.stack(insides, 1)
        vector = self.decoder.readout(h)
        return StepOutput(self.decoder.out(vector), state._replace(cells=cells), None)

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
