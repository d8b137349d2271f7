"""Dropout between layers: fresh noise at every position, or one mask that is kept through a whole sequence."""

from typing import Annotated

import torch.nn.functional as F
from torch import Tensor, nn

from s2s.registry import Range

DropoutRate = Annotated[float, Range(0, 0.99)]  # of what is dropped: at 1 nothing would be left to learn from


class Dropout(nn.Module):
    """x [B, T, H] -> [B, T, H]; what is kept grows by 1 / (1 - rate), so evaluation changes nothing.

    locked  one mask [B, 1, H] for all positions of a sequence, "variational" dropout:
            Gal & Ghahramani 2016, https://arxiv.org/abs/1512.05287; without it every position has noise of
            its own: Zaremba et al. 2014, https://arxiv.org/abs/1409.2329
    """

    def __init__(self, rate: float = 0.0, locked: bool = False) -> None:
        super().__init__()
        self.rate, self.locked = rate, locked

    def draw(self, like: Tensor, width: int) -> Tensor | None:
        """A mask [B, 1, width] to keep through a loop over positions; None where every position draws its own."""
        if not (self.training and self.locked and self.rate):
            return None
        return like.new_empty(len(like), 1, width).bernoulli_(1 - self.rate).div_(1 - self.rate)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """`mask` is one that draw() gave; None draws here."""
        mask = self.draw(x, x.shape[-1]) if mask is None else mask
        return F.dropout(x, self.rate, self.training) if mask is None else x * mask

    def extra_repr(self) -> str:
        return f"{self.rate}, locked={self.locked}"
