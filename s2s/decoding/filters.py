"""Filters: what a search may not, or should rather not, write next.

    scores = filter(scores [N, V], written [N, t])

`scores` are log probabilities, `written` the pieces of each hypothesis so far. A filter may lower a score,
to minus infinity to forbid a piece, but never raise one (beam search counts on scores that only fall), and
leaves its arguments as they are. A filter that forbids everything ends the hypothesis.
"""

from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from s2s.registry import PositiveInt, Range, RegistrableFunctions

FilterFunction = Callable[[Tensor, Tensor], Tensor]


class Filter(RegistrableFunctions[Tensor], given=("scores", "written")):
    """scores [N, V] = filter(scores [N, V], written [N, t]): functions, registered with their options."""


@Filter.register("no-repeat")
def no_repeat(scores: Tensor, written: Tensor, *, size: PositiveInt = 3) -> Tensor:
    """Never write the same run of `size` tokens twice: Paulus et al. 2017, https://arxiv.org/abs/1705.04304"""
    if written.shape[1] < size:
        return scores
    runs = written.unfold(1, size, 1)  # [N, t - size + 1, size], every run written so far
    current = written[:, written.shape[1] - size + 1 :]  # [N, size - 1], what a next piece would complete
    again = (runs[..., :-1] == current[:, None]).all(-1)
    # Added, not assigned: a piece may end a forbidden run and a harmless one, in any order.
    penalty = torch.zeros_like(again, dtype=scores.dtype).masked_fill(again, float("-inf"))
    return scores.scatter_add(1, runs[..., -1], penalty)


@Filter.register("repetition-penalty")
def repetition_penalty(scores: Tensor, written: Tensor, *, penalty: Annotated[float, Range(1.0)] = 1.2) -> Tensor:
    """Multiply the log probability of what is already written: Keskar et al. 2019, https://arxiv.org/abs/1909.05858

    1 changes nothing. Their formula divides a positive logit and multiplies a negative one; log
    probabilities are never positive, so that one case is left.
    """
    return scores.scatter(1, written, scores.gather(1, written) * penalty)
