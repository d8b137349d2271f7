"""s2s classify: the label of some texts, a filter in a pipe, or a REPL at a terminal; or of pictures and arrays."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s2s.cli.lines import at_terminal, one_line, rounded
from s2s.cli.opening import RunName, open_run
from s2s.cli.run_options import HowOpened, grouped
from s2s.cli.sources import answer_all, is_typed

if TYPE_CHECKING:
    from s2s.predictors.classifier import LabelPrediction


@grouped
def classify(
    run: RunName,
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="Texts; or pictures, arrays, folders of them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    how: HowOpened = HowOpened(),
) -> None:
    """Classify texts. Without any, the lines of standard input, or what is typed at a terminal.

    A line in is a line out, in order, and a blank line stays blank: the label, then each class and its
    probability, likeliest first, with tabs between. With --json, a line is an object: text, label (null
    for a blank text), probabilities of all classes, and attention, how much each token of the text
    counted, or null for a model that does not say. A run that reads pictures or arrays (.npy) takes files
    and folders of them: the name of the file and a tab come first, or as source in place of text.

    s2s classify runs/demo-sentiment "The soup was not bad at all."
    s2s classify demo-sentiment < reviews.txt | cut -f1 | sort | uniq -c
    s2s classify runs/shapes photos/
    """
    from s2s.predictors.classifier import ClassifierPredictor

    folder, labeler = open_run(run, ClassifierPredictor, "classify", **how.chosen())
    labeler.need("label", "labels")
    texts = is_typed(labeler.task)
    if texts and not text and not as_json and at_terminal():
        from s2s.cli.repl.labels import ClassifyLoop
        from s2s.cli.repl.terminal import converse, terminal

        converse(ClassifyLoop(labeler, input, terminal()), str(folder))
        return
    key = "text" if texts else "source"

    def form(source: str, found: "LabelPrediction") -> str:
        return classify_json_form(source, found, key) if as_json else classify_plain_form(source, found)

    answer_all(labeler, text, labeler.classify, form, as_json=as_json)


def classify_plain_form(text: str, found: "LabelPrediction") -> str:
    """`negative<tab>negative<tab>0.9812<tab>positive<tab>0.0188`"""
    if not text.strip():
        return "\n"
    cells = [found.label, *(cell for name, p in found.probabilities.items() for cell in (name, f"{p:.4f}"))]
    return "\t".join(one_line(cell.replace("\t", " ")) for cell in cells) + "\n"


def classify_json_form(text: str, found: "LabelPrediction", key: str = "text") -> str:
    record: dict[str, Any] = {
        key: text,
        "label": found.label if text.strip() else None,
        "probabilities": {name: rounded(p) for name, p in found.probabilities.items()},
        "attention": None,
    }
    if found.weights is not None:
        record["attention"] = {"pieces": found.pieces, "weights": [rounded(w) for w in found.weights]}
    return json.dumps(record, ensure_ascii=False) + "\n"
