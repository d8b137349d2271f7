"""Choosing among answers: by what they say of the source, or by what they agree on."""

import numpy as np
import pytest
import torch

from s2s.config import configure
from s2s.data.readers.base import Row
from s2s.decoding.search import Search
from s2s.devices import Precision
from s2s.predictors.reranking import agreement, distinct_texts, mutual_information, rerank
from s2s.predictors.seq2seq import Prediction, Seq2SeqPredictor
from s2s.recipe import parse_recipe
from s2s.tensors import EOS

GIVEN = {"I do not know.": [-0.5, -0.5, -0.5, -0.5], "I like films.": [-1.0, -1.0, -1.0], "Blue.": [-1.5]}
ALONE = {"I do not know.": [-0.5, -0.5, -0.5, -0.5], "I like films.": [-1.0, -4.0, -4.0], "Blue.": [-2.0]}
TEXTS = list(GIVEN)


class Table:
    """A writer whose probabilities are known."""

    def piece_scores(self, sources, written):
        return [np.array((GIVEN if source else ALONE)[TEXTS[i]]) for source, (i,) in zip(sources, written, strict=True)]


def predictions(*texts):
    return [Prediction(text, 0.0, -1.0, [i]) for i, text in enumerate(texts)]


def test_the_dull_answer_is_likely_whatever_was_said():
    answers = predictions(*GIVEN)
    scores = mutual_information(Table(), "Which film?", answers)
    assert scores == pytest.approx([(-2 + 1) / 4, (-3 + 4.5) / 3, -1.5 + 1])
    assert rerank(Table(), "Which film?", answers, "mmi")[0].text == "I like films."
    # only the first pieces count without a source; with a weight of nothing, what is likely is best
    assert mutual_information(Table(), "?", answers, first=2) == pytest.approx([-1.5 / 4, -0.5 / 3, -0.5])
    assert mutual_information(Table(), "?", answers, weight=0).argmax() == 0


RECIPE = """
name: toy
task: {kind: chat, tokenizer: word}
data: {kind: dialogues, path: .}
model:
  encoder: {kind: rnn, embedding: 6, hidden: 5}
  head: {kind: decoder, embedding: 6, hidden: 8}
"""


@pytest.fixture
def writer():
    recipe = parse_recipe(RECIPE)
    task = recipe.task()
    task.fit([Row("do you like films", "i like the film"), Row("", "blue")])
    torch.manual_seed(3)
    model = recipe.build_model(task.source.space, task.target.space)
    return Seq2SeqPredictor(recipe, task, model, Precision("fp32", torch.device("cpu"), "asked for"), batch_size=3)


def test_pieces_add_up_to_the_probability_of_a_text(writer):
    sources = ["do you like films", "", "films", "you", "do do do do do"]
    texts = ["i like the film", "blue", "", "the the the the film", "i"]
    ids = [found.tolist()[:-1] for found in writer.task.target.encode_all(texts)]
    scores = writer.piece_scores(sources, ids)
    assert [len(each) for each in scores] == [len(each) + 1 for each in ids]
    known = writer.likelihood([Row(*pair) for pair in zip(sources, texts, strict=True)])
    assert [each.sum() for each in scores] == pytest.approx((-known.nats).tolist(), rel=1e-5)
    (alone,) = writer.piece_scores(sources[:1], ids[:1])
    assert alone == pytest.approx(scores[0], rel=1e-5)


def test_a_model_chooses_among_its_own_answers(writer):
    search = configure(Search, {"kind": "sample", "count": 6, "max_length": 6})
    (found,) = writer.search(["do you like films"], search)
    for by in ("mmi", "mbr"):
        ranked = rerank(writer, "do you like films", found, by)
        assert {one.text for one in ranked} == {one.text for one in found}
        assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    scores = mutual_information(writer, "do you like films", found, weight=0)
    whole = [one for one in found if writer.task.target.encode_all([one.text])[0].tolist() == [*one.ids, EOS]]
    assert whole
    for one, score in zip(found, scores, strict=True):
        if one in whole and len(one.ids) < 6:  # that ended by itself
            assert score * (len(one.ids) + 1) == pytest.approx(one.log_probability, rel=1e-4)


def test_agreement_prefers_what_others_are_like():
    answers = predictions("the cat sat", "the cat sat down", "the cat sits", "a blue car")
    scores = agreement(Table(), "", answers)
    assert scores.argmin() == 3
    ranked = rerank(Table(), "", answers, "mbr")
    assert ranked[-1].text == "a blue car"
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)


def test_what_is_drawn_often_counts():
    answers = predictions("yes", "no", "no", "no")
    assert [one.text for one in rerank(Table(), "", answers, "mbr")] == ["no", "yes"]
    assert [one.text for one in rerank(Table(), "", answers[:1], "mbr")] == ["yes"]
    assert [one.ids for one in distinct_texts(answers)] == [
        [0],
        [1],
    ]  # of equal texts the first, which is the likeliest
