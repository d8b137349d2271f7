"""Writing on from a text, without an end: one piece a call, in memory that does not grow with what is written.

    writing = start_generation(state, first)._replace(key=random_keys(len(first), seed=7))
    while True:
        writing = generate_step(step, memory, writing, temperature=0.8, top_k=40)
        writing.last        # [N], the pieces just written

EOS is a piece like the others here: the line break. Who has enough stops asking; `writing` is all that is
needed to ask again later, from a file too.
"""

from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import torch
from torch import Tensor

from s2s.decoding.filters import repetition_penalty as penalize
from s2s.decoding.sampling import next_key, sample_token
from s2s.decoding.search import Step
from s2s.registry import NonNegativeFloat, NonNegativeInt, Probability, Range
from s2s.tensors import BOS, PAD, UNK

WINDOW = 64  # pieces that a repetition penalty looks back on


class GenerationState(NamedTuple):
    """Where texts stand that are written side by side; a nest of tensors, so select() takes rows out of it."""

    state: Any  # the head's, before it has read `last`
    last: Tensor  # [N]
    key: Tensor  # [N, 1], what the next random number is made of
    recent: Tensor  # [N, W], the pieces up to `last`, oldest first, and PAD where there are fewer


def start_generation(state: Any, first: Tensor, window: int = 0) -> GenerationState:
    """Nothing written yet. `first` [N] is what the texts go on from; a window of 0 remembers nothing."""
    recent = first.new_full((len(first), window), PAD)
    return GenerationState(state, first, torch.zeros_like(first)[:, None], recent)


def random_keys(count: int, seed: int | None, device: torch.device | None = None) -> Tensor:
    """[count, 1], what random numbers begin with: sample n is the same however many there are.

    None gives others at every call.
    """
    if seed is None:
        return torch.randint(2**62, (count, 1)).to(device)
    start = next_key(torch.tensor([[seed]]), torch.zeros(1, 1, dtype=torch.long))
    return next_key(start.repeat(count, 1), torch.arange(count)[:, None]).to(device)


@torch.inference_mode()
def generate_step(
    step: Step,
    memory: Any,
    writing: GenerationState,
    *,
    temperature: NonNegativeFloat = 1.0,
    top_k: NonNegativeInt = 0,
    top_p: Probability = 1.0,
    repetition_penalty: Annotated[float, Range(1)] = 1.0,
    allow_unknown: bool = False,
) -> GenerationState:
    """One piece more for every row.

    temperature, top_k, top_p: as for the search `sample`; a temperature of 0 takes the likeliest piece.
    repetition_penalty: as the filter of this name, over `writing.recent` only; 1 is none.

    A row's piece depends on that row alone: its random number is made of its key and of what it wrote.
    """
    output = step(writing.last, memory, writing.state)
    scores = output.logits.float() + forbidden(output.logits.shape[1], output.logits.device, allow_unknown)
    if repetition_penalty > 1 and writing.recent.shape[1]:
        scores = penalize(scores.log_softmax(-1), writing.recent, penalty=repetition_penalty)
    last = sample_token(scores, writing.key, temperature, top_k, top_p)
    return GenerationState(
        output.state, last, next_key(writing.key, last[:, None]), remember(writing.recent, last[:, None])
    )


def remember(recent: Tensor, more: Tensor) -> Tensor:
    """The newest pieces [N, W] of those [N, W] and the ones [N, n] that came after them."""
    window = recent.shape[1]
    return torch.cat([recent, more], 1)[:, -window:] if window else recent


@lru_cache(maxsize=16)
def forbidden(size: int, device: torch.device, allow_unknown: bool) -> Tensor:
    """[V], minus infinity for what nobody can read: PAD, BOS and UNK. Kept: it is wanted for every piece."""
    bias = torch.zeros(size, device=device)
    bias[[PAD, BOS] if allow_unknown else [PAD, BOS, UNK]] = float("-inf")
    return bias
