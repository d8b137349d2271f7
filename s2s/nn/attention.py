"""Where to look: each attention writes its score; masking, normalizing and mixing are written once, here."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s.errors import RecipeError
from s2s.registry import PositiveInt, Registrable
from s2s.tensors import EncoderOutput, Memory


class Attention(nn.Module, Registrable):
    """context, weights = attention(query, memory), where memory = attention.remember(encoded)

    query    [B, Q, H]   Q is T in training and 1 in decoding
    memory   Memory of S positions
    context  [B, Q, M]
    weights  [B, Q, S]   rows sum to one and are zero wherever memory is not valid

    A member gives score(), and keys() where part of the score can be computed once a source.
    """

    def __init__(self, query: int, memory: int) -> None:
        super().__init__()

    def keys(self, values: Tensor) -> Tensor:
        """[B, S, M] -> [B, S, A], once a source."""
        return values

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """[B, Q, H] and [B, S, A] -> [B, Q, S]"""
        raise NotImplementedError

    def remember(self, encoded: EncoderOutput) -> Memory:
        return Memory(encoded.memory, self.keys(encoded.memory), encoded.valid)

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        weights = attention_weights(self.score(query, memory.keys), memory.valid[:, None])
        return weights.to(memory.values.dtype) @ memory.values, weights


def attention_weights(scores: Tensor, valid: Tensor) -> Tensor:
    """Softmax over the valid positions, in 32 bits: half precision has too few for what autocast hands over."""
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    # a finite fill: a row with nothing valid would turn -inf into nan, and nan into every gradient
    return scores.masked_fill(~valid, torch.finfo(scores.dtype).min).softmax(dim=-1)


class Additive(Attention, kind="additive"):
    """v . tanh(W q + U k): Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473

    Builds [B, Q, S, size]: the most memory of all, and the slowest when many queries come at once.
    """

    def __init__(self, query: int, memory: int, *, size: PositiveInt = 256) -> None:
        super().__init__(query, memory)
        self.of_query = nn.Linear(query, size, bias=False)
        self.of_memory = nn.Linear(memory, size)
        self.to_score = nn.Linear(size, 1, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        return self.of_memory(values)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        both = self.of_query(query)[:, :, None] + keys[:, None]  # [B, Q, S, A]
        return self.to_score(both.tanh()).squeeze(-1)


class Concat(Attention, kind="concat"):
    """v . tanh(W [q; k]): Luong et al. 2015, https://arxiv.org/abs/1508.04025

    One matrix over both; its right half is applied once a source. Like additive, it builds [B, Q, S, size].
    """

    def __init__(self, query: int, memory: int, *, size: PositiveInt = 256) -> None:
        super().__init__(query, memory)
        self.of_both = nn.Linear(query + memory, size, bias=False)
        self.to_score = nn.Linear(size, 1, bias=False)
        self.query = query

    def keys(self, values: Tensor) -> Tensor:
        return F.linear(values, self.of_both.weight[:, self.query :])

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        from_query = F.linear(query, self.of_both.weight[:, : self.query])
        return self.to_score((from_query[:, :, None] + keys[:, None]).tanh()).squeeze(-1)


class Dot(Attention, kind="dot"):
    """q . k, for sizes that agree: Luong et al. 2015, https://arxiv.org/abs/1508.04025"""

    name: ClassVar[str] = "dot"

    def __init__(self, query: int, memory: int) -> None:
        super().__init__(query, memory)
        if query != memory:
            raise RecipeError(
                "",
                f"{self.name} needs equal sizes: the decoder's state is {query} wide, the encoder's memory {memory}",
                f"use attention: general, or a decoder with hidden: {memory} "
                "(a bidirectional encoder's memory is twice its hidden size)",
            )

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        return query @ keys.transpose(1, 2)


class ScaledDot(Dot, kind="scaled-dot"):
    """q . k / sqrt(H), for sizes that agree: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762"""

    name = "scaled-dot"

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        return super().score(query * query.shape[-1] ** -0.5, keys)


class General(Attention, kind="general"):
    """q . W k, for any sizes: Luong et al. 2015, https://arxiv.org/abs/1508.04025

    scaled  divides by sqrt(H), as later work does: without it one step of Adam moves a score by several
            units, and attention saturates before it has learned where to look. false is the paper's own.
    """

    def __init__(self, query: int, memory: int, *, scaled: bool = True) -> None:
        super().__init__(query, memory)
        self.to_query = nn.Linear(memory, query, bias=False)
        self.scale = query**-0.5 if scaled else 1.0

    def keys(self, values: Tensor) -> Tensor:
        return self.to_query(values)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        return (query * self.scale) @ keys.transpose(1, 2)


class MultiHead(Attention, kind="multi-head"):
    """Several scaled dots side by side, each in a subspace: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762

    The context is as wide as the memory; the weights are the mean over the heads.
    """

    def __init__(self, query: int, memory: int, *, heads: PositiveInt = 4) -> None:
        super().__init__(query, memory)
        if memory % heads:
            able = ", ".join(str(n) for n in range(1, 33) if memory % n == 0)
            raise RecipeError(
                "heads",
                f"{heads} heads cannot share a memory that is {memory} wide",
                f"use a number that divides it: {able}",
            )
        self.heads = heads
        self.of_query = nn.Linear(query, memory)
        self.of_key = nn.Linear(memory, memory, bias=False)  # one for all keys would cancel in the softmax
        self.of_value = nn.Linear(memory, memory)
        self.to_context = nn.Linear(memory, memory)

    def keys(self, values: Tensor) -> Tensor:
        return self.of_key(values)

    def remember(self, encoded: EncoderOutput) -> Memory:
        return super().remember(encoded)._replace(values=self.of_value(encoded.memory))

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """[B, heads, Q, S]"""
        q, k = self._split(self.of_query(query)), self._split(keys)
        return (q * q.shape[-1] ** -0.5) @ k.transpose(2, 3)

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        weights = attention_weights(self.score(query, memory.keys), memory.valid[:, None, None])
        mixed = weights.to(memory.values.dtype) @ self._split(memory.values)  # [B, heads, Q, M / heads]
        return self.to_context(mixed.transpose(1, 2).flatten(2)), weights.mean(1)

    def _split(self, x: Tensor) -> Tensor:  # [B, T, M] -> [B, heads, T, M / heads]
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)
