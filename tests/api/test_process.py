"""The process belongs to whoever calls: training changes its signals only where it is asked to, and never its memory."""

import os
import signal
import threading

import pytest
import torch

import s2s
from s2s import allocator as memory
from s2s.training.reporters import Reporter
from s2s.training.signals import StopRequest
from tests.helpers.toy_runs import toy_recipe


class Watcher(Reporter):
    """Remembers what the process is like in the middle of a training; at a step it may do something."""

    def __init__(self, at=0, act=lambda: None):
        self.seen, self.at, self.act = [], at, act

    def advance(self, step, epoch):
        self.seen.append(process())
        if step == self.at:
            self.act()


def process():
    handlers = {name: signal.getsignal(name) for name in StopRequest.SIGNALS}
    return handlers, torch.get_num_threads(), threading.active_count(), os.getcwd()


@pytest.fixture
def recipe(tmp_path):
    return toy_recipe(tmp_path, "training.epochs=1", "training.precision=fp32")


def test_a_training_leaves_the_process_as_it_is(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "ctypes", None)  # an error, were the allocator touched
    before, watcher = process(), Watcher()
    assert s2s.train(recipe, tmp_path / "run", reporter=watcher).reason == "epochs"
    assert watcher.seen
    for seen in watcher.seen:
        assert seen == before
    assert process() == before


def test_a_run_that_is_opened_leaves_the_process_as_it_is(recipe, tmp_path, monkeypatch):
    s2s.train(recipe, tmp_path / "run")
    monkeypatch.setattr(memory, "ctypes", None)
    before = process()
    s2s.load(tmp_path / "run").predict(["one red house"])
    assert process() == before


def test_signals_stop_a_training_where_that_is_asked_and_are_put_back(recipe, tmp_path):
    watcher, before = Watcher(1, lambda: os.kill(os.getpid(), signal.SIGTERM)), process()
    stop = StopRequest(signals=True)
    outcome = s2s.train(recipe, tmp_path / "run", reporter=watcher, stop=stop)
    assert (outcome.reason, outcome.position.step, stop.asked) == ("asked", 1, True)
    assert watcher.seen[0][0] != before[0]
    assert process() == before


def test_a_program_may_ask_from_another_thread(recipe, tmp_path):
    stop = StopRequest()

    def ask():
        asking = threading.Thread(target=stop.ask)
        asking.start()
        asking.join()

    outcome = s2s.train(recipe, tmp_path / "run", reporter=Watcher(1, ask), stop=stop)
    assert (outcome.reason, outcome.position.step) == ("asked", 1)


def test_a_training_in_another_thread_minds_no_signals(recipe, tmp_path):
    found = []
    stop = StopRequest(signals=True)
    thread = threading.Thread(target=lambda: found.append(s2s.train(recipe, tmp_path / "run", stop=stop).reason))
    thread.start()
    thread.join()
    assert found == ["epochs"]


def test_handlers_are_put_back_whatever_they_were():
    old = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with pytest.raises(ZeroDivisionError), StopRequest(signals=True):
            raise ZeroDivisionError
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, old)


def test_a_second_interrupt_interrupts():
    before = signal.getsignal(signal.SIGINT)
    with StopRequest(signals=True) as request:
        signal.raise_signal(signal.SIGINT)
        assert request.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_command_line_keeps_memory_on_a_cpu_only(recipe, tmp_path, monkeypatch):
    """On a GPU it would keep malloc from mapping, in a process that pins and maps."""
    from s2s.cli.opening import open_run
    from s2s.predictors.base import Predictor
    from s2s.predictors.load import load

    s2s.train(recipe, tmp_path / "run")
    kept = []
    monkeypatch.setattr(memory, "keep_freed_memory", lambda: kept.append("kept"))
    options = {"device": "cpu", "weights": "best", "trust": False}
    open_run(str(tmp_path / "run"), Predictor, "predict", **options)
    assert kept == ["kept"]

    def on_a_gpu(*arguments, **options):
        predictor = load(*arguments, **options)
        elsewhere = torch.device("meta")  # a stand-in: no CUDA is needed to ask for its type
        object.__setattr__(predictor.precision, "device", elsewhere)
        return predictor

    monkeypatch.setattr("s2s.predictors.load.load", on_a_gpu)
    open_run(str(tmp_path / "run"), Predictor, "predict", **options)
    assert kept == ["kept"]
