"""Products with prepared weights: what they give is the product, in 8 bits as near as 8 bits are."""

import pytest
import torch

from s2s.nn import products
from s2s.nn.products import LITTLE, Affine, Int8, int8


def numbers(rows, inputs=96, outputs=40):
    torch.manual_seed(3)
    return 0.3 * torch.randn(outputs, inputs), torch.randn(outputs), torch.rand(rows, inputs) * 2 - 1


@pytest.mark.parametrize("rows", [1, 7])
def test_a_product_is_the_product(rows):
    weight, bias, x = numbers(rows)
    base = torch.randn(rows, 40)
    torch.testing.assert_close(Affine(weight, bias)(x), x @ weight.t() + bias)
    torch.testing.assert_close(Affine(weight)(x), x @ weight.t())
    torch.testing.assert_close(Affine(weight)(x, base), x @ weight.t() + base)


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("rows", [1, 7])
def test_eight_bits_come_close(rows, bounded):
    weight, bias, x = numbers(rows)
    x = x if bounded else 50 * x
    true, base = x @ weight.t(), torch.randn(rows, 40)
    for found in (
        Int8(weight, bias, bounded=bounded)(x) - bias,
        Int8(weight, bounded=bounded)(x),
        Int8(weight, bounded=bounded)(x, base) - base,
    ):
        assert (found - true).norm() < 0.02 * true.norm()


@pytest.mark.parametrize("bounded", [True, False])
def test_a_row_does_not_know_its_neighbors(bounded):
    weight, bias, x = numbers(7)
    product = Int8(weight, bias, bounded=bounded)
    alone = torch.cat([product(row[None]) for row in x])
    assert torch.equal(product(x), alone)
    x[0] *= 1 if bounded else 1000
    assert torch.equal(product(x)[1:], alone[1:])


def test_zeros_and_the_largest_stay_exact():
    weight = torch.tensor([[1.0, -1.0], [0.0, 0.0]])
    for bounded in (True, False):
        product = Int8(weight, bounded=bounded)
        torch.testing.assert_close(product(torch.tensor([[1.0, -1.0], [0.0, 0.0]])), torch.tensor([[2.0, 0], [0, 0]]))


def test_arguments_stay_as_they_are():
    weight, _, x = numbers(3)
    base, kept = torch.zeros(3, 40), x.clone()
    for make in (Affine, Int8):
        for bounded in (True, False):
            make(weight, bounded=bounded)(x, base)
    assert torch.equal(x, kept)
    assert not base.any()


@pytest.mark.parametrize("bounded", [True, False])
def test_the_kernel_for_wide_outputs_says_the_same(bounded, monkeypatch):
    weight, bias, x = numbers(20)
    narrow = Int8(weight, bias, bounded=bounded)
    monkeypatch.setattr(products, "WIDE", 1)
    wide = Int8(weight, bias, bounded=bounded)
    assert wide.wide is not None
    torch.testing.assert_close(wide(x), narrow(x), atol=1e-4, rtol=1e-4)
    base = torch.randn(20, 40)
    if not bounded:
        torch.testing.assert_close(wide(x, base), narrow(x, base), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(wide(x)[:1], wide(x[:1]), atol=1e-4, rtol=1e-4)


def test_little_is_not_rounded():
    assert isinstance(int8(torch.zeros(LITTLE // 64, 64)), Affine)
    weight, bias = torch.randn(LITTLE // 64 + 1, 64), torch.randn(LITTLE // 64 + 1)
    x, product = torch.rand(2, 64), int8(weight, bias, bounded=True)
    assert isinstance(product, Int8)
    assert product.bounded
    assert torch.equal(product(x), Int8(weight, bias, bounded=True)(x))
