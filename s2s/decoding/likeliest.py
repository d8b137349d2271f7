"""The few highest of very many scores, without sorting them: for every step of every search.

torch's topk and argmax look at numbers one by one, amax at sixteen at once. So pieces are dealt out into columns, the
highest of each column is found first, and only columns that can hold a winner are looked at one by one.
"""

import torch
from torch import Tensor

DEEP = 24  # pieces in a column: the more, the fewer columns to choose from, and the more to look at in each
MANY = 1 << 16  # scores; with fewer the plain way is as fast


def likeliest(scores: Tensor) -> Tensor:
    """[N, V] -> [N], the piece with the highest score of each row."""
    if scores.numel() < MANY or scores.device.type != "cpu":
        return scores.argmax(-1)
    return top(scores[:, None], scores.new_zeros(len(scores), 1), 1)[2].squeeze(1)


def top(scores: Tensor, rank: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The best continuations [B, count] of K beams by one piece, best first: their rank, beam and piece.

    scores  [B, K, V], what a piece adds to the rank of its beam [B, K]
    """
    rows, size, vocabulary = scores.shape
    if scores.numel() < MANY or scores.device.type != "cpu":
        values, pieces = scores.topk(min(count, vocabulary))  # no beam has more of them than that
        each = values.shape[-1]
        best, pick = (rank[..., None] + values).flatten(1).topk(count)
        return best, pick // each, pieces.flatten(1).gather(1, pick)
    columns = vocabulary // DEEP
    whole = columns * DEEP
    highest = scores[..., :whole].view(rows, size, DEEP, columns).amax(2) + rank[..., None]
    column = highest.flatten(1).topk(min(count, size * columns)).indices
    column = column // columns * vocabulary + column % columns  # where it begins in [K * V]
    depth = torch.arange(0, whole, columns)
    rest = torch.arange(size)[:, None] * vocabulary + torch.arange(whole, vocabulary)  # what no column has
    place = torch.cat([(column[..., None] + depth).flatten(1), rest.flatten().expand(rows, -1)], 1)
    beam = place // vocabulary
    best, pick = (scores.flatten(1).gather(1, place) + rank.gather(1, beam)).topk(count)
    return best, beam.gather(1, pick), place.gather(1, pick) % vocabulary
