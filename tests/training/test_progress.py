"""What a person sees while training: at a terminal, in a file, in log.jsonl, in TensorBoard."""

import builtins
import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from s2s.errors import RunError
from s2s.training.progress import LineReporter, LiveReporter, duration, reporter_for
from s2s.training.reporters import JsonLog, Plan, Reporter, ReporterList, TensorBoard

SCORES = {"loss": 3.21456, "learning_rate": 0.0012, "gradient_norm": 0.8, "tokens_per_second": 11204.3}
FOUND = {"loss": 2.9, "perplexity": 18.17, "bleu": 31.24}
SAMPLES = [("ein [bold]Hund[/bold]", "a [dog]", "[/] a cat [red]")]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Stream(io.TextIOWrapper):
    """A file whose encoding we choose."""

    def __init__(self, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def text(self):
        return self.buffer.getvalue().decode(self.encoding)


def plain(width=40, seconds=10.0, encoding="utf-8"):
    stream, clock = Stream(encoding), Clock()
    return LineReporter(Console(file=stream, width=width), seconds, clock), stream, clock


def live(width=100):
    stream, clock = Stream(), Clock()
    return LiveReporter(Console(file=stream, force_terminal=True, width=width, height=20), clock), stream, clock


def drive(reporter):
    """A whole training, in four calls of each kind."""
    reporter.start(Plan(total_steps=400, epochs=2, select_by="bleu"))
    for step in range(100, 401, 100):
        reporter.advance(step, step / 200)
        reporter.step(step, step / 200, SCORES)
        reporter.validation(step, FOUND, step == 200, SAMPLES)
    reporter.message("note [x]")
    reporter.finish(["BLEU 31.24 [13a]", "next: s2s translate runs/x"])
    reporter.close()


def test_lines_are_whole_and_say_where_it_stands():
    reporter, stream, clock = plain()
    reporter.start(Plan(total_steps=5000, epochs=10))
    clock.now = 60.0
    reporter.step(1200, 2.4, SCORES)
    expected = "epoch 3/10, step 1,200/5,000, loss 3.2146, 11,204 tokens/s, learning rate 0.0012, 3:10 left\n"
    assert stream.text() == expected, "one line, though the console is 40 wide"


def test_lines_come_at_most_every_so_often():
    reporter, stream, clock = plain(seconds=10)
    reporter.start(Plan(total_steps=100))
    for second in range(25):
        clock.now = float(second)
        reporter.step(second + 1, 0.1, SCORES)
    steps = [line.split("step ")[1].split("/")[0] for line in stream.text().splitlines()]
    assert steps == ["1", "11", "21"]


def test_time_left_does_not_count_the_steps_of_an_earlier_training():
    reporter, stream, clock = plain()
    reporter.start(Plan(total_steps=2000, step=1000, best=30.0, select_by="bleu"))
    clock.now = 50.0
    reporter.step(1100, 1.5, {"loss": 1.0})
    assert stream.text().endswith("step 1,100/2,000, loss 1.0000, 7:30 left\n")
    assert reporter.best == "best bleu 30.00"


def test_without_an_end_there_is_no_time_left():
    reporter, stream, clock = plain()
    reporter.start(Plan())
    clock.now = 5.0
    reporter.step(10, 3.0, {"loss": 1.0})
    assert stream.text() == "epoch 3, step 10, loss 1.0000\n"


@pytest.mark.parametrize("make", [plain, live])
def test_square_brackets_stay(make):
    reporter, stream, _ = make(100)
    drive(reporter)
    for words in ("ein [bold]Hund[/bold]", "a [dog]", "[/] a cat [red]", "note [x]", "BLEU 31.24 [13a]"):
        assert words in stream.text()


@pytest.mark.parametrize("make", [plain, live])
def test_validation_says_its_scores_and_the_best(make):
    reporter, stream, _ = make(100)
    drive(reporter)
    text = stream.text()
    assert "step 200: loss 2.9000, perplexity 18.17, bleu 31.24, the best so far" in text
    assert text.count("the best so far") == 1
    assert reporter.best == "best bleu 31.24 (step 200)"


@pytest.mark.parametrize("make", [plain, live])
def test_a_sample_cannot_command_the_terminal(make):
    reporter, stream, _ = make(100)
    reporter.validation(1, FOUND, False, [("\x1b]0;owned\x07 a\nb", "\x9b2J", "x" * 5000)])
    reporter.close()
    text = stream.text()
    assert "\x1b]0;" not in text
    assert "\x9b" not in text
    assert "a b" in text
    assert text.count("x") < 500


def test_a_stream_that_cannot_write_a_letter():
    reporter, stream, _ = plain(encoding="ascii")
    reporter.validation(1, FOUND, False, [("漢字 größer", "b", "c")])
    reporter.message("ü")
    assert "?? gr??er" in stream.text()


def test_the_live_display():
    reporter, stream, clock = live()
    reporter.start(Plan(total_steps=400, epochs=2, select_by="bleu"))
    reporter.validation(100, FOUND, True)
    clock.now = 60.0
    reporter.step(200, 1.5, SCORES)
    with reporter.console.capture() as captured:
        reporter.console.print(reporter)
    shown = captured.get()
    for words in (
        "epoch 2/2, step 200/400",
        "1:00 left",
        "11,204 tokens/s",
        "loss 3.2146",
        "best bleu 31.24 (step 100)",
    ):
        assert words in shown
    reporter.close()
    assert stream.text().rindex("\x1b[?25l") < stream.text().rindex("\x1b[?25h"), "the cursor is back"


def test_a_live_display_needs_no_start_and_fits_a_narrow_terminal():
    reporter, _, _ = live(width=30)
    reporter.step(5, 0.5, SCORES)
    with reporter.console.capture() as captured:
        reporter.console.print(reporter)
    reporter.close()
    assert len(captured.get().splitlines()) <= 4
    reporter.close()


def test_the_display_is_closed_after_an_error():
    reporter, stream, _ = live()
    reporter.start(Plan(total_steps=10))
    assert reporter.display is not None
    with pytest.raises(KeyboardInterrupt), reporter:
        raise KeyboardInterrupt
    assert reporter.display is None
    assert "\x1b[?25h" in stream.text()


def test_who_reports_where(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(reporter_for(Console(file=io.StringIO())), LineReporter)
    assert isinstance(reporter_for(Console(file=io.StringIO(), force_terminal=True)), LiveReporter)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(reporter_for(Console(file=io.StringIO(), force_terminal=True)), LineReporter)


@pytest.mark.parametrize(("seconds", "words"), [(0, "0:00"), (59.6, "1:00"), (252, "4:12"), (3852, "1:04:12")])
def test_duration(seconds, words):
    assert duration(seconds) == words


class Recorder(Reporter):
    def __init__(self):
        self.calls = []

    def start(self, plan):
        self.calls.append(("start", plan))

    def advance(self, step, epoch):
        self.calls.append(("advance", step, epoch))

    def step(self, step, epoch, scores):
        self.calls.append(("step", step, epoch, scores))

    def validation(self, step, scores, best, samples=()):
        self.calls.append(("validation", step, scores, best, samples))

    def message(self, text):
        self.calls.append(("message", text))

    def finish(self, lines):
        self.calls.append(("finish", lines))

    def close(self):
        self.calls.append(("close",))


def test_several_reporters_hear_the_same():
    first, second, alone = Recorder(), Recorder(), Recorder()
    drive(ReporterList([first, second]))
    with pytest.raises(ValueError, match="x"), ReporterList([first, second]):
        raise ValueError("x")
    drive(alone)
    assert first.calls == second.calls == [*alone.calls, ("close",)]
    assert {name for name, *_ in alone.calls} == {n for n in vars(Reporter) if not n.startswith("_")}


def test_a_reporter_may_say_nothing():
    with Reporter() as silent:
        drive(silent)


def test_the_log_holds_everything():
    events = []

    class Memory:
        def log(self, event):
            events.append(event)

    drive(JsonLog(Memory()))
    kinds = [event["event"] for event in events]
    assert kinds == ["start", *["train", "validation"] * 4, "message", "finish"]
    assert events[1] == {"event": "train", "step": 100, "epoch": 0.5, **SCORES}
    assert {**FOUND, "epoch": 1.0, "best": True}.items() <= events[4].items()
    assert events[4]["samples"] == [dict(zip(("source", "reference", "hypothesis"), SAMPLES[0]))]


def test_tensorboard(tmp_path):
    loading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    drive(TensorBoard(tmp_path))
    found = loading.EventAccumulator(str(tmp_path))
    found.Reload()
    assert [(e.step, round(e.value, 4)) for e in found.Scalars("train/loss")] == [
        (s, 3.2146) for s in (100, 200, 300, 400)
    ]
    assert len(found.Scalars("validation/bleu")) == 4
    assert any("samples/1" in tag for tag in found.Tags()["tensors"])


def test_tensorboard_of_a_resumed_run_forgets_what_came_after(tmp_path):
    loading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for first, last in ((0, 6), (3, 8)):
        board = TensorBoard(tmp_path)
        board.start(Plan(step=first))
        for step in range(first + 1, last + 1):
            board.step(step, 0.0, {"loss": float(step + 100 * first)})
        board.close()
        board.close()
    found = loading.EventAccumulator(str(tmp_path))
    found.Reload()
    assert [e.step for e in found.Scalars("train/loss")] == list(range(1, 9))


def test_tensorboard_that_is_not_installed(monkeypatch, tmp_path):
    real = builtins.__import__

    def refuse(name, *args):
        if "tensorboard" in name:
            raise ImportError(name)
        return real(name, *args)

    for name in [n for n in sys.modules if "tensorboard" in n]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(RunError, match=r"tensorboard is not installed\n  pip install 's2s\[tensorboard\]'"):
        TensorBoard(Path(tmp_path))
