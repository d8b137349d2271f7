"""Native products: any size, any threads, and an lstm's step that is torch's."""

import pytest
import torch

from s2s.inference.native.linear import NativeLinear, NativeLSTMStep, int8_unavailable

pytestmark = pytest.mark.skipif(bool(int8_unavailable()), reason=f"no native kernels here: {int8_unavailable()}")


def rounded(weight):
    scale = weight.abs().amax(1, keepdim=True) / 127
    return (weight / scale).round() * scale


def exact(weight, x, bounded):
    """What comes out where all is rounded as it should be, and nothing else is lost: in 64 bits."""
    size = torch.ones(len(x), 1) if bounded else x.abs().amax(1, keepdim=True)
    whole = (x / size * 127).round() * size / 127
    return (whole.double() @ rounded(weight).double().t()).float()


@pytest.mark.parametrize("inputs", [1, 4, 30, 97])
@pytest.mark.parametrize("outputs", [1, 16, 63, 64, 65, 200])
@pytest.mark.parametrize("rows", [1, 5, 6, 7, 12, 23])
def test_products_of_every_size(rows, inputs, outputs):
    torch.manual_seed(outputs)
    weight, bias = torch.randn(outputs, inputs), torch.randn(outputs)
    x = torch.randint(-126, 127, (rows, inputs)) / 127  # whole already: halves are rounded this way or that
    x[:, 0] = 1
    for bounded in (True, False):
        given = x if bounded else 100 * x
        torch.testing.assert_close(
            NativeLinear(weight, bias, bounded=bounded)(given),
            exact(weight, given, bounded) + bias,
            rtol=1e-4,
            atol=1e-3,
        )
    expected = (x.double() @ weight.double().t() + bias.double()).float()
    torch.testing.assert_close(NativeLinear(weight, bias, bits=32)(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bits", [8, 32])
def test_threads_and_layouts_and_neighbors_change_nothing(bits):
    torch.manual_seed(1)
    weight, x, base = torch.randn(300, 256), torch.rand(40, 512)[:, ::2], torch.randn(40, 700)[:, :300]
    product = NativeLinear(weight, bounded=True, bits=bits)
    alone = torch.cat([product(x[i : i + 1], base[i : i + 1]) for i in range(len(x))])
    assert torch.equal(product(x, base), alone)
    torch.testing.assert_close(alone, product(x.contiguous()) + base)
    torch.set_num_threads(4)
    try:
        assert torch.equal(product(x, base), alone)
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("bits", [8, 32])
@pytest.mark.parametrize("hidden", [16, 48, 160])
@pytest.mark.parametrize("rows", [1, 7, 20])
def test_a_step_is_that_of_an_lstm(hidden, rows, bits):
    torch.manual_seed(hidden)
    cell = torch.nn.LSTMCell(hidden // 2, hidden).requires_grad_(False)
    cell.weight_hh[:] = rounded(cell.weight_hh)  # then only what is multiplied is rounded
    h, c, x = torch.rand(rows, hidden) * 2 - 1, torch.randn(rows, hidden), torch.randn(rows, hidden // 2)
    order = torch.arange(4 * hidden).view(4, -1)[[0, 1, 3, 2]].flatten()  # torch has the output gate last
    base = (x @ cell.weight_ih.t() + cell.bias_ih + cell.bias_hh)[:, order]
    step = NativeLSTMStep(cell.weight_hh[order], bounded=True, bits=bits)
    whole = (h * 127).round() / 127 if bits == 8 else h
    for found, expected in zip(step(h, c, base), cell(x, (whole, c)), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    with_bias = NativeLSTMStep(cell.weight_hh[order], base[0], bounded=True, bits=bits)
    for found, expected in zip(with_bias(h[:1], c[:1]), step(h[:1], c[:1], base[:1]), strict=True):
        assert torch.equal(found, expected)
    alone = [step(h[i : i + 1], c[i : i + 1], base[i : i + 1]) for i in range(rows)]
    for part, together in enumerate(step(h, c, base)):
        assert torch.equal(together, torch.cat([one[part] for one in alone]))


def test_gates_far_from_zero_stay_whole():
    step = NativeLSTMStep(torch.zeros(64, 16), bounded=True)
    base = torch.tensor([[-1e4] * 64, [1e4] * 64, [0.0] * 64])
    h, c = step(torch.zeros(3, 16), torch.full((3, 16), 2.0), base)
    torch.testing.assert_close(c[:, 0], torch.tensor([0.0, 3.0, 1.0]))
    torch.testing.assert_close(h[:, 0], torch.tensor([0.0, torch.tensor(3.0).tanh(), 0.5 * torch.tensor(1.0).tanh()]))
