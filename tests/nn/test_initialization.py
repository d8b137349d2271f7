"""How the numbers start, for every kind of initializer."""

import pytest
import torch
from torch import nn

from s2s.nn.initialization import Initializer, Unfilled, forget_biases
from tests.helpers.small_models import HEADS, batch_of, build, loss_of

KINDS = sorted(Initializer.registry)


def layers(model, kind):
    return [m for m in model.modules() if isinstance(m, kind)]


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_starts_every_model(kind, head, tied):
    model = build(
        {"layer_norm": True},
        {"kind": head, "layer_norm": True, "tied_output": tied},
        tied_embeddings=tied,
        initialization=kind,
    )
    assert loss_of(model, batch_of()) < 5
    for module in layers(model, nn.Embedding):
        assert not module.weight[0].any()
        assert module.weight[1:].std() > 0.03
    for norm in layers(model, nn.LayerNorm):
        assert (norm.weight == 1).all()
        assert (norm.bias == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_forget_gates_start_open(kind):
    plain, raised = (build(initialization={"kind": kind, "forget_bias": amount}) for amount in (0.0, 1.5))
    both = zip(layers(plain, nn.LSTM), layers(raised, nn.LSTM), strict=True)
    for before, after in both:
        change = after.bias_ih_l0 + after.bias_hh_l0 - before.bias_ih_l0 - before.bias_hh_l0
        hidden = before.hidden_size
        wanted = torch.zeros(4 * hidden)
        wanted[hidden : 2 * hidden] = 1.5  # input, forget, cell, output
        torch.testing.assert_close(change.detach(), wanted, atol=1e-5, rtol=0)
    fresh = build({"cell": "gru"}, {"cell": "gru"}, initialization={"kind": kind, "forget_bias": 1.0})
    assert list(forget_biases(fresh)) == []


def test_by_hand_and_fused_start_alike():
    a, b = (build({"cell": c}, {"cell": c}, initialization="orthogonal") for c in ("lstm", "lstm-by-hand"))
    assert {n: t.tolist() for n, t in a.state_dict().items()} == {n: t.tolist() for n, t in b.state_dict().items()}


def test_uniform_keeps_to_its_range():
    model = build({"hidden": 32}, {"hidden": 64}, initialization={"kind": "uniform", "range": 0.05})
    values = torch.cat([p.flatten() for p in model.parameters()])
    assert values.abs().max() <= 0.05
    assert values.abs().max() > 0.049
    assert abs(values.mean().item()) < 0.001


def test_xavier_is_gate_by_gate():
    model = build({"hidden": 40}, {"hidden": 80}, initialization="xavier")
    for lstm in layers(model, nn.LSTM):
        bound = (6 / (2 * lstm.hidden_size)) ** 0.5
        assert 0.95 * bound < lstm.weight_hh_l0.abs().max() <= bound
        bound = (6 / (lstm.input_size + lstm.hidden_size)) ** 0.5
        assert 0.95 * bound < lstm.weight_ih_l0.abs().max() <= bound
        assert not lstm.bias_ih_l0.any()
    assert not any(linear.bias.any() for linear in layers(model, nn.Linear) if linear.bias is not None)
    linear = model.head.combine
    assert 0.9 < linear.weight.abs().max() / (6 / sum(linear.weight.shape)) ** 0.5 <= 1


def test_orthogonal_is_gate_by_gate():
    for cell, gates in (("lstm", 4), ("gru", 3), ("rnn", 1)):
        model = build({"cell": cell}, {"cell": cell}, initialization="orthogonal")
        for rnn in layers(model, nn.RNNBase):
            for gate in rnn.weight_hh_l0.chunk(gates):
                torch.testing.assert_close(gate @ gate.T, torch.eye(len(gate)))


def test_the_default_leaves_torchs_own():
    torch.manual_seed(0)
    model = build({"hidden": 40})
    for lstm in layers(model, nn.LSTM):
        assert 0.9 * lstm.hidden_size**-0.5 < lstm.weight_hh_l0.abs().max() <= lstm.hidden_size**-0.5


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_starts_the_same(kind):
    a, b, c = (build(seed=seed, initialization=kind).head.combine.weight for seed in (3, 3, 4))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_names_its_source(kind):
    assert "https://" in Initializer.registry[kind].__doc__


def test_within_unfilled_nothing_is_drawn():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    with Unfilled():
        nn.LSTM(3, 4), nn.Linear(3, 4), nn.Embedding(3, 4), nn.init.orthogonal_(torch.empty(3, 3))
    assert torch.equal(torch.get_rng_state(), before)
    assert nn.Linear(3, 4).weight.abs().sum() > 0
