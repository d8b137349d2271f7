"""s2s tag: a tag for each word of some texts, a filter in a pipe, or a REPL at a terminal."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from s2s.cli.lines import answer_lines, at_terminal, one_line, rounded
from s2s.cli.opening import RunName, open_run
from s2s.cli.run_options import HowOpened, grouped

if TYPE_CHECKING:
    from s2s.predicting.labeler import Tagging


@grouped
def tag(
    run: RunName,
    text: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Texts to tag.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    how: HowOpened = HowOpened(),
) -> None:
    """Tag the words of texts. Without any, the lines of standard input, or what is typed at a terminal.

    A line in is a line out, in order, and a blank line stays blank: word/TAG pairs with blanks between.
    With --json, a line is an object: text, words, tags, and the probability of each tag.

    s2s tag runs/demo-tags "we may pay five dollars after five"
    """
    from s2s.predicting.labeler import Labeler

    folder, labeler = open_run(run, Labeler, **how.chosen())
    labeler.need("tags")
    if not text and not as_json and at_terminal():
        from s2s.cli.repl.labels import TagLoop
        from s2s.cli.repl.terminal import converse, terminal

        converse(TagLoop(labeler, input, terminal()), str(folder))
        return
    form = json_form if as_json else plain_form
    answer_lines(text, lambda lines, _: "".join(map(form, lines, labeler.tag(lines))))


def plain_form(text: str, found: "Tagging") -> str:
    """`pay/O five/B-PRICE dollars/I-PRICE`"""
    pairs = (f"{word}/{name}" for word, name in zip(found.words, found.tags, strict=True))
    return one_line(" ".join(pairs)) + "\n"


def json_form(text: str, found: "Tagging") -> str:
    probabilities = [rounded(p) for p in found.probabilities]
    record = {"text": text, "words": found.words, "tags": found.tags, "probabilities": probabilities}
    return json.dumps(record, ensure_ascii=False) + "\n"
