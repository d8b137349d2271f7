"""Products of a matrix and many vectors, for weights that stay as they are: in 32 bits, or with weights of 8.

product = fp32(weight [N, I], bias [N])       # or int8, which takes 8 bits where that pays
y = product(x [B, I])                         # [B, N]
y = product(x [B, I], base [B, N])            # a row each in place of the bias: then give no bias

8 bits are a quarter of the memory to read and four times the products an instruction makes. A weight is a whole number
from -127 to 127 times a scale of its row; what is multiplied is rounded the same way as it comes, by a scale that
depends on its own row alone, so that neighbors never change a result.
"""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

import torch
from torch import Tensor

from s2s.native import products as native


class Product(Protocol):
    """y [B, N] = product(x [B, I], base [B, N] or None)"""

    def __call__(self, x: Tensor, base: Tensor | None = None) -> Tensor: ...


LITTLE = 1 << 17  # weights, up to which there is so little to read that rounding costs more

Maker = Callable[..., Product]  # (weight [N, I], bias [N] or None, *, bounded): fp32 or int8


class Affine:
    """bias + W x, in 32 bits, by torch."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None, *, bounded: bool = False) -> None:
        self.weight = weight.detach().contiguous()
        self.bias = weight.new_zeros(len(weight)) if bias is None else bias.detach()

    def __call__(self, x: Tensor, base: Tensor | None = None) -> Tensor:
        if len(x) == 1:  # the product of a matrix and a vector, which is faster
            return torch.addmv(self.bias if base is None else base[0], self.weight, x[0])[None]
        return torch.addmm(self.bias if base is None else base, x, self.weight.t())


class Int8:
    """The same with weights of 8 bits, by torch's kernels for x86: slower than native.Linear, where there is none."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None, *, bounded: bool = False) -> None:
        scale = weight.detach().abs().amax(1).clamp(min=1e-8).double() / 127
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch means to take quantized tensors away; tests say when it has
            whole = torch.quantize_per_channel(weight.detach(), scale, torch.zeros_like(scale).long(), 0, torch.qint8)
        self.bounded = bounded
        self.bias = None if bias is None else bias.detach()
        self.packed: Any = pack(whole, self.bias if bounded else None)
        self.levels = 127 if torch.cpu._is_vnni_supported() else 63  # without VNNI the sum of two overflows 16 bits

    def __call__(self, x: Tensor, base: Tensor | None = None) -> Tensor:
        if self.bounded:
            y = self._multiply(x)
            return y if base is None else y.add_(base)
        size = x.abs().amax(1, keepdim=True).clamp_(min=1e-8)
        base = self.bias if base is None else base
        y = self._multiply(x / size)
        return y.mul_(size) if base is None else torch.addcmul(base, y, size)

    def _multiply(self, x: Tensor) -> Tensor:
        multiply = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32.default
        return multiply(x, 1 / self.levels, self.levels + 1, self.packed)


def fp32(weight: Tensor, bias: Tensor | None = None, *, bounded: bool = False) -> Product:
    """32 bits, by the fastest kernel there is."""
    return Affine(weight, bias) if native.products_trouble() else native.Linear(weight, bias, bits=32)


def int8(weight: Tensor, bias: Tensor | None = None, *, bounded: bool = False) -> Product:
    """8 bits where they pay, by the fastest kernel there is."""
    if weight.numel() <= LITTLE:
        return fp32(weight, bias)
    return (Int8 if native.products_trouble() else native.Linear)(weight, bias, bounded=bounded)


def lstm_step(make: Maker, weight: Tensor, bias: Tensor | None, *, bounded: bool) -> native.LSTM | None:
    """The step of an lstm in one call, where there is a kernel for it.

    weight  [4H, I], gates in the order input, forget, output, new
    """
    if len(weight) % (4 * native.UNITS) or native.products_trouble():
        return None
    return native.LSTM(weight, bias, bounded=bounded, bits=8 if make is int8 and weight.numel() > LITTLE else 32)


@cache
def int8_trouble() -> str:
    """Why there are no weights of 8 bits here, or "": it takes a C compiler and AVX-512 VNNI, or torch's for x86."""
    if not native.products_trouble():
        return ""
    x = torch.linspace(-1, 1, 96).view(2, 48)
    weight = torch.linspace(-1, 1, 48 * 8).sin().view(8, 48)
    try:
        found = Int8(weight, bounded=True)(x)
    except (RuntimeError, AttributeError) as error:
        return f"torch refuses a product: {str(error).splitlines()[0]}"
    good = (found - x @ weight.t()).norm() < 0.03 * (x @ weight.t()).norm()
    return "" if good else "a product comes out wrong"


def pack(whole: Tensor, bias: Tensor | None) -> Any:
    """As fbgemm wants a matrix laid out; its kernel is the fastest of torch's for one row and for many."""
    engine = torch.backends.quantized.engine
    torch.backends.quantized.engine = "fbgemm"
    try:
        return torch.ops.quantized.linear_prepack(whole, bias)
    finally:
        torch.backends.quantized.engine = engine
