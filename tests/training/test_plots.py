"""Learning curves: the right points reach the picture, and where there is none it says why."""

import builtins
import errno
import math
import os

import pytest

from s2s.errors import RunError
from s2s.training import plots
from s2s.training.plots import curve, default_metric, learning_curves, smooth


def story(steps=1000, higher=True):
    """A training that overfits: best at 600 of 1,000 steps."""
    for step in range(10, steps + 1, 10):
        yield {
            "event": "train",
            "step": step,
            "loss": 1.5 + 6 * math.exp(-step / 120) + 0.15 * math.sin(step),
            "epoch": 1,
        }
        if step % 100 == 0:
            bleu = 38 * (1 - math.exp(-step / 180)) - max(0, step - 600) / 80
            loss = 2 + 4 * math.exp(-step / 150) + max(0, step - 600) / 2000
            scores = {"loss": loss, "perplexity": math.exp(loss)} | (
                {"bleu": bleu, "chrf": bleu + 20} if higher else {}
            )
            yield {"event": "validation", "step": step, "epoch": 1, **scores, "best": step <= 600}


@pytest.fixture
def drawn(monkeypatch):
    """What the axes of the last picture hold."""
    figures = []
    figure = pytest.importorskip("matplotlib.figure")

    class Spy(figure.Figure):
        def __init__(self, *args, **options):
            super().__init__(*args, **options | {"dpi": 20})  # quick to draw
            figures.append(self)

    monkeypatch.setattr(figure, "Figure", Spy)
    return lambda: figures[-1].axes


def test_two_panels(tmp_path, drawn):
    path = tmp_path / "plots" / "curves.png"
    assert learning_curves(story(), path, title="multi30k") is None
    assert path.read_bytes().startswith(b"\x89PNG")
    losses, metric = drawn()
    train = [event for event in story() if event["event"] == "train"]
    assert list(losses.lines[0].get_ydata()) == [event["loss"] for event in train]
    assert list(losses.lines[1].get_ydata()) == smooth([event["loss"] for event in train])
    assert [text.get_text() for text in losses.get_legend().get_texts()] == ["training, smoothed", "validation"]
    held_out = [event for event in story() if event["event"] == "validation"]
    assert list(metric.lines[0].get_xdata()) == [event["step"] for event in held_out]
    assert list(metric.lines[0].get_ydata()) == [event["bleu"] for event in held_out]
    assert metric.get_ylabel() == "validation bleu"
    assert metric.texts[0].get_text().startswith("best: 36.64 at step 600")


@pytest.mark.parametrize(
    ("metric", "higher", "label"),
    [("chrf", True, "chrf"), ("", True, "bleu"), ("loss", True, "bleu"), ("", False, "perplexity")],
)
def test_which_metric(tmp_path, drawn, metric, higher, label):
    assert learning_curves(story(higher=higher), tmp_path / "x.png", metric) is None
    assert drawn()[1].get_ylabel() == f"validation {label}"


@pytest.mark.parametrize(
    "events",
    [
        [{"event": "train", "step": 1, "loss": 3.0}],
        [{"event": "validation", "step": 1, "loss": 3.0, "best": True}],
        [{"event": "train", "step": 1, "loss": "nan"}, {"event": "train", "step": 2, "loss": 2}],
        [{"event": "train", "loss": 2.0}, {"event": "train", "step": 2, "loss": float("inf")}, *story(40)],
    ],
    ids=["one step", "only validation", "a nan", "odd events"],
)
def test_short_stories(tmp_path, drawn, events):
    assert learning_curves(events, tmp_path / "x.png") is None
    assert (tmp_path / "x.png").exists()


@pytest.mark.parametrize("events", [[], [{"event": "start"}], [{"event": "train", "step": 1, "loss": "nan"}]])
def test_nothing_to_draw(tmp_path, events):
    assert learning_curves(events, tmp_path / "x.png") == "no learning curves: the log has no losses yet"
    assert not (tmp_path / "x.png").exists()


def test_without_matplotlib(tmp_path, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert "matplotlib is not installed (pip install 's2s[plots]')" in (
        learning_curves(story(), tmp_path / "x.png") or ""
    )


def test_a_full_disk(tmp_path, drawn, monkeypatch):

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="the disk is full"):
        learning_curves(story(50), tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


def test_smoothing():
    assert smooth([]) == []
    assert smooth([3.0]) == [3.0]
    line = [float(i) for i in range(50)]
    assert smooth(line)[:-1] == pytest.approx(line[:-1]), "what falls steadily must not lag"
    assert smooth(line)[-1] == 48.5, "at the end the window has one side"
    noise = [(-1.0) ** i for i in range(100)]
    assert max(map(abs, smooth(noise)[2:-2])) < 0.3
    assert smooth(noise)[50] == pytest.approx(sum(noise[48:53]) / 5)


def test_points():
    events = [{"step": 1, "a": 2}, {"step": 2, "a": True}, {"step": 3, "a": "nan"}, {"a": 1}, {"step": 5, "a": 0.5}]
    assert curve(events, "a") == ([1, 5], [2, 0.5])
    assert default_metric([{"step": 1, "loss": 1, "best": True}, {"ter": 3.0}]) == "ter"
    assert plots.default_metric([]) == "perplexity"
