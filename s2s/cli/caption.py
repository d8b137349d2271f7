"""s2s caption: what is to be seen in pictures, a line each."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s2s.cli.console import errors
from s2s.cli.lines import echo, one_line
from s2s.cli.opening import Bits, Device, RequireFused, RunName, Trust, Weights, open_run
from s2s.cli.records import alignments, hypotheses, weights_of
from s2s.errors import DataError, RunError, command

if TYPE_CHECKING:
    from s2s.data.pictures import Picture
    from s2s.decoding.search import Search
    from s2s.parts import Choice
    from s2s.predicting.writer import Alignment, Prediction, Writer

CHUNK = 64  # pictures that are read and written about together
ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"}  # taken from a folder

Found = tuple["Sequence[Picture]", "list[list[Prediction]]"]


def caption(
    run: RunName,
    images: Annotated[list[str], typer.Argument(metavar="IMAGE_OR_FOLDER", help="Pictures, or folders of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    nbest: Annotated[int | None, typer.Option(min=1, help="How many captions to print for each.")] = None,
    search: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Change the search; repeat it for several.")
    ] = None,
    attention: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write where it looked for each word: a PNG a picture.")
    ] = None,
    device: Device = "auto",
    weights: Weights = "best",
    trust: Trust = False,
    precision: Bits = "auto",
    require_fused: RequireFused = False,
) -> None:
    """Caption pictures. A line each: its name and the caption with a tab between.

    Of a folder, all pictures in it and in the folders inside it, in the order of their names. A picture that
    cannot be read is named and left out, and the exit code is then 1. With --nbest, a line for each caption: name,
    score and caption. With --json, a line is an object: source, the name; hypotheses, best first, each with
    text, score and log_probability (natural logarithms); and alignment, where the model looked: the pieces of
    the caption, the grid of [rows, columns], and weights[t][s], or null for a model without attention.

    s2s caption runs/caption-rsicd photos/ --attention looked/
    s2s caption caption-rsicd one.jpg two.png --nbest 3 --search beam_size=10
    """
    from s2s.cli.translate import change_search, with_nbest
    from s2s.predicting.attention_pictures import check_plots
    from s2s.predicting.writer import Writer

    if attention is not None:
        check_plots()
    folder, writer = open_run(
        run, Writer, device=device, weights=weights, trust=trust, precision=precision, require_fused=require_fused
    )
    if writer.task.source.space.shape != "image":
        hint = f"use the verb for it: {command('s2s', writer.task.verb, run)}"
        raise RunError(str(folder), f"is a run of {writer.recipe.task.kind}, which reads no pictures", hint)
    chosen = change_search(writer.recipe.decoding, search or ())
    chosen = with_nbest(chosen, nbest) if nbest else chosen
    form = nbest_form if nbest else plain_form
    skipped = Skipped()
    draw = attention_drawer(writer, attention) if attention else None
    for pictures in chunked(read_pictures(images, skipped)):
        good, found = written(writer, pictures, chosen, skipped)
        aligned = alignments(writer, good, found) if as_json or draw else [None] * len(good)
        for picture, best, alignment in zip(good, found, aligned, strict=True):
            echo(json_form(picture, best, alignment) if as_json else form(picture, best))
            if draw is not None:
                draw(picture, alignment)
    if skipped.count:
        raise typer.Exit(1)


class Skipped:
    """Names what cannot be read, and counts it."""

    count = 0

    def __call__(self, error: DataError) -> None:
        self.count += len(error.problems)
        for problem in error.problems:
            errors().print(f"skipped: {problem}", markup=False, soft_wrap=True, style="yellow")


def read_pictures(names: Sequence[str], skipped: Skipped) -> "Iterator[Picture]":
    """The pictures that these paths lead to, one after the other."""
    from s2s.data.files import opened
    from s2s.data.pictures import Picture

    for name in names:
        try:
            for path in walk(Path(name).expanduser()):
                try:
                    with opened(path) as file:
                        yield Picture(file.read(), str(path))
                except DataError as error:
                    skipped(error)
        except DataError as error:
            skipped(error)


def chunked(pictures: "Iterable[Picture]", size: int = CHUNK) -> "Iterator[list[Picture]]":
    """So many at a time: a folder of any size takes the memory of a few."""
    rest = iter(pictures)
    while some := list(islice(rest, size)):
        yield some


def walk(path: Path) -> list[Path]:
    """A file itself, or the pictures below a folder. Raises DataError where there is neither."""
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in ENDINGS and each.is_file())
    found = [each for each in found if not any(part.startswith(".") for part in each.relative_to(path).parts)]
    if not found:
        raise DataError(str(path), "has no pictures in it", f"their names must end in {', '.join(sorted(ENDINGS))}")
    return found


def written(writer: "Writer", pictures: "Sequence[Picture]", search: "Choice[Search]", skipped: Skipped) -> Found:
    """The pictures that can be read, and the n-best list of each, all found together."""
    try:
        return pictures, writer.search(pictures, search)
    except DataError:  # about one of them at least: which ones, a look at each tells
        good = [picture for picture in pictures if readable(writer, picture, skipped)]
        if len(good) == len(pictures):
            raise
        return good, writer.search(good, search)


def readable(writer: "Writer", picture: "Picture", skipped: Skipped) -> bool:
    try:
        writer.task.source.encode_all([picture])
    except DataError as error:
        skipped(error)
        return False
    return True


def plain_form(picture: "Picture", found: "list[Prediction]") -> str:
    return f"{cell(picture.name)}\t{one_line(found[0].text)}\n"


def nbest_form(picture: "Picture", found: "list[Prediction]") -> str:
    return "".join(f"{cell(picture.name)}\t{p.score:.4f}\t{one_line(p.text)}\n" for p in found)


def cell(name: str) -> str:
    """A file name may hold any character; between tabs it cannot."""
    return one_line(name).replace("\t", " ")


def json_form(picture: "Picture", found: "list[Prediction]", alignment: "Alignment | None") -> str:
    record: dict[str, Any] = {"source": picture.name, "hypotheses": hypotheses(found), "alignment": None}
    if alignment is not None:
        pieces = {"target": alignment.target, "grid": alignment.grid}
        record["alignment"] = pieces | {"weights": weights_of(alignment)}
    return json.dumps(record, ensure_ascii=False) + "\n"


def attention_drawer(writer: "Writer", folder: Path) -> "Callable[[Picture, Alignment | None], None]":
    """What writes FOLDER/NAME.png for a picture. Raises RunError for a model without attention."""
    from s2s.predicting.attention_pictures import attention_picture, free_name
    from s2s.safefiles import atomic_write

    taken: set[str] = set()

    def draw(picture: "Picture", alignment: "Alignment | None") -> None:
        if alignment is None:
            raise RunError(writer.recipe.name, "has no attention to draw", "leave --attention out")
        path = Path(picture.name)
        name = free_name(path.stem, taken)
        taken.add(name)
        seen = writer.seen(picture)
        atomic_write(folder / f"{name}.png", attention_picture(seen, alignment, path.name))

    return draw
