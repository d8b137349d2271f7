"""Where commands print: answers to standard output, everything else to standard error.

rich is imported when there is something to print with it: the help of `s2s` does without.

Warnings of libraries (torch, numpy, pyarrow) are one line each, without a traceback's worth of paths and code. What a
library tells programmers of its future is left out, and what we know to be harmless is silenced where it is called.
"""

import re
import sys
import warnings
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@cache
def output() -> "Console":
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, emoji=False)  # no emoji: `recipe.yaml:100: model` would be one


@cache
def errors() -> "Console":
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False)


def warn(words: str) -> None:
    """A line on standard error, as plain text."""
    errors().print(f"warning: {words}", markup=False, emoji=False, soft_wrap=True, style="yellow")


def warnings_in_lines() -> None:
    """From here on a warning is one line on standard error. Python's own -W and PYTHONWARNINGS turn this off."""
    if sys.warnoptions:
        return
    for about_the_future in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
        warnings.simplefilter("ignore", about_the_future)
    warnings.showwarning = show_warning


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    """`warning: torch: CUDA initialization: ...`"""
    library = re.search(r"site-packages[/\\](\w+)", filename)
    words = [library[1]] if library else []
    text = ": ".join([*words, " ".join(str(message).split()) or category.__name__])
    warn(text)
