"""Pictures of numbers, where matplotlib is installed: an empty figure, and its PNG on disk.

figure = new_figure(8, 3.4)          # None where matplotlib is missing: say MISSING instead
save_figure(figure, path)
"""

import io
from pathlib import Path
from typing import Any

from s2s.files import atomic_write

MISSING = "matplotlib is not installed (pip install 's2s[plots]')"


def new_figure(width: float, height: float) -> Any | None:
    """A matplotlib figure of so many inches; None where the library is missing."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure  # not pyplot: it keeps a state and picks a window system
    except ImportError:
        return None
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure as PNG."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    atomic_write(path, picture.getvalue())
