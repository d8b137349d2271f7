"""Metrics against sacreBLEU's own front door, and against counting."""

import itertools
import random

import numpy as np
import pytest
import sacrebleu
from sacrebleu.metrics import BLEU, CHRF, TER

from s2s.config import configure
from s2s.errors import DataError, RecipeError
from s2s.metrics.base import Metric, resample, streams

EVERY = ["bleu", "chrf", "exact", "ter"]  # of texts; test_label_metrics.py has those of names
WORDS = [
    "the",
    "A",
    "dog",
    ",",
    "runs",
    "over",
    "green",
    "hills",
    "and",
    "sleeps",
    ".",
    "cat's",
    "12",
    "eyes",
    "see",
    "3.5",
    "mice",
    ",",
    "don't",
    "they",
    "?",
]


def corpus(count=40, seed=0):
    """Hypotheses, and one to three references each: the hypothesis with some words changed."""
    dice = random.Random(seed)
    hypotheses = [" ".join(dice.choices(WORDS, k=dice.randint(4, 14))) for _ in range(count)]

    def change(text):
        return " ".join(dice.choice(WORDS) if dice.random() < 0.25 else word for word in text.split())

    return hypotheses, [[change(text) for _ in range(1 + i % 3)] for i, text in enumerate(hypotheses)]


HYPOTHESES, RAGGED = corpus()
SINGLE = [several[0] for several in RAGGED]


def metric(kind, **options):
    return configure(Metric, {"kind": kind, **options})()


def test_streams_are_padded_with_none():
    assert streams([["a"], ["b", "c", "d"], ["e", "f"]]) == [["a", "b", "e"], [None, "c", "f"], [None, "d", None]]


@pytest.mark.parametrize("references", [SINGLE, RAGGED])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (metric("bleu"), BLEU()),
        *((metric("bleu", tokenize=name), BLEU(tokenize=name)) for name in ("13a", "intl", "zh", "char", "none")),
        *((metric("bleu", smoothing=name), BLEU(smooth_method=name)) for name in ("exp", "floor", "add-k", "none")),
        (metric("bleu", smoothing="floor", smoothing_value=0.5), BLEU(smooth_method="floor", smooth_value=0.5)),
        (metric("bleu", lowercase=True, max_order=2), BLEU(lowercase=True, max_ngram_order=2)),
        (metric("bleu", effective_order=True), BLEU(effective_order=True)),
        (metric("chrf"), CHRF()),
        (metric("chrf", word_order=2), CHRF(word_order=2)),
        (metric("chrf", char_order=3, beta=1, lowercase=True), CHRF(char_order=3, beta=1, lowercase=True)),
        (metric("ter"), TER()),
        (metric("ter", normalized=True, punctuation=False), TER(normalized=True, no_punct=True)),
        (metric("ter", asian=True, lowercase=False), TER(asian_support=True, case_sensitive=True)),
    ],
)
def test_scores_and_signatures_are_sacrebleus(ours, theirs, references):
    wanted = theirs.corpus_score(HYPOTHESES, streams([[r] if isinstance(r, str) else r for r in references]))
    score = ours.score(HYPOTHESES, references, n_bootstrap=0)
    assert score.value == pytest.approx(wanted.score)
    assert (score.name, score.signature) == (wanted.name, str(theirs.get_signature()))
    assert (score.low, score.high) == (None, None)


def test_the_default_is_what_the_command_sacrebleu_says():
    assert metric("bleu").score(HYPOTHESES, SINGLE).value == sacrebleu.corpus_bleu(HYPOTHESES, [SINGLE]).score
    assert metric("chrf").score(HYPOTHESES, SINGLE).value == sacrebleu.corpus_chrf(HYPOTHESES, [SINGLE]).score
    assert metric("ter").score(HYPOTHESES, SINGLE).value == sacrebleu.corpus_ter(HYPOTHESES, [SINGLE]).score


@pytest.mark.parametrize(("kind", "theirs"), [("bleu", BLEU()), ("chrf", CHRF()), ("ter", TER())])
def test_the_interval_is_sacrebleus(kind, theirs):
    wanted = theirs.corpus_score(HYPOTHESES, [SINGLE], n_bootstrap=200)
    score = metric(kind).score(HYPOTHESES, SINGLE, n_bootstrap=200)
    assert (score.high - score.low) / 2 == pytest.approx(wanted._ci, rel=1e-4)
    assert score.low < score.value < score.high
    assert score.signature == str(theirs.get_signature())
    assert "bs:200|seed:12345" in score.signature


@pytest.mark.parametrize("kind", EVERY)
def test_the_interval_holds_most_scores_of_resampled_corpora(kind):
    """Resampled here as texts, by other dice, and scored from the start."""
    ours, dice = metric(kind), np.random.default_rng(99)
    hypotheses = [text if i % 3 else SINGLE[i] for i, text in enumerate(HYPOTHESES)]  # so that some are exact
    score = ours.score(hypotheses, SINGLE, n_bootstrap=400)
    values = []
    for _ in range(60):
        rows = dice.integers(len(hypotheses), size=len(hypotheses))
        chosen = [hypotheses[i] for i in rows], [SINGLE[i] for i in rows]
        values.append(ours.score(*chosen, n_bootstrap=0).value)
    inside = sum(score.low <= value <= score.high for value in values)
    assert 52 <= inside <= 60
    assert min(values) < score.low + (score.high - score.low) / 3
    assert max(values) > score.high - (score.high - score.low) / 3


def test_resamples_a_few_at_a_time_are_resamples_all_at_once():
    statistics = np.random.default_rng(0).random((150_000, 2))  # so large that one is drawn at a time
    rows = np.random.default_rng(12345).choice(150_000, size=(3, 150_000), replace=True)
    np.testing.assert_allclose(list(resample(statistics, 3)), statistics[rows].sum(1))


@pytest.mark.parametrize("kind", EVERY)
def test_what_every_metric_promises(kind):
    ours = metric(kind)
    perfect, good, bad = (ours.score(texts, SINGLE, n_bootstrap=0) for texts in (SINGLE, HYPOTHESES, SINGLE[::-1]))
    assert perfect.value == pytest.approx(100.0 if ours.higher_is_better else 0.0)
    sign = 1 if ours.higher_is_better else -1
    assert sign * perfect.value > sign * good.value
    assert sign * good.value >= sign * bad.value
    assert (perfect.name, perfect.higher_is_better) == (ours.name, ours.higher_is_better)
    assert ours.score(HYPOTHESES, [[text] for text in SINGLE]) == ours.score(HYPOTHESES, SINGLE)  # one is a list of one
    assert "nrefs:1" in perfect.signature
    assert "nrefs:var" in ours.score(HYPOTHESES, RAGGED).signature
    assert "nrefs:2" in ours.score(HYPOTHESES, [[text, "x"] for text in SINGLE]).signature
    assert "nrefs:1" in ours.score(HYPOTHESES, SINGLE).signature  # what was scored before leaves nothing behind
    assert "bs" not in ours.score(HYPOTHESES, SINGLE, n_bootstrap=0).signature


@pytest.mark.parametrize("kind", EVERY)
def test_several_references_are_alternatives(kind):
    """A right answer among the references is right, in whatever place."""
    ours = metric(kind)
    best = 100.0 if ours.higher_is_better else 0.0
    for place in range(3):
        references = [["something else", "and this", "not that"] for _ in SINGLE]
        for several, text in zip(references, SINGLE):
            several[place] = text
        value = ours.score(SINGLE, references, n_bootstrap=0).value
        assert value == pytest.approx(best) if kind != "ter" else value == 0.0


@pytest.mark.parametrize("kind", EVERY)
def test_empty_texts_are_scored(kind):
    score = metric(kind).score([""] * 3, ["a b c d", "", "e"], n_bootstrap=10)
    assert score.low <= score.value <= score.high


def test_exact_counts_what_is_equal():
    hypotheses, references = ["a b", " c ", "D", "e"], [["x", "a b"], ["c"], ["d"], ["f", "g"]]
    assert metric("exact").score(hypotheses, references).value == 50.0
    assert metric("exact", lowercase=True).score(hypotheses, references).value == 75.0
    assert metric("exact", lowercase=True).score(hypotheses, references).signature.endswith("case:lc")


def test_a_score_in_words():
    score = metric("exact").score(["a"] * 20, ["a"] * 20)
    assert str(score) == "exact = 100.0 [100.0, 100.0]"
    assert str(metric("exact").score(["a"], ["b"], n_bootstrap=0)) == "exact = 0.0"


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize(
    ("hypotheses", "references", "message"),
    [
        (["a", "b"], ["a"], "2 hypotheses, and 1 references"),
        ([], [], "no sentences to score"),
        (["a", "b"], [["a"], []], "sentence 2: has no reference"),
    ],
)
def test_what_cannot_be_scored(kind, hypotheses, references, message):
    with pytest.raises(DataError, match=message):
        metric(kind).score(hypotheses, references)


def test_options_are_checked():
    for options in ({"tokenize": "14a"}, {"smoothing": "more"}, {"max_order": 0}):
        with pytest.raises(RecipeError):
            metric("bleu", **options)


def test_metrics_of_one_kind_do_not_share_a_scorer():
    one, other = metric("bleu"), metric("bleu", lowercase=True)
    values = [m.score([text.upper() for text in SINGLE], SINGLE).value for m in (one, other, one)]
    assert values[1] == pytest.approx(100.0)
    assert values[0] == values[2] < 50
    assert len({m.score(SINGLE, SINGLE).signature for m in itertools.chain((one, other))}) == 2
