"""Where a list of texts is meant, one text is a TypeError that says so, and never a list of its characters."""

import inspect
import re

import pytest

import s2s as package
from s2s.data.readers.base import Row
from s2s.decoding.options import change_search
from s2s.metrics.base import Metric
from s2s.metrics.significance import compare, scores_by_length
from s2s.predictors.base import Predictor
from s2s.predictors.load import load
from s2s.registry import Registrable

SAYS = "must be a list of texts, and one text was given: write \\['We bought'\\]"
TEXTS = re.compile(r"Sequence\[(str|s2s.data.readers.base.Row)\b")
OTHERS = {  # for the other parameters of a method: something that is right
    "written": [[4]],
    "answers": ["a"],
    "rows": [Row("one", "una")],
    "texts": None,
    "source": "one",
    "name": "x",
    "encoded": None,
}
KINDS = {
    "translation": "Seq2SeqPredictor",
    "classify-text": "ClassifierPredictor",
    "tag-text": "ClassifierPredictor",
    "language-model": "LanguageModelPredictor",
}


def takes_texts(function):
    """Names of the parameters that are lists of texts (or of sources, or rows)."""
    hints = {name: str(p.annotation) for name, p in inspect.signature(function).parameters.items()}
    return [name for name, hint in hints.items() if TEXTS.search(hint)]


def called(method, arguments):
    """What it gives; of a generator, what it begins with."""
    found = method(**arguments)
    return next(found) if inspect.isgenerator(found) else found


def methods_of(predictor):
    for name, method in inspect.getmembers(predictor, inspect.ismethod):
        if not name.startswith("_") and not hasattr(Registrable, name):
            yield from ((method, parameter) for parameter in takes_texts(method))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_method_of_every_predictor(kind, run_of):
    predictor = load(run_of(kind))
    tried = set()
    for method, parameter in methods_of(predictor):
        others = {
            name: OTHERS.get(name, ["one"])
            for name, p in inspect.signature(method).parameters.items()
            if name != parameter and p.default is inspect.Parameter.empty and p.kind is not p.VAR_KEYWORD
        }
        if parameter == "stop":
            others["texts"] = predictor.begin("one")
        with pytest.raises(TypeError, match=SAYS):
            called(method, others | {parameter: "We bought"})
        tried.add(f"{method.__name__}.{parameter}")
    assert "predict.sources" in tried
    assert "likelihood.rows" in tried
    assert {"Seq2SeqPredictor": "search.sources", "LanguageModelPredictor": "write.stop"}.get(
        KINDS[kind], "classify.texts"
    ) in tried


def test_every_metric_and_comparison():
    for kind, metric in Metric.registry.items():
        made = metric(separator=",") if kind == "none" else metric()
        with pytest.raises(TypeError, match=SAYS):
            made.score("We bought", ["a"] * 9)
        with pytest.raises(TypeError, match=SAYS):
            made.score(["a"] * 9, "We bought")
    one = Metric.registry["exact"]()
    with pytest.raises(TypeError, match=SAYS):
        compare("We bought", ["a"] * 9, ["a"] * 9, [one])
    with pytest.raises(TypeError, match=SAYS):
        compare(["a"] * 9, "We bought", ["a"] * 9, [one])
    with pytest.raises(TypeError, match=SAYS):
        scores_by_length("We bought", ["a"] * 9, [1] * 9, one)


def test_changes_of_a_recipe_and_of_a_search(run_of):
    run = run_of("translation")
    with pytest.raises(TypeError, match=SAYS):
        package.load(run, changes="We bought")
    with pytest.raises(TypeError, match=SAYS):
        package.read_recipe(run / "recipe.yaml", "We bought")
    with pytest.raises(TypeError, match=SAYS):
        package.parse_recipe((run / "recipe.yaml").read_text(), changes="We bought")
    with pytest.raises(TypeError, match=SAYS):
        change_search(load(run).recipe.decoding, "We bought")


def test_a_list_of_one_is_one_answer(run_of):
    assert len(package.load(run_of("translation")).predict(["We bought"])) == 1
    assert issubclass(package.Seq2SeqPredictor, Predictor)


def test_turns_of_a_conversation(run_of):
    writer = load(run_of("chat"), kind=package.Seq2SeqPredictor)
    talk = package.Conversation(writer)
    with pytest.raises(TypeError, match=SAYS):
        talk.start("We bought")
    assert talk.reply("one red house").text == talk.turns[-1]
    assert len(talk.turns) == 2
