"""What is behind an accuracy: each class by itself, what is taken for what, and whether probabilities can be believed.

report = label_report(right, said, names, probabilities)     # plain values, for JSON
print(class_table(report)); confusion_plot(report, "confusion.png")
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from s2s.plotting import MISSING, new_figure, save_figure

if TYPE_CHECKING:
    from rich.table import Table

BINS = 15
SHOWN = 12  # classes that a confusion matrix in a terminal has room for


def label_report(
    right: Sequence[str], said: Sequence[str], names: Sequence[str], probabilities: np.ndarray | None = None
) -> dict[str, Any]:
    """classes: name -> precision, recall, f1, support; confusion[right][said]; calibration, where there are
    probabilities [N, C] of the names. Names that training does not have follow those that it has."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    place = {name: i for i, name in enumerate(names)}
    names = with_others(names, [*right, *said])
    if not right:
        return {"classes": {}, "names": list(names), "confusion": [[0] * len(names)] * len(names)}
    columns = precision_recall_fscore_support(right, said, labels=list(names), zero_division=0.0)
    found: dict[str, Any] = {
        "classes": by_class(names, columns),
        "names": list(names),
        "confusion": confusion_matrix(right, said, labels=list(names)).tolist(),
    }
    if probabilities is not None:
        numbers = np.array([place.get(name, -1) for name in right])  # -1 is what no model says
        found["calibration_error"] = calibration_error(probabilities, numbers)
    return found


def several_report(
    right: Sequence[Sequence[str]], said: Sequence[Sequence[str]], names: Sequence[str]
) -> dict[str, Any]:
    """classes as in label_report, for rows that have several labels, or none: each is a yes or no of its own."""
    from sklearn.metrics import precision_recall_fscore_support
    from sklearn.preprocessing import MultiLabelBinarizer

    names = with_others(names, [name for several in (*right, *said) for name in several])
    table = MultiLabelBinarizer(classes=list(names))
    columns = precision_recall_fscore_support(table.fit_transform(right), table.transform(said), zero_division=0.0)
    return {"classes": by_class(names, columns), "names": list(names)}


def with_others(names: Sequence[str], found: Sequence[str]) -> list[str]:
    """The names, and whatever else was found, in order; no name at all is none."""
    return [*names, *sorted(set(found) - {*names, ""})]


def by_class(names: Sequence[str], columns: Sequence[Any]) -> dict[str, dict[str, float]]:
    """What scikit-learn gives a column each, by name."""
    keys = ("precision", "recall", "f1", "support")
    return {name: dict(zip(keys, map(float, row))) for name, row in zip(names, np.array(columns).T)}


def calibration_error(probabilities: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """How far confidence and accuracy are apart, on average: Guo et al. 2017, https://arxiv.org/abs/1706.04599

    probabilities  [N, C]
    right          [N], the number of the right class
    """
    confidence, correct = probabilities.max(1), probabilities.argmax(1) == right
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)  # (0, 1/15], (1/15, 2/15], ...
    gaps = [abs(float((correct[bin_of == b] - confidence[bin_of == b]).sum())) for b in range(bins)]
    return sum(gaps) / max(1, len(right))


def class_table(report: dict[str, Any]) -> "Table":
    """Precision, recall and F1 of each class, for a terminal."""
    from rich.table import Table
    from rich.text import Text  # a class may be called [red]: rich would read a plain string as markup

    table = Table(title="by class", title_justify="left", title_style="bold")
    table.add_column("class")
    for heading in ("precision", "recall", "F1", "rows"):
        table.add_column(heading, justify="right")
    for name, numbers in report["classes"].items():
        shares = [f"{100 * numbers[key]:.1f}" for key in ("precision", "recall", "f1")]
        table.add_row(Text(name), *shares, f"{numbers['support']:,.0f}")
    return table


def confusion_table(report: dict[str, Any]) -> "Table | None":
    """Rows are what is right, columns what was said; None where there are too many classes for a terminal."""
    from rich.table import Table
    from rich.text import Text

    names = report["names"]
    if len(names) > SHOWN:
        return None
    table = Table(title="true ↓  predicted →", title_justify="left", title_style="bold")
    table.add_column("")
    for name in names:
        table.add_column(Text(name), justify="right")
    for i, row in enumerate(report["confusion"]):
        table.add_row(Text(names[i]), *(Text(f"{n:,}", "bold" if i == j else "") for j, n in enumerate(row)))
    return table


def confusion_plot(report: dict[str, Any], path: Path) -> str | None:
    """The confusion matrix as a PNG, colored by shares of the right class; says why where there is no picture."""
    names, counts = report["names"], np.array(report["confusion"])
    side = 2.2 + 0.45 * min(len(names), 40)
    figure = new_figure(side + 0.8, side)
    if figure is None:
        return f"no picture of the confusion matrix: {MISSING}"
    axis = figure.subplots()
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    plain = {"parse_math": False}  # $ is a letter, not the beginning of a formula
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right", **plain)
    axis.set_yticks(range(len(names)), names, **plain)
    axis.set_xlabel("said")
    axis.set_ylabel("right")
    if len(names) <= SHOWN:
        for (i, j), count in np.ndenumerate(counts):
            axis.text(j, i, f"{count:,}", ha="center", va="center", color="white" if shares[i, j] > 0.5 else "black")
    figure.colorbar(image, ax=axis, shrink=0.8)
    save_figure(figure, path)
    return None
