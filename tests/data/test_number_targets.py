"""Targets that are numbers: a task of a user's own trains, validates, evaluates and answers, with nothing changed here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import s2s
from s2s.api.prepare import open_split
from s2s.data.fields.base import Field
from s2s.data.readers.base import Reader, Row
from s2s.data.values import ValueType, as_text
from s2s.errors import RecipeError
from s2s.metrics.base import Metric
from s2s.nn.heads.base import Head
from s2s.tasks.task import Task

OWN = '''"""Regression: a vector of numbers to another."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from s2s.config import configure
from s2s.data.batches import make_batch
from s2s.data.fields.base import Field
from s2s.data.readers.base import Reader, Row
from s2s.data.source_files import digest_files
from s2s.metrics.base import Metric
from s2s.nn.heads.base import Head, HeadOutput
from s2s.registry import ComponentConfig
from s2s.tasks.losses import Loss
from s2s.tasks.task import Task


@dataclass(kw_only=True)
class Pairs(Reader, kind="pairs"):
    """{path}/{train}.x.npy and {path}/{train}.y.npy."""

    path: Path

    @property
    def source_type(self):
        return "numbers"

    @property
    def target_type(self):
        return "numbers"

    def offers(self, name):
        return (self.path / f"{name}.x.npy").is_file()

    def rows(self, name):
        sides = (np.load(self.path / f"{name}.{side}.npy") for side in "xy")
        return (Row(x, y) for x, y in zip(*sides, strict=True))

    def contents(self, name):
        return digest_files([self.path / f"{name}.{side}.npy" for side in "xy"])


class Linear(Head, kind="linear"):
    """A linear map of the mean."""

    output_modalities = ("vector",)

    def __init__(self, width, space):
        super().__init__(width, space)
        self.out = torch.nn.Linear(width, space.size)

    def forward(self, encoded, batch, state=None):
        return HeadOutput(self.out(encoded.memory.mean(1)))


class RMSE(Metric, kind="rmse"):
    """Root of the mean squared error."""

    name, higher_is_better = "RMSE", False

    def statistics(self, hypotheses, references):
        wrong = [float(((np.array(a) - b[0]) ** 2).mean()) for a, b in zip(hypotheses, references, strict=True)]
        return np.stack([np.array(wrong), np.ones(len(wrong))], 1)

    def value(self, sums):
        return (sums[0] / sums[1]) ** 0.5

    def signature(self, references, n_bootstrap):
        return "rmse"


class Regression(Task, kind="regression"):
    """Squared error."""

    source_shapes, target_shapes = ("vector",), ("vector",)
    searches = parallel = False

    def __init__(self, *, source: ComponentConfig[Field] = configure(Field, "numbers"),
                 target: ComponentConfig[Field] = configure(Field, "numbers"),
                 metrics: tuple[ComponentConfig[Metric], ...] = (configure(Metric, "rmse"),)):
        self.bind(source, target)
        self.metrics = metrics

    def loss(self, output, batch, smoothing=0.0):
        return Loss(self.nats(output, batch).sum(), batch.tokens)

    def nats(self, output, batch):
        return (output.logits.float() - batch.labels).square().mean(-1)

    @torch.no_grad()
    def answer(self, model, sources, search, *, device, batch_size=64):
        x = self.source.collate(list(sources)).to(device)
        return list(model.head(model.encode(x), None).logits.float().cpu().numpy())
'''
RECIPE = """\
uses: own.py
name: line
task: regression
data: {kind: pairs, path: pairs}
model: {encoder: {kind: project, width: 16}, head: linear}
training:
  {epochs: null, steps: 200, batch_size: 32, batch_unit: sentences, validate_every: 100, samples: 1, device: cpu,
   precision: fp32, select_by: rmse, optimizer: {kind: adam, learning_rate: 2e-2}}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for family in (Field, Reader, ValueType, Head, Metric, Task):  # what own.py registers is gone with the test
        monkeypatch.setattr(family, "registry", dict(family.registry))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs").mkdir()
    chance = np.random.default_rng(1)
    for split, count in {"train": 200, "validation": 20, "test": 20}.items():
        x = chance.uniform(-0.5, 0.5, (count, 3)).astype(np.float32)
        np.save(tmp_path / "pairs" / f"{split}.x.npy", x)
        np.save(tmp_path / "pairs" / f"{split}.y.npy", np.stack([x[:, 0] - x[:, 1], 0.5 * x[:, 2]], 1))
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def test_a_regression_from_a_file_trains_evaluates_and_answers(folder):
    recipe = s2s.read_recipe(folder / "recipe.yaml")
    s2s.train(recipe, folder / "run")
    events = [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]
    best = [event for event in events if event["event"] == "validation" and event["best"]][-1]
    assert len(json.loads(best["samples"][0]["hypothesis"])) == 2
    predictor = s2s.load("run", trust=True, device="cpu", precision="fp32")
    rows = list(open_split(predictor.recipe, "validation"))
    x, y = (np.load(folder / "pairs" / f"validation.{side}.npy") for side in "xy")
    np.testing.assert_array_equal([row.target for row in rows], y)
    answers = np.array(predictor.predict(list(x)))
    assert answers.shape == (20, 2)
    rmse = float(((answers - y) ** 2).mean()) ** 0.5
    found = s2s.evaluate(predictor, "validation")
    assert found.scores[0].value == pytest.approx(rmse, rel=1e-5) == pytest.approx(best["rmse"], rel=1e-4)
    assert rmse < 0.05 < float((y**2).mean()) ** 0.5
    found.save(folder / "predictions")
    lines = (folder / "predictions" / "validation.ref.txt").read_text().splitlines()
    np.testing.assert_allclose([json.loads(line) for line in lines], y)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [
        sys.executable,
        "-m",
        "s2s",
        "predict",
        "run",
        "pairs/test.x.npy",
        "--trust",
        "--precision",
        "fp32",
        "--device",
        "cpu",
    ]
    asked = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert asked.returncode == 0, asked.stderr
    cells = [json.loads(line.split("\t")[1]) for line in asked.stdout.splitlines()]
    np.testing.assert_allclose(cells, np.load(folder / "pairs" / "test.y.npy"), atol=0.2)


def test_data_whose_targets_are_texts_is_refused_before_it_is_read(folder):
    (folder / "own.py").write_text(OWN.replace("def target_type", "def other_type"))
    recipe = s2s.read_recipe(folder / "recipe.yaml")
    with pytest.raises(RecipeError, match="task.target: takes numbers, and the targets of data: pairs are text"):
        s2s.train(recipe, folder / "run")


def test_a_list_of_texts_is_references_and_a_list_of_others_is_a_value():
    assert Row("a", ["b", "c"]).references == ["b", "c"]
    assert Row("a", "b").references == ["b"]
    assert Row("a", [[1.0, 2.0]]).references == [[[1.0, 2.0]]]
    assert as_text(np.float32([1, 0.5])) == "[1.0, 0.5]"
    assert as_text("a b") == "a b"
