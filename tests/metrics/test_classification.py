"""Metrics of names equal scikit-learn on the plain lists, and counting by hand; resampled or not."""

import builtins
import io
import random

import numpy as np
import pytest
import torch
from rich.console import Console
from sklearn import metrics as sk

from s2s.config import configure
from s2s.metrics.base import Metric
from s2s.metrics.classification import Counted
from s2s.metrics.report import calibration_error, class_table, confusion_plot, confusion_table, label_report
from s2s.metrics.significance import compare, scores_by_length

NAMES = ["neg", "neutral", "pos"]
EVERY = sorted(kind for kind, cls in Metric.registry.items() if isinstance(cls, type) and issubclass(cls, Counted))
FEW = 40  # resamples


def lists(seed: int, count: int = 200) -> tuple[list[str], list[str]]:
    chance = random.Random(seed)
    right = [chance.choice(NAMES) for _ in range(count)]
    return right, [r if chance.random() < 0.6 else chance.choice(NAMES) for r in right]


def metric(kind: str, **options: object) -> Metric:
    return configure(Metric, {"kind": kind, **options})()


def f1_by_hand(right: list[str], said: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """F1 and rows of each class, out of a confusion matrix."""
    table = torch.zeros(3, 3)
    for r, s in zip(right, said):
        table[NAMES.index(r), NAMES.index(s)] += 1
    return 2 * table.diag() / (table.sum(0) + table.sum(1)), table.sum(1)


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        ("accuracy", sk.accuracy_score),
        ("macro-f1", lambda right, said: sk.f1_score(right, said, average="macro")),
        ("weighted-f1", lambda right, said: sk.f1_score(right, said, average="weighted")),
        ("micro-f1", lambda right, said: sk.f1_score(right, said, average="micro")),
    ],
)
def test_counts_give_what_the_lists_give(kind, function):
    right, said = lists(1)
    score = metric(kind).score(said, right, n_bootstrap=FEW)
    assert score.value == pytest.approx(100 * function(right, said))
    assert score.low < score.value < score.high
    assert f"bs:{FEW}" in score.signature


def test_counts_give_what_counting_by_hand_gives():
    right, said = lists(4)
    f1, rows = f1_by_hand(right, said)
    wanted = {
        "accuracy": sum(r == s for r, s in zip(right, said)) / len(right),
        "macro-f1": f1.mean().item(),
        "weighted-f1": ((f1 * rows).sum() / rows.sum()).item(),
    }
    for kind, value in wanted.items():
        assert metric(kind).score(said, right, n_bootstrap=0).value == pytest.approx(100 * value)


@pytest.mark.parametrize("kind", EVERY)
def test_a_score_of_some_rows_is_the_score_of_a_corpus_of_them(kind):
    """The promise behind resampling: values of summed statistics are those of the repeated rows."""
    right, said = lists(5, 40)
    ours, rows = metric(kind), [0, 0, 3, 7, 7, 7, 12]
    statistics = ours.statistics(said, [[text] for text in right])
    alone = metric(kind).score([said[i] for i in rows], [right[i] for i in rows], n_bootstrap=0)
    assert ours.value(statistics[rows].sum(0).tolist()) == pytest.approx(alone.value)


@pytest.mark.parametrize("separator", [None, ","])
@pytest.mark.parametrize("kind", EVERY)
def test_counting_is_the_library(kind, separator):
    """Any rows of any system: classes that are never right, never said, or missing; and rows without an answer."""
    chance = random.Random(7)
    options = {"separator": separator} if ("f1" in kind and kind != "tag-f1") or kind == "accuracy" else {}
    for count in (1, 2, 3, 5, 8, 40):
        for _ in range(6):
            right = [chance.choice(["a", "b", "c", "a b", "a,b", "b,c"]) for _ in range(count)]
            said = [chance.choice(["", "a", "b", "d", "b a", "b,a", "a,d"]) for _ in range(count)]
            ours = metric(kind, **options)
            sums = ours.statistics(said, [[text] for text in right]).sum(0).tolist()
            assert ours.value(sums) == pytest.approx(ours.by_library(sums), abs=1e-9)
            assert ours.score(said, right, n_bootstrap=0).value == ours.by_library(sums)


def test_tags_are_counted_word_by_word():
    right, said = ["A B", "C C A"], ["A A", "C B A"]
    flat = "ABCCA", "AACBA"
    assert metric("token-accuracy").score(said, right, n_bootstrap=0).value == pytest.approx(60)
    expected = 100 * sk.f1_score(*map(list, flat), average="macro")
    assert metric("tag-f1").score(said, right, n_bootstrap=0).value == pytest.approx(expected)
    assert metric("token-accuracy").score(["A"], ["A B"], n_bootstrap=0).value == 50


SEVERAL = ["a, b", "c", "a", "b,c", ""], ["a", "c, b", "", "c, b", ""]


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_several_labels_by_single_decisions(average):
    right, said = SEVERAL
    rows = [[[int(n in text) for n in "abc"] for text in side] for side in (right, said)]
    expected = 100 * sk.f1_score(*rows, average=average)
    found = metric(f"{average}-f1", separator=",").score(said, right, n_bootstrap=0)
    assert found.value == pytest.approx(expected)
    assert found.signature.startswith("labels:several|")


def test_a_row_of_several_labels_is_right_if_all_are_in_whatever_order():
    right, said = SEVERAL
    assert metric("accuracy", separator=",").score(said, right, n_bootstrap=0).value == pytest.approx(40)
    assert metric("accuracy").score(["a, b"], ["b,a"], n_bootstrap=0).value == 0  # one label with a comma in it


def test_no_answer_is_wrong_and_no_class():
    """A blank text has no label."""
    right, said = ["a", "b", "b", "a"], ["a", "b", "", "a"]
    expected = 100 * sk.f1_score(right, said, labels=["a", "b"], average="macro")
    assert metric("macro-f1").score(said, right, n_bootstrap=0).value == pytest.approx(expected)
    assert metric("accuracy").score(said, right, n_bootstrap=0).value == 75
    assert metric("tag-f1").score(["A"], ["A A"], n_bootstrap=0).value == pytest.approx(100 * 2 / 3)
    assert metric("macro-f1").score([""], ["a"], n_bootstrap=0).value == 0


def test_a_class_that_a_resample_lacks_is_no_class_of_it():
    ours = metric("macro-f1")
    statistics = ours.statistics(["a", "b", "b"], [["a"], ["b"], ["c"]])
    assert ours.value(statistics[:2].sum(0).tolist()) == 100
    assert ours.value([0.0] * statistics.shape[1]) == ours.by_library([0.0] * statistics.shape[1]) == 0


@pytest.mark.parametrize("test", ["bootstrap", "randomization"])
@pytest.mark.parametrize("kind", EVERY)
def test_paired_tests_take_them(kind, test):
    """The better system says what the other never does: their counts still have the same columns."""
    right, said = lists(1, 60)
    other = [text if i % 3 else "pos" for i, text in enumerate(["neg"] * 60)]
    (found,) = compare(said, other, right, [metric(kind)], test=test, trials=FEW)
    alone = [metric(kind).score(system, right, n_bootstrap=0).value for system in (said, other)]
    assert [found.ours, found.baseline] == pytest.approx(alone)
    assert found.ours > found.baseline
    assert found.p_value < 0.05
    (same,) = compare(said, said, right, [metric(kind)], test=test, trials=5)
    assert same.p_value == 1


def test_by_length_takes_them():
    right, said = lists(6, 30)
    short, long = scores_by_length(said, right, [5] * 20 + [15] * 10, metric("macro-f1"), edges=(10,))
    assert (short.count, long.count) == (20, 10)
    assert long.value == pytest.approx(100 * sk.f1_score(right[20:], said[20:], average="macro"))


def test_the_report_has_every_class(tmp_path):
    right, said = lists(3)
    report = label_report(right, said, NAMES, np.eye(3)[[NAMES.index(s) for s in said]])
    assert report["confusion"] == sk.confusion_matrix(right, said, labels=NAMES).tolist()
    assert [report["classes"][name]["f1"] for name in NAMES] == pytest.approx(f1_by_hand(right, said)[0].tolist())
    assert sum(c["support"] for c in report["classes"].values()) == 200
    assert report["calibration_error"] == pytest.approx(1 - sk.accuracy_score(right, said))
    assert class_table(report).row_count == 3
    assert confusion_table(report).row_count == 3
    assert confusion_plot(report, tmp_path / "c.png") is None
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("markup", [True, False])
def test_names_are_shown_as_they_are(markup, tmp_path):
    names = ["$a_$", "[red]", "ok"]
    report = label_report(names, names, names)
    console = Console(file=io.StringIO(), width=100, markup=markup)
    for table in (class_table(report), confusion_table(report)):
        console.print(table)
    shown = console.file.getvalue()
    assert shown.count("[red]") == 3
    assert "[bold]" not in shown
    assert confusion_plot(report, tmp_path / "c.png") is None


def test_without_matplotlib_there_is_a_sentence(tmp_path, monkeypatch):
    real = builtins.__import__

    def missing(name, *rest, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    note = confusion_plot(label_report(["a"], ["a"], ["a", "b"]), tmp_path / "c.png")
    assert note == "no picture of the confusion matrix: matplotlib is not installed (pip install 's2s[plots]')"
    assert not list(tmp_path.iterdir())


def test_many_classes_have_no_table():
    names = [f"c{i}" for i in range(13)]
    assert confusion_table(label_report(names, names, names)) is None


def test_confidence_that_is_right_has_no_calibration_error():
    sure = np.array([[0.8, 0.2]] * 10)
    assert calibration_error(sure, np.array([0] * 8 + [1] * 2)) == pytest.approx(0)
    assert calibration_error(sure, np.array([0] * 10)) == pytest.approx(0.2)
    # two bins whose gaps must not cancel
    mixed = np.array([[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10)
    assert calibration_error(mixed, np.array([0] * 6 + [1] * 4 + [0] * 9 + [1])) == pytest.approx(0.3)


def test_calibration_bins_are_the_papers():
    """Guo et al.: bin m holds confidences above (m - 1) / M, up to m / M."""
    chance = np.random.default_rng(0)
    first = chance.uniform(0.5, 1, 300)
    probabilities, right = np.stack([first, 1 - first], 1), chance.integers(2, size=300)
    wanted = 0.0
    for m in range(1, 16):
        inside = [i for i in range(300) if (m - 1) / 15 < first[i] <= m / 15]
        if inside:
            accuracy = sum(right[i] == 0 for i in inside) / len(inside)
            wanted += len(inside) / 300 * abs(accuracy - first[inside].mean())
    assert calibration_error(probabilities, right) == pytest.approx(wanted)
    edge = np.array([[0.75, 0.25], [0.5, 0.5]])  # 2 bins: .5 belongs to the first, .75 to the second
    assert calibration_error(edge, np.array([0, 1]), bins=2) == pytest.approx((0.25 + 0.5) / 2)
