"""What a verb is given, as the run reads it: texts, pictures or arrays. The one place that looks at which it is.

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
    from s2s.predictors.base import Predictor
    from s2s.tasks.task import Task

TYPES = {"ids": "text", "image": "picture", "vector": "numbers", "vectors": "numbers", "nothing": "nothing"}
CHUNK = 64  # files that are read and answered together
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"}
ENDINGS = {"picture": PICTURES, "numbers": {".npy"}}  # what is taken from a folder
CALLED = {"text": "texts", "picture": "pictures", "numbers": "arrays", "nothing": "nothing"}

Found = TypeVar("Found")


class NamedSource(NamedTuple):
    """A source, and the file that it was read from."""

    name: str
    value: "Source"


def source_type(task: "Task") -> str:
    """What a source of this task is: text, picture, numbers or nothing; else the shape itself."""
    shape = task.source.space.modality
    return TYPES.get(shape, shape)


def called(kind: str) -> str:
    """`pictures`: sources of a type, in a sentence."""
    return CALLED.get(kind, kind)


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
    kind = source_type(predictor.task)
    if kind in ("text", "nothing"):
        answer_lines(names, lambda lines, _: "".join(map(form, lines, ask(lines))))
        return
    skipped = Skipped()
    for some in chunked(read_sources(given(names, predictor, kind), predictor.task.source, kind, skipped)):
        good, found = answered(some, predictor.task.source, ask, skipped)
        for named, one in zip(good, found, strict=True):
            echo(form(named.name, one) if as_json else f"{cell(named.name)}\t{form(named.name, one)}")
    skipped.leave()


def given(names: Sequence[str] | None, predictor: "Predictor", kind: str) -> Sequence[str]:
    """The files that were named. Raises RunError where there are none, and where no verb reads such files."""
    if kind not in ENDINGS:
        hint = "ask it from Python: s2s.load(...).predict([...])"
        raise RunError(predictor.recipe.name, f"reads {kind}, and no verb has files of that", hint)
    if not names:
        example = "a.png" if kind == "picture" else "a.npy"
        hint = f"name them, or folders of them, such as: {example}"
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


def read_sources(names: Sequence[str], field: "Field", kind: str, skipped: Skipped) -> Iterator[NamedSource]:
    """The pictures or arrays that these paths lead to, one after the other."""
    for name in names:
        try:
            for path in walk(Path(name).expanduser(), kind):
                try:
                    yield from read_source_file(path, field, kind)
                except DataError as error:
                    skipped(error)
        except DataError as error:
            skipped(error)


def read_source_file(path: Path, field: "Field", kind: str) -> Iterator[NamedSource]:
    """What a file holds: a picture; an array, or the rows of one with an axis more. Raises DataError."""
    if kind == "picture":
        from s2s.data.pictures import Picture
        from s2s.data.source_files import opened

        with opened(path) as file:
            yield NamedSource(str(path), Picture(file.read(), str(path)))
        return
    import numpy as np

    from s2s.data.readers.folders import load_array

    array = load_array(path)
    if array.ndim == (3 if field.space.modality == "vectors" else 2):
        yield from (NamedSource(f"{path}:{i}", np.array(row, np.float32)) for i, row in enumerate(array, 1))
    else:
        yield NamedSource(str(path), np.array(array, np.float32))


def chunked(sources: Iterable[NamedSource], size: int = CHUNK) -> Iterator[list[NamedSource]]:
    """So many at a time: a folder of any size takes the memory of a few."""
    rest = iter(sources)
    while some := list(islice(rest, size)):
        yield some


def walk(path: Path, kind: str = "picture") -> list[Path]:
    """A file itself, or the pictures (or arrays) below a folder. Raises DataError where there is neither."""
    if not path.is_dir():
        return [path]
    endings = ENDINGS[kind]
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in endings and each.is_file())
    found = [each for each in found if not any(part.startswith(".") for part in each.relative_to(path).parts)]
    if not found:
        hint = f"their names must end in {', '.join(sorted(endings))}"
        raise DataError(str(path), f"has no {called(kind)} in it", hint)
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
