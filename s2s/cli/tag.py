"""s2s tag: a tag for each word of some texts, a filter in a pipe, or a REPL at a terminal."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from s2s.cli.lines import at_terminal, one_line, rounded
from s2s.cli.opening import RunName, open_run
from s2s.cli.run_options import HowOpened, grouped
from s2s.cli.sources import answer_all, is_typed

if TYPE_CHECKING:
    from s2s.predictors.classifier import TagPrediction


@grouped
def tag(
    run: RunName,
    text: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Texts to tag; or .npy arrays.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    how: HowOpened = HowOpened(),
) -> None:
    """Tag the words of texts. Without any, the lines of standard input, or what is typed at a terminal.

    A line in is a line out, in order, and a blank line stays blank: word/TAG pairs with blanks between.
    With --json, a line is an object: text, words, tags, and the probability of each tag. A run that reads arrays
    takes .npy files: the name of the file and a tab come first, and words are the numbers of the positions.

    s2s tag runs/demo-tags "we may pay five dollars after five"
    """
    from s2s.predictors.classifier import ClassifierPredictor

    folder, labeler = open_run(run, ClassifierPredictor, "tag", **how.chosen())
    labeler.need("tags")
    texts = is_typed(labeler.task)
    if texts and not text and not as_json and at_terminal():
        from s2s.cli.repl.labels import TagLoop
        from s2s.cli.repl.terminal import converse, terminal

        converse(TagLoop(labeler, input, terminal()), str(folder))
        return
    key = "text" if texts else "source"

    def form(source: str, found: "TagPrediction") -> str:
        return tag_json_form(source, found, key) if as_json else tag_plain_form(source, found)

    answer_all(labeler, text, labeler.tag, form, as_json=as_json)


def tag_plain_form(text: str, found: "TagPrediction") -> str:
    """`pay/O five/B-PRICE dollars/I-PRICE`"""
    pairs = (f"{word}/{name}" for word, name in zip(found.words, found.tags, strict=True))
    return one_line(" ".join(pairs)) + "\n"


def tag_json_form(text: str, found: "TagPrediction", key: str = "text") -> str:
    probabilities = [rounded(p) for p in found.probabilities]
    record = {key: text, "words": found.words, "tags": found.tags, "probabilities": probabilities}
    return json.dumps(record, ensure_ascii=False) + "\n"
