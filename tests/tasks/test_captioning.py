"""Captioning from end to end: a tiny model learns drawings by heart, is evaluated beside its baseline, and captions files."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from s2s.api.evaluate import evaluate
from s2s.api.train import train
from s2s.cli.app import app
from s2s.config import configure
from s2s.data.readers.base import Row
from s2s.data.synthetic.shapes import generate
from s2s.errors import RunError
from s2s.predictors.load import load
from s2s.predictors.seq2seq import Seq2SeqPredictor
from s2s.recipe import parse_recipe
from s2s.tasks.task import Task

ROWS = [Row(*pair) for pair in generate("train", size=6)]
RECIPE = """\
name: drawings
task: {kind: captioning, source: {kind: image, size: 48}, metrics: [bleu4, cider, chrf, exact]}
data: {kind: generated, what: drawings, size: 6, validation: train, test: null}
model:
  encoder: {kind: cnn, width: 32}
  head: {kind: decoder, embedding: 16, hidden: 48, attention: additive, bridge: mean}
training: {steps: 200, epochs: 200, validate_every: 50, batch_size: 6, batch_unit: sentences, optimizer: {kind: adam, learning_rate: 5e-3}}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run that knows six drawings by heart."""
    folder = tmp_path_factory.mktemp("captioning") / "run"
    train(parse_recipe(RECIPE), folder)
    return folder


@pytest.fixture(scope="module")
def writer(trained) -> Seq2SeqPredictor:
    return load(trained)


def command(*arguments: object, code: int = 0):
    result = CliRunner().invoke(app, [*map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def test_it_says_what_it_has_learned_by_heart(writer):
    assert writer.predict([row.source for row in ROWS]) == [row.target for row in ROWS]


def test_alone_is_as_in_company(writer):
    alone = [writer.search([row.source])[0][0] for row in ROWS[:3]]
    together = [found[0] for found in writer.search([row.source for row in ROWS])[:3]]
    assert [one.ids for one in alone] == [one.ids for one in together]
    assert [one.score for one in alone] == pytest.approx([one.score for one in together], abs=1e-4)


def test_attention_is_a_grid_over_the_picture_as_the_model_sees_it(writer):
    found = writer.align(ROWS[0].source, writer.search([ROWS[0].source])[0][0].ids)
    assert found.grid[0] == found.grid[1] > 1
    assert len(found.source) == found.grid[0] * found.grid[1]
    assert found.target[:-1] == ROWS[0].target.split()
    weights = np.array(found.weights)
    assert weights.shape == (len(found.target), len(found.source))
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-4)
    seen = writer.seen(ROWS[0].source).astype(float)
    with Image.open(io.BytesIO(ROWS[0].source.data)) as image:
        drawn = np.asarray(image.resize(seen.shape[1::-1])).astype(float)
    assert np.corrcoef(seen.ravel(), drawn.ravel())[0, 1] > 0.95


def test_the_baseline_stands_beside_the_scores(writer, trained):
    found = evaluate(writer, ROWS, name="train")
    scores = {score.name: score.value for score in found.scores}
    assert scores["exact"] == 100.0
    assert scores["BLEU-4"] == pytest.approx(100)
    (baseline,) = found.details["baselines"]
    captions = [row.target for row in ROWS]
    assert baseline["answer"] == max(captions, key=captions.count)
    theirs = {score["name"]: score["value"] for score in baseline["scores"]}
    assert list(theirs) == ["BLEU-4", "CIDEr-D", "chrF2", "exact"]
    assert theirs["exact"] == pytest.approx(100 * captions.count(baseline["answer"]) / len(captions))
    assert theirs["CIDEr-D"] < scores["CIDEr-D"]
    json.dumps(found.to_dict())
    said = " ".join(command("evaluate", trained, "--split", "train").stdout.split())
    assert f"most frequent caption: {baseline['answer']}" in said
    assert f"{theirs['exact']:.2f}" in said


def test_a_task_that_is_saved_is_the_task_that_is_loaded(tmp_path):
    made, other = (configure(Task, {"kind": "captioning", "source": {"kind": "image", "size": 48}})() for _ in range(2))
    made.fit([Row(ROWS[0].source, ["a dog", "the cat"]), Row(ROWS[1].source, ["the cat", "a tree"])])
    made.save(tmp_path / "fields")
    other.load(tmp_path / "fields")
    assert other.most_frequent == made.most_frequent == "the cat"
    assert other.target.fingerprint == made.target.fingerprint
    assert other.source.fingerprint == made.source.fingerprint
    assert made.verb == "caption"
    (tmp_path / "fields" / "most_frequent.txt").unlink()
    with pytest.raises(RunError, match="cannot be read"):
        other.load(tmp_path / "fields")


def test_the_command_captions_a_folder(trained, tmp_path):
    pytest.importorskip("matplotlib")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number, row in enumerate(ROWS[:3]):
        (pictures / f"{number}.png").write_bytes(row.source.data)
    (pictures / "1b.png").write_bytes(ROWS[0].source.data[:60])
    result = command("caption", trained, pictures, "--attention", tmp_path / "looked", code=1)
    assert result.stdout.splitlines() == [f"{pictures}/{i}.png\t{row.target}" for i, row in enumerate(ROWS[:3])]
    assert f"skipped: {pictures}/1b.png" in result.stderr
    assert sorted(path.name for path in (tmp_path / "looked").iterdir()) == ["0.png", "1.png", "2.png"]
    (line,) = map(
        json.loads, command("caption", trained, pictures / "2.png", "--json", "--nbest", 2).stdout.splitlines()
    )
    assert line["hypotheses"][0]["text"] == ROWS[2].target
    assert len(line["hypotheses"]) == 2
    assert np.shape(line["alignment"]["weights"])[1] == np.prod(line["alignment"]["grid"])


def test_other_verbs_name_this_one(trained):
    with pytest.raises(RunError, match="s2s caption"):
        command("classify", trained, "a text")
