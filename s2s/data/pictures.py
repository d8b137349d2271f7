"""Pictures as files, and what is in them: whatever Pillow opens becomes a square of red, green and blue.

picture = Picture(path.read_bytes(), "a.png")
square(open_picture(picture), 112, "crop")      # [3, 112, 112], uint8
"""

import io
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from s2s.data.source_files import missing
from s2s.errors import DataError

Fit = Literal["crop", "pad", "stretch"]

MOST_PIXELS = 100_000_000  # of a file that somebody may have made to fill a memory
WHITE = (255, 255, 255)
DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")


class Picture(NamedTuple):
    """An image file that was read: PNG, JPEG or what else Pillow opens."""

    data: bytes
    name: str


def read_picture(path: Path) -> Picture:
    """The bytes of a file, which is not opened yet. Raises DataError."""
    try:
        return Picture(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", "check its permissions") from None


def picture_of(cell: Any, where: str) -> Picture | None:
    """What a cell {bytes, path} holds, as `datasets` writes pictures; None if it is no such cell. Raises DataError."""
    if not isinstance(cell, Mapping) or "bytes" not in cell or set(cell) - {"bytes", "path"}:
        return None
    data, path = cell.get("bytes"), cell.get("path")
    if isinstance(data, bytes):
        return Picture(data, path or where)
    if not isinstance(path, str):
        raise DataError(where, "has a picture of neither bytes nor a path", "leave the row out, or make the cell null")
    if not os.path.isfile(path):
        hint = "put the bytes of pictures into the table, or run s2s where the path leads to the file"
        raise DataError(where, f"names a picture that is not there: {path}", hint)
    return read_picture(Path(path))


def open_picture(picture: Picture) -> Any:
    """A Pillow image in RGB: upright, the first of several frames, what is transparent on white.

    Raises DataError by name where it is broken, cut short, or too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # What Pillow only warns of (EXIF that is cut short, a palette it does not know) it has read all the same;
            # and for what is too large we have a bound of our own.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(picture.data)) as image:
                width, height = image.size
                if width * height > MOST_PIXELS:
                    hint = f"make it smaller: at most {MOST_PIXELS:,} pixels are read"
                    raise DataError(picture.name, f"is too large: {width:,} x {height:,} pixels", hint)
                image.seek(0)
                return in_colors(ImageOps.exif_transpose(image))
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise DataError(picture.name, f"is too large: {error}", "make it smaller") from None
    except UnidentifiedImageError:
        what = "is not a picture" if picture.data else "is empty"
        raise DataError(picture.name, what, "PNG, JPEG, WebP, GIF and others can be read") from None
    except Exception as error:  # decoders raise anything: OSError, SyntaxError, ValueError, struct.error...
        what = f"is a broken picture: {str(error).strip() or type(error).__name__}"
        raise DataError(picture.name, what, "save it again, or leave it out") from None


def in_colors(image: Any) -> Any:
    """RGB out of any mode; 16 and 32 bits become 8."""
    from PIL import Image

    if image.mode in DEEP_MODES:
        levels = np.nan_to_num(np.asarray(image, dtype=np.float64))
        tops = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0) if image.mode == "I" else (65535.0,)
        top = next((top for top in tops if levels.max(initial=0) <= top), tops[-1])  # only I;16 says what is white
        image = Image.fromarray((levels.clip(0, top) * (255 / top)).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (*WHITE, 255))
        image = Image.alpha_composite(ground, image)
    return image.convert("RGB")


def square(image: Any, size: int, fit: Fit) -> np.ndarray:
    """[3, size, size], uint8: the middle of a picture, all of it on white, or all of it whatever becomes of it."""
    from PIL import Image, ImageOps

    sides = (size, size)
    if fit == "crop":
        image = ImageOps.fit(image, sides, Image.Resampling.BICUBIC)
    elif fit == "pad":
        image = ImageOps.pad(image, sides, Image.Resampling.BICUBIC, color=WHITE)
    else:
        image = image.resize(sides, Image.Resampling.BICUBIC)
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))
