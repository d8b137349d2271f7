"""Products with prepared weights: what they give is the product, in 8 bits as near as 8 bits are."""

import pytest
import torch

from s2s.native import products as native
from s2s.nn import products
from s2s.nn.products import LITTLE, Affine, Int8, fp32, int8, int8_trouble, lstm_step

why = native.products_trouble()
needs_kernels = pytest.mark.skipif(bool(why), reason=f"no native kernels here: {why}")
EIGHT = [Int8, pytest.param(native.Linear, marks=needs_kernels)]


def numbers(rows, inputs=96, outputs=40):
    torch.manual_seed(3)
    return 0.3 * torch.randn(outputs, inputs), torch.randn(outputs), torch.rand(rows, inputs) * 2 - 1


@pytest.mark.parametrize("rows", [1, 7])
def test_a_product_is_the_product(rows):
    weight, bias, x = numbers(rows)
    base = torch.randn(rows, 40)
    for make in (Affine, fp32):
        torch.testing.assert_close(make(weight, bias)(x), x @ weight.t() + bias)
        torch.testing.assert_close(make(weight)(x), x @ weight.t())
        torch.testing.assert_close(make(weight)(x, base), x @ weight.t() + base)


@pytest.mark.parametrize("make", EIGHT)
@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("rows", [1, 7])
def test_eight_bits_come_close(rows, bounded, make):
    weight, bias, x = numbers(rows)
    x = x if bounded else 50 * x
    true, base = x @ weight.t(), torch.randn(rows, 40)
    for found in (
        make(weight, bias, bounded=bounded)(x) - bias,
        make(weight, bounded=bounded)(x),
        make(weight, bounded=bounded)(x, base) - base,
    ):
        assert (found - true).norm() < 0.02 * true.norm()


@pytest.mark.parametrize("make", EIGHT)
@pytest.mark.parametrize("bounded", [True, False])
def test_a_row_does_not_know_its_neighbors(bounded, make):
    weight, bias, x = numbers(7)
    product = make(weight, bias, bounded=bounded)
    alone = torch.cat([product(row[None]) for row in x])
    assert torch.equal(product(x), alone)
    x[0] *= 1 if bounded else 1000
    assert torch.equal(product(x)[1:], alone[1:])


@pytest.mark.parametrize("make", EIGHT)
def test_zeros_and_the_largest_stay_exact(make):
    weight = torch.tensor([[1.0, -1.0], [0.0, 0.0]])
    for bounded in (True, False):
        product = make(weight, bounded=bounded)
        torch.testing.assert_close(product(torch.tensor([[1.0, -1.0], [0.0, 0.0]])), torch.tensor([[2.0, 0], [0, 0]]))


@pytest.mark.parametrize("make", [Affine, fp32, *EIGHT])
def test_arguments_stay_as_they_are(make):
    weight, _, x = numbers(3)
    base, kept = torch.zeros(3, 40), x.clone()
    for bounded in (True, False):
        make(weight, bounded=bounded)(x, base)
    assert torch.equal(x, kept)
    assert not base.any()


@pytest.mark.parametrize("make", EIGHT)
def test_what_is_no_number_is_not_hidden(make):
    weight, bias, x = numbers(2)
    weight[3] = float("nan")
    assert make(weight, bias, bounded=True)(x)[:, 3].isnan().all()


@pytest.mark.parametrize("make", EIGHT)
def test_beyond_the_bounds_is_at_the_bounds(make):
    weight, bias, x = numbers(3)
    x[0, :5], x[1, 7] = 1.7, -30
    product = make(weight, bias, bounded=True)
    torch.testing.assert_close(product(x), product(x.clamp(-1, 1)), atol=0.01, rtol=0)


@needs_kernels
@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_row_with_what_is_no_number_is_none_and_its_neighbors_stay(bounded, wrong):
    weight, bias, x = numbers(3)
    product = native.Linear(weight, bias, bounded=bounded)
    before = product(x)
    x[1, 9] = wrong
    assert product(x)[1].isnan().all()
    assert torch.equal(product(x)[[0, 2]], before[[0, 2]])


@needs_kernels
def test_little_is_not_rounded():
    little = int8(torch.zeros(LITTLE // 64, 64))
    assert isinstance(little, native.Linear)
    assert little.bits == 32
    weight, bias = torch.randn(LITTLE // 64 + 1, 64), torch.randn(LITTLE // 64 + 1)
    x, product = torch.rand(2, 64), int8(weight, bias, bounded=True)
    assert isinstance(product, native.Linear)
    assert product.bits == 8
    assert torch.equal(product(x), native.Linear(weight, bias, bounded=True)(x))


def test_without_a_compiler_torch_multiplies(monkeypatch):
    monkeypatch.setattr(native, "products_trouble", lambda: "no compiler")
    weight = torch.randn(4 * 256, 256)
    assert isinstance(int8(weight, bounded=True), Int8)
    assert isinstance(fp32(weight), Affine)
    assert lstm_step(int8, weight, None, bounded=True) is None
    int8_trouble.cache_clear()
    assert int8_trouble() == ""
    monkeypatch.setattr(products, "Int8", lambda *a, **k: lambda x: torch.zeros(2, 8))
    int8_trouble.cache_clear()
    assert int8_trouble() == "a product comes out wrong"
    int8_trouble.cache_clear()


@needs_kernels
def test_an_lstm_is_one_step_where_a_kernel_fits():
    large, odd, small = torch.randn(4 * 256, 256), torch.randn(4 * 264, 256), torch.randn(4 * 64, 256)
    assert lstm_step(int8, large, None, bounded=True).bits == 8
    assert lstm_step(fp32, large, None, bounded=True).bits == 32
    assert lstm_step(int8, small, None, bounded=True).bits == 32
    assert lstm_step(int8, odd, None, bounded=True) is None
