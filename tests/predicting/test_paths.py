"""Which way a run writes, and in how many bits: it says so, and can be told to have no other."""

import pytest
import torch

from s2s.config import choose
from s2s.data.readers import Row
from s2s.decoding.search import Search
from s2s.errors import DeviceError, RunError
from s2s.native import products as native
from s2s.nn.products import int8_trouble
from s2s.predict import load
from s2s.predicting.writer import Writer
from s2s.recipe import parse_recipe
from s2s.training.checkpoints import write_tensors
from s2s.training.precision import Precision, choose_decoding_precision
from s2s.training.runs import Run
from tests.helpers.language_models import generator_for

RECIPE = """
name: toy
task: {kind: translation, tokenizer: word}
data: {kind: text, path: ., train: x, source: de, target: en}
model:
  encoder: {kind: rnn, embedding: 6, hidden: 5}
  head: {kind: KIND, embedding: 6, hidden: 8, cell: CELL}
"""
CPU = torch.device("cpu")
ROWS = [Row("do you like films", "i like the film"), Row("films you", "blue")]
needs_int8 = pytest.mark.skipif(bool(int8_trouble()), reason=f"no weights of 8 bits here: {int8_trouble()}")


def writer(kind="decoder", cell="lstm", precision="fp32"):
    recipe = parse_recipe(RECIPE.replace("KIND", kind).replace("CELL", cell))
    task = recipe.task()
    task.fit(ROWS)
    torch.manual_seed(3)
    model = recipe.build_model(task.source.space, task.target.space)
    return Writer(recipe, task, model, Precision(precision, CPU, "asked for"), batch_size=3)


def saved(path, made):
    """A run folder with these weights."""
    run = Run.create(path, made.recipe.to_yaml())
    made.task.save(run.fields)
    write_tensors(run.path / "best.safetensors", dict(made.model.state_dict()), {})
    return run.path


@pytest.mark.parametrize("kind", ["decoder", "luong"])
@pytest.mark.parametrize("search", ["greedy", "sample", "beam"])
def test_the_fast_way_writes_what_the_plain_one_does(kind, search):
    fast, plain = writer(kind), writer(kind)
    plain.prepared = fast.prepared._replace(encode=plain.model.encode, step=plain.model.head.step)
    sources = ["do you like films", "films", "you you you"]
    chosen = choose(Search, {"kind": search, "max_length": 9})
    for found, expected in zip(fast.search(sources, chosen), plain.search(sources, chosen), strict=True):
        assert [one.ids for one in found] == [one.ids for one in expected]
        assert [one.score for one in found] == pytest.approx([one.score for one in expected], abs=1e-4)
    assert list(fast.stream("films you", 5)) == list(plain.stream("films you", 5))


def test_it_says_which_way():
    assert writer().paths() == ["encoder lstm fused", "head prepared", "cpu, fp32 (asked for)"]
    assert writer(cell="rnn").paths()[1] == "head plain: cell rnn has no prepared step"
    assert generator_for().paths()[0] == "head prepared"


@needs_int8
def test_weights_of_eight_bits_say_so_and_come_close():
    exact, small = writer(), writer(precision="int8")
    assert small.paths()[0] == "encoder lstm fused"
    assert small.paths()[1].startswith("head prepared int8")
    assert small.paths()[2] == "cpu, int8 (asked for)"
    chosen = choose(Search, {"kind": "greedy", "max_length": 4})
    for a, b in zip(exact.search(["do you", "films"], chosen), small.search(["do you", "films"], chosen), strict=True):
        assert a[0].log_probability == pytest.approx(b[0].log_probability, abs=0.3)


@needs_int8
def test_without_kernels_it_says_why_eight_bits_are_slower(monkeypatch):
    monkeypatch.setattr(native, "products_trouble", lambda: "there is no C compiler called cc")
    path = writer(precision="int8").paths()[1]
    assert path == "head prepared int8, slower by torch: there is no C compiler called cc"


def test_a_run_may_be_told_to_go_the_fast_way_or_not_at_all(tmp_path):
    fast, slow = saved(tmp_path / "fast", writer()), saved(tmp_path / "slow", writer(cell="rnn"))
    assert load(fast, precision="fp32", require_fused=True).predict(["films"])
    assert load(slow, precision="fp32").predict(["films"])
    with pytest.raises(RunError, match="cell rnn has no prepared step"):
        load(slow, precision="fp32", require_fused=True)


def test_eight_bits_are_for_a_cpu():
    with pytest.raises(DeviceError, match="for the CPU"):
        choose_decoding_precision("int8", torch.device("cuda"))
    with pytest.raises(DeviceError, match="no precision called 'int7'"):
        choose_decoding_precision("int7", CPU)
