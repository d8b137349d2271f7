"""Tasks that choose: weights, batches, several labels, and tags that do not fit their words."""

import numpy as np
import pytest
import torch

from s2s.config import configure
from s2s.data.encoded import EncodedCorpus, Ids
from s2s.data.readers.base import Row
from s2s.errors import DataError, RecipeError, RunError
from s2s.nn.heads.base import HeadOutput
from s2s.tasks.classification import Tagging
from s2s.tasks.task import Task
from s2s.tensors import Batch

ROWS = [Row("so good", "pos"), Row("bad", "neg"), Row("fine", "pos"), Row("good", "pos")]


def task_of(rows=ROWS, kind="classification", **options) -> Task:
    task = configure(Task, {"kind": kind, **options})()
    task.fit(rows)
    return task


def batch_of(task, labels) -> Batch:
    return Batch(
        torch.zeros(len(labels), 0), task.target.collate(task.target.encode_all(labels)), torch.arange(len(labels))
    )


def test_balanced_classes_weigh_alike(tmp_path):
    task = task_of(class_weights="balanced")
    weights = dict(zip(task.target.names, task.weights.tolist()))
    assert weights == pytest.approx({"neg": 4 / (2 * 1), "pos": 4 / (2 * 3)})
    task.save(tmp_path)
    again = configure(Task, {"kind": "classification", "class_weights": "balanced"})()
    again.load(tmp_path)
    assert again.weights.equal(task.weights)
    (tmp_path / "class_weights.json").write_text('{"neg": 1}')
    with pytest.raises(RunError, match="class_weights.json"):
        again.load(tmp_path)


def test_small_batches_weigh_what_a_large_one_does():
    task = task_of(class_weights={"neg": 3.0})
    logits, labels = torch.randn(4, 2), ["neg", "pos", "neg", "pos"]
    whole = task.loss(HeadOutput(logits), batch_of(task, labels), 0.1)
    parts = [task.loss(HeadOutput(logits[i : i + 1]), batch_of(task, labels[i : i + 1]), 0.1) for i in range(4)]
    assert float(sum(part.total for part in parts)) == pytest.approx(float(whole.total))
    assert sum(part.tokens for part in parts) == whole.tokens == 4
    plain = task_of().loss(HeadOutput(logits[:1]), batch_of(task, ["neg"]))
    assert float(task.loss(HeadOutput(logits[:1]), batch_of(task, ["neg"])).total) == pytest.approx(
        3 * float(plain.total)
    )


def test_several_labels_have_probabilities_of_their_own():
    task = task_of([Row("a", "x, y"), Row("b", "z")], target="labels")
    logits, batch = torch.randn(2, 3), batch_of(task, ["x, z", "y"])
    chance = logits.sigmoid()
    expected = -(torch.where(batch.labels > 0, chance, 1 - chance)).log().sum(-1)
    assert task.nats(HeadOutput(logits), batch).allclose(expected, atol=1e-5)
    assert float(task.loss(HeadOutput(logits), batch).total) == pytest.approx(float(expected.sum()), rel=1e-5)
    assert task.said(np.array([0.1, -0.1, 2.0])) == "x, z"
    assert task.said(np.array([-1.0, -1.0, -1.0])) == ""
    soft = torch.where(batch.labels > 0, 0.9, 0.1)
    smoothed = -(soft * chance.log() + (1 - soft) * (1 - chance).log()).sum()
    assert task.loss(HeadOutput(logits), batch, 0.2).total.item() == pytest.approx(smoothed.item(), rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_a_weight_of_two_is_the_row_twice(smoothing):
    logits, labels = torch.randn(3, 2), ["neg", "pos", "pos"]
    heavy, plain = task_of(class_weights={"neg": 2.0}), task_of()
    once = heavy.loss(HeadOutput(logits), batch_of(heavy, labels), smoothing)
    twice = plain.loss(HeadOutput(logits[[0, 0, 1, 2]]), batch_of(plain, ["neg", *labels]), smoothing)
    assert once.total.item() == pytest.approx(twice.total.item())


def test_weights_of_several_labels_count_where_they_are_true():
    rows = [Row("a", "x"), Row("b", "y")]
    logits, heavy = torch.randn(2, 2), task_of(rows, target="labels", class_weights={"x": 3.0})
    batch = batch_of(heavy, ["x", "y"])
    chance = logits.sigmoid()
    expected = -(3 * chance[0, 0].log() + (1 - chance[0, 1]).log() + (1 - chance[1, 0]).log() + chance[1, 1].log())
    assert heavy.loss(HeadOutput(logits), batch).total.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("target", ["label", "labels"])
def test_a_penalty_joins_the_loss(target):
    task = task_of(target=target)
    logits, batch = torch.randn(1, 2), batch_of(task, ["neg"])
    plain, more = (task.loss(HeadOutput(logits, penalty=p), batch).total for p in (None, torch.tensor(2.5)))
    assert (more - plain).item() == pytest.approx(2.5)


def test_metrics_are_told_what_stands_between_labels():
    rows = [Row("a", "x; y"), Row("b", "z")]
    metrics = ["accuracy", "macro-f1", "micro-f1", "exact", {"kind": "weighted-f1", "separator": "/"}]
    task = task_of(rows, target={"kind": "labels", "separator": ";"}, metrics=metrics)
    told = [choice.kwargs.get("separator") for choice in task.metrics]
    assert told == [";", ";", ";", None, "/"]
    said = [task.said(np.array(logits)) for logits in ([1.0, 1, -1], [-1.0, -1, 1])]
    for choice in task.metrics[:3]:
        assert choice().score(said, ["y;x", "z"], n_bootstrap=0).value == 100
    assert [choice.kwargs for choice in task_of().metrics] == [{}, {}]


def test_nats_are_the_loss_without_smoothing_and_weights():
    task = task_of(class_weights="balanced")
    logits, batch = torch.randn(3, 2), batch_of(task, ["neg", "pos", "pos"])
    plain = task_of().loss(HeadOutput(logits), batch)
    assert float(task.nats(HeadOutput(logits), batch).sum()) == pytest.approx(float(plain.total), rel=1e-5)


def test_every_word_needs_a_tag():
    task = task_of([Row("a b", "X Y")], kind="tagging")
    right = EncodedCorpus(Ids.of([np.array([4, 5, 2])]), Ids.of([np.array([0, 1])]))
    task.check("train", right)
    wrong = EncodedCorpus(Ids.of([np.array([4, 5, 2]), np.array([4, 2])]), Ids.of([np.array([0, 1]), np.array([0, 0])]))
    with pytest.raises(DataError, match="^row 2: has 1 tokens and 2 tags"):
        task.check("train", wrong)
    assert task.said(np.array([[0.0, 1], [2, 0], [5, 0]])) == "Y X"  # the end of the source has no tag


def test_mistakes_have_a_sentence():
    with pytest.raises(DataError, match="(?s)^class_weights: there is no class 'pso'.*did you mean 'pos'"):
        task_of(class_weights={"pso": 2.0})
    with pytest.raises(RecipeError, match="target: is text, which gives ids; this task takes label or labels"):
        task_of(target={"kind": "text", "tokenizer": "word"})
    assert Tagging.verb == "tag"


def test_class_weights_go_to_the_device_once():
    task = task_of(class_weights="balanced")
    gone = torch.device("meta")
    batch = Batch(torch.zeros(2, device=gone), torch.tensor([0, 1], device=gone), torch.arange(2, device=gone))
    task.loss(HeadOutput(torch.zeros(2, 2, device=gone)), batch)
    assert task.weights.device == gone
    kept = task.weights
    task.loss(HeadOutput(torch.zeros(2, 2, device=gone)), batch)
    assert task.weights is kept
