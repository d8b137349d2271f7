"""Metrics of names that were chosen, by scikit-learn: accuracy, and F1 over classes or tags.

accuracy         of labels: how many are right           token-accuracy   of tags
macro-f1         every class counts alike                tag-f1           the same over tags
weighted-f1      a class counts by its rows              micro-f1         every single label counts alike
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from s2s.metrics.base import SEED, Metric, References, Score, check_aligned
from s2s.registry import NonNegativeInt

Pair = tuple[str, str]  # what is right, what was said

NONE = ""  # no name: nothing was said, or nothing is right; a wrong answer, but no class that has an F1


class Counted(Metric):
    """A score of how often each (right, said) pair occurs: counts add up, and scikit-learn gets them as weights.

    A score that is reported is scikit-learn's; the thousands of resamples around it are counted here.

    statistics() is one row of counts a sentence, a column a pair. Columns are only ever added, at the end: the
    statistics of a second system are those of the first with more columns.
    """

    average: ClassVar[str] = ""  # of scikit-learn's F1; none is accuracy

    def __init__(self) -> None:
        self.places: dict[Pair, int] = {}

    def split(self, right: str, said: str) -> Iterator[Pair]:
        """The decisions of one sentence."""
        yield right, said

    def statistics(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
        decisions = [
            list(self.split(several[0].strip(), said.strip()))
            for said, several in zip(hypotheses, references, strict=True)
        ]
        for pair in sorted({pair for row in decisions for pair in row} - self.places.keys()):
            self.places[pair] = len(self.places)
        counts = np.zeros((len(decisions), len(self.places)))
        for row, pairs in zip(counts, decisions):
            np.add.at(row, [self.places[pair] for pair in pairs], 1)
        return counts

    def score(self, hypotheses: Sequence[str], references: References, *, n_bootstrap: NonNegativeInt = 1000) -> Score:
        """The score of a corpus, as scikit-learn has it; its interval is of resamples that are counted here."""
        found = super().score(hypotheses, references, n_bootstrap=n_bootstrap)
        sums = self.statistics(hypotheses, check_aligned(hypotheses, references)).sum(0)
        return replace(found, value=self.by_library(sums.tolist()))

    def by_library(self, sums: Sequence[float]) -> float:
        """The score of sums by scikit-learn, whose checks take milliseconds: too long for thousands of resamples."""
        from sklearn.metrics import accuracy_score, f1_score

        cells = [(*pair, n) for pair, n in zip(self.places, sums) if n]
        if not cells:
            return 0.0
        right, said, counts = map(list, zip(*cells))
        there = sorted({*right, *said} - {NONE})  # a class that is nowhere in these sums is none of theirs
        if not (self.average and there):
            return 100 * float(accuracy_score(right, said, sample_weight=counts))
        options = {"labels": there, "average": self.average, "sample_weight": counts, "zero_division": 0.0}
        return 100 * float(f1_score(right, said, **options))

    def value(self, sums: list[float]) -> float:
        """The same, counted: what resampling and paired tests call thousands of times."""
        right: Counter[str] = Counter()
        said: Counter[str] = Counter()
        both: Counter[str] = Counter()
        for (wanted, given), n in zip(self.places, sums):
            if n:
                right[wanted] += n  # type: ignore[assignment]  # counts are floats here
                said[given] += n  # type: ignore[assignment]
                both[wanted] += n if wanted == given else 0  # type: ignore[assignment]
        there = (right.keys() | said.keys()) - {NONE}
        if not right:
            return 0.0
        if not (self.average and there):
            return 100 * sum(both.values()) / sum(right.values())
        if self.average == "micro":
            return 200 * sum(both[c] for c in there) / sum(right[c] + said[c] for c in there)
        weights = {c: right[c] if self.average == "weighted" else 1 for c in there}
        total = sum(2 * both[c] / (right[c] + said[c]) * weights[c] for c in there)
        return 100 * total / max(sum(weights.values()), 1e-12)  # no row is of any class: nothing is right

    def signature(self, references: Sequence[Sequence[str]], n_bootstrap: int) -> str:
        from importlib.metadata import version

        parts = [f"average:{self.average}"] if self.average else []
        parts += [f"bs:{n_bootstrap}", f"seed:{SEED}"] if n_bootstrap else []
        return "|".join([*parts, f"scikit-learn:{version('scikit-learn')}"])


class OfLabels(Counted):
    """Decisions about rows with one label, or with several at once.

    separator  what stands between the labels of a row; null: there is one. A task of several labels fills it in
    """

    def __init__(self, *, separator: str | None = None) -> None:
        super().__init__()
        self.separator = separator

    def several(self, text: str) -> set[str]:
        assert self.separator is not None
        return {name.strip() for name in text.split(self.separator)} - {""}

    def split(self, right: str, said: str) -> Iterator[Pair]:
        """One decision a row, or one for every label that is right or was said: what is neither changes no F1."""
        if self.separator is None:
            yield right, said
            return
        wanted, given = self.several(right), self.several(said)
        for name in sorted(wanted | given):
            yield name if name in wanted else NONE, name if name in given else NONE

    def signature(self, references: Sequence[Sequence[str]], n_bootstrap: int) -> str:
        return f"labels:{'one' if self.separator is None else 'several'}|{super().signature(references, n_bootstrap)}"


class Accuracy(OfLabels, kind="accuracy"):
    """The percentage of rows whose label is right, all of them where there are several:
    https://scikit-learn.org/stable/modules/model_evaluation.html"""

    name = "accuracy"

    def split(self, right: str, said: str) -> Iterator[Pair]:
        if self.separator is None:
            yield right, said
            return  # in whatever order and however spaced: a set is one name
        yield tuple(self.separator.join(sorted(self.several(side))) for side in (right, said))  # type: ignore[misc]


class MacroF1(OfLabels, kind="macro-f1"):
    """F1 of each class, averaged: rare classes count as much as others. Sokolova & Lapalme 2009,
    https://doi.org/10.1016/j.ipm.2009.03.002"""

    name, average = "macro F1", "macro"


class WeightedF1(OfLabels, kind="weighted-f1"):
    """F1 of each class, averaged by how many rows it has: Sokolova & Lapalme 2009,
    https://doi.org/10.1016/j.ipm.2009.03.002"""

    name, average = "weighted F1", "weighted"


class MicroF1(OfLabels, kind="micro-f1"):
    """F1 over all single labels, where a row may have several: Sokolova & Lapalme 2009,
    https://doi.org/10.1016/j.ipm.2009.03.002"""

    name, average = "micro F1", "micro"


class OfTags(Counted):
    """Every word is a decision; a missing tag is a wrong one."""

    def split(self, right: str, said: str) -> Iterator[Pair]:
        tags = said.split()
        for i, tag in enumerate(right.split()):
            yield tag, tags[i] if i < len(tags) else NONE


class TokenAccuracy(OfTags, kind="token-accuracy"):
    """The percentage of tags that are right: Manning 2011, https://doi.org/10.1007/978-3-642-19400-9_14"""

    name = "token accuracy"


class TagF1(OfTags, kind="tag-f1"):
    """F1 of each tag, averaged over tags: Sokolova & Lapalme 2009, https://doi.org/10.1016/j.ipm.2009.03.002"""

    name, average = "tag F1", "macro"
