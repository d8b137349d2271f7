"""A run small enough to be trained many times in a test: a few sentences, a few units, and the same numbers whatever
instructions a CPU has."""

from pathlib import Path

from s2s.api.prepare import DataBundle, prepare_data
from s2s.api.train import validator
from s2s.devices import choose_precision, find_device
from s2s.recipe import Recipe, parse_recipe
from s2s.runs.run import Run
from s2s.training.seeds import set_seed
from s2s.training.trainer import Trainer

RECIPE = """\
name: toy
task: {kind: translation, source: {kind: text, tokenizer: word}, target: {kind: text, tokenizer: word}}
data: {kind: text, path: FOLDER, source: en, target: es}
model:
  encoder: {kind: rnn, embedding: 8, hidden: 8, dropout: 0.2}
  head: {kind: decoder, embedding: 8, hidden: 8, dropout: 0.2}
training:
  epochs: 2
  batch_size: 30
  log_every: 2
  device: cpu
  precision: fp32
  optimizer: {kind: adam, learning_rate: 1e-2}
  validation_search: {kind: greedy, max_length: 8}
"""

PAIRS = [
    ("one red house", "una casa roja"),
    ("two red houses", "dos casas rojas"),
    ("one black cat", "un gato negro"),
    ("two black cats", "dos gatos negros"),
    ("one white house", "una casa blanca"),
    ("three white houses", "tres casas blancas"),
    ("one red cat", "un gato rojo"),
    ("three red cats", "tres gatos rojos"),
    ("two white cats sleep", "dos gatos blancos duermen"),
    ("one cat sleeps", "un gato duerme"),
    ("the house is red", "la casa es roja"),
    ("the cat is black", "el gato es negro"),
]


def write_corpus(folder: Path) -> None:
    """train and validation, the second out of the first: learning by heart is what it is for."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, pairs in (("train", PAIRS), ("validation", PAIRS[::3])):
        for side, ending in enumerate(("en", "es")):
            (folder / f"{split}.{ending}").write_text("".join(f"{pair[side]}\n" for pair in pairs))


def write_recipe(folder: Path) -> Path:
    write_corpus(folder / "corpus")
    path = folder / "toy.yaml"
    path.write_text(RECIPE.replace("FOLDER", str(folder / "corpus")))
    return path


def toy_recipe(folder: Path, *changes: str) -> Recipe:
    write_corpus(folder / "corpus")
    return parse_recipe(RECIPE.replace("FOLDER", str(folder / "corpus")), changes=changes)


def toy_trainer(recipe: Recipe, out: Path) -> tuple[Trainer, DataBundle]:
    """A trainer before its first step, with a run folder of its own."""
    data = prepare_data(recipe)
    set_seed(recipe.seed)
    model = recipe.build_model(data.task.source.space, data.task.target.space)
    run = Run.open(out) if (out / "manifest.json").exists() else Run.create(out, recipe.to_yaml())
    options = recipe.training
    precision = choose_precision(options.precision, find_device(options.device))
    return Trainer(model, data.task, data.batches, validator(data, recipe), run, options, precision=precision), data
