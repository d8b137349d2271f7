"""Products of a matrix and many vectors, for weights that stay as they are: in 32 bits, in bf16, or with weights of 8.

multiply = make_linear(weight [N, I], bias [N])            # format=NumberFormat.INT8: 8 bits, where that pays
y = multiply(x [B, I])                                     # [B, N]
y = multiply(x [B, I], base [B, N])                        # a row each in place of the bias: then give no bias

8 bits are a quarter of the memory to read and four times the products an instruction makes. A weight is a whole number
from -127 to 127 times a scale of its row; what is multiplied is rounded the same way as it comes, by a scale that
depends on its own row alone, so that neighbors never change a result. That takes the native kernels: without them all
is computed in 32 bits, by torch.
"""

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from s2s.execution import NumberFormat
from s2s.inference.native import linear as native

SMALL_WEIGHT_COUNT = 1 << 17  # weights, up to which there is so little to read that rounding costs more


class InferenceLinear(Protocol):
    """y [B, N] = multiply(x [B, I], base [B, N] or None)"""

    def __call__(self, x: Tensor, base: Tensor | None = None) -> Tensor: ...


class TorchLinear:
    """bias + W x, in 32 bits, by torch."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.weight = weight.detach().contiguous()
        self.bias = weight.new_zeros(len(weight)) if bias is None else bias.detach()

    def __call__(self, x: Tensor, base: Tensor | None = None) -> Tensor:
        if len(x) == 1:  # the product of a matrix and a vector, which is faster
            return torch.addmv(self.bias if base is None else base[0], self.weight, x[0])[None]
        return torch.addmm(self.bias if base is None else base, x, self.weight.t())


class HalfLinear:
    """The same with both sides of the product in bf16, which are cast once; all else stays in 32 bits."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.weight = weight.detach().to(torch.bfloat16)
        self.bias = None if bias is None else bias.detach()

    def __call__(self, x: Tensor, base: Tensor | None = None) -> Tensor:
        y = functional.linear(x.to(torch.bfloat16), self.weight).float()
        base = self.bias if base is None else base
        return y if base is None else y.add_(base)


def make_linear(
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    format: NumberFormat = NumberFormat.FP32,
    bounded: bool = False,
) -> InferenceLinear:
    """By the fastest kernel there is.

    weight   [N, I]; it is copied
    format   BF16; INT8 for weights of 8 bits, where they pay and there are kernels for them; else 32 bits
    bounded  no number of x exceeds 1
    """
    if format is NumberFormat.BF16:
        return HalfLinear(weight, bias)
    if native.int8_unavailable():
        return TorchLinear(weight, bias)
    return native.NativeLinear(weight, bias, bounded=bounded, bits=bits_for(weight, format))


def make_lstm(
    weight: Tensor, bias: Tensor | None, *, format: NumberFormat = NumberFormat.FP32, bounded: bool
) -> native.NativeLSTMStep | None:
    """The step of an lstm in one call, where there is a kernel for it.

    weight  [4H, I], gates in the order input, forget, output, new
    """
    if format is NumberFormat.BF16 or len(weight) % (4 * native.LSTM_UNITS) or native.int8_unavailable():
        return None
    return native.NativeLSTMStep(weight, bias, bounded=bounded, bits=bits_for(weight, format))


def bits_for(weight: Tensor, format: NumberFormat) -> native.Bits:
    return 8 if format is NumberFormat.INT8 and weight.numel() > SMALL_WEIGHT_COUNT else 32
