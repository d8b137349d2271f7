"""The pictures behind the recipe `demo-caption`: a few shapes of one color somewhere, drawn here, and what they are.

    for picture, caption in generate("test"):
        ...      # Picture(PNG of 48 x 48 pixels), "three red circles at the top left"

The caption says how many shapes there are, of what color and kind, and where. Each such scene belongs to one split,
by a hash of its caption: the test asks for combinations that were never seen together, in pictures that are all
different (size, turn, exact place and color, background, noise).
"""

import hashlib
import io
import math
from collections.abc import Iterator
from functools import cache
from itertools import product
from random import Random
from typing import NamedTuple

import numpy as np

from s2s.data.pictures import Picture
from s2s.errors import OptionError, suggest

PIXELS = 48
FINE = 4  # points across a pixel that are looked at: edges are smooth
SIZES = {"train": 6000, "validation": 300, "test": 300}

COUNTS = ("one", "two", "three")
COLORS = {
    "red": (215, 40, 40),
    "green": (40, 160, 60),
    "blue": (50, 90, 215),
    "yellow": (235, 215, 50),
    "purple": (145, 55, 175),
    "orange": (240, 130, 25),
}
SHAPES = {"circle": "circles", "square": "squares", "triangle": "triangles", "cross": "crosses", "ring": "rings"}
PLACES = {  # and where their middle is, in thirds of the picture: across, down
    "at the top left": (0, 0),
    "at the top": (1, 0),
    "at the top right": (2, 0),
    "on the left": (0, 1),
    "in the center": (1, 1),
    "on the right": (2, 1),
    "at the bottom left": (0, 2),
    "at the bottom": (1, 2),
    "at the bottom right": (2, 2),
}


class Scene(NamedTuple):
    """What is in a picture, as names of the tables above."""

    number: str
    color: str
    shape: str
    place: str

    @property
    def caption(self) -> str:
        """`three red circles at the top left`"""
        noun = self.shape if self.number == "one" else SHAPES[self.shape]
        return f"{self.number} {self.color} {noun} {self.place}"


def generate(split: str, *, seed: int = 1, size: int | None = None) -> Iterator[tuple[Picture, str]]:
    """Pictures and captions of "train", "validation" or "test".

    The same arguments give the same pictures on every machine, and a smaller size gives the first of them.
    Raises OptionError for another split.
    """
    if split not in SIZES:
        raise OptionError("", f"the drawings have no split {split!r}", suggest(split, SIZES))
    return drawn_scene(split, seed, SIZES[split] if size is None else size)


def drawn_scene(split: str, seed: int, size: int) -> Iterator[tuple[Picture, str]]:
    random, possible = Random(f"{split} {seed}"), scenes()[split]
    for number in range(1, size + 1):
        scene = random.choice(possible)
        yield Picture(png(draw_shape(scene, random)), f"{split}-{number:05}.png"), scene.caption


@cache
def scenes() -> dict[str, list[Scene]]:
    """The scenes of each split: four in five are for training, one in ten for validation, one in ten for the test."""
    found: dict[str, list[Scene]] = {split: [] for split in SIZES}
    for scene in map(Scene._make, product(COUNTS, COLORS, SHAPES, PLACES)):
        number = hashlib.sha256(scene.caption.encode()).digest()[0] % 10
        found[{0: "test", 1: "validation"}.get(number, "train")].append(scene)
    return found


def draw_shape(scene: Scene, random: Random) -> np.ndarray:
    """[48, 48, 3], bytes."""
    picture = background(random)
    color = [value + random.uniform(-15, 15) for value in COLORS[scene.color]]
    radius = random.uniform(4.9, 5.6) if scene.number != "one" else random.uniform(5.2, 7.5)
    turn = random.uniform(-0.25, 0.25)
    for x, y in centers(scene, random):
        cover(picture, scene.shape, x, y, radius, turn, color)
    levels: np.ndarray = np.clip(np.rint(picture), 0, 255)
    return levels.astype(np.uint8)


def background(random: Random) -> np.ndarray:
    """[48, 48, 3]: a light gray with a touch of some color, and noise."""
    gray = random.uniform(205, 240)
    tint = [gray + random.uniform(-10, 10) for _ in range(3)]
    noise = np.frombuffer(random.randbytes(PIXELS * PIXELS), dtype=np.uint8).reshape(PIXELS, PIXELS, 1)
    return np.array(tint) + (noise / 255 - 0.5) * 16


def centers(scene: Scene, random: Random) -> list[tuple[float, float]]:
    """Where the shapes are: around the middle of their place, so far apart that they hardly touch."""
    count = COUNTS.index(scene.number) + 1
    x, y = (13 + 11 * third + random.uniform(-1, 1) for third in PLACES[scene.place])
    apart = {1: 0.0, 2: 6.1, 3: 6.7}[count] * random.uniform(1, 1.05)
    start = random.uniform(0, math.tau)
    angles = [start + math.tau * i / count for i in range(count)]
    return [(x + apart * math.cos(angle), y + apart * math.sin(angle)) for angle in angles]


def cover(picture: np.ndarray, shape: str, x: float, y: float, radius: float, turn: float, color: list[float]) -> None:
    """Paint one shape on a picture, in place."""
    left, top = (max(0, math.floor(middle - 1.3 * radius)) for middle in (x, y))
    right, bottom = (min(PIXELS, math.ceil(middle + 1.3 * radius) + 1) for middle in (x, y))
    across = ((np.arange((right - left) * FINE) + 0.5) / FINE + left - x) / radius
    down = ((np.arange((bottom - top) * FINE) + 0.5) / FINE + top - y) / radius
    u = across * math.cos(turn) + down[:, None] * math.sin(turn)
    v = down[:, None] * math.cos(turn) - across * math.sin(turn)
    covered = inside(shape, u, v).reshape(bottom - top, FINE, right - left, FINE).mean((1, 3))[..., None]
    part = picture[top:bottom, left:right]
    part += covered * (np.array(color) - part)


def inside(shape: str, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """True where a point is in the shape; shapes are about as large as a circle with radius 1. `v` points down."""
    found: np.ndarray
    if shape == "square":
        found = np.maximum(abs(u), abs(v)) < 0.95
    elif shape == "triangle":
        found = np.maximum(v, 0.866 * abs(u) - 0.5 * v) < 0.6
    elif shape == "cross":
        found = (np.minimum(abs(u), abs(v)) < 0.3) & (np.maximum(abs(u), abs(v)) < 1.05)
    else:
        distance = u * u + v * v
        found = (distance < 1) & (distance > (0.3 if shape == "ring" else -1))
    return found


def png(pixels: np.ndarray) -> bytes:
    """A picture [height, width, 3] as a file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
