"""Metrics of names equal scikit-learn on the plain lists, resampled or not."""

import random

import numpy as np
import pytest
from sklearn import metrics as sk

from s2s.config import choose
from s2s.tasks.label_metrics import Counted
from s2s.tasks.label_report import calibration_error, class_table, confusion_plot, confusion_table, label_report
from s2s.tasks.metrics import Metric
from s2s.tasks.significance import compare

NAMES = ["neg", "neutral", "pos"]


def lists(seed: int, count: int = 200) -> tuple[list[str], list[str]]:
    chance = random.Random(seed)
    right = [chance.choice(NAMES) for _ in range(count)]
    return right, [r if chance.random() < 0.6 else chance.choice(NAMES) for r in right]


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("accuracy", sk.accuracy_score),
        ("macro-f1", lambda right, said: sk.f1_score(right, said, average="macro")),
        ("weighted-f1", lambda right, said: sk.f1_score(right, said, average="weighted")),
    ],
)
def test_counts_give_what_the_lists_give(kind, function):
    right, said = lists(1)
    score = choose(Metric, kind)().score(said, right)
    assert score.value == pytest.approx(100 * function(right, said))
    assert score.low < score.value < score.high
    assert "bs:1000" in score.signature


def test_tags_are_counted_word_by_word():
    right, said = ["A B", "C C A"], ["A A", "C B A"]
    flat = "ABCCA", "AACBA"
    assert choose(Metric, "token-accuracy")().score(said, right).value == pytest.approx(60)
    expected = 100 * sk.f1_score(*map(list, flat), average="macro")
    assert choose(Metric, "tag-f1")().score(said, right).value == pytest.approx(expected)
    assert choose(Metric, "token-accuracy")().score(["A"], ["A B"]).value == 50


def test_several_labels_by_single_decisions():
    right, said = ["a, b", "c", "a"], ["a", "c, b", ""]
    names = ["a", "b", "c"]
    rows = [[[int(n in text) for n in names] for text in side] for side in (right, said)]
    expected = 100 * sk.f1_score(*rows, average="micro")
    assert choose(Metric, "micro-f1")().score(said, right).value == pytest.approx(expected)


def test_a_class_that_a_resample_lacks_is_no_class_of_it():
    metric = choose(Metric, "macro-f1")()
    statistics = metric.statistics(["a", "b", "b"], [["a"], ["b"], ["c"]])
    assert metric.value(statistics[:2].sum(0).tolist()) == 100
    assert metric.value([0.0] * statistics.shape[1]) == 0


@pytest.mark.parametrize(
    "kind", sorted(kind for kind, cls in Metric.kinds.items() if isinstance(cls, type) and issubclass(cls, Counted))
)
def test_paired_tests_take_them(kind):
    right, said = lists(1)
    _, other = lists(2)
    (found,) = compare(said, other, right, [choose(Metric, kind)()], trials=100)
    assert found.ours > found.baseline
    assert found.p_value < 0.05
    (same,) = compare(said, said, right, [choose(Metric, kind)()], trials=100)
    assert same.p_value == 1


def test_the_report_has_every_class(tmp_path):
    right, said = lists(3)
    report = label_report(right, said, NAMES, np.eye(3)[[NAMES.index(s) for s in said]])
    assert report["confusion"] == sk.confusion_matrix(right, said, labels=NAMES).tolist()
    assert report["classes"]["pos"]["f1"] == pytest.approx(sk.f1_score(right, said, average=None, labels=NAMES)[2])
    assert sum(c["support"] for c in report["classes"].values()) == 200
    assert report["calibration_error"] == pytest.approx(1 - sk.accuracy_score(right, said))
    assert class_table(report).row_count == 3
    assert confusion_table(report).row_count == 3
    assert confusion_plot(report, tmp_path / "c.png") is None
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_confidence_that_is_right_has_no_calibration_error():
    sure = np.array([[0.8, 0.2]] * 10)
    assert calibration_error(sure, np.array([0] * 8 + [1] * 2)) == pytest.approx(0)
    assert calibration_error(sure, np.array([0] * 10)) == pytest.approx(0.2)
    # two bins whose gaps must not cancel
    mixed = np.array([[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10)
    assert calibration_error(mixed, np.array([0] * 6 + [1] * 4 + [0] * 9 + [1])) == pytest.approx(0.3)
