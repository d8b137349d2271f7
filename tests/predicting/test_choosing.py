"""Choosing among answers: by what they say of the source, or by what they agree on."""

import numpy as np
import pytest

from s2s.predicting.choosing import MMI_WEIGHT, agreement, best_first, mutual_information
from s2s.predicting.writer import Prediction
from s2s.tasks.losses import Likelihood

GIVEN = {"I do not know.": 2.0, "I like the film.": 3.0, "Blue.": 1.5}
ALONE = {"I do not know.": 2.0, "I like the film.": 9.0, "Blue.": 2.0}


class Table:
    """A writer whose likelihoods are known."""

    def likelihood(self, rows):
        nats = np.array([(GIVEN if row.source else ALONE)[row.target] for row in rows])
        counts = np.array([len(row.target.split()) for row in rows])
        return Likelihood(nats, counts, counts, counts)


def predictions(*texts):
    return [Prediction(text, 0.0, -1.0, []) for text in texts]


def test_the_dull_answer_is_likely_whatever_was_said():
    answers = predictions(*GIVEN)
    scores = mutual_information(Table(), "Which film?", answers)
    lengths = np.array([4, 4, 1])
    expected = (-np.array(list(GIVEN.values())) + MMI_WEIGHT * np.array(list(ALONE.values()))) / lengths
    assert scores == pytest.approx(expected)
    assert best_first(Table(), "Which film?", answers, "mmi")[0].text == "I like the film."


def test_agreement_prefers_what_others_are_like():
    answers = predictions("the cat sat", "the cat sat down", "the cat sits", "a blue car")
    scores = agreement(Table(), "", answers)
    assert scores.argmin() == 3
    ranked = best_first(Table(), "", answers, "mbr")
    assert ranked[-1].text == "a blue car"
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)


def test_what_is_drawn_often_counts():
    answers = predictions("yes", "no", "no", "no")
    assert [one.text for one in best_first(Table(), "", answers, "mbr")] == ["no", "yes"]
    assert [one.text for one in best_first(Table(), "", answers[:1], "mbr")] == ["yes"]
