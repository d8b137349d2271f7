"""Embeddings: a vector for every id, or for every vector of another width."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s.tensors import PAD


class Embedding(nn.Embedding):
    """ids [...] -> vectors [..., E]. Starts at N(0, E^-0.5), so that it may serve as an output matrix; PAD is zero.

    word_dropout  share of positions whose whole vector is zeroed in training. A position keeps its place and
                  vectors that stay are not scaled: dropping words, Iyyer et al. 2015,
                  https://aclanthology.org/P15-1162
    type_dropout  share of ids whose vector is zeroed wherever they stand in a batch, the others grow to make up
                  for it: Gal & Ghahramani 2016, https://arxiv.org/abs/1512.05287
    """

    def __init__(self, size: int, width: int, word_dropout: float = 0.0, type_dropout: float = 0.0) -> None:
        super().__init__(size, width, padding_idx=PAD)
        self.word_dropout, self.type_dropout = word_dropout, type_dropout

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=self.embedding_dim**-0.5)
        self.clear_padding()

    @torch.no_grad()
    def clear_padding(self) -> None:
        """Make the vector of PAD zero."""
        self.weight[PAD] = 0

    def forward(self, ids: Tensor) -> Tensor:
        vectors = super().forward(ids)
        if self.training and self.type_dropout:
            kept = F.dropout(vectors.new_ones(self.num_embeddings), self.type_dropout)
            vectors = vectors * kept[ids][..., None]
        return drop_positions(vectors, self.word_dropout if self.training else 0.0)


class VectorEmbedding(nn.Module):
    """vectors [..., F] -> vectors [..., E], by one linear map; without E they stay as they are.

    word_dropout  as of Embedding: share of positions that are zeroed in training
    """

    def __init__(self, size: int, width: int | None, word_dropout: float = 0.0) -> None:
        super().__init__()
        self.map = None if width is None else nn.Linear(size, width)
        self.word_dropout = word_dropout

    def forward(self, vectors: Tensor) -> Tensor:
        mapped = vectors if self.map is None else self.map(vectors)
        return drop_positions(mapped, self.word_dropout if self.training else 0.0)


def drop_positions(vectors: Tensor, rate: float) -> Tensor:
    """Whole vectors zeroed by chance; those that stay are not scaled."""
    if not rate:
        return vectors
    kept = torch.rand(vectors.shape[:-1], device=vectors.device) >= rate
    return vectors * kept[..., None]


def embedding_in(part: nn.Module) -> nn.Embedding | None:
    """The part of an encoder or a head that is called `embed`, where it has one that is an embedding."""
    found = part._modules.get("embed")
    return found if isinstance(found, nn.Embedding) else None
