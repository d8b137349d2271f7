"""The field of pictures: squares of numbers, kept on disk as bytes and changed a little each time they are seen."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from s2s.data.fields.base import Stateless
from s2s.data.pictures import Fit, Picture, open_picture, square
from s2s.data.source_files import digest
from s2s.errors import DataError, Problem
from s2s.registry import PositiveInt, Probability
from s2s.tensors import FieldSpec

CHANNELS = 3
NORMALIZATIONS = 10  # broken pictures that a message names


class ImageField(Stateless, kind="image"):
    """Pictures as [3, size, size] from -1 to 1.

    size    pixels of a side
    fit     crop: the middle of an oblong picture; pad: all of it, on white; stretch: all of it, out of shape
    mirror  in training, pictures are mirrored by chance: sideways; both: up and down, too (seen from above)
    turn    in training, pictures are turned by quarters, as one may where there is no up and down
    zoom    in training, this share of the area or more is cut out and enlarged: Szegedy et al. 2015,
            https://arxiv.org/abs/1409.4842; 1 is the whole picture
    light   in training, brightness and contrast change by up to this share
    """

    takes, shapes = ("picture",), ("image",)

    def __init__(
        self,
        *,
        size: PositiveInt = 112,
        fit: Fit = "crop",
        mirror: Literal["sideways", "both"] | None = None,  # a choice called `no` YAML would read as false
        turn: bool = False,
        zoom: Probability = 1.0,
        light: Probability = 0.0,
    ) -> None:
        self.size, self.fitting = size, fit
        self.mirror, self.turn, self.zoom, self.light = mirror, turn, zoom, light
        self.unit = CHANNELS * size * size  # a picture is one thing, however many numbers it has
        self.augments = mirror is not None or turn or zoom < 1 or light > 0

    @property
    def space(self) -> FieldSpec:
        return FieldSpec("image", CHANNELS)

    def guesses(self) -> list[FieldSpec]:
        return [self.space]

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.uint8)

    def encode_all(self, values: Sequence[Picture]) -> list[np.ndarray]:
        """Flat arrays [3 * size * size]. Raises DataError with the name of every picture that cannot be read."""
        arrays: list[np.ndarray] = []
        problems: list[Problem] = []
        for value in values:
            try:
                arrays.append(square(open_picture(value), self.size, self.fitting).ravel())
            except DataError as error:
                problems += error.problems
        if len(problems) > NORMALIZATIONS:
            problems[NORMALIZATIONS:] = [
                Problem("", f"and {len(problems) - NORMALIZATIONS:,} more pictures that cannot be read")
            ]
        if problems:
            raise DataError.of(problems)
        return arrays

    def collate(self, rows: Sequence[np.ndarray]) -> Tensor:
        """[B, 3, size, size], in the order of memory that convolutions are fastest with."""
        shape = (len(rows), CHANNELS, self.size, self.size)
        pixels = torch.from_numpy(np.stack(rows).reshape(shape)) if rows else torch.zeros(shape, dtype=torch.uint8)
        return pixels.contiguous(memory_format=torch.channels_last).float() / 127.5 - 1

    def augment(self, array: np.ndarray, seed: int) -> np.ndarray:
        chance = np.random.default_rng(seed)
        x = array.reshape(CHANNELS, self.size, self.size)
        if self.mirror and chance.random() < 0.5:
            x = x[:, :, ::-1]
        if self.mirror == "both" and chance.random() < 0.5:
            x = x[:, ::-1]
        if self.turn:
            x = np.rot90(x, int(chance.integers(4)), (1, 2))
        if self.zoom < 1:
            x = zoomed(x, *chance.uniform((self.zoom, 0, 0), 1))
        if self.light > 0:
            contrast, brightness = chance.uniform(-self.light, self.light, 2).astype(np.float32)
            x = np.rint(((x - np.float32(127.5)) * (1 + contrast) + 127.5 * (1 + brightness)).clip(0, 255))
        return np.ascontiguousarray(x, dtype=np.uint8).ravel()

    def decode(self, ids: Any) -> Any:
        raise NotImplementedError("no model of s2s draws pictures")

    @property
    def fingerprint(self) -> str:
        return digest("image", self.size, self.fitting)


def zoomed(x: np.ndarray, area: float, down: float, right: float) -> np.ndarray:
    """A square of this share of the area [3, S, S], so far down and to the right, as large as the whole."""
    size = x.shape[1]
    side = max(1, round(size * area**0.5))
    top, left = round(down * (size - side)), round(right * (size - side))
    cut = np.array(x[:, top : top + side, left : left + side], order="C")  # of its own: what is on disk is read-only
    part = torch.from_numpy(cut)  # bytes: three times as fast as floats
    return F.interpolate(part[None], (size, size), mode="bilinear", align_corners=False)[0].numpy()
