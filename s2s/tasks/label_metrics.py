"""Metrics of names that were chosen, by scikit-learn: accuracy, and F1 over classes or tags.

accuracy         of labels: how many are right           token-accuracy   of tags
macro-f1         every class counts alike                tag-f1           the same over tags
weighted-f1      a class counts by its rows              micro-f1         of several labels at once
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from s2s.tasks.metrics import SEED, Metric

Pair = tuple[str, str]  # what is right, what was said


class Counted(Metric):
    """A score of how often each (right, said) pair occurs: counts add up, so resampling costs nothing.

    statistics() is one row of counts a sentence, a column a pair; scikit-learn is given the pairs, weighted by
    their counts.
    """

    average: ClassVar[str] = ""

    def __init__(self) -> None:
        self.pairs: list[Pair] = []

    def split(self, right: str, said: str) -> Iterator[Pair]:
        """The decisions of one sentence."""
        yield right, said

    def statistics(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
        decisions = [
            list(self.split(several[0].strip(), said.strip()))
            for said, several in zip(hypotheses, references, strict=True)
        ]
        # The same columns for both systems of a paired test: pairs that were seen before keep their places.
        known = dict.fromkeys(self.pairs)
        known.update(dict.fromkeys(sorted({pair for row in decisions for pair in row})))
        self.pairs = list(known)
        place = {pair: i for i, pair in enumerate(self.pairs)}
        counts = np.zeros((len(decisions), len(self.pairs)))
        for row, pairs in zip(counts, decisions):
            np.add.at(row, [place[pair] for pair in pairs], 1)
        return counts

    def value(self, sums: list[float]) -> float:
        there = [(*pair, count) for pair, count in zip(self.pairs, sums) if count]  # a class that is not there is none
        if not there:
            return 0.0
        right, said, counts = zip(*there)
        return 100 * float(self.compute()(right, said, sample_weight=counts))

    def compute(self) -> Callable[..., Any]:
        """The function of scikit-learn that takes what is right, what was said, and sample_weight."""
        from functools import partial

        from sklearn.metrics import f1_score

        return partial(f1_score, average=self.average, zero_division=0.0)

    def signature(self, references: Sequence[Sequence[str]], n_bootstrap: int) -> str:
        from importlib.metadata import version

        parts = [f"average:{self.average or 'none'}"]
        parts += [f"bs:{n_bootstrap}", f"seed:{SEED}"] if n_bootstrap else []
        return "|".join([*parts, f"scikit-learn:{version('scikit-learn')}"])


class Accuracy(Counted, kind="accuracy"):
    """The percentage of labels that are right: https://scikit-learn.org/stable/modules/model_evaluation.html"""

    name = "accuracy"

    def compute(self) -> Callable[..., Any]:
        from sklearn.metrics import accuracy_score

        return accuracy_score


class MacroF1(Counted, kind="macro-f1"):
    """F1 of each class, averaged: rare classes count as much as others. Sokolova & Lapalme 2009,
    https://doi.org/10.1016/j.ipm.2009.03.002"""

    name, average = "macro F1", "macro"


class WeightedF1(Counted, kind="weighted-f1"):
    """F1 of each class, averaged by how many rows it has: Sokolova & Lapalme 2009,
    https://doi.org/10.1016/j.ipm.2009.03.002"""

    name, average = "weighted F1", "weighted"


class MicroF1(Counted, kind="micro-f1"):
    """F1 over all single labels, where a row may have several: Sokolova & Lapalme 2009,
    https://doi.org/10.1016/j.ipm.2009.03.002

    separator  what stands between labels
    """

    name, average = "micro F1", "binary"

    def __init__(self, *, separator: str = ",") -> None:
        super().__init__()
        self.separator = separator

    def split(self, right: str, said: str) -> Iterator[Pair]:
        """One decision for every label that is right or was said; labels that are neither change no F1."""
        sides = [{name.strip() for name in side.split(self.separator)} - {""} for side in (right, said)]
        for name in sorted(sides[0] | sides[1]):
            yield str(int(name in sides[0])), str(int(name in sides[1]))

    def compute(self) -> Callable[..., Any]:
        from functools import partial

        from sklearn.metrics import f1_score

        return partial(f1_score, average="binary", pos_label="1", zero_division=0.0)


class OfTags(Counted):
    """Every word is a decision; a missing tag is a wrong one."""

    def split(self, right: str, said: str) -> Iterator[Pair]:
        tags = said.split()
        for i, tag in enumerate(right.split()):
            yield tag, tags[i] if i < len(tags) else ""


class TokenAccuracy(OfTags, Accuracy, kind="token-accuracy"):
    """The percentage of tags that are right: Manning 2011, https://doi.org/10.1007/978-3-642-19400-9_14"""

    name = "token accuracy"


class TagF1(OfTags, kind="tag-f1"):
    """F1 of each tag, averaged over tags: Sokolova & Lapalme 2009, https://doi.org/10.1016/j.ipm.2009.03.002"""

    name, average = "tag F1", "macro"
