"""Averages against naive means, in and out bit for bit, resumed = uninterrupted, tied weights once."""

import copy

import pytest
import torch
from torch import nn

from s2s.config import configure
from s2s.errors import RunError
from s2s.runs.checkpoint import pack_tree, unpack_tree
from s2s.training.averaging import Averaging

KINDS = sorted(Averaging.registry)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 3)
        self.output = nn.Linear(3, 5)
        self.output.weight = self.embedding.weight
        self.register_buffer("mask", torch.tensor([True, False]))

    def forward(self, ids):
        return self.output(self.embedding(ids))


def model():
    torch.manual_seed(1)
    return Tied()


def live(net, average, steps, first=0):
    """Weights change as in training; every third step is a validation."""
    for step in range(first + 1, first + steps + 1):
        generator = torch.Generator().manual_seed(step)
        with torch.no_grad():
            for p in net.parameters():
                p += torch.randn(p.shape, generator=generator)
        average.update(step)
        if step % 3 == 0:
            average.snapshot()


def bits(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_ema_is_its_recursion():
    net = model()
    average = configure(Averaging, {"kind": "ema", "decay": 0.6})(net)
    naive = bits(net)
    for n in range(1, 15):
        live(net, average, 1, n)
        d = min(0.6, (1 + n) / (10 + n))
        naive = {k: v if k == "mask" else d * v + (1 - d) * net.state_dict()[k] for k, v in naive.items()}
    for name, value in average.weights().items():
        torch.testing.assert_close(value, naive[name])


def test_last_is_the_mean_of_the_last_snapshots():
    net = model()
    average = configure(Averaging, {"kind": "last", "count": 3})(net)
    assert same(average.weights(), bits(net)), "before any validation it is the model itself"
    seen = []
    for _ in range(5):
        live(net, average, 1)
        average.snapshot()
        seen.append(bits(net))
        for name, value in average.weights().items():
            if name != "mask":
                torch.testing.assert_close(value, torch.stack([s[name] for s in seen[-3:]]).mean(0))


@pytest.mark.parametrize("kind", KINDS)
def test_in_and_out_bit_for_bit(kind):
    net = model()
    average = configure(Averaging, kind)(net)
    live(net, average, 7)
    own, averaged = bits(net), {k: v.clone() for k, v in average.weights().items()}
    places = [p.data_ptr() for p in net.parameters()]
    assert not same(own, averaged)
    with average.applied(net):
        assert same(bits(net), averaged)
        assert net.output.weight is net.embedding.weight
    assert same(bits(net), own)
    with pytest.raises(KeyboardInterrupt), average.applied(net):
        raise KeyboardInterrupt
    assert same(bits(net), own)
    assert [p.data_ptr() for p in net.parameters()] == places, "cuDNN's flat weights must stay where they are"
    assert same(average.weights(), averaged)


@pytest.mark.parametrize("kind", KINDS)
def test_applied_to_a_copy(kind):
    net = model()
    average = configure(Averaging, kind)(net)
    live(net, average, 7)
    other, own = copy.deepcopy(net), bits(net)
    with average.applied(other):
        assert same(bits(other), average.weights())
        assert same(bits(net), own)


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_average_is_the_one_that_never_stopped(kind):
    whole = model()
    uncut = configure(Averaging, {"kind": kind})(whole)
    live(whole, uncut, 11)

    first = model()
    average = configure(Averaging, {"kind": kind})(first)
    live(first, average, 4)
    saved = unpack_tree(*pack_tree(average.state_dict()))
    second = model()
    second.load_state_dict(first.state_dict())
    resumed = configure(Averaging, {"kind": kind})(second)
    resumed.load_state_dict(saved)
    live(first, average, 2, first=4)  # the first lives on: what was loaded must be a copy
    live(second, resumed, 7, first=4)
    assert same(resumed.weights(), uncut.weights())


@pytest.mark.parametrize("kind", KINDS)
def test_tied_weights_are_averaged_once_and_stay_tied(kind):
    net = model()
    average = configure(Averaging, kind)(net)
    live(net, average, 4)
    weights = average.weights()
    assert weights.keys() == net.state_dict().keys()
    assert weights["output.weight"].data_ptr() == weights["embedding.weight"].data_ptr()
    tensors, _ = pack_tree(average.state_dict())
    assert not any("output.weight" in name for name in tensors)
    other = model()
    other.load_state_dict(weights)
    assert same(bits(other), weights)


@pytest.mark.parametrize("kind", KINDS)
def test_another_models_average_is_refused(kind):
    net, other = model(), nn.Linear(2, 2)
    average, small = configure(Averaging, kind)(net), configure(Averaging, kind)(other)
    live(net, average, 3)
    with pytest.raises(RunError, match="of another model"):
        small.load_state_dict(average.state_dict())


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_kept_for_backward(kind):
    net = model()
    average = configure(Averaging, kind)(net)
    live(net, average, 3)
    net(torch.tensor([1, 2])).sum().backward()
    assert not any(value.requires_grad for value in average.average())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_where_it_is_from(kind):
    assert "http" in (Averaging.registry[kind].__doc__ or "")


@pytest.mark.parametrize("kind", sorted(Averaging.registry))
def test_averages_that_are_loaded_lie_in_memory_as_their_weights_do(kind):
    net = nn.Conv2d(5, 8, 3).to(memory_format=torch.channels_last)
    average = configure(Averaging, kind)(net)
    average.update(1)
    average.snapshot()
    saved = {key: copied(value) for key, value in average.state_dict().items()}
    again = configure(Averaging, kind)(net)
    again.load_state_dict(saved)
    for old, new, parameter in zip(average.average(), again.average(), net.parameters()):
        assert new.stride() == parameter.stride()
        assert torch.equal(old, new)


def copied(node):
    """As a checkpoint gives it back: row by row."""
    if isinstance(node, dict):
        return {key: copied(value) for key, value in node.items()}
    if isinstance(node, list):
        return [copied(value) for value in node]
    return node.contiguous().clone() if isinstance(node, torch.Tensor) else node
