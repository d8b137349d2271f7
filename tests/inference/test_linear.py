"""Products with prepared weights: what they give is the product, in 8 bits as near as 8 bits are."""

import pytest
import torch

from s2s.execution import NumberFormat
from s2s.inference.linear import SMALL_WEIGHT_COUNT, TorchLinear, make_linear, make_lstm
from s2s.inference.native import linear as native

why = native.int8_unavailable()
needs_kernels = pytest.mark.skipif(bool(why), reason=f"no native kernels here: {why}")
INT8 = NumberFormat.INT8


def numbers(rows, inputs=96, outputs=40):
    torch.manual_seed(3)
    return 0.3 * torch.randn(outputs, inputs), torch.randn(outputs), torch.rand(rows, inputs) * 2 - 1


@pytest.mark.parametrize("rows", [1, 7])
def test_a_product_is_the_product(rows):
    weight, bias, x = numbers(rows)
    base = torch.randn(rows, 40)
    for make in (TorchLinear, make_linear):
        torch.testing.assert_close(make(weight, bias)(x), x @ weight.t() + bias)
        torch.testing.assert_close(make(weight)(x), x @ weight.t())
        torch.testing.assert_close(make(weight)(x, base), x @ weight.t() + base)


@needs_kernels
@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("rows", [1, 7])
def test_eight_bits_come_close(rows, bounded):
    weight, bias, x = numbers(rows)
    x = x if bounded else 50 * x
    true, base = x @ weight.t(), torch.randn(rows, 40)
    for found in (
        native.NativeLinear(weight, bias, bounded=bounded)(x) - bias,
        native.NativeLinear(weight, bounded=bounded)(x),
        native.NativeLinear(weight, bounded=bounded)(x, base) - base,
    ):
        assert (found - true).norm() < 0.02 * true.norm()


@needs_kernels
@pytest.mark.parametrize("bounded", [True, False])
def test_a_row_does_not_know_its_neighbors(bounded):
    weight, bias, x = numbers(7)
    product = native.NativeLinear(weight, bias, bounded=bounded)
    alone = torch.cat([product(row[None]) for row in x])
    assert torch.equal(product(x), alone)
    x[0] *= 1 if bounded else 1000
    assert torch.equal(product(x)[1:], alone[1:])


@needs_kernels
def test_zeros_and_the_largest_stay_exact():
    weight = torch.tensor([[1.0, -1.0], [0.0, 0.0]])
    for bounded in (True, False):
        product = native.NativeLinear(weight, bounded=bounded)
        torch.testing.assert_close(product(torch.tensor([[1.0, -1.0], [0.0, 0.0]])), torch.tensor([[2.0, 0], [0, 0]]))


@pytest.mark.parametrize("make", [TorchLinear, make_linear, pytest.param(native.NativeLinear, marks=needs_kernels)])
def test_arguments_stay_as_they_are(make):
    weight, _, x = numbers(3)
    base, kept = torch.zeros(3, 40), x.clone()
    make(weight)(x, base)
    assert torch.equal(x, kept)
    assert not base.any()


@needs_kernels
def test_what_is_no_number_is_not_hidden():
    weight, bias, x = numbers(2)
    weight[3] = float("nan")
    assert native.NativeLinear(weight, bias, bounded=True)(x)[:, 3].isnan().all()


@needs_kernels
def test_beyond_the_bounds_is_at_the_bounds():
    weight, bias, x = numbers(3)
    x[0, :5], x[1, 7] = 1.7, -30
    product = native.NativeLinear(weight, bias, bounded=True)
    torch.testing.assert_close(product(x), product(x.clamp(-1, 1)), atol=0.01, rtol=0)


@needs_kernels
@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_row_with_what_is_no_number_is_none_and_its_neighbors_stay(bounded, wrong):
    weight, bias, x = numbers(3)
    product = native.NativeLinear(weight, bias, bounded=bounded)
    before = product(x)
    x[1, 9] = wrong
    assert product(x)[1].isnan().all()
    assert torch.equal(product(x)[[0, 2]], before[[0, 2]])


@needs_kernels
def test_little_is_not_rounded():
    little = make_linear(torch.zeros(SMALL_WEIGHT_COUNT // 64, 64), format=INT8)
    assert isinstance(little, native.NativeLinear)
    assert little.bits == 32
    weight, bias = torch.randn(SMALL_WEIGHT_COUNT // 64 + 1, 64), torch.randn(SMALL_WEIGHT_COUNT // 64 + 1)
    x, multiply = torch.rand(2, 64), make_linear(weight, bias, format=INT8, bounded=True)
    assert isinstance(multiply, native.NativeLinear)
    assert multiply.bits == 8
    assert torch.equal(multiply(x), native.NativeLinear(weight, bias, bounded=True)(x))


@pytest.mark.parametrize("format", [NumberFormat.FP32, INT8])
def test_without_kernels_torch_multiplies_in_32_bits(monkeypatch, format):
    monkeypatch.setattr(native, "int8_unavailable", lambda: "no compiler")
    weight, bias, x = torch.randn(4 * 256, 256), torch.randn(4 * 256), torch.rand(3, 256)
    multiply = make_linear(weight, bias, format=format, bounded=True)
    assert isinstance(multiply, TorchLinear)
    torch.testing.assert_close(multiply(x), x @ weight.t() + bias)
    assert make_lstm(weight, None, format=format, bounded=True) is None


@needs_kernels
def test_an_lstm_is_one_step_where_a_kernel_fits():
    large, odd, small = torch.randn(4 * 256, 256), torch.randn(4 * 264, 256), torch.randn(4 * 64, 256)
    assert make_lstm(large, None, format=INT8, bounded=True).bits == 8
    assert make_lstm(large, None, bounded=True).bits == 32
    assert make_lstm(small, None, format=INT8, bounded=True).bits == 32
    assert make_lstm(odd, None, format=INT8, bounded=True) is None
