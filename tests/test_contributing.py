"""The examples of CONTRIBUTING.md work: each trains, evaluates and answers as a file beside its recipe."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
import yaml
from typer.testing import CliRunner

import s2s
from s2s.cli.help import VerbCommand
from s2s.cli.opening import USES, Use
from s2s.data.fields.base import Field
from s2s.data.readers.base import Reader
from s2s.metrics.base import Metric
from s2s.nn.attention import Attention
from s2s.nn.encoders.base import Encoder
from s2s.tasks.task import Task
from s2s.tensors import FieldSpec, Padded

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ENGLISH = ["one red house", "two red houses", "one black cat", "two black cats", "three cats", "the house is red"]
SPANISH = ["una casa roja", "dos casas rojas", "un gato negro", "dos gatos negros", "tres gatos", "la casa es roja"]
LABELS = ["house", "house", "cat", "cat", "cat", "house"]
SMALL = ["training.steps=6", "training.epochs=null", "training.validate_every=3", "training.precision=fp32"]
SMALL += ["training.device=cpu", "training.batch_size=6", "training.batch_unit=sentences"]
WRITES = ["model.head.hidden=16", "model.head.embedding=8", "decoding={kind: greedy, max_length: 8}"]


def fenced(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.M | re.S)


# (its name, its file, its recipe), in the order of the guide; a verb has no recipe
SECTIONS = GUIDE.partition("\n## Examples\n")[2].split("\n### ")[1:]
EXAMPLES = {
    yaml.safe_load(recipe)["name"]: (fenced("python", text)[0], recipe)
    for text in SECTIONS
    for recipe in fenced("yaml", text)
}
FAMILIES = (Attention, Encoder, Field, Metric, Reader, Task)


@pytest.fixture(autouse=True)
def own_components(monkeypatch):
    """What an example registers is gone after its test."""
    for family in FAMILIES:
        monkeypatch.setattr(family, "registry", dict(family.registry))


@pytest.fixture
def desk(tmp_path) -> Path:
    """A folder with the data that the recipes of the guide name."""
    data = tmp_path / "data"
    data.mkdir()
    cards = [f"{question} = {answer}" for question, answer in zip(ENGLISH, SPANISH)]
    for split in ("train", "validation"):
        for ending, lines in {"en": ENGLISH, "es": SPANISH, "label": LABELS, "cards": cards}.items():
            (data / f"{split}.{ending}").write_text("".join(f"{line}\n" for line in lines))
    return tmp_path


def module_of(name: str, desk: Path):
    """The example of that name, imported from its file."""
    path = desk / f"{name}.py"
    path.write_text(EXAMPLES[name][0])
    spec = importlib.util.spec_from_file_location(f"example_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_can_be_added_has_an_example():
    assert list(EXAMPLES) == ["reader", "attention", "encoder", "metric", "field", "task"]
    assert [text.partition("\n")[0] for text in SECTIONS][-1] == "A verb"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_trains_evaluates_and_answers(name, desk):
    """From the files that a reader of the guide would write, with nothing of the tree changed."""
    code, recipe = EXAMPLES[name]
    (desk / f"{name}.py").write_text(code)
    (desk / f"{name}.yaml").write_text(recipe)
    found = s2s.read_recipe(desk / f"{name}.yaml", SMALL + (WRITES if name != "field" else []))
    assert s2s.train(found, desk / "run").position.step == 6
    predictor = s2s.load(desk / "run", trust=True)
    evaluation = s2s.evaluate(predictor, "validation")
    assert evaluation.hypotheses == predictor.predict(ENGLISH)
    assert [score.kind for score in evaluation.scores] == [metric.kind for metric in predictor.task.metrics]


def test_the_reader_gives_rows_and_names_the_line_of_a_mistake(desk):
    reader = module_of("reader", desk).Cards(path=desk / "data")
    place, row = next(reader.placed("train"))
    assert place.source.endswith("train.cards:1")
    assert (row.source, row.target) == (ENGLISH[0], SPANISH[0])
    (desk / "data" / "train.cards").write_text("one = uno\ntwo: dos\n")
    with pytest.raises(s2s.S2SError, match=r"train\.cards:2"):
        list(reader.placed("train"))


def test_the_encoder_gives_the_same_whatever_the_padding(desk):
    encoder = module_of("encoder", desk).Window(FieldSpec("ids", 9), width=8)
    ids = torch.tensor([[4, 5, 6, 0, 0, 0]])
    padded, alone = (encoder(Padded(x, torch.tensor([3]))) for x in (ids, ids[:, :3]))
    torch.testing.assert_close(padded.memory[:, :3], alone.memory)
    torch.testing.assert_close(padded.state, alone.state)


def test_the_metrics_score(desk):
    first = module_of("metric", desk).FirstWord()
    assert first.score(["a b", "c"], ["a x", "d"], n_bootstrap=0).value == 50
    length = module_of("task", desk).RightLength()
    assert length.score(["ab", "c", ""], ["xy", "d", "e"], n_bootstrap=0).value == pytest.approx(200 / 3)


def test_the_field_counts_letters(desk):
    field = module_of("field", desk).LetterCounts()
    batch = field.collate(field.encode_all(["Abba", "z"]))
    assert batch[:, [0, 1, 25]].tolist() == [[2, 2, 0], [0, 0, 1]]
    assert batch.dtype == torch.float32
    assert float(batch.sum()) == 5
    assert np.dtype(field.dtype) == np.float32


def test_the_verb_answers(desk, tmp_path, monkeypatch):
    """Listed in an app as s2s/cli/app.py lists those of s2s, with the use that the guide gives it."""
    (use,) = re.findall(r'`"whisper": (Use\(.*?\))`', SECTIONS[-1])
    monkeypatch.setitem(USES, "whisper", eval(use, {"Use": Use}))
    recipe = s2s.Recipe.of(
        name="x",
        task={"kind": "translation", "tokenizer": "word"},
        data={"kind": "text", "path": str(desk / "data"), "source": "en", "target": "es"},
        changes=SMALL + WRITES,
    )
    s2s.train(recipe, desk / "run")
    (code,) = fenced("python", SECTIONS[-1])
    (tmp_path / "whisper.py").write_text(code)
    spec = importlib.util.spec_from_file_location("whisper", tmp_path / "whisper.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app = typer.Typer()
    app.command("whisper", cls=VerbCommand)(module.whisper)
    app.command("other")(lambda: None)
    done = CliRunner().invoke(app, ["whisper", str(desk / "run"), ENGLISH[0]])
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{s2s.load(desk / 'run').predict(ENGLISH[:1])[0].lower()}\n"
    shown = CliRunner().invoke(app, ["whisper", "--help"])
    assert "Answer in small letters" in shown.output
    assert "--precision" in shown.output


def test_the_guide_names_files_that_are_there():
    named = re.findall(r"`((?:s2s|tests|tools|\.ci)/[\w./]+)", GUIDE) + re.findall(r"^(tools/\w+)", GUIDE, flags=re.M)
    assert len(named) > 15
    assert [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []
