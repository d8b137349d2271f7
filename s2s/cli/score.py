"""s2s score: how likely a model finds given texts, or given answers to given texts."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from s2s.cli.console import output
from s2s.cli.lines import echo, one_line, rounded, standard_input
from s2s.cli.opening import RunName, open_run
from s2s.cli.run_options import HowOpened, grouped
from s2s.cli.unknown import warn_unknown
from s2s.errors import DataError, RowError, command

if TYPE_CHECKING:
    from s2s.data.readers.base import Row
    from s2s.predictors.base import Predictor
    from s2s.tasks.losses import Likelihood

INPUT = "-"  # standard input


class ScoredPart(NamedTuple):
    """What is scored as one: a file, or a pair of files."""

    name: str
    rows: "list[Row]"


@grouped
def score(
    run: RunName,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Texts, or pairs; - is standard input.")],
    each: Annotated[bool, typer.Option("--each", help="A line for every line or pair, instead of the sums.")] = False,
    exact: Annotated[bool, typer.Option("--exact", help="Read a long text from end to end: slower.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    how: HowOpened = HowOpened(),
) -> None:
    """Say how likely texts or pairs are. Log-probability, perplexity, bits per character and byte.

    For a language model: text files, each scored as one text with its line breaks. For a model that answers
    texts: two files, whose lines belong together, or files with a source, a tab and an answer on each line. All
    logarithms are natural but the bits. Perplexity is that of a token, so it compares models with one vocabulary
    only; bits compare all. --each gives: log-probability, tokens, perplexity, and the line, with tabs between.

    s2s score char-shakespeare input.txt
    s2s score multi30k test.de test.en --each
    """
    from s2s.predictors.base import Predictor
    from s2s.predictors.language_model import LanguageModelPredictor

    folder, predictor = open_run(run, Predictor, "score", **how.chosen())
    whole = isinstance(predictor, LanguageModelPredictor)
    parts = (
        [ScoredPart(name, list(text_rows(name))) for name in files]
        if whole
        else scored_pairs(files, predictor, str(folder))
    )
    records = []
    for part in parts:
        try:
            found = (
                predictor.likelihood(part.rows, exact=exact)
                if isinstance(predictor, LanguageModelPredictor)
                else predictor.likelihood(part.rows)
            )
        except RowError as error:
            raise error.located(f"{part.name}:{error.row + 1}") from None
        warn_unknown(predictor, part.name, part.rows)
        if each:
            show_each(part, found, as_json)
        else:
            records.append(summary(part, found))
    if as_json:
        for record in records:
            echo(json.dumps(record, ensure_ascii=False) + "\n")
    elif records:
        show_scores(records)


def text_rows(name: str) -> "Iterator[Row]":
    """The lines of a text file; a last one without an end has one."""
    from s2s.data.readers.base import Row

    return (Row("", line) for line in lines_of(name))


def lines_of(name: str) -> Iterator[str]:
    from s2s.data.source_files import read_lines

    if name != INPUT:
        yield from read_lines(Path(name))
        return
    lines = standard_input()
    if not lines:
        raise DataError("standard input", "is empty", "it needs one line of text")
    yield from lines


def scored_pairs(files: Sequence[str], predictor: "Predictor", run: str) -> list[ScoredPart]:
    """Two files line by line, or files of two columns. Raises DataError where their lines do not go together."""
    from s2s.data.readers.base import Row

    if predictor.task.source.space.modality != "ids":
        what = f"reads {predictor.task.source.space.modality}, and s2s score reads texts"
        raise DataError(run, what, f"score it on its own data: {command('s2s', 'evaluate', run)}")
    if len(files) == 2 and INPUT not in files and not tabbed(files[0]):
        columns = [list(lines_of(name)) for name in files]
        if len(columns[0]) != len(columns[1]):
            what = f"has {len(columns[1]):,} lines, and {files[0]} has {len(columns[0]):,}"
            raise DataError(files[1], what, "line n of one belongs to line n of the other")
        return [ScoredPart(" ".join(files), [Row(*pair) for pair in zip(*columns, strict=True)])]
    return [ScoredPart(name, list(tsv_rows(name))) for name in files]


def tabbed(name: str) -> bool:
    """Does the first line have two columns?"""
    return "\t" in next(lines_of(name), "")


def tsv_rows(name: str) -> "Iterator[Row]":
    from s2s.data.readers.base import Row

    for number, line in enumerate(lines_of(name), 1):
        source, tab, target = line.partition("\t")
        if not tab:
            hint = "a source, a tab and an answer; or give two files whose lines belong together"
            raise DataError(f"{name}:{number}", "has no tab, and pairs need two columns", hint)
        yield Row(source, target)


def summary(part: ScoredPart, found: "Likelihood") -> dict[str, Any]:
    """The sums of a part, and their ratios. A line break counts where the model writes it."""
    nats, tokens, characters = float(found.nats.sum()), int(found.tokens.sum()), int(found.characters.sum())
    size = int(found.bytes.sum())
    return {
        "name": part.name,
        "lines": len(part.rows),
        "pieces": tokens,
        "characters": characters,
        "bytes": size,
        "log_probability": rounded(-nats, 3),
        "nats_per_piece": rounded(nats / max(1, tokens), 5),
        "perplexity": rounded(math.exp(min(nats / max(1, tokens), 700)), 4),
        "bits_per_character": rounded(nats / math.log(2) / max(1, characters), 5),
        "bits_per_byte": rounded(nats / math.log(2) / max(1, size), 5),
    }


def show_scores(records: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for record in records:
        table.add_column(record["name"], justify="right", overflow="fold")
    for key in records[0]:
        if key != "name":
            table.add_row(key.replace("_", " "), *(plain_score(record[key]) for record in records))
    output().print(table, soft_wrap=False, markup=False)


def plain_score(value: Any) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.4f}"


def show_each(part: ScoredPart, found: "Likelihood", as_json: bool) -> None:
    """A line for every row."""
    numbers = zip(part.rows, found.nats.tolist(), found.tokens.tolist(), strict=True)
    for row, nats, tokens in numbers:
        if not tokens:  # its label is one that training does not have: there is nothing to say of it
            nats = math.nan
        each = math.exp(min(nats / max(1, tokens), 700)) if tokens else math.nan
        source = row.source if isinstance(row.source, str) else ""
        if as_json:
            record = {"source": source} if source else {}
            record |= {"text": row.references[0]}
            numbers_of = {"log_probability": rounded(-nats, 5), "pieces": tokens, "perplexity": rounded(each, 4)}
            echo(json.dumps(record | numbers_of, ensure_ascii=False) + "\n")
        else:
            texts = "\t".join(one_line(text) for text in ([source] if source else []) + [row.references[0]])
            echo(f"{-nats:.4f}\t{tokens}\t{each:.3f}\t{texts}\n")
