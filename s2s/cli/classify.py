"""s2s classify: the label of some texts, a filter in a pipe, or a REPL at a terminal."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s2s.cli.lines import answer_lines, at_terminal, one_line, rounded
from s2s.cli.opening import RunName, open_run
from s2s.cli.run_options import HowOpened, grouped

if TYPE_CHECKING:
    from s2s.predicting.labeler import Classification


@grouped
def classify(
    run: RunName,
    text: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Texts to classify.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    how: HowOpened = HowOpened(),
) -> None:
    """Classify texts. Without any, the lines of standard input, or what is typed at a terminal.

    A line in is a line out, in order, and a blank line stays blank: the label, then each class and its
    probability, likeliest first, with tabs between. With --json, a line is an object: text, label (null
    for a blank text), probabilities of all classes, and attention, how much each piece of the text
    counted, or null for a model that does not say.

    s2s classify runs/demo-sentiment "The soup was not bad at all."
    s2s classify demo-sentiment < reviews.txt | cut -f1 | sort | uniq -c
    """
    from s2s.predicting.labeler import Labeler

    folder, labeler = open_run(run, Labeler, **how.chosen())
    labeler.need("label", "labels")
    if not text and not as_json and at_terminal():
        from s2s.cli.repl.labels import ClassifyLoop
        from s2s.cli.repl.terminal import converse, terminal

        converse(ClassifyLoop(labeler, input, terminal()), str(folder))
        return
    form = json_form if as_json else plain_form
    answer_lines(text, lambda lines, _: "".join(map(form, lines, labeler.classify(lines))))


def plain_form(text: str, found: "Classification") -> str:
    """`negative<tab>negative<tab>0.9812<tab>positive<tab>0.0188`"""
    if not text.strip():
        return "\n"
    cells = [found.label, *(cell for name, p in found.probabilities.items() for cell in (name, f"{p:.4f}"))]
    return "\t".join(one_line(cell.replace("\t", " ")) for cell in cells) + "\n"


def json_form(text: str, found: "Classification") -> str:
    record: dict[str, Any] = {
        "text": text,
        "label": found.label if text.strip() else None,
        "probabilities": {name: rounded(p) for name, p in found.probabilities.items()},
        "attention": None,
    }
    if found.weights is not None:
        record["attention"] = {"pieces": found.pieces, "weights": [rounded(w) for w in found.weights]}
    return json.dumps(record, ensure_ascii=False) + "\n"
