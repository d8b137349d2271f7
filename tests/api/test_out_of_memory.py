"""Memory that runs out is one line that says what did not fit and what to make smaller; never a traceback."""

import sys

import numpy as np
import pytest
import torch

from s2s.cli import main
from s2s.errors import OutOfMemory, memory_for, shortage
from s2s.training.averaging import Averaging

HUGE = 10**13  # more than any machine has, and asked for at once


def too_large(make):
    with pytest.raises((MemoryError, RuntimeError, TypeError)) as caught:
        make()
    return caught.value


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.empty(HUGE * 10),
        lambda: torch.empty(2**40, 2**40),
        lambda: torch.full((1, 10**30), 0.0),
        lambda: np.ones(HUGE * 10),
        lambda: bytearray(1 << 62),
    ],
    ids=["torch", "overflow", "no integer", "numpy", "python"],
)
def test_every_way_to_run_out_of_memory_is_known(make):
    assert shortage(too_large(make)).startswith("out of memory")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 1 has a total capacity of 79.25 GiB of which 1 GiB is free.",
            "out of memory: 2.50 GiB more were asked for on GPU 1",
        ),
        (
            "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
            "allocate 39999999999996 bytes. Error code 12 (Cannot allocate memory)\nframe #4: <unknown>",
            "out of memory: 37,252.9 GiB more were asked for",
        ),
        ("MPS backend out of memory (MPS allocated: 9 GB)", "out of memory"),
        ("std::bad_alloc", "out of memory"),
        ("CUDNN_STATUS_ALLOC_FAILED", "out of memory"),
        ("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)", ""),
        ("The size of tensor a (3) must match the size of tensor b (4)", ""),
    ],
)
def test_what_is_said_of_it(said, line):
    assert shortage(torch.OutOfMemoryError(said)) == line if "CUDA" in said else shortage(RuntimeError(said)) == line
    assert shortage(ValueError("out of memory")) == "", "an error of another kind"


def test_inside_it_is_an_error_of_ours_and_all_else_goes_through():
    wanted = "decoding: out of memory: .* asked for\n  make it smaller"
    with pytest.raises(OutOfMemory, match=wanted), memory_for("decoding", lambda: "make it smaller"):
        torch.empty(HUGE * 10)
    with pytest.raises(RuntimeError, match="shapes") as caught, memory_for("decoding", lambda: "no"):
        torch.ones(2, 3) @ torch.ones(4, 5)
    assert not isinstance(caught.value, OutOfMemory)


RECIPE = """\
name: mt
task: {kind: translation, source: {kind: text, tokenizer: word}, target: {kind: text, tokenizer: word}}
data: {kind: text, path: data, source: de, target: en, validation: train, test: null, hold_out: 0}
model:
  encoder: {kind: rnn, cell: gru, embedding: 8, hidden: 8}
  head: {kind: decoder, cell: gru, embedding: 8, hidden: 8}
training: {steps: 2, batch_size: 100, validate_every: 1, device: cpu, precision: fp32, validation_search: null}
"""
PART = """\
import torch
from s2s.training.averaging import Averaging

class Greedy(Averaging, kind="greedy"):
    def update(self, step):
        if step == 2:
            self.more = torch.empty(10**14)
    def average(self):
        return self.parameters
    def state_dict(self):
        return {}
"""


@pytest.fixture
def s2s(tmp_path, monkeypatch, capsys):
    (tmp_path / "data").mkdir()
    for side, line in (("de", "der hund"), ("en", "the dog")):
        (tmp_path / "data" / f"train.{side}").write_text(f"{line}\n" * 8)
    (tmp_path / "mt.yaml").write_text(RECIPE)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Averaging, "registry", dict(Averaging.registry))  # what a recipe's own part registers

    def run(*arguments):
        """The command, in this process: its exit code and what it said."""
        monkeypatch.setattr(sys, "argv", ["s2s", *arguments])
        try:
            main()
        except SystemExit as error:
            return error.code or 0, capsys.readouterr().err
        return 0, capsys.readouterr().err

    return run


def one_line(done, *words):
    code, said = done
    assert code == 2, said
    assert "Traceback" not in said
    last = said[said.rindex("error: ") :]
    assert len(last.splitlines()) == 2, "the mistake, and what to do"
    for word in words:
        assert word in last


def test_both_commands_say_so(s2s, tmp_path):
    assert s2s("train", "mt.yaml", "--out", "out")[0] == 0
    huge = s2s("translate", "out", "der hund", "--search", "beam_size=99999999999999")
    one_line(huge, "decoding: out of memory", "beam_size")
    model = s2s("train", "mt.yaml", "model.encoder.hidden=20000000", "--out", "two")
    one_line(model, "model: out of memory", "model.encoder.hidden")
    assert not (tmp_path / "two").exists()


def test_a_training_that_no_longer_fits_names_its_checkpoint(s2s, tmp_path):
    (tmp_path / "part.py").write_text(PART)
    (tmp_path / "mt.yaml").write_text(RECIPE.replace("{steps", "{average: greedy, steps") + "uses: [part.py]\n")
    done = s2s("train", "mt.yaml", "--out", "out")
    one_line(done, "out: out of memory", "checkpoint of step 1 is kept", "training.batch_size=50", "accumulate=2")
