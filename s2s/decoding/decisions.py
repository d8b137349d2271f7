"""Choosing for many examples at once: sorted by length, batched, and given back in the order they came."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from s2s.data.fields.base import Field
from s2s.decoding.batched import fitting_batches, for_each
from s2s.nn.heads.base import AnswerOutput
from s2s.nn.model import Model
from s2s.tensors import Padded, move


def decide_all(
    model: Model, field: Field, sources: Sequence[np.ndarray], *, device: torch.device, batch_size: int = 64
) -> tuple[list[np.ndarray], list[np.ndarray] | None]:
    """What a head that chooses says of each source: logits [C], or [S, C] for one choice a position; float32.

    And where it looked, [S] for each, or None for a head that looks nowhere. Positions are those of the source.

    field    the source field, which collates what its encode_all() gave
    """
    model.eval()
    logits: list[np.ndarray] = [np.zeros(0, np.float32)] * len(sources)
    weights: list[np.ndarray] = [np.zeros(0, np.float32)] * len(sources)
    looked = False
    sizes = [field.length(source) for source in sources]
    order = sorted(range(len(sources)), key=lambda i: (-sizes[i], i))

    def choose(rows: list[int]) -> tuple[list[int], Padded | Tensor, AnswerOutput]:
        source = field.collate([sources[i] for i in rows])
        return rows, source, model.head.answer(model.encode(move(source, device)))

    for rows, source, said in for_each(
        choose, list(fitting_batches([sizes[i] for i in order], order, batch_size)), device
    ):
        lengths = source.lengths.tolist() if isinstance(source, Padded) else [None] * len(rows)
        chosen = said.logits.float().cpu().numpy()
        shares = None if said.weights is None else said.weights.float().cpu().numpy()
        looked = shares is not None
        for place, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            logits[row] = chosen[place, :length] if chosen.ndim == 3 else chosen[place]
            if shares is not None:
                weights[row] = shares[place, :length]
    return logits, weights if looked else None
