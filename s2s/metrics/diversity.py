"""How many different things a system says: replies that suit everything score well elsewhere, and are dull.

These are no metrics with confidence intervals: resampling sentences repeats some of them, and a text that repeats
sentences is less diverse, so every interval would lie too low.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from s2s.metrics.captions import caption_words

ORDERS = (1, 2)


def distinct_ngrams(texts: Sequence[str], order: int) -> float:
    """distinct-n: different n-grams of words, divided by all words: Li et al. 2016, https://arxiv.org/abs/1510.03055

    From 0 to 1, and the smaller the more texts there are: compare it with that of as many others.
    """
    found: set[tuple[str, ...]] = set()
    count = 0
    for text in texts:
        line = caption_words(text, punctuation=True)
        count += len(line)
        found.update(tuple(line[i : i + order]) for i in range(len(line) - order + 1))
    return len(found) / max(1, count)


def diversity(answers: Sequence[str], references: Sequence[str]) -> dict[str, Any]:
    """Of what was written and of what people wrote: distinct-1 and -2, and the text that is most frequent.

    {"answers": {"distinct-1": 0.02, "distinct-2": 0.1, "most frequent": "...", "share": 0.2}, "references": {...}}
    """
    return {"answers": profile(answers), "references": profile(references)}


def profile(texts: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {f"distinct-{order}": distinct_ngrams(texts, order) for order in ORDERS}
    ((text, count),) = Counter(text.strip() for text in texts).most_common(1) or [("", 0)]
    return {**found, "most frequent": text, "share": count / max(1, len(texts))}
