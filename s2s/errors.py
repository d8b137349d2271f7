"""What can go wrong, as a tree; every message says where it is, what is there, and what to do.

    S2SError               anything the person at the keyboard can put right
    ├── RecipeError        a recipe, or a change to it, says something s2s cannot follow
    ├── DataError          a data file is missing, unreadable, or not what the task expects
    │   ├── OptionError    an option that does not suit the data, by its key in the component
    │   └── RowError       a row of it; its place is added by who knows where the rows come from
    ├── RunError           a run folder cannot be opened, continued or written
    ├── DeviceError        the device or precision asked for is not there
    ├── TrainingError      training cannot go on (a loss that is not a number)
    └── OutOfMemory        what was to be computed does not fit into memory

The command line prints these without a traceback and leaves with exit code 2. One error may carry
several problems, so that a recipe with four mistakes says four things at once.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self, TypeVar

Several = TypeVar("Several")


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

    placed = False  # True once its keys are those of a recipe, and not of a part

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

    def at(self, where: str) -> Self:
        """The same problems, their keys made whole by the place of the part that raised them; once is enough."""
        if not where or self.placed:
            return self

        def whole(key: str) -> str:
            if key == where or key.startswith(f"{where}."):
                return key
            return f"{where}.{key}" if key else where

        error = type(self).of(p._replace(where=whole(p.where)) for p in self.problems)
        error.placed = True
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


def command(*words: object) -> str:
    """A line that can be pasted into a shell: `command("s2s", "evaluate", "my run")` is `s2s evaluate 'my run'`."""
    import shlex

    return shlex.join(map(str, words))


class OutOfMemory(S2SError):
    """What was to be computed does not fit into memory, of this machine or of its GPU."""


# What torch, its backends and the C++ beneath them say; Python and numpy raise MemoryError.
SHORT = re.compile(
    r"can't allocate memory|not enough memory|out of memory|bad_alloc|size calculation overflowed|invalid buffer size"
    r"|integer multiplication overflow|overflow when unpacking|numel: integer|alloc_failed",
    re.IGNORECASE,
)
ASKED = re.compile(r"allocate ([\d.,]+) ?(bytes|[KMGT]i?B)", re.IGNORECASE)


def shortage(error: BaseException) -> str:
    """What an error says of memory, in one line; "" where it is about something else."""
    said = str(error)
    if not isinstance(error, MemoryError) and not (isinstance(error, RuntimeError | TypeError) and SHORT.search(said)):
        return ""
    asked = ASKED.search(said)
    if asked is None:
        return "out of memory"
    amount, unit = asked.groups()
    if unit.lower() == "bytes":
        amount, unit = f"{float(amount.replace(',', '')) / 2**30:,.1f}", "GiB"
    gpu = re.search(r"GPU (\d+)", said)
    return f"out of memory: {amount} {unit} more were asked for{f' on GPU {gpu[1]}' if gpu else ''}"


@contextmanager
def memory_for(where: str, hint: Callable[[], str]) -> Iterator[None]:
    """Inside, memory that runs out is one line: OutOfMemory, with the place and what to make smaller."""
    try:
        yield
    except (MemoryError, RuntimeError, TypeError) as error:  # a size that no integer holds is a TypeError of torch
        if not (what := shortage(error)):
            raise
        raise OutOfMemory(where, what, hint()) from error


def suggest(word: Any, known: Iterable[str]) -> str:
    """`did you mean 'hidden'? the options are: cell, hidden, layers`"""
    import difflib  # 5 ms that only a mistake costs

    names = list(known)
    near = difflib.get_close_matches(str(word), names, n=1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return f"{guess}the options are: {', '.join(names) or 'none'}"


def several(values: Several, name: str) -> Several:
    """What was given, unless it is one text where a list is meant: then each character would be one of the list.

    Raises TypeError: the mistake is in a program, and not at the keyboard.
    """
    if isinstance(values, str | bytes):
        raise TypeError(f"{name} must be a list of texts, and one text was given: write [{str(values)[:20]!r}]")
    return values
