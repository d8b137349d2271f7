"""What is behind a score: how sure it is that one system beats another, and which sentences are hard.

The paired tests are sacreBLEU's own, for `evaluate --against`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from s2s.errors import DataError, several
from s2s.metrics.base import Metric, References, check_aligned
from s2s.registry import NonNegativeInt

FEWEST = 10  # sentences; with less, chance alone makes any difference look certain, or none


@dataclass(frozen=True)
class Comparison:
    """Two systems by one metric."""

    metric: str
    ours: float
    baseline: float
    difference: float  # ours - baseline
    p_value: float | None  # how often chance alone makes such a difference; None where it cannot be said
    signature: str
    verdict: str  # the same in words
    kind: str = ""  # of the metric, as recipes and logs call it

    @property
    def sentence(self) -> str:
        """`BLEU 37.2, baseline 35.8 (+1.4): better than the baseline (p = 0.001)`"""
        scores = f"{self.ours:.1f}, baseline {self.baseline:.1f} ({self.difference:+.1f})"
        return f"{self.metric} {scores}: {self.verdict}"


@dataclass(frozen=True)
class LengthScore:
    """The score of the sentences whose source is so long."""

    low: int
    high: int | None  # inclusive; None for no end
    count: int  # sentences
    value: float

    @property
    def label(self) -> str:
        """`11-20`, or `41+`"""
        return f"{self.low}+" if self.high is None else f"{self.low}-{self.high}"


def compare(
    ours: Sequence[str],
    baseline: Sequence[str],
    references: References,
    metrics: Sequence[Metric],
    *,
    test: Literal["bootstrap", "randomization"] = "bootstrap",
    trials: NonNegativeInt = 0,
    level: float = 0.05,
) -> list[Comparison]:
    """One comparison a metric, of two systems that wrote the same sentences.

    test: paired bootstrap resampling (Koehn 2004, https://aclanthology.org/W04-3250) or paired approximate
    randomization (Riezler and Maxwell 2005, https://aclanthology.org/W05-0908). trials: 0 for sacreBLEU's
    own numbers, 1,000 and 10,000. level: at which p-value a difference counts.
    Raises DataError where the two systems and the references do not belong together.
    """
    from sacrebleu.significance import PairedTest

    if len(several(ours, "ours")) != len(several(baseline, "baseline")):
        hint = "a paired test needs both systems to have written the same sentences, in the same order"
        raise DataError("", f"one system wrote {len(ours)} sentences, the other {len(baseline)}", hint)
    lists = check_aligned(ours, references)
    results = []
    for metric in metrics:
        adapter = Adapter(metric, [metric.statistics(system, lists) for system in (baseline, ours)])
        kind = "bs" if test == "bootstrap" else "ar"
        systems = [("baseline", baseline), ("ours", ours)]
        signatures, scores = PairedTest(systems, {metric.name: adapter}, lists, kind, trials)()  # type: ignore[dict-item]
        theirs, mine = (float(result.score) for result in scores[metric.name])  # type: ignore[union-attr]
        p_value = scores[metric.name][1].p_value  # type: ignore[union-attr]
        if len(ours) < FEWEST:
            p_value = None
        elif np.array_equal(adapter.statistics[0], adapter.statistics[1]):
            p_value = 1.0  # sacreBLEU finds no chance difference above 0, and calls that certain
        verdict = say(metric, mine - theirs, p_value, level)
        signature = str(signatures[metric.name])
        results.append(Comparison(metric.name, mine, theirs, mine - theirs, p_value, signature, verdict, metric.kind))
    return results


def say(metric: Metric, difference: float, p_value: float | None, level: float) -> str:
    """The outcome in words."""
    if p_value is None:
        return f"too few sentences to tell: a test needs {FEWEST}"
    if difference == 0:
        return "no difference"
    better = "better" if (difference > 0) == metric.higher_is_better else "worse"
    if p_value < level:
        return f"{better} than the baseline (p = {p_value:.3f})"
    return f"{better}, but it may be chance (p = {p_value:.3f})"


def scores_by_length(
    hypotheses: Sequence[str],
    references: References,
    source_lengths: Sequence[int],
    metric: Metric,
    edges: Sequence[int] = (10, 20, 30, 40),
) -> list[LengthScore]:
    """The score of short and of long sentences; lengths that no sentence has are left out.

    With edges (10, 20): sources of at most 10, of 11 to 20, and of 21 or more.
    """
    lists = check_aligned(hypotheses, references)
    if len(source_lengths) != len(hypotheses):
        raise DataError("", f"{len(hypotheses)} hypotheses, and {len(source_lengths)} lengths of their sources")
    statistics, lengths = metric.statistics(hypotheses, lists), np.asarray(source_lengths)
    highs: list[int | None] = [*sorted(set(edges)), None]
    table, low = [], 0
    for high in highs:
        chosen = (lengths >= low) & (lengths <= (lengths.max() if high is None else high))
        if chosen.any():
            value = metric.value(statistics[chosen].sum(0).tolist())
            table.append(LengthScore(low, high, int(chosen.sum()), value))
        low = 0 if high is None else high + 1
    return table


class Adapter:
    """One of our metrics as the four methods that sacreBLEU's paired tests call: so they take any of ours.

    statistics  of the systems, in the order in which the test asks for them: the baseline, then ours. A metric
                that finds new things to count in the second adds columns, which are zero for the first
    """

    def __init__(self, metric: Metric, statistics: Sequence[np.ndarray]) -> None:
        self.metric = metric
        width = max(one.shape[1] for one in statistics)
        self.statistics = [np.pad(one, ((0, 0), (0, width - one.shape[1]))) for one in statistics]
        self.coming = iter(self.statistics)

    def _extract_corpus_statistics(self, hypotheses: Sequence[str], references: Any) -> list[list[float]]:
        self.references = references
        rows: list[list[float]] = next(self.coming).tolist()
        return rows

    def _aggregate_and_compute(self, statistics: Any) -> Any:
        return self._compute_score_from_stats(np.asarray(statistics).sum(0))

    def _compute_score_from_stats(self, sums: np.ndarray) -> Any:
        from sacrebleu.metrics.base import Score

        return Score(self.metric.name, self.metric.value(sums.tolist()))

    def get_signature(self) -> Any:
        return Signature(self.metric.signature(self.references, 0))


class Signature:
    """A signature to which the test adds its own numbers."""

    def __init__(self, text: str) -> None:
        self.parts = text.split("|")

    def update(self, key: str, value: Any) -> None:
        self.parts.insert(1, f"{key}:{value}")

    def __str__(self) -> str:
        return "|".join(self.parts)
