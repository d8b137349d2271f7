"""Every task from its demo recipe to an answer, in a few steps: train, evaluate, use, and moved elsewhere."""

import json
import os
import shutil
import subprocess
import sys

import pytest

SHORT = ["training.steps=3", "training.validate_every=3"]
TASKS = {
    "demo": (["data.size=60"], ["translate"], "one red house\n"),
    "demo-sentiment": (["data.size=60"], ["classify", "--json"], "the soup was cold\n"),
    "demo-tags": (["data.size=60"], ["tag", "--json"], "five dollars\n"),
    "demo-chat": (["data.size=60"], ["chat", "--json"], "I am Ana.\n"),
    "demo-chars": (
        ["data={kind: lines, text: 'to be or not to be, that is the question. ' , hold_out: 0.2}"],
        ["generate", "--length", "20", "--random-seed", "1"],
        "to be",
    ),
    "demo-caption": (["data.size=60", "model.encoder.width=16"], ["caption"], None),
    "hello": ([], ["generate", "--length", "3", "--temperature", "0"], "he"),
}


@pytest.fixture
def s2s(tmp_path):
    def run(*arguments, stdin=""):
        env = {**os.environ, "S2S_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "s2s", *map(str, arguments)]
        done = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, input=stdin, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("name", TASKS)
def test_a_task_from_its_recipe_to_an_answer(name, s2s, tmp_path):
    changes, verb, stdin = TASKS[name]
    said = s2s("train", name, *changes, *SHORT)
    assert f"s2s {verb[0]} runs/{name}" in said
    shown = s2s("evaluate", f"runs/{name}", *(["--split", "train"] if name == "hello" else []))
    (path,) = (tmp_path / "runs" / name / "predictions").glob("*.json")
    found = json.loads(path.read_text())
    assert path.stem == {"demo-chars": "validation", "hello": "train"}.get(name, "test")
    assert found["scores"]
    for score in found["scores"]:
        assert score["name"] in shown
        assert score["low"] <= score["value"] <= score["high"]
    # a run is whole: it works from another folder, without its data and its cache
    shutil.move(tmp_path / "runs" / name, tmp_path / "moved")
    shutil.rmtree(tmp_path / "cache")
    if stdin is None:
        from s2s.data.synthetic.shapes import generate

        picture, _ = next(iter(generate("test")))
        (tmp_path / "a.png").write_bytes(picture.data)
        answer = s2s(verb[0], "moved", "a.png", *verb[1:])
    else:
        answer = s2s(verb[0], "moved", *verb[1:], stdin=stdin)
    assert answer.strip()
    if "--json" in verb:
        assert json.loads(answer.splitlines()[0])


def test_a_run_is_used_by_the_verb_that_suits_it(s2s, tmp_path):
    s2s("train", "hello")
    command = [sys.executable, "-m", "s2s", "translate", "runs/hello", "a"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is a run of language-model" in done.stderr
    assert "use the verb for it: s2s generate runs/hello" in done.stderr
