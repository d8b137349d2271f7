"""s2s translate: some texts, a filter in a pipe, or a REPL at a terminal."""

import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from s2s.cli.console import errors
from s2s.cli.opening import Device, RunName, Trust, Weights, open_run

if TYPE_CHECKING:
    from s2s.config import Choice
    from s2s.decoding.search import Search
    from s2s.predicting.writer import Prediction, Writer

CHUNK = 512  # lines that are translated together, at most: what a pipe waits for

Form = Callable[[int, str, "list[Prediction]"], str]  # (number of the line, source, n-best list) -> lines to print


def translate(
    run: RunName,
    text: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts to translate.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    nbest: Annotated[int | None, typer.Option(min=1, help="How many hypotheses to print for each.")] = None,
    search: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Change the search; repeat it for several.")
    ] = None,
    device: Device = "auto",
    weights: Weights = "best",
    trust: Trust = False,
) -> None:
    """Translate texts; without any, the lines of standard input, or what is typed at a terminal.

    A line in is a line out, in order, and a blank line stays blank. With --nbest, a line for each
    hypothesis: number of the source line, score and text, with tabs between. With --json, a line is an
    object: source; hypotheses, best first, each with text, score and log_probability (natural
    logarithms); and alignment, where the best hypothesis came from: the pieces of source and target,
    and weights[t][s], or null for a model without attention.

    s2s translate runs/multi30k "Ein Hund läuft."
    s2s translate multi30k --search beam_size=10 --search length_penalty=0.8 < in.txt > out.txt
    s2s translate multi30k --search kind=greedy
    """
    from s2s.predicting.writer import Writer

    folder, predictor = open_run(run, Writer, device=device, weights=weights, trust=trust)
    chosen = change_search(predictor.recipe.decoding, search or ())
    chosen = with_nbest(chosen, nbest) if nbest else chosen
    if not text and not as_json and sys.stdin.isatty() and sys.stdout.isatty():
        from s2s.cli.repl_terminal import open_repl

        open_repl(predictor, chosen, str(folder))
        return
    form = json_form(predictor) if as_json else nbest_form if nbest else plain_form
    if text:
        translate_lines(predictor, chosen, [tidy(t) for t in text], form)
        return
    number = 1
    for lines in decoded(chunks(sys.stdin.buffer)):
        translate_lines(predictor, chosen, lines, form, number)
        number += len(lines)


def translate_lines(
    predictor: "Writer", search: "Choice[Search]", lines: Sequence[str], form: Form, number: int = 1
) -> None:
    """Translate lines together and print them at once. `number` is that of the first."""
    found = predictor.search(lines, search)
    answer = "".join(form(i, line, best) for i, (line, best) in enumerate(zip(lines, found, strict=True), number))
    typer.echo(answer.encode("utf-8"), nl=False)  # bytes: a filter writes UTF-8 as it reads it, in any locale


def plain_form(number: int, source: str, found: "list[Prediction]") -> str:
    return f"{one_line(found[0].text)}\n" if found else "\n"


def nbest_form(number: int, source: str, found: "list[Prediction]") -> str:
    """A blank source has one hypothesis, a blank one, so that no number is left out."""
    lines = [f"{number}\t{p.score:.4f}\t{one_line(p.text)}\n" for p in found]
    return "".join(lines) or f"{number}\t0.0000\t\n"


def json_form(predictor: "Writer") -> Form:
    def form(number: int, source: str, found: "list[Prediction]") -> str:
        hypotheses = [
            {"text": p.text, "score": rounded(p.score), "log_probability": rounded(p.log_probability)} for p in found
        ]
        alignment = predictor.align(source, found[0].ids) if found else None
        record: dict[str, Any] = {"source": source, "hypotheses": hypotheses, "alignment": None}
        if alignment is not None:
            weights = [[rounded(w, 3) for w in row] for row in alignment.weights]
            record["alignment"] = {"source": alignment.source, "target": alignment.target, "weights": weights}
        return json.dumps(record, ensure_ascii=False) + "\n"

    return form


def rounded(number: float, digits: int = 5) -> float | None:
    """JSON has no word for infinity."""
    return round(number, digits) if math.isfinite(number) else None


def one_line(text: str) -> str:
    """What a byte or character model may write would break a line in, line out."""
    return text.replace("\n", " ").replace("\r", " ")


def tidy(text: str) -> str:
    """Bytes that were no UTF-8 arrive from a shell as halves of characters: show them as U+FFFD."""
    return os.fsencode(text).decode("utf-8", "replace") if not text.isascii() else text


def chunks(stream: BinaryIO, most: int = CHUNK) -> Iterator[list[bytes]]:
    """Lines as they come, without their ends: never more than `most`, and no waiting for more than are there.

    So a slow pipe is answered line by line, and a fast one in full batches.
    """
    begun: list[bytes] = []  # of a line whose end has not come
    while data := stream.read1(1 << 16):  # type: ignore[attr-defined]  # BufferedReader and BytesIO have it
        first, *rest = data.split(b"\n")
        begun.append(first)
        if not rest:
            continue
        lines = [b"".join(begun), *rest[:-1]]
        begun = [rest[-1]]
        for start in range(0, len(lines), most):
            yield lines[start : start + most]
    if last := b"".join(begun):
        yield [last]


def decoded(blocks: Iterable[Sequence[bytes]]) -> Iterator[list[str]]:
    """Text of lines; bytes that are no UTF-8 become U+FFFD, with a warning the first time and a count at the end."""
    number, bad = 0, 0
    for block in blocks:
        lines = []
        for line in block:
            number += 1
            codec = "utf-8-sig" if number == 1 else "utf-8"  # what Windows programs put before the first line
            try:
                text = line.decode(codec)
            except UnicodeDecodeError as error:
                text = line.decode(codec, "replace")
                if not bad:
                    warn(f"line {number}, byte {error.start + 1} is not UTF-8; such bytes are read as \ufffd")
                bad += 1
            lines.append(text.removesuffix("\r"))
        yield lines
    if bad > 1:
        warn(f"{bad} lines of {number} were not UTF-8")


def warn(what: str) -> None:
    errors.print(f"warning: standard input: {what}", markup=False, emoji=False, soft_wrap=True, style="yellow")


def change_search(search: "Choice[Search]", changes: Sequence[str]) -> "Choice[Search]":
    """The search with KEY=VALUE changes, checked as a recipe's `decoding` is.

    After a new kind, what both kinds know is kept. Raises RecipeError.
    """
    from s2s.config import choose, options_of, tree
    from s2s.decoding.search import Search
    from s2s.recipe import set_key

    root: dict[str, Any] = {"decoding": tree(search, full=False)}
    for change in changes:
        set_key(root, f"decoding.{change}")
        node = root["decoding"]
        if change.startswith("kind=") and node["kind"] in Search.kinds:
            known = options_of(Search.kinds[node["kind"]])
            root["decoding"] = {key: value for key, value in node.items() if key in known or key == "kind"}
    return choose(Search, root["decoding"], "decoding")


def with_nbest(search: "Choice[Search]", number: int) -> "Choice[Search]":
    """The search with so many answers: a beam as wide, or as many samples; greedy search becomes beam search."""
    from s2s.config import options_of

    options = options_of(search.maker)
    if "count" in options:
        return change_search(search, [f"count={number}"])
    if "nbest" not in options:
        return search if number == 1 else with_nbest(change_search(search, ["kind=beam"]), number)
    changes = [f"nbest={number}"]
    if "beam_size" in options and search.options.get("beam_size", options["beam_size"].default) < number:
        changes.append(f"beam_size={number}")
    return change_search(search, changes)
