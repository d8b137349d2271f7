"""Paired tests: sacreBLEU's numbers, and what chance does on systems that are known to be equal or not."""

import random

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

from s2s.errors import DataError
from s2s.metrics.base import streams
from s2s.metrics.significance import compare, scores_by_length
from tests.metrics.test_metrics import EVERY, HYPOTHESES, RAGGED, SINGLE, corpus, metric

TESTS = [("bootstrap", "bs"), ("randomization", "ar")]


def worsen(texts, share, seed=1):
    dice = random.Random(seed)
    return [
        " ".join(w for w in text.split() if dice.random() > 0.3) if dice.random() < share else text for text in texts
    ]


@pytest.mark.parametrize("references", [SINGLE, RAGGED])
@pytest.mark.parametrize(("test", "short"), TESTS)
def test_the_numbers_are_sacrebleus(test, short, references):
    other = worsen(HYPOTHESES, 0.4)
    found = compare(other, HYPOTHESES, references, [metric(k) for k in ("bleu", "chrf", "ter")], test=test, trials=50)
    transposed = streams([[r] if isinstance(r, str) else r for r in references])
    theirs = {"BLEU": BLEU(), "chrF2": CHRF(), "TER": TER()}
    signatures, scores = PairedTest([("b", HYPOTHESES), ("a", other)], theirs, transposed, short, 50)()
    for one in found:
        base, ours = scores[one.metric]
        assert (one.baseline, one.ours) == (pytest.approx(base.score), pytest.approx(ours.score))
        assert one.difference == pytest.approx(ours.score - base.score)
        assert one.p_value == pytest.approx(ours.p_value)
        assert sorted(one.signature.split("|")) == sorted(str(signatures[one.metric]).split("|"))
    assert [one.metric for one in found] == ["BLEU", "chrF2", "TER"]


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize(("test", "short"), TESTS)
def test_a_clear_difference_is_found_from_both_sides(kind, test, short):
    (better,) = compare(SINGLE, HYPOTHESES, SINGLE, [metric(kind)], test=test, trials=100)
    (worse,) = compare(HYPOTHESES, SINGLE, SINGLE, [metric(kind)], test=test, trials=100)
    assert better.p_value < 0.05
    assert worse.p_value < 0.05
    assert better.verdict == f"better than the baseline (p = {better.p_value:.3f})"
    assert worse.verdict == f"worse than the baseline (p = {worse.p_value:.3f})"
    assert better.difference == -worse.difference
    assert better.sentence.startswith(f"{better.metric} {better.ours:.1f}, baseline {better.baseline:.1f} (")
    assert f"{short}:100" in better.signature


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize(("test", "short"), TESTS)
def test_a_system_is_not_better_than_itself(kind, test, short):
    """sacreBLEU's p-value of a system against itself is the smallest there is."""
    (same,) = compare(HYPOTHESES, list(HYPOTHESES), SINGLE, [metric(kind)], test=test, trials=50)
    assert (same.p_value, same.difference, same.verdict) == (1.0, 0.0, "no difference")


@pytest.mark.parametrize(("test", "short"), TESTS)
def test_chance_is_called_chance(test, short):
    """Two systems that are equally bad on different sentences: of many such pairs, few look different."""
    found = 0
    for seed in range(12):
        hypotheses, _ = corpus(40, seed)
        pair = worsen(hypotheses, 0.5, 2 * seed), worsen(hypotheses, 0.5, 2 * seed + 1)
        (one,) = compare(*pair, hypotheses, [metric("bleu")], test=test, trials=60)
        assert ("chance" in one.verdict) == (one.p_value >= 0.05)
        found += one.p_value < 0.05
    assert found <= 3


def test_few_sentences_say_nothing():
    for count in (1, 9):
        (one,) = compare(SINGLE[:count], HYPOTHESES[:count], SINGLE[:count], [metric("bleu")])
        assert one.p_value is None
        assert one.verdict.startswith("too few sentences")
        assert one.ours > one.baseline


def test_systems_that_do_not_belong_together():
    with pytest.raises(DataError, match="one system wrote 40 sentences, the other 39"):
        compare(HYPOTHESES, HYPOTHESES[1:], SINGLE, [metric("bleu")])
    with pytest.raises(DataError, match="40 hypotheses, and 39 references"):
        compare(HYPOTHESES, HYPOTHESES, SINGLE[1:], [metric("bleu")])
    with pytest.raises(DataError, match="no sentences"):
        compare([], [], [], [metric("bleu")])


@pytest.mark.parametrize("kind", EVERY)
def test_scores_by_length_are_scores_of_those_sentences(kind):
    lengths = [int(n) for n in np.random.default_rng(3).integers(0, 30, len(HYPOTHESES))]
    table = scores_by_length(HYPOTHESES, RAGGED, lengths, metric(kind), edges=(5, 20))
    assert [one.label for one in table] == ["0-5", "6-20", "21+"]
    for one, (low, high) in zip(table, [(0, 5), (6, 20), (21, 99)], strict=True):
        rows = [i for i, n in enumerate(lengths) if low <= n <= high]
        score = metric(kind).score([HYPOTHESES[i] for i in rows], [RAGGED[i] for i in rows], n_bootstrap=0)
        assert (one.count, one.value) == (len(rows), pytest.approx(score.value))


def test_lengths_that_no_sentence_has_are_left_out():
    table = scores_by_length(["a"] * 4, ["a"] * 4, [10, 11, 50, 50], metric("exact"))
    assert [(one.label, one.count, one.value) for one in table] == [
        ("0-10", 1, 100.0),
        ("11-20", 1, 100.0),
        ("41+", 2, 100.0),
    ]
    assert [one.label for one in scores_by_length(["a"], ["a"], [3], metric("exact"), edges=())] == ["0+"]
    with pytest.raises(DataError, match="lengths of their sources"):
        scores_by_length(["a"], ["a"], [1, 2], metric("exact"))
