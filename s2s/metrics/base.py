"""Scores of texts against references, with their signatures and confidence intervals; sacreBLEU underneath.

Every metric here is a function of sums: a row of numbers a sentence, added up. So a confidence interval,
a paired test and the score of some sentences cost a few additions, not another look at the text.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from s2s.errors import DataError, several
from s2s.registry import ComponentConfig, NonNegativeFloat, NonNegativeInt, PositiveInt, Registrable

SEED = 12345  # sacreBLEU's own

References = Sequence[str | Sequence[str]]  # one reference a sentence, or several; how many may differ


@dataclass(frozen=True)
class Score:
    """What a metric says about a system."""

    name: str
    value: float
    signature: str  # how it was computed: compare only scores whose signatures are equal
    low: float | None = None  # the 95% confidence interval, where it was asked for
    high: float | None = None
    higher_is_better: bool = True
    kind: str = ""  # what recipes, logs and programs call it; `name` is for people

    def __str__(self) -> str:
        interval = "" if self.low is None else f" [{self.low:.1f}, {self.high:.1f}]"
        return f"{self.name} = {self.value:.1f}{interval}"


class Metric(Registrable):
    """score = metric.score(hypotheses, references)

    A member gives `statistics`, one row of numbers a sentence, and `value`, the score of their sum.

    kind  what a recipe, a log and a program call it
    name  what people call it, in tables
    """

    kind: ClassVar[str] = ""
    name: str
    higher_is_better: ClassVar[bool] = True

    def __init_subclass__(cls, kind: str | None = None, **rest: Any) -> None:
        super().__init_subclass__(kind=kind, **rest)
        if kind is not None:
            cls.kind = kind

    def statistics(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
        """[N, D], what to add up."""
        raise NotImplementedError

    def value(self, sums: list[float]) -> float:
        """The score of D sums."""
        raise NotImplementedError

    def signature(self, references: Sequence[Sequence[str]], n_bootstrap: int) -> str:
        """All that a score depends on, in sacreBLEU's way of writing it."""
        raise NotImplementedError

    def score(self, hypotheses: Sequence[str], references: References, *, n_bootstrap: NonNegativeInt = 1000) -> Score:
        """The score of a corpus.

        references: a string a sentence, or a list of strings where there are several; lists may differ in length.
        n_bootstrap: resamples of the corpus for the confidence interval; 0 for none.
        Raises DataError where hypotheses and references do not belong together.
        """
        lists = check_aligned(hypotheses, references)
        statistics = self.statistics(hypotheses, lists)
        value = self.value(statistics.sum(0).tolist())
        low, high = interval(self, statistics, n_bootstrap) if n_bootstrap else (None, None)
        signature = self.signature(lists, n_bootstrap)
        return Score(self.name, value, signature, low, high, self.higher_is_better, self.kind)


class SacreBLEU(Metric):
    """A metric of sacreBLEU: Post 2018, https://aclanthology.org/W18-6319"""

    @cached_property
    def scorer(self) -> Any:
        """The sacrebleu object, made when first needed: importing it takes a while."""
        raise NotImplementedError

    def statistics(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
        return np.array(self.scorer._extract_corpus_statistics(hypotheses, streams(references)), dtype=np.float64)

    def value(self, sums: list[float]) -> float:
        return float(self.scorer._compute_score_from_stats(sums).score)

    def signature(self, references: Sequence[Sequence[str]], n_bootstrap: int) -> str:
        counts = {len(several) for several in references}
        self.scorer.num_refs = counts.pop() if len(counts) == 1 else -1
        self.scorer.n_bootstrap, self.scorer.seed = (n_bootstrap, SEED) if n_bootstrap else (None, None)
        return str(self.scorer.get_signature())


class Bleu(SacreBLEU, kind="bleu"):
    """BLEU: Papineni et al. 2002, https://aclanthology.org/P02-1040

    tokenize: how sentences are cut into words; 13a is the standard for most languages, zh for Chinese.
    smoothing: what a precision of 0 becomes. max_order: the longest n-gram that counts.
    effective_order: leave out the orders for which the corpus is too short.
    """

    name = "BLEU"

    def __init__(
        self,
        *,
        tokenize: Literal["13a", "intl", "zh", "char", "none"] = "13a",
        lowercase: bool = False,
        smoothing: Literal["exp", "floor", "add-k", "none"] = "exp",
        smoothing_value: NonNegativeFloat | None = None,
        max_order: PositiveInt = 4,
        effective_order: bool = False,
    ) -> None:
        self.options: dict[str, Any] = {
            "tokenize": tokenize,
            "lowercase": lowercase,
            "smooth_method": smoothing,
            "smooth_value": smoothing_value,
            "max_ngram_order": max_order,
            "effective_order": effective_order,
            "force": True,  # no warnings in the middle of a training run
        }

    @cached_property
    def scorer(self) -> Any:
        from sacrebleu.metrics import BLEU

        return BLEU(**self.options)


class Chrf(SacreBLEU, kind="chrf"):
    """chrF, over characters: Popović 2015, https://aclanthology.org/W15-3049; chrF++ with word_order 2

    beta: how much more recall weighs than precision.
    """

    def __init__(
        self,
        *,
        char_order: PositiveInt = 6,
        word_order: NonNegativeInt = 0,
        beta: PositiveInt = 2,
        lowercase: bool = False,
    ) -> None:
        self.options: dict[str, Any] = {
            "char_order": char_order,
            "word_order": word_order,
            "beta": beta,
            "lowercase": lowercase,
        }
        self.name = f"chrF{beta}" + "+" * word_order

    @cached_property
    def scorer(self) -> Any:
        from sacrebleu.metrics import CHRF

        return CHRF(**self.options)


class Ter(SacreBLEU, kind="ter"):
    """Translation edit rate, less is better: Snover et al. 2006, https://aclanthology.org/2006.amta-papers.25"""

    name = "TER"
    higher_is_better = False

    def __init__(
        self, *, normalized: bool = False, punctuation: bool = True, asian: bool = False, lowercase: bool = True
    ) -> None:
        self.options: dict[str, Any] = {
            "normalized": normalized,
            "no_punct": not punctuation,
            "asian_support": asian,
            "case_sensitive": not lowercase,
        }

    @cached_property
    def scorer(self) -> Any:
        from sacrebleu.metrics import TER

        return TER(**self.options)


class Exact(Metric, kind="exact"):
    """The percentage of sentences that equal a reference, but for white space around them."""

    name = "exact"

    def __init__(self, *, lowercase: bool = False) -> None:
        self.lowercase = lowercase

    def statistics(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
        def plain(text: str) -> str:
            return text.strip().lower() if self.lowercase else text.strip()

        right = [plain(text) in map(plain, several) for text, several in zip(hypotheses, references, strict=True)]
        return np.stack([np.array(right, dtype=np.float64), np.ones(len(right))], 1)

    def value(self, sums: list[float]) -> float:
        return 100 * sums[0] / sums[1]

    def signature(self, references: Sequence[Sequence[str]], n_bootstrap: int) -> str:
        counts = {len(several) for several in references}
        parts = [f"nrefs:{counts.pop() if len(counts) == 1 else 'var'}"]
        parts += [f"bs:{n_bootstrap}", f"seed:{SEED}"] if n_bootstrap else []
        return "|".join([*parts, f"case:{'lc' if self.lowercase else 'mixed'}"])


def score_all(
    metrics: Sequence[ComponentConfig[Metric]],
    hypotheses: Sequence[str],
    references: References,
    *,
    n_bootstrap: NonNegativeInt = 1000,
) -> list[Score]:
    """The score by each metric, in their order, every one under a kind of its own (see score_kinds)."""
    scores = [metric().score(hypotheses, references, n_bootstrap=n_bootstrap) for metric in metrics]
    return [replace(score, kind=kind) for score, kind in zip(scores, score_kinds(metrics), strict=True)]


def score_kinds(metrics: Sequence[ComponentConfig[Metric]]) -> list[str]:
    """What their scores are called in logs, `select_by` and reports: the kind, and kind-2 where it is there again."""
    seen: Counter[str] = Counter()
    names = []
    for metric in metrics:
        seen[metric.kind] += 1
        names.append(metric.kind if seen[metric.kind] == 1 else f"{metric.kind}-{seen[metric.kind]}")
    return names


def check_aligned(hypotheses: Sequence[str], references: References) -> list[list[str]]:
    """References as a list a sentence; DataError where the two sides do not belong together."""
    several(hypotheses, "hypotheses")
    several(references, "references")
    if len(hypotheses) != len(references):
        hint = "they must be of the same sentences in the same order, one a line"
        raise DataError("", f"{len(hypotheses)} hypotheses, and {len(references)} references", hint)
    if not len(hypotheses):
        raise DataError("", "there are no sentences to score", "is the file or the split empty?")
    lists = [[item] if isinstance(item, str) else list(item) for item in references]
    for number, items in enumerate(lists, 1):
        if not items:
            raise DataError(f"sentence {number}", "has no reference", "give each sentence one or more")
    return lists


def streams(references: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """sacreBLEU's way round: all first references, all second ones..., None where a sentence has fewer."""
    most = max(map(len, references))
    return [[several[i] if i < len(several) else None for several in references] for i in range(most)]


class Sums(Protocol):
    """What makes a score of sums."""

    def value(self, sums: list[float]) -> float: ...


def interval(metric: Sums, statistics: np.ndarray, n_bootstrap: int) -> tuple[float, float]:
    """Between which scores 95% of resampled corpora lie: Koehn 2004, https://aclanthology.org/W04-3250

    The resamples and the cut are sacreBLEU's.
    """
    scores = sorted(metric.value(sums) for sums in resample(statistics, n_bootstrap))
    outside = len(scores) // 40
    return scores[outside], scores[len(scores) - outside - 1]


def resample(statistics: np.ndarray, n_bootstrap: int) -> Iterator[list[float]]:
    """The sums [D] of as many sentences again, drawn with replacement; a few at a time, so that memory stays small."""
    random, count = np.random.default_rng(SEED), len(statistics)
    each = max(1, 200_000 // count)
    for begin in range(0, n_bootstrap, each):
        rows = random.choice(count, size=(min(each, n_bootstrap - begin), count), replace=True)
        yield from statistics[rows].sum(1).tolist()
