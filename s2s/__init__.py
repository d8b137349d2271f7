"""Sequence-to-sequence learning with recurrent networks.

    import s2s
    s2s.load("runs/demo").predict(["We bought three red houses."])

    recipe = s2s.read_recipe("recipe.yaml", ["training.epochs=5"])
    s2s.train(recipe, Path("runs/mine"))

    s2s.Recipe.of(name="mine", task={"kind": "translation", "tokenizer": "char"}, data="generated")

Importing the package imports nothing heavy: each public name is looked up when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2s.errors import S2SError as S2SError
    from s2s.evaluation import evaluate as evaluate
    from s2s.predict import load as load
    from s2s.recipe import Recipe as Recipe
    from s2s.recipe import parse_recipe as parse_recipe
    from s2s.recipe import read_recipe as read_recipe
    from s2s.session import train as train

PUBLIC = {
    "Recipe": "s2s.recipe",
    "S2SError": "s2s.errors",
    "evaluate": "s2s.evaluation",
    "load": "s2s.predict",
    "parse_recipe": "s2s.recipe",
    "read_recipe": "s2s.recipe",
    "train": "s2s.session",
}
__all__ = [
    "Recipe",
    "S2SError",
    "evaluate",
    "load",
    "parse_recipe",
    "read_recipe",
    "train",
]  # the keys of PUBLIC: a test says so


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("s2s")
    if name not in PUBLIC:
        raise AttributeError(f"module 's2s' has no attribute {name!r}")
    return getattr(importlib.import_module(PUBLIC[name]), name)
