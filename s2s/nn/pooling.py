"""From many vectors to one: what a classifier makes of an encoding, whatever its length.

last        how it ended: both ends when bidirectional     mean, max   over what is real
attention   what matters most, which can be shown
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from s2s.nn.attention import attention_weights
from s2s.nn.bridge import masked_mean
from s2s.registry import PositiveInt, Registrable
from s2s.tensors import EncoderOutput, all_real


class Pooled(NamedTuple):
    """One vector an example, and where it comes from."""

    vector: Tensor  # [B, M]
    weights: Tensor | None = None  # [B, S], a row sums to one


class Pooling(nn.Module, Registrable):
    """pooled = pooling(encoded); `width` is the M of what it is made for, and of what it gives."""

    uses_state: bool = False

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, encoded: EncoderOutput) -> Pooled:
        raise NotImplementedError


class LastPooling(Pooling, kind="last"):
    """The final state of the top layer, of both directions where there are two: Sutskever et al. 2014,
    https://arxiv.org/abs/1409.3215

    A source without a state, such as a picture, gives its mean, as it does to a decoder's bridge.
    """

    uses_state = True

    def forward(self, encoded: EncoderOutput) -> Pooled:
        return Pooled(encoded.state[0][:, -1] if encoded.state else masked_mean(encoded))


class MeanPooling(Pooling, kind="mean"):
    """The average over real positions: Iyyer et al. 2015, https://aclanthology.org/P15-1162"""

    def forward(self, encoded: EncoderOutput) -> Pooled:
        return Pooled(masked_mean(encoded))


class Max(Pooling, kind="max"):
    """The largest of each feature over real positions: Collobert & Weston 2008, https://doi.org/10.1145/1390156.1390177"""

    def forward(self, encoded: EncoderOutput) -> Pooled:
        memory, valid = encoded.memory, encoded.valid
        if not all_real(valid.sum(1), valid.shape[1]):
            memory = memory.masked_fill(~valid[..., None], float("-inf"))
        return Pooled(memory.amax(1))


class SelfAttention(Pooling, kind="attention"):
    """softmax(v tanh(W h)) says how much each position counts: Yang et al. 2016, https://aclanthology.org/N16-1174

    size  of the hidden layer between W and v
    """

    def __init__(self, width: int, *, size: PositiveInt = 128) -> None:
        super().__init__(width)
        self.hidden = nn.Linear(width, size)
        self.score = nn.Linear(size, 1, bias=False)

    def forward(self, encoded: EncoderOutput) -> Pooled:
        weights = attention_weights(self.score(self.hidden(encoded.memory).tanh()).squeeze(-1), encoded.valid)
        return Pooled(torch.einsum("bs,bsm->bm", weights.to(encoded.memory.dtype), encoded.memory), weights)
