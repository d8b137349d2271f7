"""Word vectors in a run: begun with once, trained or left alone, and never asked for again."""

from dataclasses import replace

import pytest
import torch

from s2s.api.train import train
from s2s.cli.check import build
from s2s.config import configure
from s2s.errors import RecipeError
from s2s.nn.pretrained import freeze
from s2s.predictors.load import load
from s2s.recipe import parse_recipe
from s2s.training.optimizers import Optimizer, parameter_names
from s2s.training.reporters import Reporter
from tests.helpers.toy_runs import RECIPE, toy_recipe


class Told(Reporter):
    def __init__(self):
        self.lines = []

    def message(self, line):
        self.lines.append(line)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text(
        "".join(f"{word} {' '.join(str(i + j / 8) for j in range(8))}\n" for i, word in enumerate(WORDS, 1))
    )
    return path


WORDS = ["red", "house", "cat", "gato", "casa"]


def row(model, task, side, word):
    part = {"source": model.encoder, "target": model.head}[side]
    return part.embed.weight[getattr(task, side).tokenizer.vocabulary[word]].tolist()


def vector(word):
    return [WORDS.index(word) + 1 + j / 8 for j in range(8)]


DECAY = ["training.optimizer={kind: adamw, learning_rate: 1e-2, weight_decay: 0.5}", "training.average=ema"]


def test_frozen_vectors_are_never_moved_and_the_file_is_read_once(tmp_path, file):
    changes = [f"model.word_vectors={{path: {file}, frozen: true}}", *DECAY]
    recipe, told = toy_recipe(tmp_path, *changes), Told()
    train(replace(recipe, training=replace(recipe.training, epochs=1)), tmp_path / "run", reporter=told)
    assert "word vectors: 3 of 17 tokens (17.6%) have a vector (frozen)" in told.lines
    file.unlink()
    train(recipe, tmp_path / "run", reporter=Told())
    for weights in ("best", "last"):
        predictor = load(tmp_path / "run", device="cpu", weights=weights)
        for word in ("red", "house", "cat"):
            assert row(predictor.model, predictor.task, "source", word) == vector(word)
        assert row(predictor.model, predictor.task, "target", "gato") != vector("gato")


def test_an_optimizer_does_not_know_what_is_frozen(tmp_path):
    model = torch.nn.Sequential(torch.nn.Embedding(3, 2), torch.nn.Linear(2, 1))
    freeze(model[0])
    optimizer = configure(Optimizer, "adamw")(list(model.named_parameters()))
    assert parameter_names(optimizer) == ["1.weight", "1.bias"]


def test_others_are_trained_from_there(tmp_path, file):
    recipe = toy_recipe(tmp_path, f"model.word_vectors={{path: {file}, side: both}}", "training.steps=1")
    train(recipe, tmp_path / "run", reporter=Told())
    predictor = load(tmp_path / "run", device="cpu", weights="last")
    for side, word in (("source", "house"), ("target", "casa")):
        near = torch.tensor(row(predictor.model, predictor.task, side, word))
        distance = (near - torch.tensor(vector(word))).abs().max()
        assert 0 < distance < 0.05


def test_what_does_not_fit_is_said(tmp_path, file):
    recipe = toy_recipe(tmp_path, f"model.word_vectors={{path: {file}}}", "model.encoder.embedding=16")
    with pytest.raises(RecipeError, match=r"are 8 wide, and the embedding is 16\n.*model.encoder.embedding=8"):
        train(recipe, tmp_path / "run")
    assert not (tmp_path / "run" / "recipe.yaml").exists()


def test_a_recipe_with_vectors_is_checked_without_them():
    recipe = parse_recipe(RECIPE, changes=["model.word_vectors={path: /nowhere, frozen: true}"])
    assert build(recipe)
    assert parse_recipe(recipe.to_yaml()).model.word_vectors == recipe.model.word_vectors
    with pytest.raises(RecipeError, match="word_vectors.sid.*\n.*did you mean 'side'"):
        parse_recipe(RECIPE, changes=["model.word_vectors={path: x, sid: both}"])
