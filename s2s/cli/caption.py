"""s2s caption: what is to be seen in pictures, or in the arrays that were made of them, a line each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s2s.cli.lines import echo, one_line
from s2s.cli.opening import RunName, open_run
from s2s.cli.records import alignments, hypotheses, weights_of
from s2s.cli.run_options import HowWritten, grouped
from s2s.cli.sources import Skipped, answered, called, cell, chunked, read_sources, source_type, type_read
from s2s.errors import RunError

if TYPE_CHECKING:
    from s2s.data.readers.base import Source
    from s2s.predictors.seq2seq import Alignment, Prediction, Seq2SeqPredictor


@grouped
def caption(
    run: RunName,
    images: Annotated[
        list[str], typer.Argument(metavar="FILE_OR_FOLDER", help="Pictures or .npy arrays, or folders of them.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    nbest: Annotated[int | None, typer.Option(min=1, help="How many captions to print for each.")] = None,
    search: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Change the search; repeat it for several.")
    ] = None,
    attention: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write where it looked for each word: a PNG a picture.")
    ] = None,
    how: HowWritten = HowWritten(),
) -> None:
    """Caption pictures, or .npy arrays, as the run reads them. A line each: its name and the caption, a tab between.

    Of a folder, all that is there and in the folders inside it, in the order of their names; of an array of many
    rows each is one, FILE:1 the first. What cannot be read is named and left out, and the exit code is then 1.
    With --nbest, a line for each caption: name, score and caption. With --json, a line is an object: source, the
    name; hypotheses, best first, each with text, score and log_probability (natural logarithms); and alignment, where
    the model looked: the tokens of the caption, the grid of [rows, columns], and weights[t][s], or null for a model
    without attention.

    s2s caption runs/caption-rsicd photos/ --attention looked/
    s2s caption caption-rsicd one.jpg two.png --nbest 3 --search beam_size=10
    """
    from s2s.decoding.options import change_search, with_nbest
    from s2s.predictors.attention_plots import check_plots
    from s2s.predictors.seq2seq import Seq2SeqPredictor

    if attention is not None:
        check_plots()
    folder, writer = open_run(run, Seq2SeqPredictor, "caption", **how.chosen())
    chosen = change_search(writer.recipe.decoding, search or ())
    chosen = with_nbest(chosen, nbest) if nbest else chosen
    form = caption_nbest_form if nbest else caption_plain_form
    skipped, field, kind = Skipped(), writer.task.source, source_type(writer.task)
    if attention is not None and kind != "picture":
        raise RunError(
            str(folder), f"reads {called(kind)}, and attention is drawn on pictures", "leave --attention out"
        )
    draw = attention_drawer(writer, attention) if attention else None
    for some in chunked(read_sources(images, field, type_read(writer.task), skipped)):
        good, found = answered(some, field, lambda values: writer.search(values, chosen), skipped)
        values = [named.value for named in good]
        aligned = alignments(writer, values, found) if as_json or draw else [None] * len(good)
        for (name, value), best, alignment in zip(good, found, aligned, strict=True):
            echo(caption_json_form(name, best, alignment) if as_json else form(name, best))
            if draw is not None:
                draw(name, value, alignment)
    skipped.leave()


def caption_plain_form(name: str, found: "list[Prediction]") -> str:
    return f"{cell(name)}\t{one_line(found[0].text)}\n"


def caption_nbest_form(name: str, found: "list[Prediction]") -> str:
    return "".join(f"{cell(name)}\t{p.score:.4f}\t{one_line(p.text)}\n" for p in found)


def caption_json_form(name: str, found: "list[Prediction]", alignment: "Alignment | None") -> str:
    record: dict[str, Any] = {"source": name, "hypotheses": hypotheses(found), "alignment": None}
    if alignment is not None:
        pieces = {"target": alignment.target, "grid": alignment.grid}
        record["alignment"] = pieces | {"weights": weights_of(alignment)}
    return json.dumps(record, ensure_ascii=False) + "\n"


def attention_drawer(writer: "Seq2SeqPredictor", folder: Path) -> "Callable[[str, Source, Alignment | None], None]":
    """What writes FOLDER/NAME.png for a picture. Raises RunError for a model without attention."""
    from s2s.files import atomic_write
    from s2s.predictors.attention_plots import attention_picture, free_name

    taken: set[str] = set()

    def draw(source: str, picture: "Source", alignment: "Alignment | None") -> None:
        if alignment is None:
            raise RunError(writer.recipe.name, "has no attention to draw", "leave --attention out")
        path = Path(source)
        name = free_name(path.stem, taken)
        taken.add(name)
        seen = writer.seen(picture)
        atomic_write(folder / f"{name}.png", attention_picture(seen, alignment, path.name))

    return draw
