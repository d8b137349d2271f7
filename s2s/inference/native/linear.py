"""Products of a matrix and many vectors with weights of 8 or 32 bits, and the step of an lstm that is one of them.

    product = NativeLinear(weight [N, I], bias [N], bits=8)      # y [B, N] = product(x [B, I], base [B, N] or None)
    step = NativeLSTMStep(weight [4H, I], bias [4H], bits=8)  # h, c [B, H] = step(x, c [B, H], base or None)

In 8 bits a weight is a whole number from -127 to 127 times a scale of its output. What is multiplied is rounded the
same way as it comes, by a scale of its own row; sums are whole numbers, and exact. In 32 bits numbers are summed in the
order of the inputs. Either way a row's result is the same bit for bit whatever is beside it.
"""

import ctypes
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from s2s.inference.native.build import kernels_unavailable as no_kernels
from s2s.inference.native.build import library, threads_for

PANEL = 64  # outputs that are worked out side by side
FOUR = 4  # inputs of 8 bits that an instruction takes at once
LINE = 64  # bytes in a line of the cache
LSTM_UNITS = 16  # of an lstm, whose four gates stand side by side in a panel
Bits = Literal[8, 32]


def int8_unavailable() -> str:
    """Why there are no such kernels here, in one line, or ""."""
    kernels = library()
    if kernels is None:
        return no_kernels()
    return "" if kernels.products() else "this CPU has no avx512_vnni"


class MatrixLayout(ctypes.Structure):
    """`Matrix` in kernels.c."""

    _fields_ = (
        ("weight", ctypes.c_void_p),
        ("scale", ctypes.c_void_p),
        ("offset", ctypes.c_void_p),
        ("inputs", ctypes.c_long),
        ("width", ctypes.c_long),
        ("outputs", ctypes.c_long),
        ("bounded", ctypes.c_int),
    )


class InputLayout(ctypes.Structure):
    """`Input` in kernels.c."""

    _fields_ = (
        ("x", ctypes.c_void_p),
        ("whole", ctypes.c_void_p),
        ("size", ctypes.c_void_p),
        ("rows", ctypes.c_long),
    )


class Matrix:
    """A weight [N, I] as the kernels want it laid out.

    bounded  no number of x exceeds 1, as what comes out of a tanh or of an lstm: one scale then does for all; else
             each row is divided by its largest number first
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, bounded: bool, bits: Bits) -> None:
        self.outputs, self.inputs = weight.shape
        self.bits, self.bias = bits, None if bias is None else bias.detach().contiguous()
        weight = functional.pad(weight.detach(), (0, -self.inputs % FOUR if bits == 8 else 0, 0, -self.outputs % PANEL))
        self.width = weight.shape[1]
        scale = offset = None
        if bits == 8:
            scale = weight.abs().amax(1).clamp(min=1e-8) / 127
            weight = (weight / scale[:, None]).round().to(torch.int8)
            offset = (-128 * weight.int().sum(1)).int()
        at_once = FOUR if bits == 8 else 1
        self.packed = aligned(weight.view(-1, PANEL, self.width // at_once, at_once).transpose(1, 2).flatten())
        self.kept = scale, offset
        addresses = (None if part is None else part.data_ptr() for part in (self.packed, scale, offset))
        self.layout = MatrixLayout(*addresses, self.inputs, self.width, self.outputs, bounded)
        self.address = ctypes.addressof(self.layout)
        kernels = library()
        assert kernels is not None
        self.kernels = kernels

    def given(self, x: Tensor) -> InputLayout:
        """What is multiplied, x [B, I] dense, with room to round it in."""
        rows = x.shape[0]
        if self.bits == 32:
            return InputLayout(x.data_ptr(), None, None, rows)
        room = torch.empty(rows * (self.width + 4), dtype=torch.uint8)
        layout = InputLayout(x.data_ptr(), room.data_ptr(), room.data_ptr() + rows * self.width, rows)
        layout.room = room  # it must live as long
        return layout

    def base(self, given: Tensor | None) -> tuple[int | None, int]:
        """Where what is added begins, and how far it is from row to row."""
        if given is None:
            return (None if self.bias is None else self.bias.data_ptr()), 0
        assert given.stride(1) == 1
        return given.data_ptr(), given.stride(0)

    def threads(self, rows: int) -> int:
        return threads_for(rows * self.packed.numel() >> 4)


def aligned(numbers: Tensor) -> Tensor:
    """A copy that begins where a line of the cache does."""
    spare = LINE // numbers.element_size()
    room = torch.empty(len(numbers) + spare, dtype=numbers.dtype)
    start = -room.data_ptr() % LINE // numbers.element_size()
    return room[start : start + len(numbers)].copy_(numbers)


class NativeLinear(Matrix):
    """y [B, N] = product(x [B, I], base [B, N]): a row each in place of the bias."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None, *, bounded: bool = False, bits: Bits = 8) -> None:
        super().__init__(weight, bias, bounded, bits)

    def __call__(self, x: Tensor, base: Tensor | None = None) -> Tensor:
        x, rows = x.contiguous(), x.shape[0]
        y, given = x.new_empty(rows, self.outputs), ctypes.byref(self.given(x))
        self.kernels.product(self.address, given, *self.base(base), y.data_ptr(), self.threads(rows))
        return y


class NativeLSTMStep(Matrix):
    """h, c [B, H] = step(x [B, I], c [B, H], base [B, 4H]): x is the old h and what comes in; H a multiple of UNITS.

    Gates are in the order input, forget, output, new, in the weights and in base, which takes the place of the bias.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None, *, bounded: bool = False, bits: Bits = 8) -> None:
        order = torch.arange(len(weight)).view(4, -1, LSTM_UNITS).transpose(0, 1).flatten()
        super().__init__(weight[order], weight.new_zeros(len(weight)) if bias is None else bias, bounded, bits)

    def __call__(self, x: Tensor, c: Tensor, base: Tensor | None = None) -> tuple[Tensor, Tensor]:
        x, c, rows = x.contiguous(), c.contiguous(), x.shape[0]
        h, new, given = torch.empty_like(c), torch.empty_like(c), ctypes.byref(self.given(x))
        out = c.data_ptr(), h.data_ptr(), new.data_ptr()
        self.kernels.lstm(self.address, given, *self.base(base), *out, self.threads(rows))
        return h, new
