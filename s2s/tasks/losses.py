"""Losses are sums with counts: divide once, at the end, and averages over unequal batches are exact."""

from typing import NamedTuple

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from s2s.nn.heads.base import HeadOutput
from s2s.tensors import Batch


class Loss(NamedTuple):
    """total is a sum over `tokens` answers, in nats."""

    total: Tensor  # []
    tokens: int


class Likelihood(NamedTuple):
    """What a model makes of rows whose answers are known, each a number a row."""

    nats: np.ndarray  # [N], negative log-probability of the answer
    tokens: np.ndarray  # [N], pieces in it, the end included
    characters: np.ndarray  # [N], in its text, and
    bytes: np.ndarray  # [N], as UTF-8

    @property
    def per_token(self) -> float:
        """Nats a piece, over all rows."""
        return float(self.nats.sum() / max(1, self.tokens.sum()))


def cross_entropy(output: HeadOutput, batch: Batch, smoothing: float = 0.0, weights: Tensor | None = None) -> Loss:
    """Negative log-likelihood of batch.labels [N] under output.logits [N, V].

    smoothing  probability spread evenly over the vocabulary: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567
    weights    [V], how often an answer counts in the sum: 2 is as if it were there twice. The count stays the
               number of answers, so batches add up whatever is in them
    """
    logits = output.logits.float()
    if weights is None:
        total = F.cross_entropy(logits, batch.labels, reduction="sum", label_smoothing=smoothing)
    else:  # not torch's own weights: with smoothing, they weigh the classes that an answer is not
        each = F.cross_entropy(logits, batch.labels, reduction="none", label_smoothing=smoothing)
        total = (each * weights[batch.labels]).sum()
    return Loss(total, batch.tokens)


def binary_cross_entropy(
    output: HeadOutput, batch: Batch, smoothing: float = 0.0, weights: Tensor | None = None
) -> Loss:
    """Negative log-likelihood of batch.labels [N, C] of 0 and 1, where every class has a probability of its own.

    smoothing  probability spread evenly over yes and no
    weights    [C], how much a class counts where it is true
    """
    gold = batch.labels * (1 - smoothing) + smoothing / 2
    total = F.binary_cross_entropy_with_logits(output.logits.float(), gold, reduction="sum", pos_weight=weights)
    return Loss(total, batch.tokens)
