"""Products with weights of 8 bits, and the step of an lstm that is one of them.

    product = Linear(weight [N, I], bias [N])      # y [B, N] = product(x [B, I], base [B, N] or None)
    step = LSTM(weight [4H, I], bias [4H])         # h, c [B, H] = step(x [B, I], c [B, H], base [B, 4H] or None)

A weight is a whole number from -127 to 127 times a scale of its output. What is multiplied is rounded the same way as
it comes, by a scale of its own row; sums are whole numbers, and exact. So neighbors never change a result.
"""

import ctypes

import torch
from torch import Tensor
from torch.nn import functional

from s2s.native.build import library, threads_for, trouble

PANEL, FOUR, LINE = 64, 4, 64  # outputs and inputs that an instruction's loop takes at once; bytes in a line of cache
UNITS = 16  # of an lstm, whose four gates stand side by side in a panel


def int8_trouble() -> str:
    """Why there are no such kernels here, in one line, or ""."""
    kernels = library()
    if kernels is None:
        return trouble()
    return "" if kernels.int8() else "this CPU has no avx512_vnni"


class Layout(ctypes.Structure):
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


class Matrix:
    """A weight [N, I] as the kernels want it laid out.

    bounded  no number of x exceeds 1, as what comes out of a tanh or of an lstm: one scale then does for all; else
             each row is divided by its largest number first
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, bounded: bool) -> None:
        outputs, inputs = weight.shape
        scale = weight.detach().abs().amax(1).clamp(min=1e-8) / 127
        whole = (weight.detach() / scale[:, None]).round().to(torch.int8)
        whole = functional.pad(whole, (0, -inputs % FOUR, 0, -outputs % PANEL))
        self.scale = functional.pad(scale, (0, -outputs % PANEL)).contiguous()
        self.offset = (-128 * whole.int().sum(1)).int()
        packed = whole.view(len(whole) // PANEL, PANEL, -1, FOUR).transpose(1, 2).flatten()
        self.room = torch.empty(len(packed) + LINE, dtype=torch.int8)
        self.packed = self.room[-self.room.data_ptr() % LINE :][: len(packed)].copy_(packed)
        self.bias = None if bias is None else bias.detach().contiguous()
        self.outputs, self.inputs, self.width = outputs, inputs, whole.shape[1]
        addresses = (part.data_ptr() for part in (self.packed, self.scale, self.offset))
        self.layout = Layout(*addresses, inputs, self.width, outputs, bounded)
        self.address = ctypes.addressof(self.layout)
        kernels = library()
        assert kernels is not None
        self.kernels = kernels

    def base(self, given: Tensor | None) -> tuple[int | None, int]:
        """Where what is added begins, and how far it is from row to row."""
        if given is None:
            return (None if self.bias is None else self.bias.data_ptr()), 0
        assert given.stride(1) == 1
        return given.data_ptr(), given.stride(0)

    def scratch(self, rows: int) -> Tensor:
        return torch.empty(rows * (self.width + 4), dtype=torch.uint8)

    def threads(self, rows: int) -> int:
        return threads_for(rows * self.packed.numel() >> 4)


class Linear(Matrix):
    """y [B, N] = product(x [B, I], base [B, N]): a row each in place of the bias."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None, *, bounded: bool = False) -> None:
        super().__init__(weight, bias, bounded)

    def __call__(self, x: Tensor, base: Tensor | None = None) -> Tensor:
        x, rows = x.contiguous(), len(x)
        y, scratch = x.new_empty(rows, self.outputs), self.scratch(rows)
        more = self.base(base)
        out = y.data_ptr(), scratch.data_ptr()
        self.kernels.product(self.address, x.data_ptr(), rows, *more, *out, self.threads(rows))
        return y


class LSTM(Matrix):
    """h, c [B, H] = step(x [B, I], c [B, H], base [B, 4H]): x is the old h and what comes in; H a multiple of UNITS.

    Gates are in the order input, forget, output, new, in the weights and in base, which takes the place of the bias.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None, *, bounded: bool = False) -> None:
        order = torch.arange(len(weight)).view(FOUR, -1, UNITS).transpose(0, 1).flatten()
        super().__init__(weight[order], bias, bounded)

    def __call__(self, x: Tensor, c: Tensor, base: Tensor | None = None) -> tuple[Tensor, Tensor]:
        x, c, rows = x.contiguous(), c.contiguous(), len(x)
        h, new, scratch = torch.empty_like(c), torch.empty_like(c), self.scratch(rows)
        more = self.base(base)
        out = c.data_ptr(), h.data_ptr(), new.data_ptr(), scratch.data_ptr()
        self.kernels.lstm(self.address, x.data_ptr(), rows, *more, *out, self.threads(rows))
        return h, new
