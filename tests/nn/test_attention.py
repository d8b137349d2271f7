"""Every attention equals its equation, written as loops; weights are zero on padding and sum to one."""

import math

import pytest
import torch

from s2s.config import configure
from s2s.errors import RecipeError
from s2s.nn.attention import Attention, attention_weights
from s2s.tensors import EncoderOutput
from tests.helpers.small_models import ATTENTIONS, close, small

WIDTH = 8
LENGTHS = [5, 1, 3]
VALID = torch.arange(5) < torch.tensor(LENGTHS)[:, None]


def make(kind, query=WIDTH, memory=WIDTH):
    torch.manual_seed(0)
    return configure(Attention, small(kind), "model.head.attention")(query, memory)


def data(query=WIDTH, memory=WIDTH):
    torch.manual_seed(1)
    return torch.randn(3, 2, query), EncoderOutput(torch.randn(3, 5, memory), VALID)


def dot(a, b):
    return sum(float(x) * float(y) for x, y in zip(a, b, strict=True))


def tanh_score(v, inner):
    return sum(float(v[0, i]) * math.tanh(float(inner[i])) for i in range(len(inner)))


# what each paper says about one query [H] and one position of the memory [M]
EQUATIONS = {
    "dot": lambda a, q, k: dot(q, k),
    "scaled-dot": lambda a, q, k: dot(q, k) / math.sqrt(len(q)),
    "general": lambda a, q, k: dot(q, a.to_query.weight @ k) / math.sqrt(len(q)),
    "additive": lambda a, q, k: tanh_score(
        a.to_score.weight, a.of_query.weight @ q + a.of_memory.weight @ k + a.of_memory.bias
    ),
    "concat": lambda a, q, k: tanh_score(a.to_score.weight, a.of_both.weight @ torch.cat([q, k])),
}


def naive(attention, score, q, values):
    """Context and weights of one query over the real positions alone."""
    scores = [score(attention, q, k) for k in values]
    total = sum(math.exp(s) for s in scores)
    weights = [math.exp(s) / total for s in scores]
    return sum(w * v for w, v in zip(weights, values)), torch.tensor(weights)


def naive_multi_head(a, q, values):
    size = WIDTH // a.heads
    contexts, weights = [], []
    for head in range(a.heads):
        here = slice(head * size, (head + 1) * size)
        query = (a.of_query.weight @ q + a.of_query.bias)[here]
        scores = [dot(query, (a.of_key.weight @ v)[here]) / math.sqrt(size) for v in values]
        weights.append(torch.tensor(scores).softmax(0))
        contexts.append(sum(w * (a.of_value.weight @ v + a.of_value.bias)[here] for w, v in zip(weights[-1], values)))
    return a.to_context.weight @ torch.cat(contexts) + a.to_context.bias, torch.stack(weights).mean(0)


def test_every_kind_has_its_equation():
    assert set(EQUATIONS) | {"multi-head"} == set(ATTENTIONS)


@pytest.mark.parametrize("kind", ATTENTIONS)
@torch.no_grad()
def test_equals_its_equation(kind):
    attention = make(kind)
    query, encoded = data()
    context, weights = attention(query, attention.remember(encoded))
    assert context.shape == (3, 2, WIDTH)
    assert weights.shape == (3, 2, 5)
    for b, n in enumerate(LENGTHS):
        for t in range(2):
            values = list(encoded.memory[b, :n])
            if kind == "multi-head":
                c, w = naive_multi_head(attention, query[b, t], values)
            else:
                c, w = naive(attention, EQUATIONS[kind], query[b, t], values)
            close(context[b, t], c)
            close(weights[b, t, :n], w)


@torch.no_grad()
def test_general_as_luong_has_it():
    attention = configure(Attention, {"kind": "general", "scaled": False})(6, WIDTH)
    query, encoded = data(query=6)
    scores = attention.score(query, attention.keys(encoded.memory))
    close(scores[1, 1, 2], torch.tensor(dot(query[1, 1], attention.to_query.weight @ encoded.memory[1, 2])))


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_weights_sum_to_one_and_padding_has_none(kind):
    attention = make(kind)
    query, encoded = data()
    _, weights = attention(query, attention.remember(encoded))
    close(weights.sum(-1), torch.ones(3, 2))
    assert not weights.masked_select(~VALID[:, None]).any()  # exactly zero
    assert (weights.masked_select(VALID[:, None]) > 0).all()


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_what_stands_in_the_padding_does_not_matter(kind):
    attention = make(kind)
    query, encoded = data()
    junk = encoded._replace(memory=encoded.memory.masked_fill(~VALID[..., None], 1e4))
    close(attention(query, attention.remember(encoded)), attention(query, attention.remember(junk)))


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_one_query_at_a_time_is_all_at_once(kind):
    attention = make(kind)
    query, encoded = data()
    memory = attention.remember(encoded)
    context, weights = attention(query, memory)
    for t in range(2):
        c, w = attention(query[:, t : t + 1], memory)
        close(c[:, 0], context[:, t])
        close(w[:, 0], weights[:, t])


@pytest.mark.parametrize("kind", sorted(set(ATTENTIONS) - {"dot", "scaled-dot"}))
def test_sizes_may_differ(kind):
    attention = make(kind, query=6)
    query, encoded = data(query=6)
    assert attention(query, attention.remember(encoded))[0].shape == (3, 2, WIDTH)


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_a_row_with_nothing_to_see_is_not_nan(kind):
    attention = make(kind)
    query, encoded = data()
    nothing = encoded._replace(valid=VALID & torch.tensor([True, False, True])[:, None])
    context, weights = attention(query.requires_grad_(), attention.remember(nothing))
    (context.sum() + weights.square().sum()).backward()
    assert query.grad.isfinite().all()
    assert context.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", ATTENTIONS)
def test_half_precision_is_safe(kind, dtype):
    attention = make(kind)
    query, encoded = data()
    wanted = attention(query, attention.remember(encoded))
    with torch.autocast("cpu", dtype):
        context, weights = attention(query, attention.remember(encoded))
    assert weights.dtype == torch.float32
    close(weights.sum(-1), torch.ones(3, 2))
    close((context.float(), weights), wanted, atol=0.05, rtol=0.05)


def test_scores_are_normalized_in_32_bits():
    scores = torch.zeros(1, 1, 1000, dtype=torch.bfloat16)
    weights = attention_weights(scores, torch.ones(1, 1, 1000, dtype=torch.bool))
    assert weights.dtype == torch.float32
    assert float(weights.sum()) == pytest.approx(1, abs=1e-6)
    assert attention_weights(scores.double(), torch.ones(1, 1, 1000, dtype=torch.bool)).dtype == torch.float64


@pytest.mark.parametrize("kind", ["dot", "scaled-dot"])
def test_sizes_that_must_agree(kind):
    with pytest.raises(RecipeError) as error:
        make(kind, query=6)
    assert str(error.value) == (
        f"model.head.attention: {kind} needs equal sizes: the decoder's state is 6 wide, the encoder's memory 8\n"
        "  use attention: general, or a decoder with hidden: 8 (a bidirectional encoder's memory is twice its hidden size)"
    )


def test_heads_must_divide_the_memory():
    with pytest.raises(RecipeError) as error:
        configure(Attention, {"kind": "multi-head", "heads": 3})(8, 12 + 4)
    assert str(error.value) == (
        "heads: 3 heads cannot share a memory that is 16 wide\n  use a number that divides it: 1, 2, 4, 8, 16"
    )


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_every_kind_names_its_source(kind):
    assert "https://" in Attention.registry[kind].__doc__
