"""Sequence-to-sequence learning with recurrent networks.

    import s2s
    s2s.load("runs/demo").predict(["We bought three red houses."])              # ["Compramos tres casas rojas."]
    s2s.load("runs/demo", kind=s2s.Seq2SeqPredictor).search(["We bought it."])[0][0]

    recipe = s2s.read_recipe("recipe.yaml", ["training.epochs=5"])
    s2s.train(recipe, Path("runs/mine"))
    s2s.evaluate(s2s.load("runs/mine"), "test").scores

    s2s.Recipe.of(name="mine", task={"kind": "translation", "tokenizer": "char"}, data="generated")

Importing the package imports nothing heavy: each public name is looked up when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2s.api.evaluate import Evaluation as Evaluation
    from s2s.api.evaluate import evaluate as evaluate
    from s2s.api.train import train as train
    from s2s.data.readers.base import Row as Row
    from s2s.errors import S2SError as S2SError
    from s2s.predictors.base import Predictor as Predictor
    from s2s.predictors.classifier import ClassifierPredictor as ClassifierPredictor
    from s2s.predictors.conversation import Conversation as Conversation
    from s2s.predictors.language_model import LanguageModelPredictor as LanguageModelPredictor
    from s2s.predictors.load import load as load
    from s2s.predictors.seq2seq import Seq2SeqPredictor as Seq2SeqPredictor
    from s2s.recipe import Recipe as Recipe
    from s2s.recipe import parse_recipe as parse_recipe
    from s2s.recipe import read_recipe as read_recipe
    from s2s.training.position import TrainingResult as TrainingResult
    from s2s.training.reporters import Reporter as Reporter

PUBLIC = {
    "Conversation": "s2s.predictors.conversation",
    "Evaluation": "s2s.api.evaluate",
    "LanguageModelPredictor": "s2s.predictors.language_model",
    "ClassifierPredictor": "s2s.predictors.classifier",
    "TrainingResult": "s2s.training.position",
    "Predictor": "s2s.predictors.base",
    "Recipe": "s2s.recipe",
    "Reporter": "s2s.training.reporters",
    "Row": "s2s.data.readers.base",
    "S2SError": "s2s.errors",
    "Seq2SeqPredictor": "s2s.predictors.seq2seq",
    "evaluate": "s2s.api.evaluate",
    "load": "s2s.predictors.load",
    "parse_recipe": "s2s.recipe",
    "read_recipe": "s2s.recipe",
    "train": "s2s.api.train",
}
__all__ = [  # the keys of PUBLIC: a test says so
    "ClassifierPredictor",
    "Conversation",
    "Evaluation",
    "LanguageModelPredictor",
    "Predictor",
    "Recipe",
    "Reporter",
    "Row",
    "S2SError",
    "Seq2SeqPredictor",
    "TrainingResult",
    "evaluate",
    "load",
    "parse_recipe",
    "read_recipe",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("s2s")
    if name not in PUBLIC:
        raise AttributeError(f"module 's2s' has no attribute {name!r}")
    return getattr(importlib.import_module(PUBLIC[name]), name)
