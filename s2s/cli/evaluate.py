"""s2s evaluate: metrics with confidence intervals, and a paired test against another run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s2s.cli.console import output, warn
from s2s.cli.opening import RunName, open_run
from s2s.cli.run_options import HowWritten, grouped
from s2s.cli.sources import called as called_in_words
from s2s.cli.sources import is_typed, source_type
from s2s.errors import DataError, RowError, RunError

if TYPE_CHECKING:
    from s2s.api.evaluate import Evaluation
    from s2s.data.readers.base import Row


@grouped
def evaluate_command(
    run: RunName,
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Changes, such as decoding.beam_size=10.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="train, validation, test, or another; test if not given, where there is one.")
    ] = None,
    source: Annotated[Path | None, typer.Option(help="A file of sources, a line each, instead of a split.")] = None,
    target: Annotated[list[Path] | None, typer.Option(help="Its references; repeat it for several.")] = None,
    against: Annotated[str | None, typer.Option(help="Another run, or a file of hypotheses, to test against.")] = None,
    name: Annotated[str | None, typer.Option(help="What the files in RUN/predictions are called.")] = None,
    how: HowWritten = HowWritten(),
) -> None:
    """Score a run on unseen examples. Metrics come with signatures and confidence intervals, and by length.

    s2s evaluate runs/multi30k --split test --against runs/other
    """
    from s2s.api.evaluate import evaluate as measure
    from s2s.predictors.base import Predictor
    from s2s.predictors.load import find_run

    folder, predictor = open_run(run, Predictor, "evaluate", changes=changes or (), **how.chosen())
    if source or target:
        if not is_typed(predictor.task):
            what = f"reads {called_in_words(source_type(predictor.task))}, and --source is a file of texts"
            raise RunError(str(folder), what, "use --split")
        rows, called = file_rows(source, target), name or (source.stem if source else "")

        def place(row: int) -> str:
            return " and ".join(f"{path}:{row + 1}" for path in (source, *(target or ())))
    else:
        from s2s.api.prepare import last_split, open_split

        split = split or last_split(predictor.recipe)
        corpus = open_split(predictor.recipe, split)
        rows, called = list(corpus), name or split

        def place(row: int) -> str:
            return " and ".join(dict.fromkeys(corpus.place(row)))

    baseline = None if against is None else Path(against) if Path(against).is_file() else find_run(against)
    try:
        found = measure(predictor, rows, name=called, against=baseline)
    except RowError as error:
        raise error.located(place(error.row)) from None
    path = keep(found, folder / "predictions")
    show_evaluation(found)
    if unseen := found.details.get("unseen"):
        from s2s.data.report import unseen_names

        warn(f"{called}: {unseen_names(unseen['rows'], list(unseen['names']))}")
    if "classes" in found.details:
        show_classes(found.details, None if path is None else path.with_name(f"{path.stem}.confusion.png"))
    if "diversity" in found.details:
        show_diversity(found.details["diversity"])
    output().print(f"{predictor.task.verb}: {', '.join(found.paths)}", markup=False, style="dim")
    if path is not None:
        output().print(f"written to {path}", markup=False, style="dim")


def keep(found: "Evaluation", folder: Path) -> Path | None:
    """Where it is kept; nowhere where that cannot be written: what was measured is shown all the same."""
    try:
        return found.save(folder)
    except RunError as error:
        [problem] = error.problems
        warn(f"not kept: {problem.where}: {problem.what}")
        return None


def show_classes(report: dict[str, Any], picture: Path | None) -> None:
    """Each class by itself, and what is taken for what: tables here, and a picture beside the predictions."""
    from s2s.metrics.report import class_table, confusion_plot, confusion_table

    output().print(class_table(report))
    if "confusion" not in report:
        return
    if (table := confusion_table(report)) is not None:
        output().print(table)
    if "calibration_error" in report:
        output().print(
            f"calibration error {report['calibration_error']:.3f}: 0 is as sure as it is right", markup=False
        )
    if picture is not None and (note := confusion_plot(report, picture)):
        output().print(note, markup=False)


def show_diversity(report: dict[str, dict[str, Any]]) -> None:
    """How many different things were answered, beside what people answered."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title="diversity", title_justify="left", title_style="bold")
    table.add_column("")
    for name in report:
        table.add_column(name, justify="right", overflow="fold")
    for key in ("distinct-1", "distinct-2", "most frequent", "share"):
        cells = [side[key] if key == "most frequent" else f"{side[key]:.4f}" for side in report.values()]
        table.add_row({"share": "share of it"}.get(key, key), *map(Text, cells))
    output().print(table)


def file_rows(source: Path | None, targets: list[Path] | None) -> "list[Row]":
    """Rows of plain text files."""
    from s2s.data.readers.base import Row
    from s2s.data.source_files import read_lines

    if source is None or not targets:
        raise DataError("evaluate", "--source and --target go together", "give both, or --split")
    columns = [list(read_lines(path)) for path in (source, *targets)]
    for path, lines in zip(targets, columns[1:], strict=True):
        if len(lines) != len(columns[0]):
            what = f"has {len(lines)} lines, and {source} has {len(columns[0])}"
            raise DataError(str(path), what, "line n of one belongs to line n of the other")
    return [Row(first, list(rest)) for first, *rest in zip(*columns, strict=True)]


def beside(name: str, baseline: dict[str, Any]) -> str:
    """What a baseline scores by the metric of this name."""
    return next((f"{score['value']:.2f}" for score in baseline["scores"] if score["name"] == name), "")


def show_evaluation(found: "Evaluation") -> None:
    """Tables for a person; the JSON beside the predictions has every digit."""
    from rich.table import Table

    table = Table(title=f"{found.name}: {found.sentences:,} sentences", title_justify="left", title_style="bold")
    table.add_column("metric")
    table.add_column("score", justify="right")
    table.add_column("95% interval", justify="right")
    baselines = found.details.get("baselines", [])
    for baseline in baselines:
        table.add_column(baseline["name"], justify="right")
    table.add_column("signature", style="dim", overflow="fold")
    for score in found.scores:
        theirs = [beside(score.name, baseline) for baseline in baselines]
        digits = 2 if score.value >= 10 else 3
        interval = f"{score.low:.{digits}f} to {score.high:.{digits}f}"
        table.add_row(score.name, f"{score.value:.{digits}f}", interval, *theirs, score.signature)
    table.add_row(
        "perplexity", f"{found.perplexity:.2f}", "", *[""] * len(baselines), "a target token, the end included"
    )
    output().print(table)
    for baseline in baselines:
        output().print(f"{baseline['name']}: {baseline['answer']}", markup=False)
    if len(found.by_length) > 1:
        lengths = Table(title="by words in the source", title_justify="left", title_style="bold")
        for heading in ("words", "sentences", found.scores[0].name):
            lengths.add_column(heading, justify="right")
        for part in found.by_length:
            lengths.add_row(part.label, f"{part.count:,}", f"{part.value:.2f}")
        output().print(lengths)
    for comparison in found.comparisons:
        output().print(f"against {found.against}: {comparison.sentence}", markup=False)
