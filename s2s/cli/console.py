"""Where commands print: answers to standard output, everything else to standard error.

rich is imported when there is something to print with it: the help of `s2s` does without.
"""

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
