"""Arrays as files: .npy, which numpy writes and reads without copying."""

from pathlib import Path

import numpy as np

from s2s.errors import DataError


def load_array(path: Path) -> np.ndarray:
    """The numbers of a .npy file, memory-mapped. Raises DataError."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # the header is Python, and reading it raises what Python's own reader does
        said = str(error).strip().split("\n")[0]
        what = f"is not a .npy file of numbers: {said or type(error).__name__}"
        raise DataError(str(path), what, "write it with numpy.save") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        kind = getattr(array, "dtype", "several arrays")
        raise DataError(str(path), f"holds {kind}, and numbers are needed", "write one array of floats with numpy.save")
    return array
