"""Learning curves as a picture: what was learned, and whether it helped on held-out data."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from s2s.plotting import MISSING, new_figure, save_figure

Curve = tuple[list[float], list[float]]  # steps, values
BLUE, ORANGE, GREEN, GRAY = "#4477aa", "#ee7733", "#228833", "#666666"
OTHER = {"event", "step", "epoch", "best", "samples", "time", "loss", "perplexity"}


def learning_curves(events: Iterable[Mapping[str, Any]], path: Path, metric: str = "", title: str = "") -> str | None:
    """Draw the losses above and one metric of validation below, by step, into a PNG.

    Gives None, or where there is no picture a line that says why.

    events  lines of log.jsonl: {"event": "train" | "validation", "step", "loss", ...}
    metric  a score of validation; by default the first that is not the loss, else perplexity
    """
    events = list(events)
    train = [event for event in events if event.get("event") == "train"]
    held_out = [event for event in events if event.get("event") == "validation"]
    learned, unseen = curve(train, "loss"), curve(held_out, "loss")
    if not learned[0] and not unseen[0]:
        return "no learning curves: the log has no losses yet"
    metric = metric if metric and metric != "loss" else default_metric(held_out)
    scores = curve(held_out, metric)
    best = next((event["step"] for event in reversed(held_out) if event.get("best")), None)
    panels = 2 if scores[0] else 1
    figure = new_figure(8, 3.4 * panels)
    if figure is None:
        return f"no learning curves: {MISSING}"
    axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
    draw_losses(axes[0], learned, unseen, best)
    if panels == 2:
        draw_metric(axes[1], scores, metric, best)
    axes[-1].set_xlabel("step")
    axes[-1].xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes[0].set_title(title or "learning curves", loc="left", fontweight="bold")
    save_figure(figure, path)
    return None


def draw_losses(axis: Any, learned: Curve, unseen: Curve, best: float | None) -> None:
    if learned[0]:
        axis.plot(*learned, color=BLUE, alpha=0.25, linewidth=0.8)
        axis.plot(learned[0], smooth(learned[1]), color=BLUE, label="training, smoothed")
    if unseen[0]:
        axis.plot(*unseen, color=ORANGE, marker="o", markersize=3, label="validation")
    settled = [*learned[1][len(learned[1]) // 20 :], *unseen[1]]  # the fall of the first steps would flatten the rest
    low, high = min(settled), max(settled)
    room = 0.08 * (high - low) or 0.1
    axis.set_ylim(low - room, high + room)
    mark_best(axis, best)
    axis.set_ylabel("loss per token (nats)")
    axis.legend(frameon=False, loc="upper right")
    tidy_axes(axis)


def draw_metric(axis: Any, scores: Curve, metric: str, best: float | None) -> None:
    axis.plot(*scores, color=GREEN, marker="o", markersize=3)
    mark_best(axis, best)
    if best in scores[0]:
        value = scores[1][scores[0].index(best)]
        axis.plot([best], [value], marker="*", markersize=14, color=GREEN, markeredgecolor="white", zorder=5)
        low = scores[1][-1] >= scores[1][0]  # a curve that rises leaves the lower right corner free
        words = f"best: {value:.2f} at step {best:,.0f}"
        axis.text(
            0.98, 0.06 if low else 0.94, words, transform=axis.transAxes, ha="right", va="bottom" if low else "top"
        )
    axis.margins(y=0.15)
    axis.set_ylabel(f"validation {metric}")
    tidy_axes(axis)


def mark_best(axis: Any, best: float | None) -> None:
    if best is not None:
        axis.axvline(best, color=GRAY, linewidth=0.8, linestyle=":")


def tidy_axes(axis: Any) -> None:
    axis.grid(alpha=0.25, linewidth=0.6)
    axis.spines[["top", "right"]].set_visible(False)


def curve(events: Sequence[Mapping[str, Any]], name: str) -> Curve:
    """steps, values of one score, where it is a number."""
    points = [(event["step"], event[name]) for event in events if is_number(event.get(name)) and "step" in event]
    return [step for step, _ in points], [value for _, value in points]


def default_metric(events: Sequence[Mapping[str, Any]]) -> str:
    names = [name for event in events for name, value in event.items() if name not in OTHER and is_number(value)]
    return names[0] if names else "perplexity"


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def smooth(values: Sequence[float], part: float = 0.05) -> list[float]:
    """Means over a window of that part of the curve around each point: it does not lag behind.

    The window is narrower at the steep start, and one-sided at the end, where one last odd value would mislead.
    """
    reach, means = max(1, round(len(values) * part / 2)), []
    for i in range(len(values)):
        near = min(reach, i)
        window = values[i - near : i + near + 1]
        means.append(sum(window) / len(window))
    return means
