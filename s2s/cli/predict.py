"""s2s predict: the answers of any run to texts, pictures or arrays, whatever its task is."""

import json
from typing import Annotated, Any

import typer

from s2s.cli.lines import at_terminal, one_line
from s2s.cli.opening import RunName, open_run
from s2s.cli.run_options import HowWritten, grouped
from s2s.cli.sources import answer_all, is_typed


@grouped
def predict(
    run: RunName,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="Texts; or files, or folders of them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    how: HowWritten = HowWritten(),
) -> None:
    """Answer with any run, as evaluation does. Other verbs know more about some kinds of run; this one knows them all.

    A run that reads texts is a filter: a line in is a line out, in order, and a blank line stays blank; without any,
    lines are those of standard input, or what is typed at a terminal. A run that reads pictures or arrays (.npy) takes
    files, and folders of them: a line each, its name and the answer with a tab between. A file that cannot be read is
    named and left out, and the exit code is then 1. With --json, a line is an object: source and answer.

    s2s predict runs/demo "We bought three red houses."
    s2s predict speech recordings/ --json --trust
    """
    from s2s.predictors.base import Predictor

    folder, predictor = open_run(run, Predictor, "predict", **how.chosen())
    if not sources and not as_json and at_terminal() and is_typed(predictor.task):
        from s2s.cli.repl.predict import PredictLoop
        from s2s.cli.repl.terminal import converse, terminal

        converse(PredictLoop(predictor, input, terminal()), str(folder))
        return
    form = json_form if as_json else plain_form
    answer_all(predictor, sources, predictor.predict, form, as_json=as_json)


def plain_form(source: str, answer: Any) -> str:
    from s2s.data.values import as_text

    return f"{one_line(as_text(answer))}\n"


def json_form(source: str, answer: Any) -> str:
    from s2s.data.values import type_of

    return json.dumps({"source": source, "answer": type_of(answer).plain(answer)}, ensure_ascii=False) + "\n"
