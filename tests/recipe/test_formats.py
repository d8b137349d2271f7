"""Recipes of other versions, and recipes written in Python."""

import json
from pathlib import Path

import pytest
import yaml

import s2s
from s2s.errors import RecipeError
from s2s.metrics.base import Metric
from s2s.nn.attention import Additive, Attention
from s2s.recipe import FORMAT, Recipe, differences, parse_recipe
from s2s.training.config import TrainingConfig

TEXT = """\
name: old
task: {kind: translation, tokenizer: word, metrics: [blue]}
data: generated
model:
  head:
    kind: decoder
    attention:
      kind: bahdanau-style
      units: 12
training:
  select_by: blue
  most_steps: 7
"""
NEW = (
    TEXT.replace("bahdanau-style", "additive")
    .replace("units", "size")
    .replace("most_steps", "steps")
    .replace("blue", "bleu")
)


@pytest.fixture
def renamed(monkeypatch):
    """As if `units`, `most_steps` and two kinds had been renamed."""
    monkeypatch.setattr(Additive, "aliases", {"units": "size"})
    monkeypatch.setattr(TrainingConfig, "aliases", {"most_steps": "steps"}, raising=False)
    monkeypatch.setattr(Attention, "former", {"bahdanau-style": "additive"})
    monkeypatch.setattr(Metric, "former", {"blue": "bleu"})


def attention_of(recipe):
    return recipe.model.head.kwargs["attention"]


def test_old_names_are_read_and_new_ones_written(renamed):
    old, new = parse_recipe(TEXT, "x.yaml"), parse_recipe(NEW)
    assert attention_of(old).kind == "additive"
    assert attention_of(old).kwargs == {"size": 12}
    assert old.training.steps == 7
    assert old.training.select_by == "bleu"
    assert old == new
    assert not differences(old, new)
    assert old.to_yaml() == new.to_yaml()
    for word in ("units", "most_steps", "bahdanau-style", "blue"):
        assert word not in old.to_yaml()


def test_without_aliases_they_are_mistakes():
    with pytest.raises(RecipeError) as error:
        parse_recipe(TEXT, "x.yaml")
    assert [p.where for p in error.value.problems] == [
        "x.yaml:2: task.metrics[0].kind",
        "x.yaml:8: model.head.attention.kind",
        "x.yaml:12: training.most_steps",
    ]


def test_a_mistake_is_named_as_it_is_written(renamed):
    with pytest.raises(RecipeError) as error:
        parse_recipe(TEXT.replace("units: 12", "units: many"), "x.yaml")
    assert str(error.value).startswith("x.yaml:9: model.head.attention.units: expected a whole number, found 'many'")
    with pytest.raises(
        RecipeError, match="x.yaml:9: model.head.attention.unit: attention 'additive' has no option 'unit'"
    ):
        parse_recipe(TEXT.replace("units: 12", "unit: 12"), "x.yaml")


def test_the_command_line_may_use_either_name(renamed):
    for text in (TEXT, NEW):
        for name in ("units", "size"):
            recipe = parse_recipe(text, changes=[f"model.head.attention.{name}=5"])
            assert attention_of(recipe).kwargs == {"size": 5}
        for name in ("most_steps", "steps"):
            assert parse_recipe(text, changes=[f"training.{name}=9"]).training.steps == 9


def test_both_names_at_once_are_a_mistake(renamed):
    with pytest.raises(RecipeError) as error:
        parse_recipe(TEXT.replace("      units: 12", "      units: 12\n      size: 13"), "x.yaml")
    said = (
        "x.yaml:10: model.head.attention.size: is written twice: 'units' and 'size' are one option, now called 'size'"
    )
    assert str(error.value).startswith(said)


def test_kinds_and_options_are_renamed_where_they_are_declared(monkeypatch):
    monkeypatch.setattr(Attention, "registry", dict(Attention.registry))
    monkeypatch.setattr(Attention, "former", {})

    class Renamed(Attention, kind="renamed", formerly=("as-it-was",)):
        aliases = {"wide": "width"}

        def __init__(self, query: int, memory: int, *, width: int = 3) -> None:
            super().__init__(query, memory)

    class Below(Renamed, kind="below"):
        aliases = {"deep": "depth"}

        def __init__(self, query: int, memory: int, *, width: int = 3, depth: int = 1) -> None:
            super().__init__(query, memory)

    from s2s.config import configure

    assert configure(Attention, {"kind": "as-it-was", "wide": 4}) == configure(
        Attention, {"kind": "renamed", "width": 4}
    )
    assert configure(Attention, {"kind": "below", "wide": 4, "deep": 2}).kwargs == {"width": 4, "depth": 2}
    with pytest.raises(TypeError, match="there is already an attention 'as-it-was'"):

        class Second(Attention, kind="as-it-was"):
            pass


def test_a_recipe_says_its_format():
    recipe = parse_recipe(NEW)
    assert recipe.to_yaml().startswith(f"format: {FORMAT}\n")
    assert not differences(parse_recipe(recipe.to_yaml()), recipe)
    assert parse_recipe(f"format: 1\n{NEW}") == recipe  # without it, it is 1


def test_a_newer_recipe_is_refused_in_one_line():
    with pytest.raises(RecipeError) as error:
        parse_recipe(f"{NEW}format: {FORMAT + 1}\nwhat_is_this: 3\n", "x.yaml")
    said = f"x.yaml:13: format: this recipe is of format {FORMAT + 1}, and this s2s reads up to {FORMAT}"
    assert str(error.value) == f"{said}\n  upgrade: pip install --upgrade s2s"
    with pytest.raises(RecipeError, match="format: expected a whole number, found 'new'"):
        parse_recipe(f"{NEW}format: new\n")
    with pytest.raises(RecipeError, match="format: must be at least 1, found 0"):
        parse_recipe(f"{NEW}format: 0\n")


def test_a_run_keeps_its_format(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = s2s.Recipe.of(
        name="mine",
        task={"kind": "translation", "tokenizer": "char"},
        data={"kind": "generated", "size": 40},
        model={"encoder": {"hidden": 4, "embedding": 4}, "head": {"hidden": 8, "embedding": 4}},
        training={"steps": 1, "precision": "fp32", "validation_search": None},
    )
    s2s.train(recipe, Path("run"))
    text = Path("run/recipe.yaml").read_text()
    assert text.startswith(f"format: {FORMAT}\n")
    Path("run/recipe.yaml").write_text(text.replace(f"format: {FORMAT}", f"format: {FORMAT + 1}"))
    with pytest.raises(s2s.S2SError, match="this s2s reads up to"):
        s2s.load("run")


def test_a_recipe_in_python_is_the_same_as_in_yaml():
    tree = yaml.safe_load(NEW)
    before = json.dumps(tree)
    recipe = Recipe.of(tree, changes=["model.head.attention.size=5", "training.steps=9"])
    assert recipe == parse_recipe(NEW, changes=["model.head.attention.size=5", "training.steps=9"])
    assert json.dumps(tree) == before  # the tree is the caller's
    assert Recipe.of(tree, seed=3).seed == 3
    assert Recipe.of(**tree) == parse_recipe(NEW)


def test_a_recipe_in_python_may_name_classes():
    recipe = Recipe.of(
        name="mine",
        task="translation",
        data="generated",
        model={"head": {"kind": "decoder", "attention": {"kind": Additive, "size": 12}}},
    )
    assert attention_of(recipe).kind == "additive"
    assert "kind: additive" in recipe.to_yaml()


def test_its_mistakes_come_all_at_once():
    with pytest.raises(RecipeError) as error:
        Recipe.of(name="mine", task="translating", data="generated", training={"step": 3})
    assert [p.where for p in error.value.problems] == ["task.kind", "training.step"]
    with pytest.raises(RecipeError, match="needs 'data'"):
        Recipe.of({"name": "mine", "task": "translation"})
