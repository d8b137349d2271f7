"""The answer that looks at nothing."""

import pytest

from s2s.config import configure
from s2s.data.readers.base import Row
from s2s.errors import DataError
from s2s.metrics.base import Exact, Metric
from s2s.metrics.baselines import constant_baseline, most_frequent
from s2s.metrics.captions import Bleu1, Cider

TRAIN = [Row("1", ["a dog", "a cat"]), Row("2", [" a cat ", "a tree"]), Row("3", "a dog"), Row("4", ["a cat"])]


def test_the_most_frequent_of_all_references():
    assert most_frequent(["b", "a ", "b", " a", "c"]) == "b"  # of two, the first
    assert most_frequent([]) == ""


def test_it_answers_every_row_alike_and_is_scored_as_others_are():
    test = [Row("5", ["a cat", "a dog"]), Row("6", ["two trees"]), Row("7", "a cat"), Row("8", ["a car", "cars"])]
    metrics = [Exact(), Bleu1(), Cider()]
    answer = most_frequent(text for row in TRAIN for text in row.references)
    found = constant_baseline("most frequent", answer, test, metrics)
    assert found.answer == "a cat"
    assert found.scores[0].value == 50.0
    assert found.scores == [metric.score(["a cat"] * 4, [row.references for row in test]) for metric in metrics]
    assert [score.name for score in found.scores] == ["exact", "BLEU-1", "CIDEr-D"]


def test_without_rows_there_is_no_score():
    with pytest.raises(DataError, match="no sentences"):
        constant_baseline("most frequent", "a cat", [], [configure(Metric, "exact")()])
