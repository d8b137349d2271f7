"""The commands as a user runs them, in processes of their own: killed, moved, piped, and given mistakes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import s2s
from tests.helpers.toy_runs import PAIRS, write_recipe


def s2s_command(*arguments, stdin="", code=0, **options):
    """Run `s2s ARGUMENTS` to its end; gives (standard output, standard error)."""
    done = subprocess.run(
        [sys.executable, "-m", "s2s", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )
    assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout, done.stderr


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "s2s", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def wait_for_step(run: Path, step: int, process) -> None:
    """Until a training has logged this step."""
    for _ in range(3000):
        log = run / "log.jsonl"
        if log.exists() and any(
            json.loads(line).get("step", 0) >= step for line in log.read_text().splitlines() if line.endswith("}")
        ):
            return
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.02)
    raise AssertionError("training does not get there")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("commands")


@pytest.fixture(scope="module")
def trained(folder):
    """A run that knows its corpus by heart."""
    recipe = write_recipe(folder)
    changes = ["training.epochs=80", "training.batch_size=100", "training.validate_every=80", "model.head.hidden=24"]
    changes += [
        "model.encoder.hidden=16",
        "model.encoder.dropout=0",
        "model.head.dropout=0",
        "training.optimizer.learning_rate=2e-2",
    ]
    _, said = s2s_command("train", recipe, *changes, "--out", folder / "run")
    assert "12 rows" in said
    assert "fused" in said
    return folder / "run"


def test_a_run_is_complete(trained):
    for name in (
        "recipe.yaml",
        "manifest.json",
        "log.jsonl",
        "best.safetensors",
        "last.safetensors",
        "last.state",
        "plots/learning.png",
    ):
        assert (trained / name).stat().st_size > 0, name
    manifest = json.loads((trained / "manifest.json").read_text())
    assert manifest["versions"]["torch"]
    assert manifest["data"]["train"] != manifest["data"]["validation"]
    assert not [p for p in trained.rglob("*") if p.suffix in (".pkl", ".pt", ".pth", ".tmp")]


def test_a_moved_run_translates_without_its_data(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "elsewhere")
    text = (tmp_path / "elsewhere" / "recipe.yaml").read_text()
    (tmp_path / "elsewhere" / "recipe.yaml").write_text(text.replace(str(trained.parent / "corpus"), "/nowhere/at/all"))
    assert s2s.load(tmp_path / "elsewhere").predict([PAIRS[0][0], "", PAIRS[3][0]]) == [PAIRS[0][1], "", PAIRS[3][1]]


def test_translate_is_a_filter(trained):
    lines = [PAIRS[5][0], "", PAIRS[0][0], PAIRS[9][0]]
    out, _ = s2s_command("translate", trained, stdin="\n".join(lines) + "\n")
    assert out.split("\n") == [PAIRS[5][1], "", PAIRS[0][1], PAIRS[9][1], ""]
    out, _ = s2s_command("translate", trained, "--json", stdin=PAIRS[0][0] + "\n")
    found = json.loads(out)
    assert found["source"] == PAIRS[0][0]
    assert found["hypotheses"][0]["text"] == PAIRS[0][1]
    assert all(abs(sum(row) - 1) < 0.05 for row in found["alignment"]["weights"])
    out, _ = s2s_command("translate", trained, PAIRS[3][0], "--search", "kind=greedy")
    assert out.strip() == PAIRS[3][1]


def test_evaluate_measures_and_compares(trained, tmp_path):
    out, _ = s2s_command("evaluate", trained, "--split", "validation", "--against", trained)
    assert "100.00" in out
    assert "too few sentences to tell" in out
    found = json.loads((trained / "predictions" / "validation.json").read_text())
    assert found["scores"][0]["signature"].startswith("nrefs:1")
    assert (trained / "predictions" / "validation.hyp.txt").read_text().splitlines() == [
        target for _, target in PAIRS[::3]
    ]
    (tmp_path / "x.en").write_text("".join(f"{source}\n" for source, _ in PAIRS))
    (tmp_path / "x.es").write_text("".join(f"{target}\n" for _, target in PAIRS))
    (tmp_path / "worse").write_text("".join("un gato\n" for _ in PAIRS))
    out, _ = s2s_command(
        "eval",
        trained,
        "--source",
        tmp_path / "x.en",
        "--target",
        tmp_path / "x.es",
        "--target",
        tmp_path / "x.es",
        "--against",
        tmp_path / "worse",
    )
    assert "better than the baseline" in out


def test_a_killed_run_carries_on_to_the_same_end(folder, tmp_path):
    recipe = write_recipe(folder)
    changes = ["training.epochs=40", "training.save_every=3", "training.log_every=1", "training.average=ema"]
    s2s_command("train", recipe, *changes, "--out", tmp_path / "whole")
    for step in (5, 31):
        process = start("train", recipe, *changes, "--out", tmp_path / "cut")
        wait_for_step(tmp_path / "cut", step, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    _, said = s2s_command("train", recipe, *changes, "--out", tmp_path / "cut")
    assert "going on from step" in said
    best = [(tmp_path / name / "best.safetensors").read_bytes() for name in ("whole", "cut")]
    assert best[0] == best[1]
    logs = [
        [
            (e["event"], e.get("step"), e.get("loss"), e.get("bleu"))
            for e in map(json.loads, (tmp_path / name / "log.jsonl").read_text().splitlines())
            if e["event"] in ("train", "validation")
        ]
        for name in ("whole", "cut")
    ]
    assert logs[0] == logs[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_saves_and_says_how_to_go_on(folder, tmp_path, number):
    recipe = write_recipe(folder)
    changes = ["training.epochs=5000", "training.validate_every=100000", "training.log_every=1"]
    process = start("train", recipe, *changes, "--out", tmp_path / "run")
    wait_for_step(tmp_path / "run", 3, process)
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "go on: s2s train" in said
    assert (tmp_path / "run" / "last.state").exists()


def test_a_second_run_on_the_same_data_prepares_nothing_again(folder, monkeypatch):
    from s2s.api.prepare import prepare_data
    from s2s.data.fields.text import TextField
    from s2s.data.readers.text import ParallelText as TextFiles
    from s2s.recipe import read_recipe

    recipe = read_recipe(write_recipe(folder))
    first = prepare_data(recipe)

    def never(*arguments):
        raise AssertionError("this was done before")

    monkeypatch.setattr(TextField, "fit", never)
    monkeypatch.setattr(TextField, "encode_all", never)
    monkeypatch.setattr(TextFiles, "rows", never)
    second = prepare_data(recipe)
    assert second.fingerprints == first.fingerprints
    assert len(list(second.batches.epoch(0))) == len(list(first.batches.epoch(0)))


def test_a_run_with_parts_of_its_own_is_opened_only_by_who_trusts_it(folder, tmp_path):
    recipe = write_recipe(tmp_path)
    (tmp_path / "part.py").write_text(
        f"open({str(tmp_path / 'opened')!r}, 'a').write('x')\n"
        "from s2s.nn.attention import Dot\n"
        "class Twice(Dot, kind='twice'):\n    '''For a test.'''\n"
        "    def score(self, query, keys):\n        return 2 * super().score(query, keys)\n"
    )
    recipe.write_text("uses: part.py\n" + recipe.read_text())
    changes = ["model.head.attention=twice", "model.head.hidden=16", "training.epochs=1"]
    s2s_command("train", recipe, *changes, "--out", tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "moved")
    (tmp_path / "part.py").unlink()
    (tmp_path / "opened").unlink()
    _, said = s2s_command("translate", tmp_path / "moved", "one cat", code=2)
    assert "--trust" in said
    assert not (tmp_path / "opened").exists()
    s2s_command("translate", tmp_path / "moved", "one cat", "--trust", "--search", "max_length=3")
    assert (tmp_path / "opened").exists()


MISTAKES = [
    (["train", "dmo"], "did you mean 'demo'?"),
    (["train", "missing.yaml"], "cannot be read: No such file"),
    (["train", "RECIPE", "training.epoch=3"], "did you mean 'epochs'?"),
    (["train", "RECIPE", "training.epochs"], "is not KEY=VALUE"),
    (["train", "RECIPE", "training.device=cuda"], "'cuda' was asked for"),
    (["train", "RECIPE", "training.device=tpu"], "tpu"),
    (["train", "RECIPE", "training.precision=fp16"], "fp16 needs a GPU"),
    (["train", "RECIPE", "data.path=/nowhere"], "/nowhere"),
    (["train", "RECIPE", "data.source=de"], "train.de"),
    (["train", "RECIPE", "data.train=trian"], "trian"),
    (["train", "RECIPE", "task.source.max_length=1"], "max_length"),
    (["train", "RECIPE", "task={kind: translation, tokenizer: {kind: unigram, size: 5000}}"], "size"),
    (["train", "RECIPE", "task={kind: translation, tokenizer: {kind: bpe, size: 5}}"], "size"),
    (["train", "RECIPE", "model.head.kind=gnmt"], "needs 2 layers"),
    (["train", "RECIPE", "model.head.attention=dot"], "equal sizes"),
    (["train", "RECIPE", "model.tied_embeddings=true"], "vocabularies of their own"),
    (["train", "RECIPE", "training.schedule=cosine", "training.epochs=null"], "training.schedule"),
    (["train", "RECIPE", "training.select_by=comet"], "it has: loss"),
    (["check", "RECIPE", "model.encoder.hiden=3", "model.head.layrs=2"], "did you mean 'hidden'?"),
    (["check", "RECIPE", "model.head.bridge=copy"], "model.head.bridge"),
    (["list", "attentons"], "attentions"),
    (["recipes", "show", "dmo"], "did you mean 'demo'?"),
    (["recipes", "copy", "demo", "RECIPE"], "RECIPE"),
    (["evaluate", "nowhere"], "there is no run folder here"),
    (["evaluate", "RUN", "--split", "tset"], "tset"),
    (["evaluate", "RUN", "--source", "x.en"], "--source and --target go together"),
    (["evaluate", "RUN", "decoding.beam=3"], "did you mean 'beam_size'?"),
    (["evaluate", "RUN", "--split", "validation", "--against", "nothing"], "nothing"),
    (["translate", "nowhere"], "there is no run folder here"),
    (["translate", "RUN", "x", "--search", "beam=3"], "did you mean 'beam_size'?"),
    (["translate", "RUN", "x", "--device", "cuda:7"], "'cuda:7' was asked for"),
    (["translate", "RUN", "x", "--weights", "bets"], "bets"),
    (["translate", "."], "is not a run"),
]


@pytest.mark.parametrize(("arguments", "says"), MISTAKES)
def test_mistakes_are_one_line_and_leave_nothing_behind(
    trained, folder, tmp_path, capsys, monkeypatch, arguments, says
):
    from s2s.cli import main

    monkeypatch.chdir(tmp_path)
    recipe = write_recipe(folder)
    words = [{"RECIPE": str(recipe), "RUN": str(trained)}.get(word, word) for word in arguments]
    monkeypatch.setattr(sys, "argv", ["s2s", *words])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert says.replace("RECIPE", str(recipe)) in said.replace("\n", " ").replace("  ", " ") or says in said
    assert not list(tmp_path.iterdir()), "something was left behind"


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda run: (run / "best.safetensors").write_bytes(b"x" * 100), "best.safetensors"),
        (lambda run: (run / "best.safetensors").unlink(), "best.safetensors"),
        (lambda run: (run / "recipe.yaml").unlink(), "cut short"),
        (lambda run: (run / "recipe.yaml").write_text("name: ["), "YAML cannot be read"),
        (lambda run: (run / "manifest.json").write_text('{"format": 99}'), "newer s2s"),
        (lambda run: (run / "manifest.json").write_text("{"), "manifest.json"),
        (lambda run: shutil.rmtree(run / "fields"), "fields"),
        (lambda run: (run / "fields" / "source.vocab").write_text("# 9 pieces\n"), "source.vocab"),
    ],
)
def test_damaged_runs_are_refused_by_name(trained, tmp_path, damage, says):
    shutil.copytree(trained, tmp_path / "run")
    damage(tmp_path / "run")
    with pytest.raises(s2s.S2SError, match=says):
        s2s.load(tmp_path / "run")


def test_weights_of_another_model_are_refused(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    text = (tmp_path / "run" / "recipe.yaml").read_text()
    (tmp_path / "run" / "recipe.yaml").write_text(text.replace("hidden: 24", "hidden: 20"))
    with pytest.raises(s2s.S2SError, match="do not fit"):
        s2s.load(tmp_path / "run")


def test_the_public_names_are_there():
    for name in s2s.__all__:
        assert getattr(s2s, name) is not None
    assert sorted(s2s.PUBLIC) == s2s.__all__
    assert s2s.__version__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = s2s.nothing
