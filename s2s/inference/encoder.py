"""An encoder whose recurrences read with weights of 8 bits: the same parts, but for the cells.

    encode = in_int8(encoder)       # EncoderOutput = encode(source, final_state)

Torch's kernels read a whole sequence in one call, in 32 bits. A native step of 8 bits is so much faster that a loop of
them wins.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from s2s.execution import NumberFormat, PathKind
from s2s.inference.linear import SMALL_WEIGHT_COUNT, make_linear
from s2s.inference.native import linear as native
from s2s.inference.step import STEPS
from s2s.nn.cells import Cell
from s2s.nn.stack import Stack
from s2s.tensors import State


class Int8Cell(nn.Module):
    """outputs, state = cell(x, state, lengths, final_state), as the Cell that it is made from."""

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        nothing = slice(cell.inputs, None)  # of the input is left to the step
        self.step = STEPS[type(cell)](cell, nothing, False, True, NumberFormat.INT8)
        self.inputs = make_linear(self.step.inputs, self.step.bias, format=NumberFormat.INT8)
        self.start = cell.start

    def forward(
        self, x: Tensor, state: State | None = None, lengths: Tensor | None = None, final_state: bool = True
    ) -> tuple[Tensor, State]:
        base = self.inputs(x.flatten(0, 1)).unflatten(0, x.shape[:2])  # [B, T, gates * H]
        state = state or self.start(x)
        states: list[State] = []
        for now in base.unbind(1):
            state = self.step(None, state, now)
            states.append(state)
        every = [torch.stack(part, 1) for part in zip(*states, strict=True)]  # [B, T, H]
        if not final_state or lengths is None:
            return every[0], state if final_state else ()
        last = (lengths - 1)[:, None, None].expand(-1, 1, every[0].shape[2])
        return every[0], tuple(part.gather(1, last).squeeze(1) for part in every)


def in_int8(encoder: Any) -> Any:
    """A copy in 8 bits, or the encoder itself where that would not be faster."""
    if not any(isinstance(part, Stack) and pays(part) for part in encoder.modules()):
        return encoder
    encoder = copy.deepcopy(encoder)
    for part in encoder.modules():
        if isinstance(part, Stack) and pays(part):
            part.cells = nn.ModuleList(Int8Cell(cell) for cell in part.cells)  # type: ignore[arg-type]
            part.path = PathKind.INT8
    return encoder


def pays(stack: Stack) -> bool:
    """Is a loop of native steps faster than torch's kernel?"""
    weight = next(stack.parameters())
    there = weight.device.type == "cpu" and not native.int8_unavailable()
    large = 4 * stack.hidden**2 > SMALL_WEIGHT_COUNT and stack.hidden % native.LSTM_UNITS == 0
    return there and large and not stack.training and all(type(cell) in STEPS for cell in stack.cells)
