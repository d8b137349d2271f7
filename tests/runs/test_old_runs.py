"""Runs of older versions still load, answer, evaluate and go on: tests/fixtures/make_runs.py made them."""

import json
import math
import shutil
from pathlib import Path

import pytest

import s2s
from s2s.api.prepare import open_split
from s2s.data.pictures import read_picture
from s2s.runs.run import Run

FIXTURES = Path(__file__).parents[1] / "fixtures"
RUNS = sorted(path.parent.relative_to(FIXTURES).as_posix() for path in FIXTURES.glob("runs_*/*/answers.json"))


@pytest.fixture(params=RUNS)
def old(request, tmp_path, monkeypatch):
    """A copy of a run with its recipe and data, in the folder where it was made; gives what it answered then."""
    shutil.copytree(FIXTURES / request.param, tmp_path / "old")
    monkeypatch.chdir(tmp_path / "old")
    return json.loads(Path("answers.json").read_text(encoding="utf-8"))


def opened():
    return s2s.load("run", trust=True, device="cpu", precision="fp32")


def test_there_are_runs_of_every_task():
    old = {name.partition("/")[2] for name in RUNS if name.startswith("runs_631d87e/")}
    assert old == {
        "captions",
        "chat",
        "classification",
        "labels",
        "language-model",
        "own-part",
        "tagging",
        "translation",
    }


def test_an_old_run_answers_as_it_did(old):
    predictor = opened()
    if predictor.task.verb == "generate":
        found = [predictor.generate(text, length=15, temperature=0.0)[0] for text in old["sources"]]
    else:
        pictures = predictor.task.verb == "caption"
        found = predictor.predict([read_picture(Path(s)) if pictures else s for s in old["sources"]])
    assert found == old["answers"]


def test_an_old_run_scores_what_it_did(old):
    predictor = opened()
    found = s2s.evaluate(predictor, list(open_split(predictor.recipe, "validation")), name="validation")
    assert found.scores[0].name == old["score"]["name"]
    assert found.scores[0].value == pytest.approx(old["score"]["value"], rel=1e-3)
    assert found.loss == pytest.approx(old["loss"], rel=1e-3)


def test_an_old_run_goes_on(old):
    more = old["steps"] + 3
    recipe = s2s.read_recipe("recipe.yaml", [f"training.steps={more}", "training.log_every=1"])
    outcome = s2s.train(recipe, Path("run"))
    assert outcome.position.step == more
    losses = {event["step"]: event["loss"] for event in Run.open("run").events() if event.get("event") == "train"}
    assert set(range(old["steps"] + 1, more + 1)) <= set(losses)
    assert all(math.isfinite(loss) for loss in losses.values())
    assert losses[more] < losses[30]  # it went on from what it had learned
    assert opened().predict([]) == []
