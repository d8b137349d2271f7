import sys

import pytest
import typer
import yaml
from typer.testing import CliRunner

from s2s.cli.check import build, check_command, spaces
from s2s.cli.list import members
from s2s.data.tokenizers.base import UNKNOWN_SIZE
from s2s.errors import DataError, RecipeError
from s2s.nn.heads.base import Head
from s2s.recipe import parse_recipe, read_recipe
from s2s.recipe_index import shipped
from s2s.registry import tree

app = typer.Typer()
app.command()(check_command)

TINY = """\
name: tiny
task: {kind: translation, tokenizer: {kind: unigram, size: 300}}
data: {kind: text, path: nowhere, source: a, target: b}
model:
  encoder: {kind: rnn, embedding: 8, hidden: 8}
  head: {kind: decoder, embedding: 8, hidden: 8}
"""


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return str(path)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


@pytest.mark.parametrize("name", [name for name, _ in shipped()])
def test_every_shipped_recipe_passes_and_what_is_printed_is_the_same_recipe(name):
    text = run(name)
    assert tree(parse_recipe(text)) == tree(read_recipe(dict(shipped())[name]))
    assert "parameters" in text.splitlines()[-1]


def test_it_prints_every_default_and_every_change(tiny):
    tree = yaml.safe_load(run(tiny, "model.encoder.layers=3", "training.optimizer=sgd"))
    assert tree["model"]["encoder"]["layers"] == 3
    assert tree["training"]["optimizer"]["kind"] == "sgd"
    assert tree["decoding"]["kind"] == "beam"
    assert tree["training"]["label_smoothing"] == 0.0


def test_the_number_of_parameters_is_that_of_the_model(tiny):
    source, target, parameters = build(read_recipe(tiny))
    model = read_recipe(tiny).build_model(source, target)
    assert parameters == sum(p.numel() for p in model.parameters())
    assert f"# {parameters:,} parameters, with a vocabulary of 300" in run(tiny)


def test_nothing_is_allocated():
    big = parse_recipe(TINY, changes=["model.encoder.hidden=100000", "model.head.hidden=100000"])
    assert build(big)[2] > 10**10


def test_sides_that_share_a_tokenizer_share_a_vocabulary(tiny):
    source, target = spaces(read_recipe(tiny))
    assert source == target
    assert source.size == 300
    source, target = spaces(read_recipe(tiny, ["task.source.tokenizer=word", "task.target.tokenizer=byte"]))
    assert source.vocabulary != target.vocabulary
    assert (source.size, target.size) == (UNKNOWN_SIZE, 260)
    assert "the data will tell" in run(tiny, "task.tokenizer=char")


def test_vocabularies_that_differ_cannot_be_tied(tiny):
    run(tiny, "model.tied_embeddings=true")
    with pytest.raises(RecipeError, match="tied"):
        run(tiny, "model.tied_embeddings=true", "task.source.tokenizer=word", "task.target.tokenizer=word")


def test_mistakes_come_all_at_once_with_their_lines(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(TINY.replace("hidden: 8}", "hiden: 8}", 1).replace("kind: text", "kind: txt"))
    with pytest.raises(RecipeError) as caught:
        run(str(path), "training.epochs=many")
    assert len(caught.value.problems) == 3
    assert f"{path}:5: model.encoder.hiden" in str(caught.value)
    assert "on the command line: training.epochs" in str(caught.value)


def test_mistakes_of_reader_and_model_come_together(tiny, monkeypatch):
    def reader(self):
        raise DataError("data.path", "is odd")

    recipe = read_recipe(tiny, ["model.head.kind=gnmt", "model.head.layers=1"])
    monkeypatch.setattr(
        type(recipe.data),
        "__call__",
        lambda self, *known: reader(self) if self is recipe.data else self.factory(*known, **self.kwargs),
    )
    with pytest.raises(RecipeError) as caught:
        build(recipe)
    assert len(caught.value.problems) == 2
    recipe.model = read_recipe(tiny).model
    with pytest.raises(RecipeError, match="is odd"):
        build(recipe)


def test_shapes_that_do_not_fit_are_found_without_data(tiny):
    with pytest.raises(RecipeError, match=r"model\.head"):
        run(tiny, "model.head.attention=dot", "model.head.hidden=24")


@pytest.mark.parametrize("name", ["demmo", "missing.yaml"])
def test_a_recipe_that_is_not_there(name):
    with pytest.raises(RecipeError):
        run(name)


TASKS = {"label": "classification", "tags": "tagging"}  # of heads that do not write


@pytest.mark.parametrize(
    ("key", "family"),
    [
        ("model.head", "heads"),
        ("model.head.cell", "cells"),
        ("model.head.attention", "attentions"),
        ("model.head.bridge", "bridges"),
        ("model.encoder.cell", "cells"),
        ("model.initialization", "initializers"),
    ],
)
def test_every_kind_can_be_built_without_numbers(key, family):
    text = TINY.replace("hidden: 8}", "hidden: 4}", 1)  # dot and copy need a state as wide as the memory
    for kind in members(family):
        writes = Head.registry[kind].output_modalities[0] if family == "heads" else "ids"
        if writes == "ids":
            changes = [f"{key}={kind}", "model.head.layers=2"]
        else:
            changes = [f"task={TASKS[writes]}", f"model.head={kind}"]
        recipe = parse_recipe(text, changes=changes)
        source, target, parameters = build(recipe)
        assert parameters == sum(p.numel() for p in recipe.build_model(source, target).parameters()), kind


def test_torch_s_compiler_stays_at_home(tiny, monkeypatch):
    """It takes longer to import than all the rest of `s2s check`."""
    monkeypatch.setitem(sys.modules, "torch._dynamo", None)  # to import it is then an error
    build(read_recipe(tiny))
