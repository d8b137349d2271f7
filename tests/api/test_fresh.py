"""--fresh: the old run is there until the new one has learned something, and nothing but s2s's own files ever goes."""

import json
import os
import shutil
from pathlib import Path

import pytest

import s2s
from s2s.errors import DataError, OutOfMemory, RecipeError, RunError, TrainingError
from s2s.runs.replaced import Replaced
from s2s.runs.run import Run
from s2s.training.reporters import Reporter
from s2s.training.trainer import Trainer
from tests.helpers.toy_runs import toy_recipe

SHORT = ("training.steps=2", "training.epochs=null", "training.precision=fp32", "training.validation_search=null")


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    s2s.train(toy_recipe(folder, *SHORT), folder / "run")
    return folder / "run"


@pytest.fixture
def old(trained, tmp_path):
    """A copy of a trained run, evaluated once, with what a person put into it."""
    shutil.copytree(trained, tmp_path / "run")
    answers = tmp_path / "run" / "predictions"
    answers.mkdir()
    for name in ("test.hyp.txt", "test.json", "mine.txt", "table.json"):
        (answers / name).write_text(name)
    (tmp_path / "run" / "notes.txt").write_text("precious")
    return tmp_path / "run"


FOREIGN = {"notes.txt", "predictions/mine.txt", "predictions/table.json"}


class Listener(Reporter):
    def __init__(self):
        self.said = []

    def message(self, text):
        self.said.append(text)


def test_a_new_run_takes_the_place_of_the_old(old, tmp_path):
    reporter = Listener()
    recipe = toy_recipe(tmp_path, *SHORT, "seed=2", "name=other")
    outcome = s2s.train(recipe, old, fresh=True, reporter=reporter)
    assert outcome.position.step == 2
    assert json.loads((old / "manifest.json").read_text())["seed"] == 2
    assert not (old / "predictions" / "test.hyp.txt").exists(), "what the old run wrote"
    assert {name for name in contents(old) if name in FOREIGN} == FOREIGN
    assert not [p for p in old.iterdir() if p.name.startswith(".")]
    kept = {line.split(": ")[1].split(",")[0] for line in reporter.said if line.startswith("left in the folder")}
    assert kept == FOREIGN


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (["data.path=/nowhere"], DataError),
        (["training.select_by=bleeu"], RecipeError),
        (["model.head.bridge=copy", "model.head.hidden=9"], RecipeError),
        (["model.word_vectors.path=/nowhere"], DataError),
    ],
)
def test_nothing_is_touched_before_all_is_known(old, tmp_path, changes, error):
    before = contents(old)
    with pytest.raises(error):
        s2s.train(toy_recipe(tmp_path, *SHORT, *changes), old, fresh=True)
    assert contents(old) == before


@pytest.mark.parametrize("moment", ["begin", "step"])
@pytest.mark.parametrize("kind", [TrainingError, KeyboardInterrupt, MemoryError])
def test_a_failure_before_the_first_checkpoint_brings_the_old_run_back(old, tmp_path, monkeypatch, kind, moment):
    before, seen = contents(old), []

    def fails(*arguments, **options):
        seen.append(contents(old))
        raise kind("x", "y") if kind is TrainingError else kind

    monkeypatch.setattr(Trainer, "learn" if moment == "step" else "save", fails)
    reporter = Listener()
    with pytest.raises(OutOfMemory if kind is MemoryError else kind):
        s2s.train(toy_recipe(tmp_path, *SHORT, "seed=2"), old, fresh=True, reporter=reporter)
    assert json.loads(seen[0]["manifest.json"])["seed"] == 2, "it had begun"
    assert contents(old) == before
    assert any("is there again" in line for line in reporter.said)


def test_a_failure_after_the_first_checkpoint_leaves_the_new_run(old, tmp_path, monkeypatch):
    real = Trainer.learn

    def fails(trainer, group):
        if trainer.position.step == 2:
            raise TrainingError("x", "y")
        real(trainer, group)

    monkeypatch.setattr(Trainer, "learn", fails)
    changes = [*SHORT, "training.steps=9", "training.save_every=1", "seed=2"]
    with pytest.raises(TrainingError):
        s2s.train(toy_recipe(tmp_path, *changes), old, fresh=True)
    assert json.loads((old / "manifest.json").read_text())["seed"] == 2
    assert not Replaced(old).pending


@pytest.mark.parametrize("call", ["replace", "rename"])
def test_killed_at_any_moment_the_old_run_or_the_new_one_is_whole(old, call):
    """A child process replaces the run and dies before the n-th rename; whoever locks it next finds one of the two."""
    before, seen = contents(old), set()
    for n in range(60):
        if (child := os.fork()) == 0:
            counter, real = iter(range(1000)), getattr(os, call)

            def dies(*args, real=real, counter=counter, n=n):
                if next(counter) == n:
                    os._exit(3)
                return real(*args)

            setattr(os, call, dies)
            run = Run(old)
            with run.lock():
                run.begin("name: new\n", fresh=True)
                (run.path / "plots").mkdir(exist_ok=True)
                (run.path / "plots" / "new.png").write_bytes(b"")
                run.replaced.bring_back()
            os._exit(0)
        finished = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        seen.add(Replaced(old).pending)
        with Run(old).lock():
            pass
        assert contents(old) == before, f"killed at {call} number {n}"
        if finished:
            break
    assert finished
    assert seen == {True, False}


def test_a_run_that_was_killed_before_its_first_checkpoint_is_as_if_it_had_not_begun(old, tmp_path):
    before = contents(old)
    if (child := os.fork()) == 0:
        Trainer.learn = lambda *_: os._exit(3)
        s2s.train(toy_recipe(tmp_path, *SHORT, "seed=2"), old, fresh=True)
    os.waitpid(child, 0)
    assert Replaced(old).pending
    assert s2s.train(toy_recipe(tmp_path, *SHORT), old).position.step == 2, "the old run goes on: it was done"
    changed = {name for name, data in contents(old).items() if before.get(name) != data}
    assert changed <= {"manifest.json", "log.jsonl", "recipe.yaml", "plots/learning.png"}


def test_a_run_in_use_is_not_touched(old, tmp_path):
    before = contents(old)
    with Run(old).lock(), pytest.raises(RunError, match="is training in it"):
        s2s.train(toy_recipe(tmp_path, *SHORT), old, fresh=True)
    assert contents(old) == before


def website(folder):
    (folder / "manifest.json").write_text('{"name": "a web page", "format": "x"}')


def half_alike(folder):
    (folder / "manifest.json").write_text('{"format": 1}')
    (folder / "recipe.yaml").write_text("soup: [carrots]")
    (folder / "best.safetensors").write_bytes(b"another program's")


def recipes_of_a_cook(folder):
    (folder / "recipe.yaml").write_text("soup: [carrots]")


def weights(folder):
    (folder / "best.safetensors").write_bytes(b"another program's")


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("prepare", [website, half_alike, recipes_of_a_cook, weights])
def test_folders_that_only_look_like_a_run(tmp_path, prepare, fresh):
    out = tmp_path / "out"
    out.mkdir()
    prepare(out)
    before = contents(out)
    with pytest.raises(RunError, match=r"not empty|cannot be replaced|already holds a trained run"):
        s2s.train(toy_recipe(tmp_path, *SHORT), out, fresh=fresh)
    assert contents(out) == before


def test_fresh_where_there_is_nothing(tmp_path):
    assert s2s.train(toy_recipe(tmp_path, *SHORT), tmp_path / "new", fresh=True).position.step == 2


def test_the_working_folder_and_a_linked_one(old, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(old)
    for out, seed in ((Path(), 3), (tmp_path / "link", 4)):
        monkeypatch.chdir(old)
        s2s.train(toy_recipe(tmp_path, *SHORT, f"seed={seed}"), out, fresh=True)
        assert json.loads((old / "manifest.json").read_text())["seed"] == seed
    assert (tmp_path / "link").is_symlink()


def test_what_a_link_leads_to_stays(old, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.png").write_bytes(b"precious")
    (old / "plots" / "learning.png").unlink()
    (old / "plots").rmdir()
    (old / "plots").symlink_to(tmp_path / "elsewhere")
    s2s.train(toy_recipe(tmp_path, *SHORT, "seed=2"), old, fresh=True)
    assert (tmp_path / "elsewhere" / "a.png").read_bytes() == b"precious"
