"""Diversity: counted by hand, and part of what an evaluation of a chat says."""

import pytest

from s2s.config import configure
from s2s.data.readers.base import Row
from s2s.metrics.diversity import distinct_ngrams, diversity
from s2s.tasks.chat import Chat
from s2s.tasks.task import Task


def test_distinct_counts_different_ngrams_of_all_words():
    texts = ["I know.", "i know nothing", "I like it."]  # 3 + 3 + 4 words, marks among them
    assert distinct_ngrams(texts, 1) == pytest.approx(6 / 10)  # i know . nothing like it
    assert distinct_ngrams(texts, 2) == pytest.approx(6 / 10)  # of 7 pairs, `i know` is there twice
    assert distinct_ngrams(texts * 5, 2) == pytest.approx(6 / 50)
    assert distinct_ngrams(["a b", "c d"], 2) == pytest.approx(2 / 4)  # no pair goes from one text to the next


def test_nothing_said_is_not_diverse():
    assert distinct_ngrams([], 1) == distinct_ngrams(["", " "], 2) == 0
    assert diversity([], [])["answers"]["share"] == 0


def test_the_most_frequent_answer_is_named():
    found = diversity(["I like it.", "So do I.", "I like it. "], ["a b c", "d e", "f"])
    assert found["answers"]["most frequent"] == "I like it."
    assert found["answers"]["share"] == pytest.approx(2 / 3)
    assert found["references"]["distinct-1"] == 1


def test_an_evaluation_of_a_chat_has_it():
    task = configure(Task, "chat")()
    assert isinstance(task, Chat)
    rows = [Row("a", "x y"), Row("b", ["z", "x"])]
    assert task.details(rows, ["x", "x"])["diversity"] == diversity(["x", "x"], ["x y", "z"])
    assert task.details(rows, []) == {}
