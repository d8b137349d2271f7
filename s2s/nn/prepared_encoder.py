"""Reading a source with all worked out beforehand that depends on a piece alone: for decoding on a CPU.

    encode = PreparedEncoder(encoder)      # encoded = encode(source, final_state), as RNNEncoder

A loop over positions: the first layer's input weights times every embedding are a table, which halves the work.
"""

from typing import Any

import torch
from torch import Tensor

from s2s.nn.prepared import STEPS
from s2s.nn.products import Affine, Maker
from s2s.nn.stack import flip, flip_index
from s2s.tensors import EncoderOutput, Padded, State


class PreparedEncoder:
    """encoded = encode(source, final_state)"""

    @torch.no_grad()
    def __init__(self, encoder: Any, make: Maker = Affine) -> None:
        stack = encoder.stack
        self.ways, self.layers, self.hidden, self.parts = stack.ways, stack.layers, stack.hidden, stack.parts
        self.steps = [STEPS[type(c)](c, slice(c.inputs, None), False, True, make) for c in stack.cells]
        below, above = self.steps[: self.ways], self.steps[self.ways :]
        self.tables = [encoder.embed.weight @ step.inputs.t() + step.bias for step in below]  # ways x [V, gates * H]
        self.products = [make(step.inputs, step.bias, bounded=True) for step in above]

    @torch.no_grad()
    def __call__(self, source: Padded, final_state: bool = True) -> EncoderOutput:
        ids, lengths = source
        rows, time = ids.shape
        index = flip_index(lengths, time)
        backward = ids.flatten().index_select(0, index).view(rows, time)
        bases = [table[way.t()] for table, way in zip(self.tables, (ids, backward))]  # each [S, B, gates * H]
        ends: list[State] = []
        for layer in range(self.layers):
            found = [self._read(layer * self.ways + way, base, lengths, final_state) for way, base in enumerate(bases)]
            x = torch.cat([flip(h, index) if way else h for way, (h, _) in enumerate(found)], -1)  # [B, S, D*H]
            ends.append(tuple(torch.cat(part, -1) for part in zip(*(end for _, end in found), strict=True)))
            if layer + 1 < self.layers:
                products = self.products[layer * self.ways : (layer + 1) * self.ways]
                turned = [(flip(x, index) if way else x).transpose(0, 1).flatten(0, 1) for way in range(self.ways)]
                bases = [f(y.contiguous()).view(time, rows, -1) for f, y in zip(products, turned, strict=True)]
        x = x.masked_fill(~source.valid[..., None], 0)
        state = tuple(torch.stack(part, 1) for part in zip(*ends, strict=True)) if final_state else ()
        return EncoderOutput(x, source.valid, state)

    def _read(self, number: int, base: Tensor, lengths: Tensor, final_state: bool) -> tuple[Tensor, State]:
        """One layer in one direction: outputs [B, S, H], and how each row ended."""
        state: State = tuple(base.new_zeros(base.shape[1], self.hidden) for _ in range(self.parts))
        outputs: list[Tensor] = []
        for t, now in enumerate(base):
            new = self.steps[number](None, state, now)
            outputs.append(new[0])
            if final_state:  # past its end a row keeps its state
                real = (lengths > t)[:, None]
                new = tuple(torch.where(real, a, b) for a, b in zip(new, state, strict=True))
            state = new
        return torch.stack(outputs, 1), state if final_state else ()
