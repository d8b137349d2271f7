"""Where a model looked in a picture as it wrote each word: a PNG of panels, like Xu et al. 2015 drew them.

https://arxiv.org/abs/1502.03044
"""

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from s2s.errors import RunError

if TYPE_CHECKING:
    from s2s.predictors.seq2seq import Alignment

DARK = 0.15  # of its light is left where a picture was not looked at
COLUMNS = 5


def check_plots() -> None:
    """Raises RunError where matplotlib is missing: better before anything is computed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise RunError(
            "--attention", "matplotlib is needed to draw, and is not installed", "pip install 's2s[plots]'"
        ) from None


def attention_picture(pixels: np.ndarray, alignment: "Alignment", title: str = "") -> bytes:
    """A PNG: the picture, and one panel a word, where the picture is the brighter the more it was looked at.

    pixels     [H, W, 3], bytes: what the model saw
    alignment  of this picture; its last piece, the end of the text, has no panel
    title      over the picture

    Each panel is as bright as can be at its own highest weight, whose share of all is written beside the word.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure  # not pyplot: it keeps a state and picks a window system

    assert alignment.grid is not None
    weights = np.array(alignment.weights[:-1], dtype=np.float64).reshape(-1, *alignment.grid)
    count = 1 + len(weights)
    columns = min(count, COLUMNS)
    rows = math.ceil(count / columns)
    height, width = pixels.shape[:2]
    figure = Figure(figsize=(2.2 * columns, (2.2 * height / width + 0.35) * rows), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    panels = [
        (pixels, title),
        *((lit(pixels, grid), token_label(w, grid)) for w, grid in zip(alignment.target, weights)),
    ]
    for axis, (panel, words) in zip(axes, panels):
        axis.imshow(panel, interpolation="nearest")
        axis.set_title(words, fontsize=9, parse_math=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def token_label(word: str, grid: np.ndarray) -> str:
    return f"{word}  {100 * grid.max():.0f} %"


def lit(pixels: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The picture [H, W, 3] with the light of a grid [h, w] of weights on it."""
    light = upsample(grid / max(float(grid.max()), 1e-12), pixels.shape[0], pixels.shape[1])
    return np.rint(pixels * (DARK + (1 - DARK) * light)[..., None]).astype(np.uint8)


def upsample(grid: np.ndarray, height: int, width: int) -> np.ndarray:
    """[h, w] to [height, width], linear between the middles of cells."""
    down, across = (
        (np.arange(size) + 0.5) * cells / size - 0.5 for size, cells in zip((height, width), grid.shape, strict=True)
    )
    tall = np.stack([np.interp(down, np.arange(len(column)), column) for column in grid.T], 1)
    return np.stack([np.interp(across, np.arange(len(row)), row) for row in tall])


def free_name(name: str, taken: Sequence[str] | set[str]) -> str:
    """The name, or the first of name-2, name-3, ... that is not taken."""
    numbered = (name if n == 1 else f"{name}-{n}" for n in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)
