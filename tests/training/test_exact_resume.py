"""Stopped and gone on is never stopped, bit for bit: for every task, encoder, head, optimizer and average there is."""

import itertools
import os
import signal
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from torch import nn

from s2s.api.prepare import prepare_data
from s2s.api.train import validator
from s2s.devices import choose_precision
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head
from s2s.recipe import parse_recipe
from s2s.registry import Registrable
from s2s.runs.run import Run
from s2s.tasks.task import Task
from s2s.training.averaging import Averaging
from s2s.training.optimizers import Optimizer, optimizer_state
from s2s.training.reporters import Reporter
from s2s.training.seeds import set_seed
from s2s.training.trainer import Trainer
from tests.helpers.toy_runs import PAIRS, write_corpus

STEPS, STOP = 5, 2  # the last update is the third after the stop; in the middle of a pass
RECIPE = """\
name: tiny
training:
  epochs: null
  steps: 5
  validate_every: 2
  log_every: 2
  batch_size: 4
  batch_unit: sentences
  samples: 0
  device: cpu
  precision: fp32
  validation_search: {kind: greedy, max_length: 4}
  optimizer: {kind: adam, learning_rate: 1e-2}
"""
WORDS = "source: {kind: text, tokenizer: word}, target: {kind: text, tokenizer: word}"
TEXT = "{kind: text, path: FOLDER/text, source: en, target: es, validation: train, test: null, hold_out: 0}"
PICTURES = "{kind: generated, what: drawings, size: 12, validation: train, test: null}"
VECTORS = "{kind: features, path: FOLDER/vectors, target: es, validation: train, test: null, hold_out: 0}"
GRIDS = "{kind: features, path: FOLDER/grids, target: es, validation: train, test: null, hold_out: 0}"
RNN = "{kind: rnn, cell: lstm, embedding: 6, hidden: 4, dropout: 0.2}"
CNN = "{kind: cnn, width: 8, patch: 8, stages: 2, pooling: both, whole: true, dropout: 0.1}"
TIMM = "{kind: timm, name: net, pretrained: false, frozen: false, width: 8, dropout: 0.1}"
PROJECT = "{kind: project, width: 8, dropout: 0.1}"
IMAGE = "source: {kind: image, size: 24, mirror: sideways, turn: true, zoom: 0.8, light: 0.1}"
WORD = "target: {kind: text, tokenizer: word}"
LINES = "{kind: lines, path: FOLDER/lines.txt, validation: train, test: null, hold_out: 0}"


def decoder(kind="decoder", more=""):
    layers = 2 if kind == "gnmt" else 1
    return f"{{kind: {kind}, cell: lstm, embedding: 6, hidden: 8, layers: {layers}, dropout: 0.2{more}}}"


def labels(kind, target, more=""):
    return f"{{kind: {kind}, target: {target}{more}}}"


TOPOLOGIES = {  # what a recipe may put together: name -> task, data, encoder, head
    **{
        f"translation rnn {kind}": (f"{{kind: translation, {WORDS}}}", TEXT, RNN, decoder(kind))
        for kind in ("decoder", "gnmt", "luong", "bahdanau")
    },
    "chat rnn decoder": (f"{{kind: chat, {WORDS}}}", TEXT, RNN, decoder()),
    "captioning cnn decoder": (f"{{kind: captioning, {IMAGE}, {WORD}}}", PICTURES, CNN, decoder()),
    "captioning timm decoder": (f"{{kind: captioning, {IMAGE}, {WORD}}}", PICTURES, TIMM, decoder()),
    "captioning project decoder": (f"{{kind: captioning, source: numbers, {WORD}}}", VECTORS, PROJECT, decoder()),
    "captioning project-places luong": (
        f"{{kind: captioning, source: numbers, {WORD}}}",
        GRIDS,
        PROJECT,
        decoder("luong"),
    ),
    "classification rnn classifier": (
        labels("classification", "label", ", class_weights: balanced"),
        "{kind: text, path: FOLDER/labels, source: en, target: es, validation: train, test: null, hold_out: 0}",
        RNN,
        "{kind: classifier, pooling: [last, attention], dropout: 0.2}",
    ),
    "classification rnn several": (
        labels("classification", "labels", ", metrics: [micro-f1]"),
        "{kind: text, path: FOLDER/labels, source: en, target: es, validation: train, test: null, hold_out: 0}",
        RNN,
        "{kind: classifier, pooling: max, hidden: 5}",
    ),
    "classification cnn classifier": (
        labels("classification", "label", f", {IMAGE}"),
        PICTURES,
        CNN,
        "{kind: classifier, pooling: mean}",
    ),
    "classification project classifier": (
        labels("classification", "label", ", source: numbers"),
        "{kind: features, path: FOLDER/vectors, target: label, validation: train, test: null, hold_out: 0}",
        PROJECT,
        "{kind: classifier, pooling: mean}",
    ),
    "captioning rnn-vectors decoder": (
        f"{{kind: captioning, source: numbers, {WORD}}}",
        GRIDS,
        "{kind: rnn, cell: gru, embedding: 6, hidden: 4, dropout: 0.2, word_dropout: 0.2}",
        decoder(),
    ),
    "classification rnn-vectors classifier": (
        labels("classification", "label", ", source: numbers"),
        "{kind: features, path: FOLDER/grids, target: label, validation: train, test: null, hold_out: 0}",
        "{kind: rnn, cell: lstm, embedding: null, hidden: 4, word_dropout: 0.2}",
        "{kind: classifier, pooling: last}",
    ),
    "tagging rnn tagger": (
        "{kind: tagging}",
        "{kind: text, path: FOLDER/tags, source: en, target: es, validation: train, test: null, hold_out: 0}",
        RNN,
        "{kind: tagger, dropout: 0.2}",
    ),
    "language-model none language-model": (
        "{kind: language-model, chunk: 7}",
        LINES,
        "none",
        "{kind: language-model, cell: {kind: lstm, weight_drop: 0.3}, hidden: 8, embedding: 8, layers: 2, dropout: 0.2, "
        "locked: true, type_dropout: 0.1, activation: 2, slowness: 1, tied_output: true}",
    ),
    "language-model none decoder": (
        "{kind: language-model, chunk: 7}",
        LINES,
        "none",
        "{kind: decoder, cell: gru, attention: null, bridge: zeros, embedding: 6, hidden: 8}",
    ),
}
OPTIMIZERS = {
    **{kind: f"{{kind: {kind}, learning_rate: 1e-2}}" for kind in sorted(Optimizer.registry)},
    "sgd momentum": "{kind: sgd, learning_rate: 1e-2, momentum: 0.9, nesterov: true, weight_decay: 0.1}",
    "rmsprop centered": "{kind: rmsprop, learning_rate: 1e-3, momentum: 0.5, centered: true}",
}
AVERAGES = {None: "null", "ema": "{kind: ema, decay: 0.7}", "last": "{kind: last, count: 2}"}
PRODUCT = list(itertools.product(TOPOLOGIES, OPTIMIZERS, AVERAGES))
COVERING = [
    *((name, "adam", "ema") for name in TOPOLOGIES),
    *itertools.product(("translation rnn decoder", "captioning cnn decoder"), OPTIMIZERS, AVERAGES),
]
CASES = [case for case in PRODUCT if case in COVERING]
SLOW = [pytest.param(*case, marks=pytest.mark.slow) for case in PRODUCT if case not in COVERING]


class Net(nn.Module):
    """What timm gives for features_only, small; its weights are as those of a timm network: channels_last or not."""

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.second = nn.Conv2d(3, 4, 4, 4), nn.BatchNorm2d(4), nn.Conv2d(4, 6, 2, 2)
        self.feature_info = SimpleNamespace(channels=lambda: [4, 6])
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        fine = self.norm(self.first(x))
        return [fine, self.second(fine)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Files of every kind that the recipes above name, and a timm with one network."""
    write_corpus(tmp_path / "text")
    sides = {
        "labels": [("a" if "red" in en else "b") for en, _ in PAIRS],
        "tags": [" ".join("N" if len(word) > 3 else "D" for word in en.split()) for en, _ in PAIRS],
    }
    for name, targets in sides.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.en").write_text("".join(f"{en}\n" for en, _ in PAIRS))
        (tmp_path / name / "train.es").write_text("".join(f"{target}\n" for target in targets))
    random = np.random.default_rng(1)
    for name, shape in (("vectors", (5,)), ("grids", (3, 5))):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "train.npy", random.standard_normal((len(PAIRS), *shape), dtype=np.float32))
        (tmp_path / name / "train.es").write_text("".join(f"{es}\n" for _, es in PAIRS))
        (tmp_path / name / "train.label").write_text("".join(f"{label}\n" for label in sides["labels"]))
    (tmp_path / "lines.txt").write_text("".join(f"{en}, {es}\n" for en, es in PAIRS))
    module = ModuleType("timm")
    module.create_model = lambda name, pretrained, features_only, in_chans: Net()
    module.list_models, module.is_model = lambda: ["net"], lambda name: True
    monkeypatch.setitem(sys.modules, "timm", module)
    return tmp_path


class Terminator(Reporter):
    """Asks the process to stop, as `kill` does, in the middle of a step."""

    def advance(self, step, epoch):
        if step == STOP:
            os.kill(os.getpid(), signal.SIGTERM)


def recipe_of(folder, topology, optimizer="adam", average=None):
    task, data, encoder, head = TOPOLOGIES[topology]
    said = {
        "task": task,
        "data": data.replace("FOLDER", str(folder)),
        "model.encoder": encoder,
        "model.head": head,
        "training.optimizer": OPTIMIZERS[optimizer],
        "training.average": AVERAGES[average],
    }
    return parse_recipe(RECIPE, changes=[f"{key}={value}" for key, value in said.items()])


def trainer_of(recipe, out):
    """As a process of its own would make it: nothing is handed on but what is on disk."""
    data = prepare_data(recipe)
    set_seed(recipe.seed)
    model = recipe.build_model(data.task.source.space, data.task.target.space)
    run = Run.open(out) if (out / "manifest.json").exists() else Run.create(out, recipe.to_yaml())
    options, precision = recipe.training, choose_precision("fp32", torch.device("cpu"))
    return Trainer(model, data.task, data.batches, validator(data, recipe), run, options, precision=precision)


def all_of(trainer):
    """Every number that training goes on from."""
    average = trainer.average.state_dict() if trainer.average else None
    position = {name: value for name, value in vars(trainer.position).items() if name != "seconds"}
    return {
        "weights": dict(trainer.model.state_dict()),
        "optimizer": optimizer_state(trainer.optimizer)["state"],
        "average": average,
        "random": torch.get_rng_state(),
        "carried": trainer.carried,
        "position": position,
    }


@pytest.mark.parametrize(("topology", "optimizer", "average"), [*CASES, *SLOW])
def test_a_resumed_run_is_the_run_that_never_stopped(folder, topology, optimizer, average):
    recipe = recipe_of(folder, topology, optimizer, average)
    whole = trainer_of(recipe, folder / "whole")
    assert whole.fit().position.step == STEPS
    wanted = all_of(whole)
    cut = trainer_of(recipe, folder / "cut")
    cut.reporter = Terminator()
    assert cut.fit().reason == "asked"
    torch.manual_seed(99)
    again = trainer_of(recipe, folder / "cut")
    again.resume()
    assert again.position.step == STOP
    assert (again.carried is not None) == again.task.streams
    for parameter, state in again.optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                assert value.stride() == parameter.stride(), name
    again.fit()
    same(all_of(again), wanted)
    for name in ("best", "last"):
        same(again.run.load_weights(name), whole.run.load_weights(name))


def same(found, wanted):
    torch.testing.assert_close(found, wanted, rtol=0, atol=0)


def ours(family: type[Registrable]) -> set[str]:
    """The kinds of s2s itself, whatever other tests have registered."""
    return {kind for kind, maker in family.registry.items() if maker.__module__.startswith("s2s.")}


def test_all_that_is_registered_is_resumed_above():
    kinds = [{kind_of(text) for text in column} for column in zip(*TOPOLOGIES.values())]
    assert ours(Task) <= kinds[0]
    assert ours(Encoder) <= kinds[2]
    assert ours(Head) <= kinds[3]
    assert ours(Optimizer) <= set(OPTIMIZERS)
    assert ours(Averaging) <= set(AVERAGES)
    assert {case[:1] for case in CASES} == {(name,) for name in TOPOLOGIES}


def kind_of(text):
    node = yaml.safe_load(text)
    return node["kind"] if isinstance(node, dict) else node
