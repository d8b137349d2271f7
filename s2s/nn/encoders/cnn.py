"""The encoder of pictures, from scratch: a grid of places to look at. timm.py has those that others trained."""

from typing import Literal

import torch
from torch import Tensor, nn

from s2s.errors import RecipeError
from s2s.nn.dropout import DropoutRate
from s2s.nn.encoders.base import Encoder
from s2s.registry import PositiveInt
from s2s.tensors import EncoderOutput, FieldSpec, Padded

CHANNELS_A_GROUP = 8  # channels that are normalized together: fewer are several times as slow on a CPU


class Block(nn.Module):
    """Two convolutions and a way around them: He et al. 2016, https://arxiv.org/abs/1512.03385

    Groups of channels are normalized, picture by picture (Wu & He 2018, https://arxiv.org/abs/1803.08494), so that
    what is seen in one does not depend on the others in its batch.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.GroupNorm(outputs // CHANNELS_A_GROUP, outputs) for _ in range(2))
        same = stride == 1 and inputs == outputs
        self.around = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, bias=False)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        y = self.norms[0](self.first(x)).relu()
        # What is left out is left out here: a strided convolution of one pixel and 8 channels crashes torch 2.13 (CPU).
        around = self.around(x[:, :, :: self.stride, :: self.stride])
        return (around + self.norms[1](self.second(y))).relu()


class CNN(Encoder, kind="cnn"):
    """A small residual network, trained from scratch: He et al. 2016, https://arxiv.org/abs/1512.03385

    Each of its places knows where it is, by two more channels: Liu et al. 2018, https://arxiv.org/abs/1807.03247

    width    of the vector of a place, M: a multiple of 8
    patch    pixels of a side that the first layer sees as one
    stages   each but the first halves the grid: 112 pixels in patches of 4 are a grid of 7 x 7 after three
    blocks   in each stage
    pooling  of places to one vector, for heads that begin with one (bridge: linear or copy): max finds what is
             small, mean says where and how much of it there is; both are mixed by a matrix
    whole    adds that vector, normalized, to the vector of each place, normalized too: wherever a decoder looks, it
             sees the whole picture beside, and need not find the place first (as Cao et al. 2019,
             https://arxiv.org/abs/1904.11492, without weights of their own)
    dropout  on the memory
    """

    input_modalities = ("image",)

    def __init__(
        self,
        space: FieldSpec,
        *,
        width: PositiveInt = 192,
        patch: PositiveInt = 4,
        stages: PositiveInt = 3,
        blocks: PositiveInt = 1,
        pooling: Literal["mean", "max", "both"] = "mean",
        whole: bool = False,
        dropout: DropoutRate = 0.0,
    ) -> None:
        super().__init__(space)
        self.width, self.patch, self.pooling = width, patch, pooling
        if width % CHANNELS_A_GROUP:
            raise RecipeError("width", f"must be a multiple of {CHANNELS_A_GROUP}, found {width}", "use 192")
        narrower = [
            max(CHANNELS_A_GROUP, (width >> (stages - 1 - i)) // CHANNELS_A_GROUP * CHANNELS_A_GROUP)
            for i in range(stages - 1)
        ]
        widths = [*narrower, width]
        self.stem = nn.Sequential(
            nn.Conv2d(space.size + 2, widths[0], patch, patch), nn.GroupNorm(widths[0] // CHANNELS_A_GROUP, widths[0])
        )
        layers: list[nn.Module] = []
        for i, size in enumerate(widths):
            before = widths[max(0, i - 1)]
            layers += [Block(before, size, 2 if i else 1), *(Block(size, size) for _ in range(blocks - 1))]
        self.layers = nn.Sequential(*layers)
        self.mix = nn.Linear(2 * width, width) if pooling == "both" else None
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2)) if whole else None  # of places, of the whole
        self.drop = nn.Dropout(dropout)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, source: Padded | Tensor, final_state: bool = True) -> EncoderOutput:
        assert isinstance(source, Tensor)
        if min(source.shape[2:]) < self.patch:
            what = f"is {self.patch}, and the pictures are {source.shape[3]} pixels wide"
            raise RecipeError("patch", what, "make it smaller, or task.source.size larger")
        grid = self.layers(self.stem(torch.cat([source, grid_places(source)], 1)).relu())
        memory = grid.flatten(2).transpose(1, 2)  # [B, h * w, M]
        if self.norms is None:
            memory = self.drop(memory)
            state = (self.pool(memory)[:, None],) if final_state else ()
        else:
            state = (self.norms[1](self.pool(memory))[:, None],)
            memory = self.drop(self.norms[0](memory) + state[0])
        valid = torch.ones(memory.shape[:2], dtype=torch.bool, device=memory.device)
        return EncoderOutput(memory, valid, state if final_state else (), sequence=False)

    def pool(self, memory: Tensor) -> Tensor:
        """[B, S, M] -> [B, M]"""
        if self.mix is not None:
            return self.mix(torch.cat([memory.mean(1), memory.amax(1)], -1))
        return memory.amax(1) if self.pooling == "max" else memory.mean(1)


def grid_places(images: Tensor) -> Tensor:
    """[B, 2, H, W]: how far down and to the right each pixel is, from -1 to 1."""
    batch, _, height, width = images.shape
    down = torch.linspace(-1, 1, height, device=images.device, dtype=images.dtype)
    right = torch.linspace(-1, 1, width, device=images.device, dtype=images.dtype)
    return torch.stack(torch.meshgrid(down, right, indexing="ij")).expand(batch, -1, -1, -1)
