"""Every optimizer: fused = plain, resumed = uninterrupted, and matrices alone decay."""

import copy

import pytest
import torch
from torch import nn

from s2s.config import configure
from s2s.errors import RecipeError, RunError
from s2s.runs.checkpoint import pack_tree, unpack_tree
from s2s.training.optimizers import (
    Optimizer,
    build_optimizer,
    load_optimizer_state,
    optimizer_state,
    parameter_names,
    set_rate,
    steps_fused,
)

KINDS = sorted(Optimizer.registry)
OPTIONS = [
    *KINDS,
    {"kind": "sgd", "momentum": 0.9},
    {"kind": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    {"kind": "rmsprop", "momentum": 0.5, "centered": True},
    {"kind": "adagrad", "initial_accumulator": 0.1, "weight_decay": 0.1},
    {"kind": "adamw", "weight_decay": 0.3, "beta1": 0.8},
]


def model():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.Linear(5, 2))


def make(node, net):
    return configure(Optimizer, node)(list(net.named_parameters()))


def gentle(node):
    """A rate that no optimizer explodes at."""
    return {"learning_rate": 0.01, **({"kind": node} if isinstance(node, str) else node)}


def teach(net, optimizer, steps, first=0):
    for step in range(first, first + steps):
        x = torch.randn(6, 4, generator=torch.Generator().manual_seed(step))
        set_rate(optimizer, 1 / (step + 1))
        optimizer.zero_grad()
        net(x).square().sum().backward()
        optimizer.step()


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])


@pytest.mark.parametrize("node", OPTIONS, ids=str)
def test_a_resumed_optimizer_is_the_one_that_never_stopped(node):
    whole = model()
    teach(whole, make(gentle(node), whole), 7)

    first = model()
    optimizer = make(gentle(node), first)
    teach(first, optimizer, 4)
    saved = unpack_tree(*copy.deepcopy(pack_tree(optimizer_state(optimizer))))
    second = copy.deepcopy(first)
    optimizer = make(gentle(node), second)
    load_optimizer_state(optimizer, saved)
    teach(second, optimizer, 3, first=4)
    assert torch.equal(weights(whole), weights(second))
    assert weights(whole).isfinite().all()


@pytest.mark.parametrize("node", OPTIONS, ids=str)
def test_fused_is_plain(node, monkeypatch):
    fast, slow = model(), model()
    teach(fast, make(gentle(node), fast), 5)
    monkeypatch.setattr("s2s.training.optimizers.steps_fused", lambda *_: False)
    plain = make(gentle(node), slow)
    assert not any(group.get("fused") for group in plain.param_groups)
    teach(slow, plain, 5)
    torch.testing.assert_close(weights(fast), weights(slow), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["sgd", "adagrad", "adam", "adamw"])
def test_the_fused_form_is_used_where_torch_has_it(kind):
    optimizer = make(kind, model())
    assert all(group["fused"] for group in optimizer.param_groups)


def test_a_trial_step_tells_whether_fused_works():
    def refuses(groups, fused):
        raise RuntimeError("no fused kernel here")

    place = (torch.device("cpu"), torch.float32)
    assert not steps_fused(refuses, *place)
    assert steps_fused(lambda p, fused: torch.optim.Adam(p, fused=fused), *place)
    parameters = list(model().named_parameters())
    optimizer = build_optimizer(lambda p, fused: torch.optim.RMSprop(p, lr=0.1), "mine", parameters, 0.1, 0.0)
    assert [p.shape for g in optimizer.param_groups for p in g["params"]] == [p.shape for _, p in parameters]


def test_sgd_is_its_equation():
    net = model()
    before = [p.detach().clone() for p in net.parameters()]
    teach(net, make({"kind": "sgd", "learning_rate": 0.1}, net), 1)
    for old, p in zip(before, net.parameters()):
        torch.testing.assert_close(p.detach(), old - 0.1 * p.grad)


def test_adam_is_its_equation():
    net = nn.Linear(3, 2)
    w0 = net.weight.detach().clone()
    optimizer = make({"kind": "adam", "learning_rate": 0.01, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-6}, net)
    m = v = torch.zeros(2, 3)
    for t in range(1, 4):
        optimizer.zero_grad()
        net(torch.ones(1, 3) * t).square().sum().backward()
        g = net.weight.grad.clone()
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
        w0 = w0 - 0.01 * (m / (1 - 0.8**t)) / ((v / (1 - 0.9**t)).sqrt() + 1e-6)
        optimizer.step()
    torch.testing.assert_close(net.weight.detach(), w0)


@pytest.mark.parametrize("kind", ["sgd", "adagrad", "rmsprop", "adamw"])
def test_only_matrices_decay(kind):
    net = model()
    optimizer = make({"kind": kind, "weight_decay": 0.5, "learning_rate": 0.1}, net)
    for p in net.parameters():
        nn.init.ones_(p)
        p.grad = torch.zeros_like(p)
    optimizer.step()
    for name, p in net.named_parameters():
        assert bool((p == 1).all()) == (p.ndim < 2), name


@pytest.mark.parametrize("kind", KINDS)
def test_the_rate_is_the_recipe_times_the_factor(kind):
    optimizer = make({"kind": kind, "learning_rate": 0.5}, model())
    assert set_rate(optimizer, 0.5) == 0.25
    assert set_rate(optimizer, 0.1) == 0.05, "factors do not pile up"
    assert all(group["lr"] == 0.05 for group in optimizer.param_groups)


def test_a_changed_recipe_counts_after_resuming():
    net = model()
    old = make({"kind": "adamw", "learning_rate": 0.5}, net)
    teach(net, old, 2)
    new = make({"kind": "adamw", "learning_rate": 0.1, "weight_decay": 0.0}, net)
    load_optimizer_state(new, optimizer_state(old))
    assert set_rate(new, 1.0) == 0.1
    assert all(group["weight_decay"] == 0 for group in new.param_groups)
    names = parameter_names(new)
    assert sorted(names) == sorted(parameter_names(old))
    both = optimizer_state(old)["state"], optimizer_state(new)["state"]
    for name in names:  # by name, though the groups are others
        assert torch.equal(both[0][name]["exp_avg"], both[1][name]["exp_avg"]), name


def test_loading_copies():
    net = model()
    optimizer = make("adam", net)
    teach(net, optimizer, 1)
    saved = optimizer_state(optimizer)
    kept = copy.deepcopy(saved)
    other = copy.deepcopy(net)
    second = make("adam", other)
    load_optimizer_state(second, saved)
    teach(other, second, 2)
    assert torch.equal(saved["state"]["0.weight"]["exp_avg"], kept["state"]["0.weight"]["exp_avg"])
    assert saved["state"]["0.weight"]["step"] == 1


def test_optimizers_without_names_are_numbered():
    net = model()
    optimizer = torch.optim.Adam(net.parameters())
    assert parameter_names(optimizer) == [str(i) for i in range(6)]
    assert set_rate(optimizer, 0.5) == 0.0005
    assert set_rate(optimizer, 0.5) == 0.0005


def test_anothers_state_is_refused():
    net = model()
    adam = make("adam", net)
    teach(net, adam, 1)
    with pytest.raises(RunError, match="trained with Adam, and this is SGD"):
        load_optimizer_state(make("sgd", net), optimizer_state(adam))
    with pytest.raises(RunError, match=r"does not fit the parameter '0\.weight'"):
        load_optimizer_state(make("adam", nn.Sequential(nn.Linear(3, 5))), optimizer_state(adam))
    with pytest.raises(RunError, match=r"does not fit the parameter '0\.weight'"):
        load_optimizer_state(make("adam", nn.Linear(4, 5)), optimizer_state(adam))


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        ({"kind": "sgd", "nesterov": True}, "Nesterov momentum requires a momentum"),
        ({"kind": "adam", "beta2": 1.0}, "Invalid beta"),
        ({"kind": "adam", "learning_rate": -1}, "must be at least 0"),
        ({"kind": "adm"}, "did you mean 'adam'"),
    ],
)
def test_wrong_options(node, sentence):
    with pytest.raises(RecipeError, match=sentence):
        make(node, model())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_where_it_is_from(kind):
    assert "20" in (Optimizer.registry[kind].__doc__ or "")


@pytest.mark.parametrize("node", OPTIONS, ids=str)
def test_moments_that_are_loaded_lie_in_memory_as_their_weights_do(node):
    def net():
        torch.manual_seed(3)
        return nn.Sequential(nn.Conv2d(5, 8, 3), nn.Conv2d(8, 2, 1)).to(memory_format=torch.channels_last)

    def teach(net, optimizer, steps):
        for step in steps:
            x = torch.randn(2, 5, 4, 4, generator=torch.Generator().manual_seed(step))
            optimizer.zero_grad()
            net(x).square().sum().backward()
            optimizer.step()

    whole = net()
    teach(whole, make(gentle(node), whole), range(7))
    first = net()
    optimizer = make(gentle(node), first)
    teach(first, optimizer, range(4))
    saved = optimizer_state(optimizer)  # as a checkpoint holds it: row by row
    saved["state"] = {
        name: {key: value.contiguous() if isinstance(value, torch.Tensor) else value for key, value in inner.items()}
        for name, inner in saved["state"].items()
    }
    second = copy.deepcopy(first)
    optimizer = make(gentle(node), second)
    load_optimizer_state(optimizer, saved)
    for parameter, inner in optimizer.state.items():
        moments = [value for value in inner.values() if isinstance(value, torch.Tensor) and value.ndim]
        assert all(moment.stride() == parameter.stride() for moment in moments)
    teach(second, optimizer, range(4, 7))
    assert torch.equal(weights(whole), weights(second))


def test_a_state_that_is_smaller_than_its_weights_goes_on_too():
    """Factored optimizers keep a number a row: torch's Adafactor, as a part of one's own."""
    if not hasattr(torch.optim, "Adafactor"):
        pytest.skip("this torch has no Adafactor")

    def factored(net):
        return torch.optim.Adafactor(
            [{"params": list(net.parameters()), "names": [n for n, _ in net.named_parameters()]}]
        )

    whole, first = model(), model()
    teach(whole, factored(whole), 5)
    optimizer = factored(first)
    teach(first, optimizer, 3)
    saved = unpack_tree(*copy.deepcopy(pack_tree(optimizer_state(optimizer))))
    optimizer = factored(first)
    load_optimizer_state(optimizer, saved)
    teach(first, optimizer, 2, first=3)
    assert torch.equal(weights(whole), weights(first))


def test_a_state_without_shapes_is_read_as_before():
    net = model()
    adam = make("adam", net)
    teach(net, adam, 1)
    old = optimizer_state(adam)
    del old["shapes"]
    load_optimizer_state(make("adam", net), old)
    with pytest.raises(RunError, match=r"does not fit the parameter '0\.weight'"):
        load_optimizer_state(make("adam", nn.Linear(4, 5)), old)
