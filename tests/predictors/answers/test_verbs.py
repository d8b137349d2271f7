"""Every verb with every kind of run: it works, or it is refused in a line that names a verb that does."""

import json
import re

import numpy as np
import pytest

from s2s.cli.app import app
from s2s.cli.opening import USES, verb_for, why_not
from s2s.cli.sources import source_type
from s2s.predictors.load import load
from tests.predictors.answers.tiny_runs import ENGLISH, RECIPES, SEVERAL, SORTS, SPANISH, TAGS

ALWAYS = {"evaluate", "predict"}
WORKS = {
    "translation": {"translate", "chat", "score"},
    "chat": {"translate", "chat", "score"},
    "caption-picture": {"caption"},
    "caption-vectors": {"caption"},
    "caption-vector": {"caption"},
    "classify-text": {"classify", "score"},
    "classify-several": {"classify", "score"},
    "classify-picture": {"classify"},
    "classify-vectors": {"classify"},
    "tag-text": {"tag", "score"},
    "tag-vectors": {"tag"},
    "language-model": {"generate", "score"},
    "own-answer": {"score"},
}
BEST = {  # what a run is used by after its training
    "translation": "translate",
    "chat": "chat",
    "caption-picture": "caption",
    "caption-vectors": "caption",
    "caption-vector": "caption",
    "classify-text": "classify",
    "classify-several": "classify",
    "classify-picture": "classify",
    "classify-vectors": "classify",
    "tag-text": "tag",
    "tag-vectors": "tag",
    "language-model": "generate",
    "own-answer": "predict",
}
ANSWER = {"classify-text": SORTS, "classify-several": SEVERAL, "tag-text": TAGS, "chat": SPANISH}


def test_every_verb_that_opens_a_run_is_here():
    verbs = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert verbs - {"train", "check", "cache", "list", "eval", "schema"} == set(USES)
    assert set(WORKS) == set(BEST) == set(RECIPES)


def words_for(kind: str, verb: str, data, tmp_path):
    """(arguments after the run, standard input) of a sensible call."""
    if verb == "evaluate":
        return ["--split", "validation", "--name", "x"], ""
    if verb == "score":
        target = ANSWER.get(kind, SPANISH)[0]
        line = ENGLISH[0] if kind == "language-model" else f"{ENGLISH[0]}\t{target}"
        (tmp_path / "pairs.tsv").write_text(f"{line}\n")
        return [tmp_path / "pairs.tsv"], ""
    if verb == "generate":
        return ["one", "--length", "5"], ""
    if verb == "chat":
        return [], f"{ENGLISH[0]}\n"
    source = {
        "picture": data / "pictures" / "train" / "0.png",
        "vectors": data / "arrays" / "train" / "0.npy",
        "vector": data / "flat" / "train.npy",
    }.get(kind.rpartition("-")[2], ENGLISH[0])
    if kind == "tag-vectors":
        source = data / "steps" / "train.npy"
    return [source], ""


@pytest.mark.parametrize("verb", sorted(USES))
@pytest.mark.parametrize("kind", sorted(RECIPES))
def test_a_verb_and_a_run(kind, verb, run_of, data, s2s, tmp_path):
    run = run_of(kind)
    arguments, stdin = words_for(kind, verb, data, tmp_path)
    code, out, err = s2s(verb, run, *arguments, *(["--trust"] if kind.startswith("own") else []), stdin=stdin)
    assert "Traceback" not in err
    if verb in WORKS[kind] | ALWAYS:
        assert code == 0, err
        assert out.strip() or verb in ("translate", "chat", "caption", "predict")  # little is learned in two steps
        return
    assert code == 2, out
    assert out == ""
    [problem] = [line for line in err.splitlines() if str(run) in line and not line.startswith("  ")]
    assert f"s2s {verb}" in err
    assert re.search(r"is a run of|reads", problem)
    named = re.findall(r"use the verb for it: s2s (\S+)|on its own data: s2s (\S+)", " ".join(err.split()))
    assert named, err
    assert "".join(named[0]) in WORKS[kind] | ALWAYS


@pytest.mark.parametrize("kind", sorted(RECIPES))
def test_a_run_has_a_verb_that_works(kind, run_of):
    task = load(run_of(kind), trust=True).task
    assert verb_for(task) == BEST[kind]
    assert not why_not(task, BEST[kind])


@pytest.mark.parametrize("kind", sorted(RECIPES))
def test_predict_gives_what_the_predictor_says(kind, run_of, data, s2s, tmp_path):
    """In text and in JSON, a line for each source, in their order."""
    if kind == "language-model":
        pytest.skip("it writes by chance")
    run = run_of(kind)
    predictor = load(run, trust=True)
    if source_type(predictor.task) == "text":
        sources, values = [ENGLISH[0], "", ENGLISH[3]], [ENGLISH[0], "", ENGLISH[3]]
        names = sources
    else:
        (source,), _ = words_for(kind, "predict", data, tmp_path)
        values, names = values_of(source)
        sources = [source]
    expected = predictor.predict(values)
    _, out, _ = s2s("predict", run, *sources, "--json", "--trust")
    assert [json.loads(line) for line in out.splitlines()] == [
        {"source": name, "answer": answer} for name, answer in zip(names, expected, strict=True)
    ]
    _, out, _ = s2s("predict", run, *sources, "--trust")
    prefix = "" if names is sources else "{}\t"
    assert out == "".join(f"{prefix.format(name)}{answer}\n" for name, answer in zip(names, expected, strict=True))


def values_of(path):
    """What a file holds, and what each of it is called."""
    from s2s.data.pictures import read_picture

    if path.suffix == ".png":
        return [read_picture(path)], [str(path)]
    array = np.load(path)
    if "arrays" in path.parts:
        return [array], [str(path)]
    return list(array), [f"{path}:{i}" for i in range(1, len(array) + 1)]


def test_files_that_cannot_be_read_are_named_and_left_out(run_of, data, s2s, tmp_path):
    np.save(tmp_path / "wide.npy", np.zeros((4, 9), np.float32))
    np.save(tmp_path / "good.npy", np.zeros((4, 5), np.float32))
    (tmp_path / "bad.npy").write_bytes(b"x")
    for kind in ("caption-vectors", "classify-vectors"):
        code, out, err = s2s(BEST[kind], run_of(kind), tmp_path)
        assert code == 1
        assert [line.partition("\t")[0] for line in out.splitlines()] == [str(tmp_path / "good.npy")]
        assert f"skipped: {tmp_path / 'bad.npy'}: is not a .npy file" in " ".join(err.split())
        assert f"skipped: {tmp_path / 'wide.npy'}: has the shape [4, 9]" in " ".join(err.split())


def test_a_run_of_files_asks_for_files(run_of, s2s):
    code, out, err = s2s("classify", run_of("classify-picture"))
    assert (code, out) == (2, "")
    assert "reads pictures, and none are named" in err


def test_texts_are_no_sources_of_a_run_that_reads_pictures(run_of, data, s2s):
    pairs = data / "pairs"
    code, _, err = s2s(
        "evaluate", run_of("caption-picture"), "--source", pairs / "train.en", "--target", pairs / "train.es"
    )
    assert code == 2
    assert "reads pictures, and --source is a file of texts" in err


def test_training_says_which_verb_is_next(data, s2s, tmp_path, run_of):
    run_of("own-answer")  # writes its recipe
    _, out, _ = s2s("train", data / "own-answer.yaml", "--out", tmp_path / "run")
    assert f"s2s evaluate {tmp_path / 'run'} --trust" in out.replace("\n", " ").replace("  ", " ")
    assert "s2s predict" in out


@pytest.mark.parametrize("kind", ["translation", "classify-text", "tag-text", "own-answer"])
def test_what_is_typed_is_answered_too(kind, run_of):
    import io

    from rich.console import Console

    from s2s.cli.repl.predict import PredictLoop

    predictor = load(run_of(kind), trust=True)
    screen, told = Console(file=io.StringIO(), width=80, record=True, highlight=False), []
    loop = PredictLoop(predictor, lambda: "", screen)
    loop.handle(ENGLISH[0])
    assert screen.export_text().rstrip() == predictor.predict([ENGLISH[0]])[0]
    loop.preview(ENGLISH[0], told.append)
    assert told == predictor.predict([ENGLISH[0]])
    assert loop.described() == predictor.recipe.task.kind


def test_predict_reads_lines_and_a_language_model_goes_on_with_each(run_of, s2s):
    code, out, _ = s2s("predict", run_of("classify-text"), stdin=f"{ENGLISH[0]}\n\n{ENGLISH[1]}\n")
    assert code == 0
    assert out.splitlines()[1] == ""
    assert len(out.splitlines()) == 3
    code, out, _ = s2s("predict", run_of("language-model"), "one", "two")
    assert (code, len(out.splitlines())) == (0, 2)
