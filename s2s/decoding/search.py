"""What a search is given, what it returns, and the rules that every search keeps.

A search knows only a step, so in tests a table of numbers can stand in for a model:

    step(ids [N], memory, state) -> .logits [N, V], which the search may write over, .state, .weights [N, S] or None

`memory` and `state` are nests of tuples with tensors [N, ...] at their leaves.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from s2s.decoding.filters import FilterFunction
from s2s.errors import RecipeError
from s2s.inference.native.scores import log_softmax
from s2s.registry import RegistrableFunctions
from s2s.tensors import BOS, EOS, PAD, UNK

MARGIN = 10  # pieces a hypothesis may have beyond max_ratio: a source of one word still gets an answer


class SearchStepOutput(Protocol):
    """What a decoder says after reading one more piece."""

    @property
    def logits(self) -> Tensor: ...  # [N, V]

    @property
    def state(self) -> Any: ...  # the same nest as was passed in

    @property
    def weights(self) -> Tensor | None: ...  # [N, S], where it looked in the source


Step = Callable[[Tensor, Any, Any], SearchStepOutput]


class Hypothesis(NamedTuple):
    """One way to write an answer."""

    ids: list[int]  # without BOS and EOS
    score: float  # what it is ranked by
    log_probability: float  # natural logarithm, as the model gives it; with EOS where finished
    finished: bool = True  # False: cut off at max_length, before EOS


class Search(RegistrableFunctions[list[list[Hypothesis]]], given=("step", "memory", "state", "first")):
    """hypotheses = search(step, memory, state, first [B]): a list for every row, best first, never empty.

    `first` is what each row has just read: BOS, or the end of a prompt. What max_length cuts off is ranked
    by its score like the rest. Searches are functions; their options follow the star.
    """


class LengthLimits(NamedTuple):
    """How long the answer to each row may be, in pieces; a nest of tensors, so it leaves the batch with its rows."""

    shortest: Tensor  # [B], EOS is not allowed before so many pieces
    longest: Tensor  # [B], the most steps: EOS is one
    steps: int  # the most that any row started with


def find_limits(
    memory: Any, first: Tensor, *, min_length: int, max_length: int, min_ratio: float, max_ratio: float | None
) -> LengthLimits:
    """The limits of every row.

    Ratios are relative to the length of the source, and apply only where there is one (`memory.valid`): a picture
    has places and no length (`memory.sequence` is False).
    """
    if min_length > max_length:
        raise RecipeError(
            "min_length", f"is {min_length}, and max_length is {max_length}", "make min_length the smaller one"
        )
    valid = source_mask(memory) if getattr(memory, "sequence", True) else None
    lengths: list[int] | None = None if valid is None else valid.sum(1).tolist()
    shortest, longest = [min_length] * len(first), [max_length] * len(first)
    if lengths is not None and max_ratio is not None:
        longest = [min(max_length, int(max_ratio * length) + MARGIN) for length in lengths]
    if lengths is not None and min_ratio > 0:
        shortest = [min(max(min_length, int(min_ratio * length)), most) for length, most in zip(lengths, longest)]
    device = first.device
    return LengthLimits(
        torch.tensor(shortest, device=device), torch.tensor(longest, device=device), max(longest, default=0)
    )


def source_mask(memory: Any) -> Tensor | None:
    """[B, S], True where the source is real; None where there is no source, as for a language model."""
    valid = getattr(memory, "valid", None)
    return valid if isinstance(valid, Tensor) and valid.dim() == 2 and valid.shape[1] > 0 else None


def score_pieces(
    logits: Tensor, written: Tensor, shortest: Tensor, filters: Sequence[FilterFunction], allow_unknown: bool
) -> tuple[Tensor, Tensor]:
    """Log probabilities of the pieces that may come next, and the same after the filters; both [N, V].

    What is never written has minus infinity: PAD, BOS, UNK unless allowed, and EOS before `shortest`
    pieces. The rest is not normalized again, so that a hypothesis has the probability that the model
    gives to it, whatever was forbidden.
    """
    log_probabilities = log_softmax(logits)
    end = log_probabilities[:, EOS].clone()
    for piece in (PAD, BOS) if allow_unknown else (PAD, BOS, UNK):
        log_probabilities[:, piece] = float("-inf")
    log_probabilities[:, EOS].masked_fill_(written.shape[1] < shortest, float("-inf"))
    scores = log_probabilities
    for function in filters:
        scores = function(scores, written)
    if filters:  # where they leave nothing to write, only the end is left
        stuck = scores.amax(-1) == float("-inf")
        scores[:, EOS] = torch.where(stuck, end, scores[:, EOS])
        log_probabilities[:, EOS] = torch.where(stuck, end, log_probabilities[:, EOS])
    return log_probabilities, scores


def split_finished(leaving: Tensor) -> tuple[list[int], list[int]]:
    """Positions in the batch that leave it and that stay: the one wait for the device in a step."""
    flags = leaving.tolist()
    return [i for i, flag in enumerate(flags) if flag], [i for i, flag in enumerate(flags) if not flag]


def strip(ids: list[int]) -> list[int]:
    """Without EOS, and the PAD that fills a rectangle: no search writes either inside a hypothesis."""
    return [i for i in ids if i not in (PAD, EOS)]
