"""What a system that looks at nothing reaches: a score means little before it is clearly above this one."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from s2s.data.readers.base import Row
from s2s.metrics.base import Metric, Score


@dataclass(frozen=True)
class Baseline:
    """One answer that is given to everything, and what that scores."""

    name: str
    answer: str
    scores: list[Score]


def most_frequent(answers: Iterable[str]) -> str:
    """The answer that is there most often, of equally frequent ones the first; white space around it does not count."""
    counts = Counter(text.strip() for text in answers)
    return counts.most_common(1)[0][0] if counts else ""


def constant_baseline(name: str, answer: str, test: Sequence[Row], metrics: Sequence[Metric]) -> Baseline:
    """One answer for every row. Raises DataError where there are no rows."""
    references = [row.references for row in test]
    return Baseline(name, answer, [metric.score([answer] * len(test), references) for metric in metrics])
