"""What a verb is given, as the run reads it: texts, or files of pictures, arrays, or whatever a value type can read.

answer_all(predictor, names, ask, form)      # lines in, lines out; or a line for each file
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import typer

from s2s.cli.console import errors
from s2s.cli.lines import answer_lines, echo, one_line
from s2s.errors import DataError, RunError

if TYPE_CHECKING:
    from s2s.data.fields.base import Field
    from s2s.data.readers.base import Source
    from s2s.data.values import ValueType
    from s2s.predictors.base import Predictor
    from s2s.tasks.task import Task

CHUNK = 64  # files that are read and answered together

Found = TypeVar("Found")


class NamedSource(NamedTuple):
    """A source, and the file that it was read from."""

    name: str
    value: "Source"


def source_type(task: "Task") -> str:
    """Which value type a source of this task is of, by its kind; else the shape that its field makes of it."""
    from s2s.data.values import ValueType

    found = type_read(task)
    kinds = (kind for kind, maker in ValueType.registry.items() if maker is type(found))
    return next(kinds, task.source.space.modality)


def type_read(task: "Task") -> "ValueType | None":
    """The value type of its sources; None where no type is like that."""
    from s2s.data.values import type_for

    return type_for(task.source.takes, task.source.space)


def is_typed(task: "Task") -> bool:
    """Are its sources what people type, one a line?"""
    found = type_read(task)
    return found is not None and found.typed


def called(kind: str) -> str:
    """`pictures`: sources of a type, in a sentence."""
    from s2s.data.values import ValueType, value_type

    return value_type(kind).plural if kind in ValueType.registry else kind


def answer_all(
    predictor: "Predictor",
    names: Sequence[str] | None,
    ask: "Callable[[Sequence[Any]], Sequence[Found]]",
    form: Callable[[str, Found], str],
    *,
    as_json: bool = False,
) -> None:
    """Print the answers to what a verb was given: texts, or lines of standard input; or files of pictures or arrays.

    ask   gives what is found for each of some sources
    form  prints it; the text is the source itself, or the name of the file, which is put before a line that is no JSON
    """
    if is_typed(predictor.task):
        answer_lines(names, lambda lines, _: "".join(map(form, lines, ask(lines))))
        return
    skipped = Skipped()
    for some in chunked(
        read_sources(given(names, predictor), predictor.task.source, type_read(predictor.task), skipped)
    ):
        good, found = answered(some, predictor.task.source, ask, skipped)
        for named, one in zip(good, found, strict=True):
            echo(form(named.name, one) if as_json else f"{cell(named.name)}\t{form(named.name, one)}")
    skipped.leave()


def given(names: Sequence[str] | None, predictor: "Predictor") -> Sequence[str]:
    """The files that were named. Raises RunError where there are none, and where no verb reads such files."""
    kind, found = source_type(predictor.task), type_read(predictor.task)
    if found is None or not found.readable:
        hint = "ask it from Python: s2s.load(...).predict([...])"
        raise RunError(predictor.recipe.name, f"reads {called(kind)}, and no verb has files of that", hint)
    if not names:
        hint = f"name them, or folders of them, such as: {found.example}"
        raise RunError(predictor.recipe.name, f"reads {called(kind)}, and none are named", hint)
    return names


class Skipped:
    """Names what cannot be read, and counts it."""

    count = 0

    def __call__(self, error: DataError) -> None:
        self.count += len(error.problems)
        for problem in error.problems:
            errors().print(f"skipped: {problem}", markup=False, soft_wrap=True, style="yellow")

    def leave(self) -> None:
        """With exit code 1 where something was left out."""
        if self.count:
            raise typer.Exit(1)


def read_sources(
    names: Sequence[str], field: "Field", kind: "ValueType | None", skipped: Skipped
) -> Iterator[NamedSource]:
    """The pictures, arrays and so on that these paths lead to, one after the other."""
    assert kind is not None
    for name in names:
        try:
            for path in walk(Path(name).expanduser(), kind):
                try:
                    yield from (NamedSource(*found) for found in kind.read_all(path, field.space))
                except DataError as error:
                    skipped(error)
        except DataError as error:
            skipped(error)


def chunked(sources: Iterable[NamedSource], size: int = CHUNK) -> Iterator[list[NamedSource]]:
    """So many at a time: a folder of any size takes the memory of a few."""
    rest = iter(sources)
    while some := list(islice(rest, size)):
        yield some


def walk(path: Path, kind: "ValueType") -> list[Path]:
    """A file itself, or those of a type below a folder. Raises DataError where there is neither."""
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in kind.endings and each.is_file())
    found = [each for each in found if not any(part.startswith(".") for part in each.relative_to(path).parts)]
    if not found:
        hint = f"their names must end in {', '.join(sorted(kind.endings))}"
        raise DataError(str(path), f"has no {kind.plural} in it", hint)
    return found


def answered(
    sources: Sequence[NamedSource], field: "Field", ask: "Callable[[Sequence[Any]], Sequence[Found]]", skipped: Skipped
) -> tuple[Sequence[NamedSource], Sequence[Found]]:
    """The sources that can be read, and what is found for each, all found together."""
    try:
        return sources, ask([named.value for named in sources])
    except DataError:  # about one of them at least: which ones, a look at each tells
        good = [named for named in sources if readable(named, field, skipped)]
        if len(good) == len(sources):
            raise
        return good, ask([named.value for named in good]) if good else []


def readable(named: NamedSource, field: "Field", skipped: Skipped) -> bool:
    try:
        field.encode_all([named.value])
    except DataError as error:
        skipped(DataError.of(problem._replace(where=named.name) for problem in error.problems))
        return False
    return True


def cell(name: str) -> str:
    """A file name may hold any character; between tabs it cannot."""
    return one_line(name).replace("\t", " ")
