"""Scores of captions against several references a picture: BLEU-1 to 4 and CIDEr-D, as benchmarks have them.

Both read words as those benchmarks do: in lower case, and without punctuation. Benchmarks cut words with a program
written in Java; here sacreBLEU's 13a does, so the digits after the point may differ from theirs.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from s2s.metrics.base import SEED, Bleu, Metric
from s2s.registry import NonNegativeFloat, PositiveInt

PUNCTUATION = frozenset(".,?!:;-'`\"()[]{}") | {"--", "...", "''", "``"}

Vector = dict[tuple[str, ...], float]  # of n-grams


def caption_words(text: str, punctuation: bool = False) -> list[str]:
    """`A dog, asleep.` -> [a, dog, asleep]; with punctuation: [a, dog, `,`, asleep, `.`]"""
    found = tokenizer()(text.lower()).split()
    return found if punctuation else [word for word in found if word not in PUNCTUATION]


@cache
def tokenizer() -> Callable[[str], str]:
    """Imported when first needed, as sacreBLEU is everywhere."""
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    return Tokenizer13a()


class CaptionBleu(Bleu):
    """BLEU of n-grams up to `order`, on words in lower case; a member says which order."""

    order: int

    def __init__(self, *, punctuation: bool = False) -> None:
        super().__init__(lowercase=True, max_order=self.order)
        self.punctuation = punctuation
        self.name = f"BLEU-{self.order}"

    def statistics(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
        if self.punctuation:
            return super().statistics(hypotheses, references)
        bare = [[" ".join(caption_words(text)) for text in texts] for texts in (hypotheses, *references)]
        return super().statistics(bare[0], bare[1:])

    def signature(self, references: Sequence[Sequence[str]], n_bootstrap: int) -> str:
        found = super().signature(references, n_bootstrap).replace("|eff:", f"|n:{self.order}|eff:", 1)
        return with_punctuation(found, self.punctuation)


class Bleu1(CaptionBleu, kind="bleu1"):
    """BLEU of single words, as captions are scored: Papineni et al. 2002, https://aclanthology.org/P02-1040

    punctuation  counts as words do
    """

    order = 1


class Bleu2(CaptionBleu, kind="bleu2"):
    """BLEU of words and pairs, as captions are scored: Papineni et al. 2002, https://aclanthology.org/P02-1040

    punctuation  counts as words do
    """

    order = 2


class Bleu3(CaptionBleu, kind="bleu3"):
    """BLEU of up to three words, as captions are scored: Papineni et al. 2002, https://aclanthology.org/P02-1040

    punctuation  counts as words do
    """

    order = 3


class Bleu4(CaptionBleu, kind="bleu4"):
    """BLEU of up to four words, as captions are scored: Papineni et al. 2002, https://aclanthology.org/P02-1040

    punctuation  counts as words do
    """

    order = 4


class Cider(Metric, kind="cider"):
    """CIDEr-D, how much a caption agrees with what people say: Vedantam et al. 2015, https://arxiv.org/abs/1411.5726

    From 0 to 10; 10 is a caption of four words or more that all references equal. (Papers print it times 100, or 10.)
    N-grams weigh the more, the fewer pictures have them in their references, and these are the references that are
    scored against: the same captions among other pictures have another score.

    max_order    the longest n-grams; all orders weigh alike
    sigma        how many words a caption may be longer or shorter before it loses a third or so (a Gaussian)
    punctuation  counts as words do
    """

    name = "CIDEr-D"

    def __init__(self, *, max_order: PositiveInt = 4, sigma: NonNegativeFloat = 6.0, punctuation: bool = False) -> None:
        self.max_order, self.sigma, self.punctuation = max_order, sigma, punctuation

    def statistics(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
        """[N, 2]: the score of each caption, and 1. The rarity of n-grams is that among all N, resampled or not."""
        counts = [[self.counts(text) for text in several] for several in references]
        pictures = Counter(gram for several in counts for gram in {gram for each in several for gram in each})
        rarity = {gram: math.log(len(references) / count) for gram, count in pictures.items()}
        most = math.log(max(1, len(references)))  # of what no reference has

        def weighed(grams: Counter[tuple[str, ...]]) -> Weighed:
            orders: list[Vector] = [{} for _ in range(self.max_order)]
            for gram, count in grams.items():
                orders[len(gram) - 1][gram] = count * rarity.get(gram, most)
            length = sum(count for gram, count in grams.items() if len(gram) == 1)
            return Weighed(length, orders, [math.hypot(*order.values()) for order in orders])

        scores = [
            self.agreement(weighed(self.counts(text)), [weighed(each) for each in several])
            for text, several in zip(hypotheses, counts, strict=True)
        ]
        return np.stack([np.array(scores), np.ones(len(scores))], 1)

    def counts(self, text: str) -> Counter[tuple[str, ...]]:
        """How often each n-gram of each order is in a text."""
        found = caption_words(text, self.punctuation)
        orders = range(1, self.max_order + 1)
        return Counter(tuple(found[i : i + n]) for n in orders for i in range(len(found) - n + 1))

    def agreement(self, caption: "Weighed", references: Sequence["Weighed"]) -> float:
        """Ten times the mean over references and orders of a cosine, in which no n-gram of the caption counts more
        than in the reference (saying a word again does not pay), times the Gaussian of the difference in length."""
        total = 0.0
        for reference in references:
            difference = caption.length - reference.length
            near = math.exp(-(difference**2) / (2 * self.sigma**2)) if self.sigma else float(difference == 0)
            for ours, theirs, our_norm, their_norm in zip(
                caption.orders, reference.orders, caption.norms, reference.norms, strict=True
            ):
                if our_norm and their_norm:
                    product = sum(
                        min(weight, theirs[gram]) * theirs[gram] for gram, weight in ours.items() if gram in theirs
                    )
                    total += near * product / (our_norm * their_norm)
        return 10 * total / (self.max_order * len(references))

    def value(self, sums: list[float]) -> float:
        return sums[0] / sums[1]

    def signature(self, references: Sequence[Sequence[str]], n_bootstrap: int) -> str:
        counts = {len(several) for several in references}
        parts = [f"nrefs:{counts.pop() if len(counts) == 1 else 'var'}"]
        parts += [f"bs:{n_bootstrap}", f"seed:{SEED}"] if n_bootstrap else []
        parts += [
            f"df:references({len(references)})",
            f"n:{self.max_order}",
            f"sigma:{self.sigma:g}",
            "case:lc",
            "tok:13a",
        ]
        return with_punctuation("|".join(parts), self.punctuation)


class Weighed(NamedTuple):
    """A text as CIDEr sees it."""

    length: int  # words
    orders: list[Vector]  # of each order, n-grams by count times rarity
    norms: list[float]  # of each


def with_punctuation(signature: str, punctuation: bool) -> str:
    """The signature, which says `punct:no` after its case where marks are left out."""
    return signature if punctuation else signature.replace("|case:lc", "|case:lc|punct:no", 1)
