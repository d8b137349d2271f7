"""A run that chooses, over a model whose answers are known: order, padding, blanks and names."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from s2s.config import configure
from s2s.data.fields.text import TextField
from s2s.data.readers.base import Row
from s2s.data.tokenizers.base import Tokenizer
from s2s.decoding.decisions import decide_all
from s2s.devices import choose_precision
from s2s.errors import DataError, RunError
from s2s.metrics.report import label_report
from s2s.nn.heads.base import AnswerOutput
from s2s.predictors.classifier import ClassifierPredictor, sigmoid, softmax
from s2s.predictors.load import predictor_for
from s2s.predictors.seq2seq import Seq2SeqPredictor
from s2s.tasks.task import Task
from s2s.tensors import EncoderOutput

TEXTS = ["good, bad bad", "", "good", "bad good good, good " * 30, "  ", "bad bad bad"]


class Counter(nn.Module):
    """Memory is the ids; the head counts `good` and `bad`, and looks at them."""

    def __init__(self, tokenizer, tags=False, looks=True):
        super().__init__()
        self.ids = torch.tensor([tokenizer.vocabulary["bad"], tokenizer.vocabulary["good"]])
        self.tags, self.looks, self.sizes = tags, looks, []

    @property
    def head(self):
        return self

    def encode(self, source):
        self.sizes.append(len(source.data))
        return EncoderOutput(source.data[..., None], source.valid)

    def answer(self, encoded):
        found = (encoded.memory == self.ids).float()
        if self.tags:
            return AnswerOutput(torch.cat([found, 0.5 * torch.ones_like(found[..., :1])], -1) * 4)
        weights = found.sum(-1) / found.sum((1, 2)).clamp(min=1)[:, None]
        return AnswerOutput(found.sum(1), weights if self.looks else None)


@pytest.fixture
def tokenizer():
    words = configure(Tokenizer, "word")()
    words.fit(TEXTS)
    return words


@pytest.fixture
def labeler(tokenizer):
    def labeler(shape="label", **options):
        kind = "tagging" if shape == "tags" else "classification"
        task = configure(Task, {"kind": kind, "target": shape})()
        task.source = TextField(max_length=500).bind(tokenizer)
        task.target.names = ["bad", "good", "other"][: 3 if shape == "tags" else 2]
        recipe = SimpleNamespace(name="toy", task=SimpleNamespace(kind=kind), decoding=None)
        model = Counter(tokenizer, shape == "tags", **options)
        return ClassifierPredictor(recipe, task, model, choose_precision("fp32", torch.device("cpu")), batch_size=2)

    return labeler


def test_labels_come_in_order_and_blanks_have_none(labeler):
    found = labeler().classify(TEXTS)
    assert [each.label for each in found] == ["bad", "", "good", "good", "", "bad"]
    assert found[1] == ("", {}, [], None)
    assert list(found[0].probabilities) == ["bad", "good"]
    assert found[0].probabilities["bad"] == pytest.approx(1 / (1 + np.exp(-1)))
    assert all(sum(each.probabilities.values()) == pytest.approx(1) for each in found if each.label)


def test_weights_are_of_the_pieces(labeler):
    first = labeler().classify(TEXTS)[0]
    assert first.pieces == ["good", ",", "bad", "bad"]
    assert first.weights == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3])
    assert labeler(looks=False).classify(TEXTS)[0].weights is None


def test_alone_is_in_company(labeler):
    together = labeler().classify(TEXTS)
    assert [labeler().classify([text])[0] for text in TEXTS] == together


def test_several_labels_are_chosen_each_on_its_own(labeler):
    first, second = labeler("labels").classify(["good bad bad", "good"])
    assert first.label == "bad, good"
    assert first.probabilities == pytest.approx({"bad": 1 / (1 + np.exp(-2)), "good": 1 / (1 + np.exp(-1))})
    assert second.label == "good"


def test_words_have_tags(labeler):
    found = labeler("tags").tag(TEXTS)
    assert found[0].words == ["good", ",", "bad", "bad"]
    assert found[0].tags == ["good", "other", "bad", "bad"]
    assert found[0].probabilities[0] == pytest.approx(np.exp(4) / (np.exp(4) + 1 + np.exp(2)))
    assert found[1] == ([], [], [])
    assert [len(each.tags) for each in found] == [4, 0, 1, 150, 0, 3]


def test_what_is_classified_is_what_is_predicted(labeler):
    one = labeler()
    assert [each.label for each in one.classify(TEXTS)] == one.predict(TEXTS)
    tagger = labeler("tags")
    assert [" ".join(each.tags) for each in tagger.tag(TEXTS)] == tagger.predict(TEXTS)


def test_details_say_what_is_taken_for_what(labeler):
    rows = [Row(text, label) for text, label in zip(TEXTS, ["bad", "bad", "bad", "good", "bad", "bad"], strict=True)]
    found = labeler().details(rows, labeler().predict([row.source for row in rows]))
    assert found["confusion"] == [[2, 1], [0, 1]]
    assert found["classes"]["bad"]["recall"] == pytest.approx(2 / 3)
    assert 0 < found["calibration_error"] < 1
    tagged = labeler("tags").details([Row("good bad", "good good")], ["good bad"])
    assert tagged["confusion"] == [[0, 0, 0], [1, 1, 0], [0, 0, 0]]
    rows = [Row("x", "good, bad"), Row("y", "bad"), Row("z", "")]
    several = labeler("labels").details(rows, ["bad", "bad, good", ""])
    assert several["classes"]["bad"] == {"precision": 1, "recall": 1, "f1": 1, "support": 2}
    assert several["classes"]["good"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}
    assert "confusion" not in several


def test_tags_that_do_not_fit_their_words_are_refused(labeler):
    """Padding would otherwise be scored, in silence."""
    tagger = labeler("tags")
    tagger.task.source.tokenizer.fit(["good bad"])
    for tags in ("bad", "bad bad good"):
        rows = [Row("good", "bad"), Row("good bad", tags)]
        with pytest.raises(DataError, match=rf"row 2: has 2 tokens and {len(tags.split())} tags"):
            tagger.likelihood(rows)


def test_a_run_of_another_kind_is_refused(labeler):
    with pytest.raises(RunError, match=r"is a run of classification, which answers with label\n.*classify\(\)"):
        labeler("label").tag(["good"])
    with pytest.raises(RunError):
        labeler("tags").classify(["good"])
    assert labeler().classify([]) == []


def test_decisions_are_batched_by_length(labeler):
    one = labeler()
    one.classify(TEXTS)
    assert one.model.sizes == [2, 2]
    logits, weights = decide_all(one.model, one.task.source, [], device=torch.device("cpu"))
    assert (logits, weights) == ([], None)


def test_probabilities_of_large_logits_are_numbers():
    assert softmax(np.array([1e4, 0, -1e4], np.float32)).tolist() == [1, 0, 0]
    assert sigmoid(np.array([-1e4, 0, 1e4], np.float32)).tolist() == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("task", "kind"),
    [("classification", ClassifierPredictor), ("tagging", ClassifierPredictor), ("translation", Seq2SeqPredictor)],
)
def test_the_task_says_what_a_run_can_do(task, kind):
    made = configure(Task, {"kind": task, **({"tokenizer": "byte"} if kind is Seq2SeqPredictor else {})})()
    made.target.names = ["a", "b"]
    assert predictor_for(made) is kind


def test_words_come_back_as_they_were_typed(tokenizer, labeler):
    """Neither as <unk>, nor in small letters; what counted in a classification likewise."""
    tokenizer.lowercase = True
    assert labeler("tags").tag(["Good ZEBRA bad"])[0].words == ["Good", "ZEBRA", "bad"]
    assert labeler("tags").tag(["Good ZEBRA bad"])[0].tags == ["good", "other", "bad"]
    assert labeler().classify(["Good, Zebra!"])[0].pieces == ["Good", ",", "Zebra", "!"]


def test_a_name_that_training_does_not_have_counts_as_wrong_and_is_in_no_loss(labeler):
    one = labeler()
    rows = [Row("good", "good"), Row("bad", "mixed"), Row("bad bad", "bad")]
    found = one.details(rows, one.predict([row.source for row in rows]))
    assert found["unseen"] == {"rows": 1, "names": {"mixed": 1}}
    assert found["names"] == ["bad", "good", "mixed"]
    assert found["confusion"] == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert found["classes"]["mixed"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}
    assert found["classes"]["bad"]["precision"] == 0.5
    sure = label_report(["mixed"], ["bad"], ["bad", "good"], np.array([[0.9, 0.1]]))
    assert sure["calibration_error"] == pytest.approx(0.9)  # as sure as it was, and never right
    tags = labeler("tags").details([Row("good bad", "good B-LOC")], ["good bad"])
    assert tags["unseen"] == {"rows": 1, "names": {"B-LOC": 1}}
    assert tags["confusion"][3] == [1, 0, 0, 0]
    several = labeler("labels").details([Row("good", "good, new"), Row("bad", "bad")], ["good", "bad"])
    assert several["classes"]["new"]["support"] == several["unseen"]["names"]["new"] == 1
    assert "unseen" not in one.details(rows[::2], ["good", "bad"])


def test_only_unseen_names_or_no_answers_still_have_a_report(labeler):
    one = labeler()
    assert one.details([Row("bad", "mixed")], ["bad"])["confusion"] == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]
    assert one.details([Row(" ", "bad")], [""])["classes"] == {}
