"""A label or tag that only validation or test has: nothing stops, it counts as wrong, and it is said."""

import json

import pytest
from typer.testing import CliRunner

from s2s.api.train import train
from s2s.cli.app import app
from s2s.data.readers.base import Row
from s2s.predictors.load import load
from s2s.recipe import parse_recipe
from s2s.training.reporters import Reporter

RECIPE = """\
name: unseen
task: {kind: KIND, target: TARGET}
data: {kind: tsv, path: FOLDER, source: 0, target: 1}
model: {encoder: {kind: rnn, cell: gru, embedding: 8, hidden: 8}, head: HEAD}
training: {steps: 4, batch_size: 8, batch_unit: sentences, precision: fp32, device: cpu}
"""
CASES = {
    "label": ("classification", "classifier", ["good\tpos", "bad\tneg"], "fine\tmixed"),
    "labels": ("classification", "classifier", ["good\tpos, new", "bad\tneg"], "fine\tneg, mixed"),
    "tags": ("tagging", "tagger", ["so good\tO A", "so bad\tO B"], "so fine\tO mixed"),
}


class Lines(Reporter):
    def __init__(self):
        self.said = []

    def message(self, text):
        self.said.append(text)


@pytest.mark.parametrize("target", CASES)
def test_it_counts_as_wrong_and_is_said(target, tmp_path, monkeypatch):
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "cache"))
    kind, head, known, unseen = CASES[target]
    for split, lines in (("train", known * 8), ("dev", [*known, unseen]), ("test", [unseen, *known])):
        (tmp_path / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    text = RECIPE.replace("KIND", kind).replace("TARGET", target).replace("HEAD", head)
    reporter = Lines()
    train(parse_recipe(text.replace("FOLDER", str(tmp_path))), tmp_path / "run", reporter=reporter)
    for split in ("validation", "test"):
        said = f"warning: {split}: 1 row has a label or tag that training does not have ('mixed'): it counts as wrong"
        assert any(line.startswith(said) for line in reporter.said)

    result = CliRunner().invoke(app, ["evaluate", str(tmp_path / "run"), "--device", "cpu"])
    assert result.exit_code == 0, result.output
    assert "warning: test: 1 row has a label or tag that training does not have ('mixed')" in result.stderr
    kept = json.loads((tmp_path / "run" / "predictions" / "test.json").read_text())
    assert kept["details"]["unseen"] == {"rows": 1, "names": {"mixed": 1}}
    assert kept["details"]["classes"]["mixed"]["recall"] == 0
    assert kept["scores"][0]["value"] < 100

    predictor = load(tmp_path / "run", device="cpu", precision="fp32")
    rows = [line.split("\t") for line in (unseen, known[0])]
    likelihood = predictor.likelihood([Row(*row) for row in rows])
    owed = {"label": [0, 1], "labels": [1, 1], "tags": [1, 2]}[target]
    assert likelihood.tokens.tolist() == owed
    alone = predictor.likelihood([Row(*rows[1])])
    assert alone.nats[0] == pytest.approx(likelihood.nats[1], rel=1e-5)

    (tmp_path / "pairs.tsv").write_text(f"{unseen}\n{known[0]}\n")
    result = CliRunner().invoke(app, ["score", str(tmp_path / "run"), str(tmp_path / "pairs.tsv"), "--each", "--json"])
    assert result.exit_code == 0, result.output
    assert "pairs.tsv: 1 row has a label or tag that training does not have ('mixed')" in result.stderr
    first = json.loads(result.stdout.splitlines()[0])
    assert (first["log_probability"] is None) == (target == "label")
