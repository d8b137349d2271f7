"""Which way a run writes, and in how many bits: it says so, and can be told to have no other."""

from itertools import pairwise

import pytest
import torch

from s2s import devices as precision_module
from s2s.config import configure
from s2s.data.readers.base import Row
from s2s.decoding.search import Search
from s2s.devices import Precision, choose_precision, choose_writing_precision
from s2s.errors import DeviceError, RunError
from s2s.execution import NumberFormat, PathKind
from s2s.inference.compile import compile_for_inference
from s2s.inference.native import linear as native
from s2s.nn.cells import Cell, Looped
from s2s.predictors.load import load
from s2s.predictors.seq2seq import Seq2SeqPredictor
from s2s.recipe import parse_recipe
from s2s.runs.checkpoint import write_tensors
from s2s.runs.run import Run
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
needs_int8 = pytest.mark.skipif(
    bool(native.int8_unavailable()), reason=f"no weights of 8 bits here: {native.int8_unavailable()}"
)


def writer(kind="decoder", cell="lstm", precision="fp32"):
    recipe = parse_recipe(RECIPE.replace("KIND", kind).replace("CELL", cell))
    task = recipe.task()
    task.fit(ROWS)
    torch.manual_seed(3)
    model = recipe.build_model(task.source.space, task.target.space)
    return Seq2SeqPredictor(recipe, task, model, Precision(precision, CPU, "asked for"), batch_size=3)


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
    chosen = configure(Search, {"kind": search, "max_length": 9})
    for found, expected in zip(fast.search(sources, chosen), plain.search(sources, chosen), strict=True):
        assert [one.ids for one in found] == [one.ids for one in expected]
        assert [one.score for one in found] == pytest.approx([one.score for one in expected], abs=1e-4)


@pytest.mark.parametrize("kind", ["decoder", "luong"])
def test_what_is_written_aloud_is_what_the_search_finds(kind):
    """With every option that the search has: it is the same search, listened to."""
    made = writer(kind)
    options = {"kind": "greedy", "max_length": 9, "min_length": 6, "filters": ["no-repeat"]}
    chosen = configure(Search, options)
    for source in ("do you like films", "films"):
        told = []
        found = made.write_aloud(source, chosen, told.append)
        assert found == made.search([source], chosen)[0][0]
        assert len(found.ids) >= 6
        assert told[-1] == found.text
        assert all(later.startswith(before) for before, later in pairwise(told))
    assert made.write_aloud("films", None, told.append) == made.search(["films"], configure(Search, "greedy"))[0][0]


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
    chosen = configure(Search, {"kind": "greedy", "max_length": 4})
    for a, b in zip(exact.search(["do you", "films"], chosen), small.search(["do you", "films"], chosen), strict=True):
        assert a[0].log_probability == pytest.approx(b[0].log_probability, abs=0.3)


def test_eight_bits_without_kernels_are_refused_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(native, "int8_unavailable", lambda: "there is no C compiler called cc")
    run = saved(tmp_path / "run", writer())
    with pytest.raises(
        DeviceError, match="precision: int8 does not work here: there is no C compiler called cc\n  use auto"
    ):
        load(run, precision="int8")
    assert load(run).paths()[1] == "head prepared"  # auto


def test_a_run_may_be_told_to_go_the_fast_way_or_not_at_all(tmp_path):
    fast, slow = saved(tmp_path / "fast", writer()), saved(tmp_path / "slow", writer(cell="rnn"))
    assert load(fast, precision="fp32", require_fused=True).predict(["films"])
    assert load(slow, precision="fp32").predict(["films"])
    with pytest.raises(RunError, match="cell rnn has no prepared step"):
        load(slow, precision="fp32", require_fused=True)


def test_eight_bits_are_for_a_cpu():
    with pytest.raises(DeviceError, match="for the CPU"):
        choose_writing_precision("int8", torch.device("cuda"))
    with pytest.raises(DeviceError, match="no precision called 'int7'"):
        choose_writing_precision("int7", CPU)


@pytest.mark.parametrize("native_bf16", ["", "avx512_bf16, amx_bf16"])
def test_auto_writes_in_prepared_steps_whatever_the_cpu_can(monkeypatch, tmp_path, native_bf16):
    monkeypatch.setattr(precision_module, "native_bf16", lambda: native_bf16)
    monkeypatch.setattr(precision_module, "bf16_trouble", lambda: "")
    opened = load(saved(tmp_path / "run", writer()), require_fused=True)
    assert opened.paths()[:2] == ["encoder lstm fused", "head prepared"]
    assert opened.precision.name == "fp32"
    assert choose_precision("auto", CPU).to_write() == opened.precision


@pytest.mark.skipif(bool(precision_module.bf16_trouble()), reason="bf16 does not work on this CPU")
@pytest.mark.parametrize("cell", ["lstm", "rnn"])
def test_bf16_asked_for_by_name_writes(tmp_path, cell):
    run = saved(tmp_path / "run", writer(cell=cell))
    half, exact = load(run, precision="bf16"), load(run, precision="fp32")
    said = {"lstm": "head prepared bf16", "rnn": "head plain: cell rnn has no prepared step"}
    assert half.paths()[1] == said[cell]
    chosen = configure(Search, {"kind": "beam", "max_length": 4})
    for a, b in zip(half.search(["do you", "films"], chosen), exact.search(["do you", "films"], chosen), strict=True):
        assert a[0].log_probability == pytest.approx(b[0].log_probability, abs=0.3)
    heard = []
    half.write_aloud("films you", None, heard.append)
    assert heard


class Plain(Looped):
    """A cell whose name says what it is not: a step of a kernel, however it is called."""

    parts, path = 1, PathKind.FUSED

    def weights(self, inputs, hidden):
        return torch.nn.Linear(inputs + hidden, hidden)

    def step(self, w, x, state):
        return (w(torch.cat([x, state[0]], -1)).tanh(),)


def test_a_name_is_no_path(monkeypatch):
    monkeypatch.setitem(Cell.registry, "quite-plain-looped", Plain)
    path = compile_for_inference(writer(cell="quite-plain-looped").model.to("meta"), NumberFormat.FP32).paths[1]
    assert str(path) == "head quite-plain-looped fused"
    assert not path.slow_to_write
    assert not path.loops
