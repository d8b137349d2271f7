"""One hypothesis at a time: greedy search takes the likeliest piece at every step, sampling draws it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from s2s.decoding.filters import Filter, FilterFunction
from s2s.decoding.search import Hypothesis, LengthLimits, Search, Step, find_limits, score_pieces, split_finished, strip
from s2s.inference.native.scores import likeliest
from s2s.registry import ComponentConfig, NonNegativeFloat, NonNegativeInt, PositiveInt, Probability
from s2s.tensors import EOS, repeat, select

ALL = (1 << 64) - 1
FEW = 8  # rows
BELOW = 1 - 2**-22  # one, but for a little more than a product is rounded by


class Partial(NamedTuple):
    """What is being written, a row each; a nest of tensors, so it leaves the batch with its rows."""

    ids: Tensor  # [N, t]
    log_probability: Tensor  # [N]
    limits: LengthLimits
    key: Tensor  # [N, 1], what the next random number is made of; [N, 0] where nothing is drawn


@Search.register("greedy")
@torch.no_grad()
def greedy(
    step: Step,
    memory: Any,
    state: Any,
    first: Tensor,
    *,
    min_length: NonNegativeInt = 0,
    max_length: PositiveInt = 200,
    min_ratio: NonNegativeFloat = 0.0,
    max_ratio: NonNegativeFloat | None = None,
    filters: tuple[ComponentConfig[Filter], ...] = (),
    allow_unknown: bool = False,
) -> list[list[Hypothesis]]:
    """Take the likeliest token at every step: beam search with one beam, at less cost.

    min_length, max_length: tokens; EOS counts as one for max_length. min_ratio, max_ratio: the same
    times the length of the source (and 10 more for max_ratio). filters: what not to write.
    """
    limits = find_limits(
        memory, first, min_length=min_length, max_length=max_length, min_ratio=min_ratio, max_ratio=max_ratio
    )

    def choose(scores: Tensor, key: Tensor) -> Tensor:
        return likeliest(scores)

    nothing = first.new_zeros(len(first), 0)
    draft = Partial(nothing, torch.zeros(len(first), device=first.device), limits, nothing)
    return [[one] for one in write_steps(step, memory, state, first, draft, choose, filters, allow_unknown)]


@Search.register("sample")
@torch.no_grad()
def sample(
    step: Step,
    memory: Any,
    state: Any,
    first: Tensor,
    *,
    temperature: NonNegativeFloat = 1.0,
    top_k: NonNegativeInt = 0,
    top_p: Probability = 1.0,
    count: PositiveInt = 1,
    seed: int | None = 1,
    min_length: NonNegativeInt = 0,
    max_length: PositiveInt = 200,
    min_ratio: NonNegativeFloat = 0.0,
    max_ratio: NonNegativeFloat | None = None,
    filters: tuple[ComponentConfig[Filter], ...] = (),
    allow_unknown: bool = False,
) -> list[list[Hypothesis]]:
    """Draw each token from the model: Holtzman et al. 2020, https://arxiv.org/abs/1904.09751

    temperature: divides the log probabilities; 0 is greedy search. top_k: draw from the k likeliest tokens
    only (Fan et al. 2018, https://arxiv.org/abs/1805.04833); 0 from all. top_p: from the fewest tokens that
    have this much probability together; 1 from all.
    count: samples a row, returned likeliest first. seed: null for other samples at every call.

    What is written for a row depends on the row and the seed alone, not on its neighbors or its place in
    the batch: its random numbers are made of the seed and of what it has written so far. Equal rows
    therefore get equal samples, unless the seed is null; ask for a `count` to have different ones.
    """
    limits = find_limits(
        memory, first, min_length=min_length, max_length=max_length, min_ratio=min_ratio, max_ratio=max_ratio
    )
    if seed is None:
        key = torch.randint(2**62, (len(first) * count, 1))
    else:  # on the CPU: every device draws alike
        key = torch.randint(2**62, (count, 1), generator=torch.Generator().manual_seed(seed)).repeat(len(first), 1)
    memory, state, first, limits = repeat((memory, state, first, limits), count)

    def choose(scores: Tensor, key: Tensor) -> Tensor:
        return sample_token(scores, key, temperature, top_k, top_p)

    key = next_key(key.to(first.device), first[:, None])
    draft = Partial(first.new_zeros(len(first), 0), torch.zeros(len(first), device=first.device), limits, key)
    found = write_steps(step, memory, state, first, draft, choose, filters, allow_unknown)
    rows = [found[i : i + count] for i in range(0, len(found), count)]
    return [sorted(row, key=lambda one: one.score, reverse=True) for row in rows]


def write_steps(
    step: Step,
    memory: Any,
    state: Any,
    first: Tensor,
    draft: Partial,
    choose: Callable[[Tensor, Tensor], Tensor],
    filters: Sequence[FilterFunction],
    allow_unknown: bool,
) -> list[Hypothesis]:
    """One hypothesis a row, each piece chosen by piece [N] = choose(scores [N, V], key [N, 1])."""
    found: dict[int, Hypothesis] = {}
    left: list[tuple[list[int], Partial]] = []
    rows, last = list(range(len(first))), first
    for t in range(draft.limits.steps):
        output = step(last, memory, state)
        log_probabilities, scores = score_pieces(
            output.logits, draft.ids, draft.limits.shortest, filters, allow_unknown
        )
        last, state = choose(scores, draft.key), output.state
        gain = log_probabilities.gather(1, last[:, None]).squeeze(1)
        ids = torch.cat([draft.ids, last[:, None]], 1)
        draft = Partial(ids, draft.log_probability + gain, draft.limits, next_key(draft.key, last[:, None]))
        leaving, staying = split_finished((last == EOS) | (t + 1 >= draft.limits.longest))
        if not leaving:
            continue
        left.append(([rows[i] for i in leaving], select(draft, torch.tensor(leaving, device=first.device))))
        if not staying:
            break
        rows = [rows[i] for i in staying]
        index = torch.tensor(staying, device=first.device)
        memory, state, draft, last = select((memory, state, draft, last), index)
    for numbers, drafts in left:
        for row, ids, total in zip(numbers, drafts.ids.tolist(), drafts.log_probability.tolist(), strict=True):
            found[row] = Hypothesis(strip(ids), total, total, ids[-1] == EOS)
    return [found[row] for row in range(len(first))]


def sample_token(scores: Tensor, key: Tensor, temperature: float, top_k: int, top_p: float) -> Tensor:
    """A piece [N] for each row of scores [N, V] and its key [N, 1]; the likeliest where the temperature is 0."""
    if temperature == 0:
        return likeliest(scores)
    # Relative to the likeliest, or a very low temperature would divide everything into minus infinity.
    scores = (scores - scores.amax(-1, keepdim=True)) / temperature
    return sample_tokens(keep_top_p(keep_top_k(scores, top_k), top_p), to_fraction(key))


def next_key(key: Tensor, more: Tensor) -> Tensor:
    """The next key of whole numbers, by splitmix64: Steele et al. 2014, https://doi.org/10.1145/2660193.2660195

    As rows write different pieces their keys part, and with them their random numbers. torch's own
    generators would tie the numbers to the place in the batch.
    """
    if key.numel() <= FEW and key.device.type == "cpu":  # seventeen calls of torch for one number take longer
        pairs = zip(key.flatten().tolist(), more.expand_as(key).flatten().tolist(), strict=True)
        return torch.tensor([stir_one(*pair) for pair in pairs], dtype=torch.long).view(key.shape)
    key = key + (more + 1) * -7046029254386353131  # 0x9E3779B97F4A7C15; int64 wraps around
    key = (key ^ ((key >> 30) & 0x3FFFFFFFF)) * -4658895280553007687  # 0xBF58476D1CE4E5B9; the mask fills with 0
    key = (key ^ ((key >> 27) & 0x1FFFFFFFFF)) * -7723592293110705685  # 0x94D049BB133111EB
    return key ^ ((key >> 31) & 0x1FFFFFFFF)


def stir_one(key: int, more: int) -> int:
    """The same for one number, between -2^63 and 2^63."""
    key = key + (more + 1) * 0x9E3779B97F4A7C15 & ALL
    key = (key ^ key >> 30) * 0xBF58476D1CE4E5B9 & ALL
    key = (key ^ key >> 27) * 0x94D049BB133111EB & ALL
    key ^= key >> 31
    return key - (ALL + 1) if key >> 63 else key


def to_fraction(key: Tensor) -> Tensor:
    """From 0 up to 1, by the 24 highest bits: as many as a float32 has."""
    return ((key >> 40) & 0xFFFFFF).float() / 2**24


def sample_tokens(scores: Tensor, dice: Tensor) -> Tensor:
    """Pieces [N] by their probabilities, for scores [N, V], none much above 0, and numbers [N, 1] from 0 up to 1.

    The number falls between two sums of probabilities. They are added in the order of the vocabulary:
    sorted by probability, one high number would draw from the tail of every row at once.
    """
    sums = scores.exp().cumsum(-1)
    # Below the last sum, whatever the last digit: then the sum before is no more, and the piece not impossible.
    piece = torch.searchsorted(sums, dice * (sums[:, -1:] * BELOW), right=True).squeeze(1)
    return piece.clamp_(max=scores.shape[-1] - 1)  # of a model that says nothing, or nan, there is no sum


def keep_top_k(scores: Tensor, k: int) -> Tensor:
    """Minus infinity for all but the k highest scores of each row [N, V]; 0 keeps all."""
    if k == 0 or k >= scores.shape[-1]:
        return scores
    values, pieces = scores.topk(k)
    return torch.full_like(scores, float("-inf")).scatter(1, pieces, values)


def keep_top_p(scores: Tensor, p: float) -> Tensor:
    """Minus infinity for all but the fewest pieces of each row [N, V] whose probabilities sum to p; always one."""
    if p >= 1:
        return scores
    values, pieces = scores.sort(-1, descending=True)
    odds = values.softmax(-1)
    drop = odds.cumsum(-1) - odds >= p  # those before it are enough
    drop[:, 0] = False
    return torch.full_like(scores, float("-inf")).scatter(1, pieces, values.masked_fill(drop, float("-inf")))
