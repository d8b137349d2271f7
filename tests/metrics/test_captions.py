"""BLEU-n against sacreBLEU, and CIDEr-D against the formula of the paper, written out slowly."""

import math
import random
from functools import cache

import numpy as np
import pytest
from sacrebleu.metrics import BLEU

from s2s.config import configure
from s2s.errors import DataError
from s2s.metrics.base import Metric, streams
from s2s.metrics.captions import caption_words
from s2s.metrics.significance import compare

KINDS = ["bleu1", "bleu2", "bleu3", "bleu4", "cider"]
WORDS = [
    "a",
    "the",
    "two",
    "red",
    "dog",
    "dogs",
    "cat",
    "runs",
    "sits",
    "on",
    "over",
    "grass",
    ",",
    ".",
    "street",
    "and",
    "Big",
    "tree",
    "-",
    "3",
]


def metric(kind, **options):
    return configure(Metric, {"kind": kind, **options})()


def corpus(count=30, seed=0):
    """Captions, and one to five references each: the caption with some words changed, left out or said twice."""
    dice = random.Random(seed)
    captions = [" ".join(dice.choices(WORDS, k=dice.randint(3, 12))) for _ in range(count)]

    def change(text):
        found = [dice.choice(WORDS) if dice.random() < 0.3 else word for word in text.split()]
        return " ".join(word for word in found for _ in range(dice.choice([0, 1, 1, 1, 1, 2])))

    return captions, [[change(text) or "a" for _ in range(1 + i % 5)] for i, text in enumerate(captions)]


CAPTIONS, REFERENCES = corpus()


def by_the_formula(caption, references, all_references, sigma=6.0, orders=4):
    """Vedantam et al. 2015, section 3 and equation 5, one n-gram at a time."""

    @cache
    def grams(text, n):
        found = caption_words(text)
        return [" ".join(found[i : i + n]) for i in range(len(found) - n + 1)]

    def weight(gram, text, n):
        pictures = sum(any(gram in grams(each, n) for each in several) for several in all_references)
        return grams(text, n).count(gram) * (math.log(len(all_references)) - math.log(max(1, pictures)))

    total = 0.0
    for n in range(1, orders + 1):
        for reference in references:
            both = sorted({*grams(caption, n), *grams(reference, n)})
            ours = [weight(gram, caption, n) for gram in both]
            theirs = [weight(gram, reference, n) for gram in both]
            lengths = math.sqrt(sum(x * x for x in ours)) * math.sqrt(sum(x * x for x in theirs))
            clipped = sum(min(x, y) * y for x, y in zip(ours, theirs, strict=True))
            apart = len(caption_words(caption)) - len(caption_words(reference))
            if lengths > 0:
                total += 10 / len(references) / orders * math.exp(-(apart**2) / (2 * sigma**2)) * clipped / lengths
    return total


def test_words_are_in_lower_case_and_without_marks():
    assert caption_words("A dog's ball, 3.5 m: (Red) - twenty-one.") == [
        "a",
        "dog's",
        "ball",
        "3.5",
        "m",
        "red",
        "twenty-one",
    ]
    assert caption_words("A dog.", punctuation=True) == ["a", "dog", "."]
    assert caption_words(" . , ") == []


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_with_punctuation_bleu_is_sacrebleus(order):
    theirs = BLEU(lowercase=True, max_ngram_order=order)
    score = metric(f"bleu{order}", punctuation=True).score(CAPTIONS, REFERENCES, n_bootstrap=0)
    assert score.value == pytest.approx(theirs.corpus_score(CAPTIONS, streams(REFERENCES)).score)
    assert score.name == f"BLEU-{order}"
    assert "punct" not in score.signature


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_bleu_is_sacrebleus_of_texts_without_marks(order):
    bare = [" ".join(caption_words(text)) for text in CAPTIONS]
    references = [[" ".join(caption_words(text)) for text in several] for several in REFERENCES]
    wanted = BLEU(max_ngram_order=order, tokenize="none").corpus_score(bare, streams(references)).score
    score = metric(f"bleu{order}").score(CAPTIONS, REFERENCES)
    assert score.value == pytest.approx(wanted)
    assert f"|n:{order}|" in score.signature
    assert "nrefs:var" in score.signature
    assert "case:lc|punct:no" in score.signature


@pytest.mark.parametrize("sigma", [6.0, 1.5])
@pytest.mark.parametrize("orders", [4, 2])
def test_cider_is_the_formula(sigma, orders):
    statistics = metric("cider", sigma=sigma, max_order=orders).statistics(CAPTIONS, REFERENCES)
    wanted = [
        by_the_formula(caption, several, REFERENCES, sigma, orders)
        for caption, several in zip(CAPTIONS, REFERENCES, strict=True)
    ]
    np.testing.assert_allclose(statistics[:, 0], wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(statistics[:, 1], 1)
    assert max(wanted) > 1  # or there was nothing to compare


def test_a_caption_that_all_references_equal_scores_ten():
    captions = ["a red dog runs over grass", "two big cats sit on trees", "the street and the long wall"]
    assert metric("cider").score(captions, [[text] * 3 for text in captions]).value == pytest.approx(10)
    assert metric("cider").score(captions[::-1], [[text] * 3 for text in captions], n_bootstrap=0).value < 7


def test_saying_it_again_and_saying_more_do_not_pay():
    references = [["a red dog runs over grass"], ["two big cats sit on trees"], ["the street and the wall"]]
    others = ["two big cats sit on trees", "the street and the wall"]

    def score(text):
        return metric("cider").statistics([text, *others], references)[0, 0]

    assert score("a red dog runs over grass") == pytest.approx(10)
    assert score("a red dog dog dog runs over grass") < score("a red dog runs over grass")
    assert score("a red dog runs over grass " + "and so on " * 4) < 3


def test_what_all_pictures_have_counts_nothing():
    references = [["there is a dog"], ["there is a cat"], ["there is a tree"]]
    assert metric("cider").statistics(["there is a"] * 3, references).sum(0)[0] == 0


def test_of_one_picture_nothing_is_rare():
    assert metric("cider").score(["a dog"], ["a dog"]).value == 0.0


def test_the_signature_says_what_cider_depends_on():
    score = metric("cider").score(CAPTIONS, REFERENCES)
    assert score.signature == ("nrefs:var|bs:1000|seed:12345|df:references(30)|n:4|sigma:6|case:lc|punct:no|tok:13a")
    assert score.low < score.value < score.high
    kept = metric("cider", punctuation=True).score(CAPTIONS, [several[:1] for several in REFERENCES], n_bootstrap=0)
    assert kept.signature == "nrefs:1|df:references(30)|n:4|sigma:6|case:lc|tok:13a"


@pytest.mark.parametrize("kind", KINDS)
def test_promises(kind):
    ours = metric(kind)
    perfect = ours.score([several[0] for several in REFERENCES], REFERENCES)
    assert perfect.low <= perfect.value <= perfect.high
    assert perfect.value > ours.score(CAPTIONS, REFERENCES, n_bootstrap=0).value
    assert ours.score(CAPTIONS, REFERENCES, n_bootstrap=0).value > ours.score(CAPTIONS[::-1], REFERENCES).value
    shuffled = [several[::-1] for several in REFERENCES]
    assert ours.score(CAPTIONS, shuffled) == ours.score(CAPTIONS, REFERENCES)  # their order does not matter
    empty = ours.score([""] * 3, ["a b c d", "", "e"], n_bootstrap=10)
    assert 0 <= empty.low <= empty.value <= empty.high
    with pytest.raises(DataError, match="no sentences"):
        ours.score([], [])


@pytest.mark.parametrize("kind", KINDS)
def test_systems_are_compared(kind):
    (found,) = compare([several[0] for several in REFERENCES], CAPTIONS, REFERENCES, [metric(kind)], trials=100)
    assert found.difference > 0
    assert found.p_value < 0.05
