"""Products of a matrix and many vectors, for weights that stay as they are: in 32 bits, or with weights of 8.

product = Affine(weight [N, I], bias [N])     # or int8, which is Int8 where that pays
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


class Product(Protocol):
    """y [B, N] = product(x [B, I], base [B, N] or None)"""

    def __call__(self, x: Tensor, base: Tensor | None = None) -> Tensor: ...


WIDE, MANY = 4096, 16  # outputs and rows from which on Int8 uses oneDNN

LITTLE = 1 << 17  # weights, up to which there is so little to read that rounding costs more

Maker = Callable[..., Product]  # (weight [N, I], bias [N] or None, *, bounded): Affine or int8


class Affine:
    """bias + W x, in 32 bits."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None, *, bounded: bool = False) -> None:
        self.weight = weight.detach().contiguous()
        self.bias = weight.new_zeros(len(weight)) if bias is None else bias.detach()

    def __call__(self, x: Tensor, base: Tensor | None = None) -> Tensor:
        if len(x) == 1:  # the product of a matrix and a vector, which is faster
            return torch.addmv(self.bias if base is None else base[0], self.weight, x[0])[None]
        return torch.addmm(self.bias if base is None else base, x, self.weight.t())


class Int8:
    """The same with weights of 8 bits: whole numbers, multiplied and summed exactly, and scaled back.

    bounded  no number of x exceeds 1, as what comes out of a tanh or of an lstm: one scale then does for all; else
             each row is divided by its largest number first
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None, *, bounded: bool = False) -> None:
        scale = weight.detach().abs().amax(1).clamp(min=1e-8).double() / 127
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch means to take quantized tensors away; tests say when it has
            whole = torch.quantize_per_channel(weight.detach(), scale, torch.zeros_like(scale).long(), 0, torch.qint8)
        self.wide = Wide(weight, scale.float()) if len(weight) >= WIDE else None
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
        if self.wide is not None and len(x) >= MANY:
            return self.wide(x, self.levels, self.bias if self.bounded else None)
        multiply = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32.default
        return multiply(x, 1 / self.levels, self.levels + 1, self.packed)


def int8(weight: Tensor, bias: Tensor | None = None, *, bounded: bool = False) -> Product:
    """Int8 where it pays, else Affine."""
    return (Affine if weight.numel() <= LITTLE else Int8)(weight, bias, bounded=bounded)


@cache
def int8_trouble() -> str:
    """Why there are no weights of 8 bits here, or "": it takes torch's kernels for x86."""
    x = torch.linspace(-1, 1, 96).view(2, 48)
    weight = torch.linspace(-1, 1, 48 * 8).sin().view(8, 48)
    try:
        found = Int8(weight, bounded=True)(x), Wide(weight, weight.abs().amax(1) / 127)(x, 127, None)
    except (RuntimeError, AttributeError) as error:
        return f"torch refuses a product: {str(error).splitlines()[0]}"
    good = all((one - x @ weight.t()).norm() < 0.03 * (x @ weight.t()).norm() for one in found)
    return "" if good else "a product comes out wrong"


class Wide:
    """The same by oneDNN's kernel: for many rows and outputs 1.2 to 1.7 times as fast, for few it is slower."""

    def __init__(self, weight: Tensor, scale: Tensor) -> None:
        self.scale, self.zero = scale, torch.zeros(len(weight), dtype=torch.int32)
        whole = (weight.detach() / scale[:, None]).round().to(torch.int8)
        self.packed: Any = torch.ops.onednn.qlinear_prepack(whole, None)

    def __call__(self, x: Tensor, levels: int, bias: Tensor | None) -> Tensor:
        whole = torch.add(levels + 1, x, alpha=levels).round_().to(torch.uint8)
        multiply = torch.ops.onednn.qlinear_pointwise.default
        of_weight = (self.packed, self.scale, self.zero, bias)
        return multiply(whole, 1 / levels, levels + 1, *of_weight, 1.0, 0, torch.float32, "none", [], "")


def pack(whole: Tensor, bias: Tensor | None) -> Any:
    """As fbgemm wants a matrix laid out; its kernel is the fastest of torch's for one row and for many."""
    engine = torch.backends.quantized.engine
    torch.backends.quantized.engine = "fbgemm"
    try:
        return torch.ops.quantized.linear_prepack(whole, bias)
    finally:
        torch.backends.quantized.engine = engine
