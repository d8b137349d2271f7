"""Carrying on: with the same data wherever it is, with other data only where that is accepted, and on other devices."""

import gzip
import json
import os
import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import s2s
from s2s.api.prepare import open_data
from s2s.config import configure
from s2s.data.changes import changes, content
from s2s.data.ingest import open_corpus
from s2s.data.readers.base import Reader
from s2s.data.readers.text import ParallelText
from s2s.errors import RunError, TrainingError
from s2s.predictors.load import open_recipe
from s2s.recipe import parse_recipe
from s2s.runs.run import Run
from s2s.training.reporters import Reporter
from s2s.training.signals import StopRequest
from s2s.training.trainer import Trainer
from tests.helpers.toy_runs import PAIRS, RECIPE, toy_recipe, toy_trainer, write_corpus

BASE = ("training.epochs=null", "training.precision=fp32", "training.save_every=1", "training.batch_size=12")


class Listener(Reporter):
    def __init__(self):
        self.said = []

    def message(self, text):
        self.said.append(text)


def recipe_in(folder, *changes, data=None):
    """Of the corpus as it is now: toy_recipe() would write it anew."""
    text = RECIPE.replace("FOLDER", str(data or folder / "corpus"))
    return parse_recipe(text, changes=[*BASE, *changes])


@pytest.fixture
def stopped(tmp_path):
    """A run of three steps, in the middle of its first pass."""
    write_corpus(tmp_path / "corpus")
    outcome = s2s.train(recipe_in(tmp_path, "training.steps=3"), tmp_path / "run")
    assert (outcome.position.epoch, outcome.position.batch) == (0, 3)
    return tmp_path


def rewrite(folder, split, pairs):
    for side, ending in enumerate(("en", "es")):
        (folder / "corpus" / f"{split}.{ending}").write_text("".join(f"{pair[side]}\n" for pair in pairs))


def events(folder, kind):
    return [e for e in Run(folder / "run").events() if e["event"] == kind]


OTHER = ("the cat sleeps", "el gato duerme")
CHANGED = [
    ("train", PAIRS[:4], "train: 12 rows became 4"),
    ("train", [*PAIRS, OTHER], "train: 12 rows became 13"),
    ("train", [OTHER, *PAIRS[1:]], "train: 12 rows, and not the same ones"),
    ("train", PAIRS[::-1], "train: 12 rows, and not the same ones"),
    ("validation", PAIRS[:2], "validation: 4 rows became 2"),
]


@pytest.mark.parametrize(("split", "pairs", "said"), CHANGED, ids=[case[2] for case in CHANGED])
def test_other_data_is_noticed_and_decided_by_a_person(stopped, split, pairs, said):
    rewrite(stopped, split, pairs)
    before = (stopped / "run" / "last.state").read_bytes()
    more = recipe_in(stopped, "training.steps=9")
    with pytest.raises(RunError) as caught:
        s2s.train(more, stopped / "run")
    first, hint = str(caught.value).split("\n")
    assert first == f"{stopped / 'run'}: its data has changed: {said}"
    assert "--accept-data" in hint
    assert (stopped / "run" / "last.state").read_bytes() == before
    reporter = Listener()
    outcome = s2s.train(more, stopped / "run", accept_data=True, reporter=reporter)
    assert outcome.position.step == 9
    assert f"the data has changed: {said}" in reporter.said
    (event,) = events(stopped, "data")
    assert event == {"event": "data", "step": 3, "changed": {split: said.split(": ")[1]}}
    s2s.train(recipe_in(stopped, "training.steps=10"), stopped / "run")  # it is this run's data now


def test_a_pass_over_other_rows_begins_again_and_every_row_is_read(stopped, monkeypatch):
    rewrite(stopped, "train", PAIRS[:6])
    seen, real = [], Trainer.learn

    def learn(trainer, group):
        seen.extend(row for batch in group for row in batch.example_ids)
        real(trainer, group)

    monkeypatch.setattr(Trainer, "learn", learn)
    changes = ["training.steps=null", "training.epochs=1"]
    outcome = s2s.train(recipe_in(stopped, *changes), stopped / "run", accept_data=True)
    assert sorted(seen) == list(range(6))
    assert outcome.reason == "epochs"


def test_scores_on_other_rows_are_not_compared(stopped):
    data = recipe_in(stopped, "training.schedule={kind: plateau}")
    trainer, _ = toy_trainer(data, stopped / "other")
    trainer.position.best, trainer.position.worse, trainer.position.batch = 0.1, 3, 5
    trainer.schedule.best = 0.1
    trainer.accept({"validation": "x"})
    assert (trainer.position.best, trainer.position.worse, trainer.schedule.best) == (None, 0, None)
    assert trainer.position.batch == 5, "the training data is as it was"


def test_the_test_split_may_change(stopped):
    rewrite(stopped, "test", PAIRS[:3])
    reporter = Listener()
    s2s.train(recipe_in(stopped, "training.steps=4"), stopped / "run", reporter=reporter)
    assert "the data has changed: test: was not there, and has 3 rows" in reporter.said
    assert events(stopped, "data")[0]["changed"] == {"test": "was not there, and has 3 rows"}


def test_the_same_rows_in_other_files_are_the_same_data(stopped):
    for path in sorted((stopped / "corpus").iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes().replace(b"\n", b"\r\n")))
        path.unlink()
    s2s.train(recipe_in(stopped, "training.steps=4"), stopped / "run")
    assert events(stopped, "data") == []


def test_data_that_has_moved(stopped):
    (stopped / "corpus").rename(stopped / "moved")
    s2s.train(recipe_in(stopped, "training.steps=4", data=stopped / "moved"), stopped / "run")
    recipe = open_recipe(Run.open(stopped / "run"), trust=False)
    assert recipe.data.kwargs["path"] == stopped / "moved", "so that it can be evaluated"
    (stopped / "moved").rename(stopped / "third")
    (stopped / "third" / "train.en").write_text("a cat\n" * 12)
    with pytest.raises(RunError, match="its data has changed: train: 12 rows, and not the same ones"):
        s2s.train(recipe_in(stopped, "training.steps=5", data=stopped / "third"), stopped / "run")


def test_a_run_of_before_is_compared_by_its_fingerprints(stopped):
    run = Run.open(stopped / "run")
    kept = run.manifest()
    del kept["contents"]
    run.write_manifest(kept)
    s2s.train(recipe_in(stopped, "training.steps=4"), stopped / "run")
    assert run.manifest()["contents"], "from now on by its rows"
    rewrite(stopped, "train", PAIRS[:4])
    del kept["report"]
    run.write_manifest(kept)
    with pytest.raises(RunError, match="train: the rows became 4"):
        s2s.train(recipe_in(stopped, "training.steps=5"), stopped / "run")


def test_every_resume_is_told(stopped):
    s2s.train(recipe_in(stopped, "training.steps=4"), stopped / "run")
    s2s.train(recipe_in(stopped, "training.steps=5", "training.precision=bf16"), stopped / "run")
    told = events(stopped, "resume")
    assert [(e["step"], e["device"], e["precision"]) for e in told] == [(3, "cpu", "fp32"), (4, "cpu", "bf16")]
    assert all(e["versions"]["torch"] for e in told)
    kept = Run(stopped / "run").manifest()
    assert kept["precision"] == "fp32"
    assert [(e["step"], e["precision"]) for e in kept["resumed"]] == [(3, "fp32"), (4, "bf16")]


def test_the_scale_of_fp16_is_left_behind_on_a_cpu(stopped):
    """A GPU's run in fp16 goes on here with training.precision=fp32."""
    run = Run(stopped / "run")
    weights, state = run.load_checkpoint()
    run.save_checkpoint(weights, state | {"scaler": {"scale": 65536.0, "_growth_tracker": 3}})
    text = (stopped / "run" / "recipe.yaml").read_text()
    (stopped / "run" / "recipe.yaml").write_text(text.replace("precision: fp32", "precision: fp16"))
    assert s2s.train(recipe_in(stopped, "training.steps=4"), stopped / "run").position.step == 4


class Short:
    """Batches that promise more of each pass than they give."""

    def __init__(self, batches, given):
        self.batches, self.given = batches, given

    def count(self, epoch):
        return 5

    def epoch(self, number, start=0):
        return islice(self.batches.epoch(number, start), max(0, self.given - start))

    def in_order(self):
        return self.batches.in_order()


@pytest.mark.parametrize("at", [0, 3, 7])
def test_a_pass_with_fewer_batches_than_promised_ends(tmp_path, at):
    trainer, _ = toy_trainer(toy_recipe(tmp_path, *BASE, "training.epochs=4"), tmp_path / "run")
    trainer.batches, trainer.position.batch = Short(trainer.batches, 2), at
    assert trainer.fit().position.epoch == 4


@pytest.mark.parametrize("at", [0, 3])
def test_passes_without_a_batch_are_an_error(tmp_path, at):
    trainer, _ = toy_trainer(toy_recipe(tmp_path, *BASE), tmp_path / "run")
    trainer.batches, trainer.position.batch = Short(trainer.batches, 0), at
    with pytest.raises(TrainingError, match=r"pass \d over the training data has no batch to learn from"):
        trainer.fit()


def test_a_signal_is_heard_with_data_that_shrank(stopped, monkeypatch):
    rewrite(stopped, "train", PAIRS[:2])
    real = Trainer.learn

    def learn(trainer, group):
        real(trainer, group)
        if trainer.position.step == 9:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Trainer, "learn", learn)
    changes = ["training.steps=1000", "training.save_every=null"]
    stop = StopRequest(signals=True)
    outcome = s2s.train(recipe_in(stopped, *changes), stopped / "run", accept_data=True, stop=stop)
    assert (outcome.reason, outcome.position.step) == ("asked", 9)


def corpus(folder, sources, targets):
    folder.mkdir(exist_ok=True)
    (folder / "train.a").write_text("".join(f"{x}\n" for x in sources))
    for i, column in enumerate(targets):
        (folder / f"train.{i}").write_text("".join(f"{x}\n" for x in column))
    names = tuple(str(i) for i in range(len(targets)))
    return open_corpus(
        ParallelText(path=folder, source="a", target=names if len(names) > 1 else names[0], hold_out=0), "train"
    )


def test_the_content_of_rows_is_every_letter_in_its_place(tmp_path):
    base = content(corpus(tmp_path / "0", ["ab", "c"], [["x", "yz"]]))
    assert content(corpus(tmp_path / "1", ["ab", "c"], [["x", "yz"]])) == base
    others = [
        (["a", "bc"], [["x", "yz"]]),
        (["ab", "c"], [["xy", "z"]]),
        (["c", "ab"], [["yz", "x"]]),
        ([" ab", "c"], [["x", "yz"]]),
        (["ab", "c"], [["x", "yz"], ["x", "y"]]),
        (["ab", "c"], [["x", "yz"], ["x", "z"]]),
        (["ab", "c", "ab"], [["x", "yz", "x"]]),
    ]
    found = [content(corpus(tmp_path / f"o{i}", *other)) for i, other in enumerate(others)]
    assert len({base, *found}) == 1 + len(others)


def test_the_content_of_rows_does_not_hang_on_how_they_are_stored(tmp_path, monkeypatch):
    whole = corpus(tmp_path / "0", [f"s{i}" for i in range(50)], [[f"t{i}" for i in range(50)]])
    monkeypatch.setattr("s2s.data.ingest.CHUNK_ROWS", 7)
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "cache"))
    parts = corpus(tmp_path / "0", [f"s{i}" for i in range(50)], [[f"t{i}" for i in range(50)]])
    assert len(parts.batches) > len(whole.batches)
    assert content(parts) == content(whole)
    some = np.arange(50) % 3 == 0
    held = [c.subset(some, "train", "third", c.counts) for c in (whole, parts)]
    assert content(held[0]) == content(held[1]) != content(whole)
    kept = corpus(tmp_path / "1", [f"s{i}" for i in range(0, 50, 3)], [[f"t{i}" for i in range(0, 50, 3)]])
    assert content(kept) == content(held[0])


@pytest.mark.parametrize("what", ["drawings", "sentiment", "dialogue", "tags"])
def test_the_content_of_rows_of_every_kind(what, tmp_path, monkeypatch):
    def read(seed):
        reader = configure(Reader, {"kind": "generated", "what": what, "size": 30, "seed": seed})()
        return content(open_corpus(reader, "train"))

    assert read(1) == read(1) != read(2)


def test_splits_that_come_and_go(stopped):
    corpora = open_data(recipe_in(stopped))
    prints = {split: corpus.fingerprint for split, corpus in corpora.items()}
    assert changes(corpora, {}, prints, {}) == {}
    assert changes({}, {}, prints, {"train": 12}) == {"train": "12 rows are gone", "validation": "the rows are gone"}
    assert changes(corpora, {}, {}, {}) == {
        "train": "was not there, and has 12 rows",
        "validation": "was not there, and has 4 rows",
    }


def test_from_the_command_line(stopped):
    rewrite(stopped, "train", PAIRS[:4])
    (stopped / "toy.yaml").write_text(RECIPE.replace("FOLDER", str(stopped / "corpus")))
    environment = {**os.environ, "PYTHONPATH": str(Path(s2s.__file__).parents[1])}
    command = [sys.executable, "-m", "s2s", "train", str(stopped / "toy.yaml"), *BASE, "training.steps=5"]
    command += ["--out", str(stopped / "run")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "its data has changed: train: 12 rows became 4" in done.stderr
    done = subprocess.run([*command, "--accept-data"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads((stopped / "run" / "manifest.json").read_text())["report"]["train"]["rows"] == 4
