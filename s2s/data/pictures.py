"""Pictures as files: the bytes, and the name by which a message can call them."""

from typing import NamedTuple


class Picture(NamedTuple):
    """An image file that was read: PNG, JPEG or what else Pillow opens."""

    data: bytes
    name: str
