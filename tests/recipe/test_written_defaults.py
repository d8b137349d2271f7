"""The recipe of a run has every default written out, and says no more than the recipe that began it."""

import pytest

from s2s.predictors.load import open_recipe
from s2s.recipe import Recipe, parse_recipe, read_recipe
from s2s.recipe_index import shipped
from s2s.registry import tree
from s2s.runs.run import Run

LABELS = """\
name: several
task: {kind: classification, target: {kind: labels, separator: ;}}
data: {kind: jsonl, path: nowhere, source: text, target: labels}
model: {head: classifier}
decoding: {kind: beam, beam_size: 3}
"""


def as_run(recipe: Recipe, path) -> Run:
    return Run.create(path, recipe.to_yaml(full=True))


@pytest.mark.parametrize("name", sorted(dict(shipped())))
def test_a_recipe_written_out_in_full_is_the_same_recipe(name):
    recipe = read_recipe(dict(shipped())[name])
    again = parse_recipe(recipe.to_yaml(full=True), folder=dict(shipped())[name].parent)
    assert again == recipe
    assert tree(again) == tree(recipe)
    assert tree(again, full=False) == tree(recipe, full=False)


def test_metrics_of_a_run_are_told_what_stands_between_labels(tmp_path):
    told = parse_recipe(LABELS)
    opened = open_recipe(as_run(told, tmp_path / "run"), trust=False)
    for recipe in (told, opened):
        assert [metric.kwargs for metric in recipe.task().metrics] == [{"separator": ";"}] * 2


def test_a_run_of_before_whose_metrics_were_frozen_is_scored_right(tmp_path):
    old = LABELS.replace(
        "separator: ;}",
        "separator: ;}, metrics: [{kind: accuracy, separator: null}, {kind: macro-f1, separator: null}]",
    )
    task = open_recipe(Run.create(tmp_path / "run", old), trust=False).task()
    for metric in task.metrics:
        assert metric().score(["b; a", "c"], ["a;b", "c"], n_bootstrap=0).value == 100


def test_another_search_for_a_run_does_not_meet_the_defaults_of_the_first(tmp_path):
    run = as_run(parse_recipe(LABELS.replace(", beam_size: 3", "")), tmp_path / "run")
    assert open_recipe(run, False, ["decoding.kind=greedy"]).decoding.kind == "greedy"
    kept = open_recipe(run, False, ["decoding.nbest=2"]).decoding
    assert (kept.kind, kept.kwargs) == ("beam", {"nbest": 2})


def test_a_greedy_run_still_writes_as_it_goes(tmp_path):
    """The REPL streams where no option of greedy search was chosen; written-out defaults are none."""
    text = LABELS.replace("beam, beam_size: 3", "greedy")
    assert open_recipe(as_run(parse_recipe(text), tmp_path / "run"), False).decoding.kwargs == {}
