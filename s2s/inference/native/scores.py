"""The few highest of very many scores, for every step of every search: natively, or in few calls of torch.

Natively sixty-four scores at a time are compared with the worst that would still count. torch's topk and argmax look at
numbers one by one, its amax at sixteen at once: without the kernels pieces are dealt out into columns, the highest of
each column is found first, and only columns that can hold a winner are looked at one by one.
"""

import ctypes

import torch
from torch import Tensor

from s2s.inference.native.build import library, threads_for

MAX_TOP_K = 24  # pieces in a column: the more, the fewer columns to choose from, and the more to look at in each
MANY = 1 << 16  # scores; with fewer torch's plain way is as fast


def log_softmax(logits: Tensor) -> Tensor:
    """[N, V] -> [N, V], in 32 bits: the sums need the digits. It may write in the place of the logits."""
    kernels = kernels_for(logits)
    if kernels is None:
        return logits.log_softmax(-1, dtype=torch.float32)
    kernels.log_softmax(logits.data_ptr(), *logits.shape, threads_for(logits.numel()))
    return logits


def likeliest(scores: Tensor) -> Tensor:
    """[N, V] -> [N], the piece with the highest score of each row."""
    if kernels_for(scores) is None and (scores.device.type != "cpu" or scores.numel() < MANY):
        return scores.argmax(-1)
    return top(scores[:, None], scores.new_zeros(len(scores), 1), 1)[2].squeeze(1)


def top(scores: Tensor, rank: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The best continuations [B, count] of K beams by one piece, best first: their rank, beam and piece.

    scores  [B, K, V], what a piece adds to the rank of its beam [B, K]; count is at most K * V
    """
    kernels = kernels_for(scores)
    if kernels is None:
        few = scores.device.type != "cpu" or scores.numel() < MANY
        return (torch_top_k if few else by_columns)(scores, rank, count)
    best, beam = rank.new_empty(len(rank), count), torch.empty(len(rank), count, dtype=torch.long)
    piece, rank = torch.empty_like(beam), rank.contiguous()
    out = best.data_ptr(), beam.data_ptr(), piece.data_ptr()
    kernels.top(scores.data_ptr(), rank.data_ptr(), *scores.shape, count, *out, threads_for(scores.numel()))
    return best, beam, piece


def kernels_for(scores: Tensor) -> ctypes.CDLL | None:
    """The kernels, where there are any and these are scores that they read."""
    fits = scores.device.type == "cpu" and scores.dtype == torch.float32 and scores.is_contiguous()
    return library() if fits else None


def torch_top_k(scores: Tensor, rank: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    values, pieces = scores.topk(min(count, scores.shape[-1]))  # no beam has more of them than that
    each = values.shape[-1]
    best, pick = (rank[..., None] + values).flatten(1).topk(count)
    return best, pick // each, pieces.flatten(1).gather(1, pick)


def by_columns(scores: Tensor, rank: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    rows, size, vocabulary = scores.shape
    columns = vocabulary // MAX_TOP_K
    whole = columns * MAX_TOP_K
    highest = scores[..., :whole].view(rows, size, MAX_TOP_K, columns).amax(2) + rank[..., None]
    column = highest.flatten(1).topk(min(count, size * columns)).indices
    column = column // columns * vocabulary + column % columns  # where it begins in [K * V]
    depth = torch.arange(0, whole, columns)
    rest = torch.arange(size)[:, None] * vocabulary + torch.arange(whole, vocabulary)  # what no column has
    place = torch.cat([(column[..., None] + depth).flatten(1), rest.flatten().expand(rows, -1)], 1)
    beam = place // vocabulary
    best, pick = (scores.flatten(1).gather(1, place) + rank.gather(1, beam)).topk(count)
    return best, beam.gather(1, pick), place.gather(1, pick) % vocabulary
