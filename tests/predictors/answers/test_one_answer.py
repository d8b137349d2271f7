"""What validation scored is what evaluation scores and what predict gives: for every demo recipe, and whatever rows hold."""

import dataclasses

import numpy as np
import pytest

import s2s
from s2s.api.prepare import open_split
from s2s.data.readers.base import Row
from s2s.data.values import shown
from s2s.recipe_index import find_recipe, shipped
from tests.predictors.answers.tiny_runs import ENGLISH, SPANISH, TRAINING

GREEDY = "{kind: greedy, max_length: 12, max_ratio: 5.0}"
SMALL = ["training.precision=fp32", "training.device=cpu", "training.epochs=null", "training.samples=5"]
SMALL += ["training.schedule=constant", "training.optimizer={kind: adam, learning_rate: 1e-2}"]
LINES = "to be or not to be that is the question\nwhether it is nobler in the mind to suffer\n" * 12
CHANGES = {
    "demo": ["data.size=60", "model.encoder.hidden=16", "model.head.hidden=16", "training.batch_size=300"],
    "demo-sentiment": ["data.size=80", "training.batch_size=20"],
    "demo-tags": ["data.size=60"],
    "demo-chat": ["data.size=60"],
    "demo-caption": ["data.size=60", "model.encoder.width=16", "task.metrics=[bleu4, exact, chrf]"],
    "demo-chars": [],
    "hello": ["data.hold_out=0.2"],
}
STEPS = 15


def test_every_shipped_demo_is_here():
    demos = {name for name, _ in shipped() if name.startswith("demo") or name == "hello"}
    assert demos == set(CHANGES)


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_validation_is_evaluation_is_prediction(name, tmp_path):
    changes = [*SMALL, *CHANGES[name], f"training.steps={STEPS}", f"training.validate_every={STEPS}"]
    if name in ("demo-chars", "hello"):
        (tmp_path / "text.txt").write_text(LINES)
        changes += [f"data={{kind: lines, path: {tmp_path / 'text.txt'}, hold_out: 0.2}}"]
    else:
        changes += [f"training.validation_search={GREEDY}", f"decoding={GREEDY}"]
    recipe = s2s.read_recipe(find_recipe(name), changes)
    s2s.train(recipe, tmp_path / "run")
    logged = [event for event in events(tmp_path / "run") if event["event"] == "validation"][-1]
    predictor = s2s.load(tmp_path / "run", weights="last", precision="fp32", device="cpu")
    rows = list(open_split(recipe, "validation"))
    found = s2s.evaluate(predictor, rows, name="validation")
    assert found.loss == pytest.approx(logged["loss"], rel=1e-5)
    assert found.perplexity == pytest.approx(logged["perplexity"], rel=1e-5)
    scores = {score.kind: score.value for score in found.scores}
    kinds = [metric.kind for metric in predictor.task.metrics]
    assert {kind: logged[kind] for kind in kinds} == {kind: scores[kind] for kind in kinds}
    if not kinds:  # a language model has no answer that is right
        return
    assert any(scores[kind] > 0 for kind in kinds), "nothing was learned, so nothing was compared"
    answers = predictor.predict([row.source for row in rows])
    assert answers == found.hypotheses
    said = {shown(row.source): answer for row, answer in zip(rows, answers, strict=True)}
    assert logged["samples"]
    for sample in logged["samples"]:
        assert said[sample["source"]] == sample["hypothesis"]


def events(run):
    import json

    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def recipe_of(folder, *changes):
    return s2s.parse_recipe(
        "name: toy\ntask: {kind: translation, tokenizer: word, metrics: [chrf, {kind: chrf, word_order: 2}]}\n"
        f"data: {{kind: text, path: {folder}, source: en, target: es}}\n"
        "model: {encoder: {kind: rnn, embedding: 8, hidden: 8}, head: {kind: decoder, embedding: 8, hidden: 8}}\n"
        + TRAINING.replace("STEPS", "3"),
        changes=changes,
    )


@pytest.fixture
def blank_row(tmp_path):
    """A corpus whose validation split has a row without a source."""
    for split in ("train", "validation"):
        english = ["" if split == "validation" and i == 2 else line for i, line in enumerate(ENGLISH)]
        for ending, lines in (("en", english), ("es", SPANISH)):
            (tmp_path / f"{split}.{ending}").write_text("".join(f"{line}\n" for line in lines))
    return tmp_path


def test_a_blank_source_has_a_blank_answer_in_validation_too(blank_row, tmp_path):
    recipe = recipe_of(blank_row, "training.samples=9")
    s2s.train(recipe, tmp_path / "run")
    logged = [event for event in events(tmp_path / "run") if event["event"] == "validation"][-1]
    blank = [sample for sample in logged["samples"] if not sample["source"]]
    assert [sample["hypothesis"] for sample in blank] == [""]
    predictor = s2s.load(tmp_path / "run", weights="last", precision="fp32")
    found = s2s.evaluate(predictor, list(open_split(recipe, "validation")), name="validation")
    assert found.hypotheses[2] == ""
    assert {score.kind: score.value for score in found.scores} == {kind: logged[kind] for kind in ("chrf", "chrf-2")}


def test_two_metrics_of_a_kind_have_names_of_their_own(blank_row, tmp_path):
    """In validation the second would have taken the place of the first; and a recipe may select by either."""
    recipe = recipe_of(blank_row, "training.select_by=chrf-2")
    s2s.train(recipe, tmp_path / "run")
    predictor = s2s.load(tmp_path / "run", precision="fp32")
    assert [(s.kind, s.name) for s in s2s.evaluate(predictor, "validation").scores] == [
        ("chrf", "chrF2"),
        ("chrf-2", "chrF2++"),
    ]
    with pytest.raises(s2s.S2SError, match="it has: loss, perplexity, chrf, chrf-2"):
        s2s.train(recipe_of(blank_row, "training.select_by=chrF2"), tmp_path / "other")


def test_validation_encodes_nothing_again(blank_row, tmp_path, monkeypatch):
    """The held-out rows were encoded when the data was prepared: their ids are on the disk."""
    from s2s.api.prepare import prepare_data
    from s2s.api.train import validator
    from s2s.data.fields.text import TextField
    from s2s.devices import choose_precision, find_device

    recipe = recipe_of(blank_row)
    data = prepare_data(recipe)
    model = recipe.build_model(data.task.source.space, data.task.target.space)

    def never(*arguments):
        raise AssertionError("these rows were encoded before")

    monkeypatch.setattr(TextField, "encode_all", never)
    found = validator(data, recipe)(model, choose_precision("fp32", find_device("cpu")))
    assert found.scores.keys() == {"loss", "perplexity", "chrf", "chrf-2"}


def test_a_task_that_names_no_predictor_there_is_is_told_so(blank_row, tmp_path, monkeypatch):
    recipe = recipe_of(blank_row)
    monkeypatch.setattr(recipe.task.factory, "predictor", "seq2sec")
    with pytest.raises(s2s.S2SError, match="did you mean 'seq2seq'"):
        s2s.train(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_every_task_names_a_predictor_and_every_predictor_answers():
    from s2s.predictors.base import Predictor
    from s2s.predictors.load import predictor_for
    from s2s.tasks.task import Task

    for kind, task in Task.registry.items():
        if task.__module__.startswith("s2s."):
            assert task.predictor in Predictor.registry, kind
            assert issubclass(predictor_for(task), Predictor)
            assert task.predictor != "task", f"{kind} has an answer of its own beside the predictors"
    assert dataclasses.is_dataclass(s2s.Recipe)


def test_what_was_encoded_before_is_answered_alike(blank_row, tmp_path):
    recipe = recipe_of(blank_row)
    s2s.train(recipe, tmp_path / "run")
    predictor = s2s.load(tmp_path / "run", precision="fp32")
    sources = ["one red house", " ", "two black cats"]
    encoded = [np.zeros(0, int) if not s.strip() else predictor.task.source.encode_all([s])[0] for s in sources]
    assert predictor.predict(sources, encoded) == predictor.predict(sources)
    assert predictor.likelihood([Row(sources[0], "una casa")]).tokens.tolist() == [3]
