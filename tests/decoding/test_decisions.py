"""Choosing for many at once: order, lengths and batches are given back as they came, and change nothing."""

import numpy as np
import pytest
import torch

from s2s.config import configure
from s2s.data.batches import make_batch
from s2s.data.fields.base import Field
from s2s.decoding.decisions import decide_all
from s2s.devices import Precision
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head
from s2s.nn.model import build_model
from s2s.predictors.classifier import ClassifierPredictor
from s2s.tasks.task import Task
from s2s.tensors import FieldSpec

TEXTS = ["a b c", "b", "c c a b b", "", "a a", "b c", "c", "a b"]
CPU = torch.device("cpu")
WORDS = {"kind": "word", "punctuation": "keep"}


def text_field():
    field = configure(Field, {"kind": "text", "tokenizer": "word"})()
    field.fit(TEXTS)
    return field


def model_for(head, source: FieldSpec, target: FieldSpec):
    torch.manual_seed(2)
    encoder = configure(Encoder, {"kind": "rnn", "embedding": 12, "hidden": 12})
    return build_model(encoder, configure(Head, head), source, target)


HEADS = {
    "max": ({"kind": "classifier", "pooling": "max"}, FieldSpec("label", 3)),
    "attention": ({"kind": "classifier", "pooling": ["last", "attention"]}, FieldSpec("labels", 3)),
    "tagger": ("tagger", FieldSpec("tags", 3)),
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_every_answer_is_that_of_its_text_alone(name, batch_size):
    field = text_field()
    head, target = HEADS[name]
    model = model_for(head, field.space, target).train()  # decide_all() turns dropout off
    sources = field.encode_all(TEXTS)
    logits, weights = decide_all(model, field, sources, device=CPU, batch_size=batch_size)
    assert not model.training
    assert (weights is not None) == (name == "attention")
    for i, source in enumerate(sources):
        alone = model.head.answer(model.encode(field.collate([source])))
        assert logits[i].shape == ((len(source), 3) if name == "tagger" else (3,))
        assert logits[i].dtype == np.float32
        np.testing.assert_allclose(logits[i], alone.logits[0].detach(), rtol=1e-4, atol=1e-5)
        if weights is not None:
            assert weights[i].shape == (len(source),)
            assert weights[i].sum() == pytest.approx(1, abs=1e-5)
            np.testing.assert_allclose(weights[i], alone.weights[0].detach(), rtol=1e-4, atol=1e-5)


def test_nothing_is_asked_and_nothing_said():
    field = text_field()
    model = model_for("tagger", field.space, FieldSpec("tags", 2))
    assert decide_all(model, field, [], device=CPU) == ([], None)


ANSWERS = {
    "label": ("classification", ["x", "y", "z", "x", "y", "z", "x", "y"]),
    "labels": ("classification", ["x", "y, z", "z", "x, y, z", "y", "x, z", "z", "y"]),
    "tags": ("tagging", ["P Q R", "Q", "R R P Q Q", "", "P P", "Q R", "R", "P Q"]),
}


@pytest.mark.parametrize("shape", ANSWERS)
def test_what_was_learned_by_heart_is_answered(shape, tmp_path):
    """A task from text to text: fit, learn eight examples, save, load, and say them again."""
    kind, answers = ANSWERS[shape]
    options = {"kind": kind, "source": {"kind": "text", "tokenizer": WORDS}, "target": shape}
    task = configure(Task, options)()
    task.source.fit(TEXTS)
    task.target.fit(answers)
    model = model_for("tagger" if shape == "tags" else "classifier", task.source.space, task.target.space)
    sources, targets = task.source.encode_all(TEXTS), task.target.encode_all(answers)
    batch = make_batch(task.source, task.target, sources, targets)
    optimizer = torch.optim.Adam(model.parameters(), 0.03)
    for _ in range(70):
        loss = task.loss(model(batch), batch)
        optimizer.zero_grad()
        (loss.total / loss.tokens).backward()
        optimizer.step()
    assert labeler(task, model).answer(sources) == answers
    task.save(tmp_path)
    again = configure(Task, options)()
    again.load(tmp_path)
    assert labeler(again, model).answer(again.source.encode_all(TEXTS)) == answers


def labeler(task, model):
    return ClassifierPredictor(None, task, model, Precision("fp32", CPU, "asked for"), batch_size=3)
