"""Embeddings that begin with vectors learned elsewhere, and may stay as they are."""

import torch
from torch import Tensor, nn

from s2s.errors import RecipeError
from s2s.nn.model import Model

SIDE_COMPONENTS = {"source": "encoder", "target": "head"}


def embedding_of(model: Model, side: str) -> nn.Embedding:
    """The embedding of the source or of the target. Raises RecipeError where that part has none."""
    found = {"source": model.encoder.embedding(), "target": model.head.embedding()}
    if (embedding := found[side]) is not None:
        return embedding
    able = [other for other, has in found.items() if has is not None]
    hint = f"use side: {able[0]}" if able else "leave word_vectors out"
    what = f"the {SIDE_COMPONENTS[side]} has no embedding, so the {side} takes no vectors"
    raise RecipeError("word_vectors.side", what, hint)


@torch.no_grad()
def begin_with(embedding: nn.Embedding, ids: Tensor, vectors: Tensor) -> None:
    """Put vectors [N, E] into the rows `ids` [N]; the other rows keep how they were initialized."""
    embedding.weight[ids.to(embedding.weight.device)] = vectors.to(embedding.weight)


def freeze(embedding: nn.Embedding) -> None:
    """Train nothing of it: optimizers leave out what needs no gradient, weight decay included."""
    embedding.weight.requires_grad_(False)
