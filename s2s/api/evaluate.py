"""How good a run is, said honestly: metrics with signatures and confidence intervals, by length, against another.

evaluation = evaluate(load("runs/x"), "test")              # or rows: [Row("Ein Hund läuft.", "A dog runs."), ...]
evaluation.save(folder)        # test.json, test.src.txt, test.hyp.txt, test.ref.txt
"""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from s2s.api.prepare import open_split
from s2s.data.readers.base import Row, Source
from s2s.data.source_files import as_line, read_lines
from s2s.data.values import as_text, shown, type_of
from s2s.errors import DataError
from s2s.files import atomic_write
from s2s.metrics.base import Score, score_all
from s2s.metrics.significance import Comparison, LengthScore, compare, scores_by_length
from s2s.predictors.base import Predictor
from s2s.predictors.load import load
from s2s.registry import tree


@dataclass
class Evaluation:
    """Everything that was measured, and what was written."""

    name: str
    scores: list[Score]
    perplexity: float
    loss: float  # nats a target token, the end included
    by_length: list[LengthScore]  # of texts, by the first metric
    sentences: int
    seconds: float  # spent answering, with loading of neither model nor data
    search: Any
    details: dict[str, Any]  # what else a task has to say
    sources: list[str] = field(repr=False)
    hypotheses: list[Any] = field(repr=False)  # these and the references as they were compared: in one Unicode form
    references: list[list[Any]] = field(repr=False)
    against: str = ""
    comparisons: list[Comparison] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)  # which way it was written, in how many bits

    def to_dict(self) -> dict[str, Any]:
        """Plain values, without the texts: what is kept as JSON."""
        kept = asdict(self)
        del kept["sources"], kept["hypotheses"], kept["references"]
        return kept

    def save(self, folder: Path) -> Path:
        """NAME.json beside NAME.src.txt, NAME.hyp.txt and NAME.ref.txt; gives its path. Raises RunError."""
        lines = {"src": self.sources, "hyp": self.hypotheses, "ref": [r[0] for r in self.references]}
        for suffix, texts in lines.items():
            body = "".join(f"{as_line(as_text(text))}\n" for text in texts)
            atomic_write(folder / f"{self.name}.{suffix}.txt", body.encode("utf-8", "replace"))
        path = folder / f"{self.name}.json"
        atomic_write(path, json.dumps(self.to_dict(), indent=1, ensure_ascii=False).encode())
        return path


def evaluate(
    predictor: Predictor, rows: Sequence[Row] | str, *, name: str | None = None, against: str | Path | None = None
) -> Evaluation:
    """Answer every source, score the answers, and compare them with those of `against`: a run folder or a text file.

    rows  what to ask, with what is right; or the name of a split of the run's own data: "validation", "test"
    name  what the result is called; the split's, if it is not given

    Raises DataError where there are no rows, or they are none of this task.
    """
    if isinstance(rows, str):
        name, rows = name or rows, list(open_split(predictor.recipe, rows))
    name = name or "rows"
    if not rows:
        raise DataError(name, "has no rows to evaluate", "give files with at least one sentence")
    sources = [row.source for row in rows]
    task = predictor.task
    references = [task.comparable(row.references) for row in rows]
    metrics = task.metrics
    started = time.perf_counter()
    answers = task.comparable(predictor.predict(sources)) if metrics else []
    seconds = time.perf_counter() - started
    likelihood = predictor.likelihood(rows)
    compared = [row._replace(target=texts if row.several else texts[0]) for row, texts in zip(rows, references)]
    lengths = [type_of(source).words(source) for source in sources]
    found = Evaluation(
        name=name,
        scores=score_all(metrics, answers, references) + task.likelihood_scores(likelihood),
        perplexity=math.exp(min(likelihood.per_token, 700.0)),
        loss=likelihood.per_token,
        by_length=scores_by_length(answers, references, lengths, metrics[0]()) if metrics and any(lengths) else [],
        sentences=len(rows),
        seconds=seconds,
        search=tree(predictor.recipe.decoding),
        details=predictor.details(compared, answers),
        sources=[shown(source) for source in sources],
        hypotheses=answers,
        references=references,
        paths=predictor.paths(),
    )
    if against is not None:
        found.against = str(against)
        found.comparisons = compare(
            answers, task.comparable(baseline(against, sources)), references, [make() for make in metrics]
        )
    return found


def baseline(against: str | Path, sources: Sequence[Source]) -> list[str]:
    """What the other system writes for these sources: a run writes it now, a file has written it already."""
    path = Path(against)
    if path.is_dir():
        return load(path).predict(sources)
    lines = list(read_lines(path))
    if len(lines) != len(sources):
        what = f"has {len(lines):,} lines for {len(sources):,} sentences"
        raise DataError(str(path), what, "one hypothesis a line, in the same order")
    return lines
