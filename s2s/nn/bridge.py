"""Bridges: from how the encoder ended, or from all that it said, to how the decoder starts."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from s2s.errors import RecipeError
from s2s.registry import Registrable
from s2s.tensors import EncoderOutput, State


class Bridge(nn.Module, Registrable):
    """state = bridge(encoded): parts x [B, L, H], the decoder's first state.

    memory  M, the width of the encoder's memory and state
    hidden  H, parts, layers: of the decoder's recurrence
    """

    uses_state: ClassVar[bool]  # False: the encoder need not work out how it ended

    def __init__(self, memory: int, hidden: int, parts: int, layers: int) -> None:
        super().__init__()
        self.memory, self.hidden, self.parts, self.layers = memory, hidden, parts, layers

    def forward(self, encoded: EncoderOutput) -> State:
        raise NotImplementedError

    def ended(self, encoded: EncoderOutput) -> State:
        """How the encoder ended, in as many parts and layers as the decoder has: parts x [B, L, M].

        Of two parts missing one, an lstm's, both are the encoder's only one. Of layers the topmost are kept, and
        the topmost is repeated. A source without a state, such as a picture, gives its mean memory.
        """
        state = encoded.state or (masked_mean(encoded)[:, None],)
        return tuple(fit_layers(state[min(part, len(state) - 1)], self.layers) for part in range(self.parts))


class LinearBridge(Bridge, kind="linear"):
    """tanh(W h), with a matrix for each part: after Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473"""

    uses_state = True

    def __init__(self, memory: int, hidden: int, parts: int, layers: int) -> None:
        super().__init__(memory, hidden, parts, layers)
        self.maps = nn.ModuleList(nn.Linear(memory, hidden) for _ in range(parts))

    def forward(self, encoded: EncoderOutput) -> State:
        return tuple(f(part).tanh() for f, part in zip(self.maps, self.ended(encoded), strict=True))


class Copy(Bridge, kind="copy"):
    """The encoder's state as it is, for sizes that agree: Sutskever et al. 2014, https://arxiv.org/abs/1409.3215"""

    uses_state = True

    def __init__(self, memory: int, hidden: int, parts: int, layers: int) -> None:
        super().__init__(memory, hidden, parts, layers)
        if memory != hidden:
            raise RecipeError(
                "",
                f"copy needs equal sizes: the encoder's state is {memory} wide, the decoder's {hidden}",
                f"use bridge: linear, or a decoder with hidden: {memory} "
                "(a bidirectional encoder's state is twice its hidden size)",
            )

    def forward(self, encoded: EncoderOutput) -> State:
        return self.ended(encoded)


class Zeros(Bridge, kind="zeros"):
    """Nothing: the decoder learns of the source by attention alone: Wu et al. 2016, https://arxiv.org/abs/1609.08144"""

    uses_state = False

    def forward(self, encoded: EncoderOutput) -> State:
        shape = (len(encoded.memory), self.layers, self.hidden)
        return tuple(encoded.memory.new_zeros(shape) for _ in range(self.parts))


class MeanBridge(Bridge, kind="mean"):
    """tanh(W masked_mean(memory)), with a matrix for each part and the same for all layers: Sennrich et al. 2017,
    https://arxiv.org/abs/1703.04357"""

    uses_state = False

    def __init__(self, memory: int, hidden: int, parts: int, layers: int) -> None:
        super().__init__(memory, hidden, parts, layers)
        self.maps = nn.ModuleList(nn.Linear(memory, hidden) for _ in range(parts))

    def forward(self, encoded: EncoderOutput) -> State:
        average = masked_mean(encoded)
        return tuple(f(average).tanh()[:, None].expand(-1, self.layers, -1) for f in self.maps)


def masked_mean(encoded: EncoderOutput) -> Tensor:
    """[B, M], over what is valid; zeros where nothing is."""
    valid = encoded.valid[..., None]
    return (encoded.memory * valid).sum(1) / valid.sum(1).clamp(min=1)


def fit_layers(part: Tensor, layers: int) -> Tensor:
    """The top layers of [B, L, M]; the topmost again where there are too few."""
    missing = layers - part.shape[1]
    if missing <= 0:
        return part[:, -layers:]
    return torch.cat([part, part[:, -1:].expand(-1, missing, -1)], 1)
