"""The field of numbers: a vector an example, or one for every position of a grid or a moment in time."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from s2s.data.fields.base import Field
from s2s.data.source_files import digest
from s2s.errors import OptionError, RowError, RunError
from s2s.files import atomic_write
from s2s.tensors import FieldSpec, Padded


class Features(Field, kind="numbers"):
    """float32 vectors [F], or [S, F] with S of any length; all of one width, which training data tells."""

    takes, shapes = ("numbers",), ("vectors", "vector")
    width: int
    over_time: bool

    @property
    def unit(self) -> int:  # type: ignore[override]
        return self.width

    def fit(self, values: Iterable[np.ndarray]) -> None:
        """Look at the first value. Raises OptionError where it is no vector, and no matrix."""
        first = next(iter(values))
        if first.ndim not in (1, 2):
            raise OptionError("", f"has arrays of shape {first.shape}", "one example must be [F] or [S, F]")
        self.width, self.over_time = int(first.shape[-1]), first.ndim == 2

    @property
    def space(self) -> FieldSpec:
        return FieldSpec("vectors" if self.over_time else "vector", self.width)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.float32)

    def encode_all(self, values: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Flat arrays [F] or [S * F]. Raises RowError where a shape is another one, or a number is none."""
        for number, value in enumerate(values):
            if value.ndim != 1 + self.over_time or value.shape[-1] != self.width:
                wanted = f"[S, {self.width}]" if self.over_time else f"[{self.width}]"
                what = f"has the shape {list(value.shape)}, and training has {wanted}"
                raise RowError(number, what, "make all of one width")
            if not len(value):
                raise RowError(number, "has no positions", "leave the row out")
            if not np.isfinite(value).all():
                raise RowError(number, "has an infinite number, or none (NaN)", "repair the data")
        return [np.ascontiguousarray(value, np.float32).ravel() for value in values]

    def collate(self, rows: Sequence[np.ndarray]) -> Padded | Tensor:
        """[B, F], or Padded [B, S, F]."""
        if not self.over_time:
            return torch.from_numpy(np.stack(rows))
        lengths = torch.tensor([len(row) // self.width for row in rows])
        data = torch.zeros(len(rows), int(lengths.max()), self.width)
        for i, row in enumerate(rows):
            data[i, : lengths[i]] = torch.from_numpy(np.array(row)).view(-1, self.width)
        return Padded(data, lengths)

    def pieces(self, ids: Any) -> list[str]:
        return [str(i + 1) for i in range(len(ids) // self.width)]

    def save(self, folder: Path, name: str) -> None:
        about = {"width": self.width, "over_time": self.over_time}
        atomic_write(folder / f"{name}.json", json.dumps(about).encode())

    def load(self, folder: Path, name: str) -> None:
        path = folder / f"{name}.json"
        try:
            about = json.loads(path.read_text())
            self.width, self.over_time = int(about["width"]), bool(about["over_time"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(str(path), f"cannot be read: {error}", "copy the whole run folder again") from None

    @property
    def fingerprint(self) -> str:
        return digest("numbers", self.width, self.over_time)
