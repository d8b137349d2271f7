"""What can go wrong, as a tree; every message says where it is, what is there, and what to do.

    S2SError               anything the person at the keyboard can put right
    ├── RecipeError        a recipe, or a change to it, says something s2s cannot follow
    ├── DataError          a data file is missing, unreadable, or not what the task expects
    │   ├── OptionError    an option that does not suit the data, by its key in the component
    │   └── RowError       a row of it; its place is added by who knows where the rows come from
    ├── RunError           a run folder cannot be opened, continued or written
    ├── DeviceError        the device or precision asked for is not there
    └── TrainingError      training cannot go on (a loss that is not a number)

The command line prints these without a traceback and leaves with exit code 2. One error may carry
several problems, so that a recipe with four mistakes says four things at once.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self


class Problem(NamedTuple):
    """One mistake: the place, what is wrong there, and what would put it right."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        first = f"{self.where}: {self.what}" if self.where else self.what
        return f"{first}\n  {self.hint}" if self.hint else first


class S2SError(Exception):
    """RunError("runs/x", "has no weights", "train it first: s2s train x")"""

    def __init__(self, where: str, what: str, hint: str = "") -> None:
        self.problems: tuple[Problem, ...] = (Problem(where, what, hint),)
        super().__init__(str(self))

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Self:
        """One error that reports all of these; there must be at least one."""
        problems = tuple(problems)
        error = cls(*problems[0])
        error.problems = problems
        return error

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class RecipeError(S2SError):
    """A recipe, or a change to it on the command line, says something s2s cannot follow."""


class DataError(S2SError):
    """A data file is missing, unreadable, or not what the task expects."""


class OptionError(DataError):
    """An option does not suit the data. Its place is a key relative to the component that raises it, nothing for the
    component itself; whoever mounts that puts its key before: size, tokenizer.size, source.tokenizer.size.
    """

    def under(self, key: str) -> "OptionError":
        return OptionError.of(p._replace(where=f"{key}.{p.where}".rstrip(".")) for p in self.problems)


@contextmanager
def mounted(key: str) -> Iterator[None]:
    """with mounted("tokenizer"): what is raised in here about an option is about one of the tokenizer's."""
    try:
        yield
    except OptionError as error:
        raise error.under(key) from None


class RowError(DataError):
    """A row among those that somebody was given; who knows where they come from says it: error.located("a.tsv:7").

    row  its number, from 0
    """

    def __init__(self, row: int, what: str, hint: str = "") -> None:
        super().__init__(f"row {row + 1:,}", what, hint)
        self.row = row

    def located(self, where: str) -> DataError:
        """The same, with its place."""
        return DataError.of(problem._replace(where=where) for problem in self.problems)


class RunError(S2SError):
    """A run folder cannot be opened, continued or written."""


class DeviceError(S2SError):
    """The device or the precision asked for is not on this machine."""


class TrainingError(S2SError):
    """Training cannot go on; the last good weights are kept."""


def suggest(word: Any, known: Iterable[str]) -> str:
    """`did you mean 'hidden'? the options are: cell, hidden, layers`"""
    import difflib  # 5 ms that only a mistake costs

    names = list(known)
    near = difflib.get_close_matches(str(word), names, n=1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return f"{guess}the options are: {', '.join(names) or 'none'}"
