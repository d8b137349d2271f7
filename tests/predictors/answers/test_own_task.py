"""A task from a user's own file, with nothing of the tree changed: trains, evaluates, and answers from the command line."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import s2s as package

RECIPE = """
uses: own_ctc.py
name: speech
task: speech
data: {kind: arrayfolder, path: DATA, target: text}
model: {encoder: {kind: project, width: 16}, head: ctc}
training:
  {steps: 120, epochs: null, batch_size: 20, batch_unit: sentences, precision: fp32, device: cpu, validate_every: 60,
   optimizer: {kind: adam, learning_rate: 3e-2}, select_by: exact}
"""
LETTERS = "abcd"


def frames(text: str, chance) -> np.ndarray:
    """[S, 6]: each letter is one or two frames, a little silence after it."""
    rows = []
    for letter in text:
        for _ in range(chance.integers(1, 3)):
            rows.append(np.eye(6)[LETTERS.index(letter)])
        rows.append(np.eye(6)[5])
    return (np.array(rows) + 0.1 * chance.normal(size=(len(rows), 6))).astype(np.float32)


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """The folder with the recipe, the user's file and the data; texts of train are in it by name."""
    folder, chance = tmp_path_factory.mktemp("speech"), np.random.default_rng(3)
    texts = ["".join(chance.choice(list(LETTERS), chance.integers(2, 6))) for _ in range(60)]
    for split, some in (("train", texts[:50]), ("validation", texts[50:])):
        (folder / "data" / split).mkdir(parents=True)
        lines = []
        for i, text in enumerate(some):
            np.save(folder / "data" / split / f"{i}.npy", frames(text, chance))
            lines.append(json.dumps({"file_name": f"{i}.npy", "text": text}))
        (folder / "data" / split / "metadata.jsonl").write_text("".join(f"{line}\n" for line in lines))
    shutil.copy(Path(__file__).parent / "own_ctc.py", folder)
    (folder / "speech.yaml").write_text(RECIPE.replace("DATA", str(folder / "data")))
    return folder, texts


def test_a_ctc_task_from_a_file_trains_evaluates_and_answers(speech, s2s):
    folder, texts = speech
    run = folder / "run"
    code, out, err = s2s("train", folder / "speech.yaml", "--out", run)
    assert code == 0, err
    assert "--trust" in out
    assert "s2s predict" in out
    code, out, err = s2s("evaluate", run, "--split", "validation", "--trust", "--precision", "fp32")
    assert code == 0, err
    found = json.loads((run / "predictions" / "validation.json").read_text())
    scores = {score["kind"]: score["value"] for score in found["scores"]}
    events = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    best = [event for event in events if event["event"] == "validation" and event["best"]][-1]
    assert scores == {kind: best[kind] for kind in ("chrf", "exact")}
    assert found["loss"] == pytest.approx(best["loss"], rel=1e-4)
    assert scores["exact"] == 100
    files = [folder / "data" / "validation" / f"{i}.npy" for i in range(3)]
    code, out, err = s2s("predict", run, *files, "--trust")
    assert (code, out) == (0, "".join(f"{file}\t{text}\n" for file, text in zip(files, texts[50:53], strict=True))), err
    code, out, err = s2s("predict", run, folder / "data" / "validation", "--trust", "--json")
    assert sorted(json.loads(line)["answer"] for line in out.splitlines()) == sorted(texts[50:])
    code, _, err = s2s("translate", run, "a", "--trust")
    assert code == 2
    assert f"s2s predict {run}" in " ".join(err.split())
    predictor = package.load(run, trust=True)
    assert type(predictor).__name__ == "TaskPredictor"
    assert predictor.paths()[-1].startswith("cpu")


def test_a_predictor_of_ones_own_answers_for_a_task(tmp_path):
    """More than an answer: a class of the family in the same file, which the task names."""
    from tests.predictors.answers.tiny_runs import ENGLISH, SPANISH, TRAINING

    (tmp_path / "own.py").write_text(
        "from s2s.predictors.seq2seq import Seq2SeqPredictor\n"
        "from s2s.tasks.translation import Translation\n"
        "class Loud(Seq2SeqPredictor, kind='loud'):\n"
        "    '''Says it loudly.'''\n"
        "    def answer(self, encoded):\n"
        "        return [text.upper() + '!' for text in super().answer(encoded)]\n"
        "class Shouted(Translation, kind='shouted'):\n"
        "    '''For a test.'''\n"
        "    predictor = 'loud'\n"
    )
    for ending, lines in (("en", ENGLISH), ("es", SPANISH)):
        (tmp_path / f"train.{ending}").write_text("".join(f"{line}\n" for line in lines))
        (tmp_path / f"validation.{ending}").write_text("".join(f"{line}\n" for line in lines))
    (tmp_path / "r.yaml").write_text(
        f"uses: own.py\nname: loud\ntask: {{kind: shouted, tokenizer: word, metrics: [exact]}}\n"
        f"data: {{kind: text, path: {tmp_path}, source: en, target: es}}\n"
        "model: {encoder: {kind: rnn, embedding: 8, hidden: 8}, head: {kind: decoder, embedding: 8, hidden: 8}}\n"
        + TRAINING.replace("STEPS", "3").replace("samples: 0", "samples: 2")
    )
    package.train(package.read_recipe(tmp_path / "r.yaml"), tmp_path / "run")
    events = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    samples = [event for event in events if event["event"] == "validation"][-1]["samples"]
    assert all(sample["hypothesis"].endswith("!") for sample in samples)
    predictor = package.load(tmp_path / "run", trust=True, kind=package.Seq2SeqPredictor, weights="last")
    assert predictor.predict([samples[0]["source"]]) == [samples[0]["hypothesis"]]
    with pytest.raises(package.S2SError, match="answered by a Loud and not by a ClassifierPredictor"):
        package.load(tmp_path / "run", trust=True, kind=package.ClassifierPredictor)
