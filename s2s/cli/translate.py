"""s2s translate: some texts, a filter in a pipe, or a REPL at a terminal."""

import json
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s2s.cli.lines import answer_lines, at_terminal, one_line
from s2s.cli.opening import RunName, open_run
from s2s.cli.records import alignments, hypotheses, weights_of
from s2s.cli.run_options import HowWritten, grouped

if TYPE_CHECKING:
    from s2s.predictors.seq2seq import Alignment, Prediction


@grouped
def translate(
    run: RunName,
    text: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Texts to translate.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    nbest: Annotated[int | None, typer.Option(min=1, help="How many hypotheses to print for each.")] = None,
    search: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Change the search; repeat it for several.")
    ] = None,
    how: HowWritten = HowWritten(),
) -> None:
    """Translate texts. Without any, the lines of standard input, or what is typed at a terminal.

    A line in is a line out, in order, and a blank line stays blank. With --nbest, a line for each
    hypothesis: number of the source line, score and text, with tabs between. With --json, a line is an
    object: source; hypotheses, best first, each with text, score and log_probability (natural
    logarithms); and alignment, where the best hypothesis came from: the tokens of source and target,
    and weights[t][s], or null for a model without attention.

    s2s translate runs/multi30k "Ein Hund läuft."
    s2s translate multi30k --search beam_size=10 --search length_penalty=0.8 < in.txt > out.txt
    s2s translate multi30k --search kind=greedy
    """
    from s2s.decoding.options import change_search, with_nbest
    from s2s.predictors.seq2seq import Seq2SeqPredictor

    folder, predictor = open_run(run, Seq2SeqPredictor, "translate", **how.chosen())
    chosen = change_search(predictor.recipe.decoding, search or ())
    chosen = with_nbest(chosen, nbest) if nbest else chosen
    if not text and not as_json and at_terminal():
        from s2s.cli.repl.terminal import converse, terminal
        from s2s.cli.repl.translate import Repl

        converse(Repl(predictor, input, terminal(), chosen), str(folder))
        return
    form = translate_nbest_form if nbest else translate_plain_form

    def answer(lines: Sequence[str], number: int) -> str:
        found = predictor.search(lines, chosen)
        if as_json:
            return "".join(map(translate_json_form, lines, found, alignments(predictor, lines, found)))
        return "".join(map(form, count(number), lines, found))

    answer_lines(text, answer)


def translate_plain_form(number: int, source: str, found: "list[Prediction]") -> str:
    return f"{one_line(found[0].text)}\n" if found else "\n"


def translate_nbest_form(number: int, source: str, found: "list[Prediction]") -> str:
    """A blank source has one hypothesis, a blank one, so that no number is left out."""
    lines = [f"{number}\t{p.score:.4f}\t{one_line(p.text)}\n" for p in found]
    return "".join(lines) or f"{number}\t0.0000\t\n"


def translate_json_form(source: str, found: "list[Prediction]", alignment: "Alignment | None") -> str:
    record: dict[str, Any] = {"source": source, "hypotheses": hypotheses(found), "alignment": None}
    if alignment is not None:
        pieces = {"source": alignment.source, "target": alignment.target}
        record["alignment"] = pieces | {"weights": weights_of(alignment)}
    return json.dumps(record, ensure_ascii=False) + "\n"
