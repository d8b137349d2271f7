"""What a model did, drawn for a terminal: hypotheses with their scores, and attention as a heat map."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from s2s.predictors.seq2seq import Alignment, Prediction

# From dark to bright, every cell with its own background and ink: readable on a dark terminal and on a light one.
SHADES = [
    Style(color="#707070", bgcolor="#0b0a1a"),
    Style(color="#c0c0c0", bgcolor="#3b0f6f"),
    Style(color="#ffffff", bgcolor="#8c2981"),
    Style(color="#ffffff", bgcolor="#cc3f71"),
    Style(color="#000000", bgcolor="#fe9f6d"),
    Style(color="#000000", bgcolor="#fcfdbf"),
]
INKS = ["cyan", "magenta", "green", "yellow", "blue", "red"]  # of tags, by kind
NARROWEST, WIDEST, TABLE_MARGIN = 3, 12, 16  # cells of a column: room for `100`, for a source piece, for a target piece
FAINT = 0.05  # a weight below is left blank, for the rest to stand out


def attention_map(alignment: "Alignment", width: int = 80) -> Iterator[Text]:
    """Lines of a table: source tokens across, target tokens down, each weight a shaded percentage.

    Long tokens are cut short; where the source is wider than `width` cells, one table follows another.
    """
    across, down = [label(p) for p in alignment.source], [label(p) for p in alignment.target]
    margin = min(max(map(cell_len, down), default=0), TABLE_MARGIN)
    room = width - margin - 1
    columns = column_widths(across, room)
    for start, end in blocks(columns, room):
        if start:
            yield Text("")
        header = "".join(fit(across[s], columns[s] - 1, "right") + " " for s in range(start, end))
        yield Text(" " * (margin + 1)).append(header.rstrip(), "bold")
        for piece, weights in zip(down, alignment.weights, strict=True):
            line = Text().append(fit(piece, margin) + " ", "bold")
            for s in range(start, end):
                line.append(*shaded(weights[s], columns[s]))
            yield line


def shaded(weight: float, width: int) -> tuple[str, Style]:
    """One cell: a percentage, on a background that is the brighter the more it is."""
    weight = weight if 0 <= weight <= 1 else 0.0  # NaN is neither
    words = f"{weight:.0%}"[:-1] if weight >= FAINT else ""
    return words.rjust(width - 1) + " ", SHADES[min(int(weight * len(SHADES)), len(SHADES) - 1)]


def column_widths(pieces: Sequence[str], room: int) -> list[int]:
    """Cells of each column with the blank after it: what the tokens need, or less where that makes one table enough."""
    for most in (WIDEST, 8, 6, 5):
        widths = [min(max(cell_len(piece), NARROWEST), most) + 1 for piece in pieces]
        if sum(widths) <= room:
            break
    return widths


def blocks(widths: Sequence[int], room: int) -> Iterator[tuple[int, int]]:
    """Ranges of columns that fit side by side; at least one column each."""
    start, used = 0, 0
    for i, width in enumerate(widths):
        if used + width > room and i > start:
            yield start, i
            start, used = i, 0
        used += width
    if start < len(widths):
        yield start, len(widths)


def fit(piece: str, width: int, side: str = "left") -> str:
    """The token in exactly so many cells, on one side of them; a longer one is cut: `transl…`."""
    if cell_len(piece) > width:
        piece = set_cell_size(piece, width - 1).rstrip() + "…"
    blanks = " " * (width - cell_len(piece))
    return piece + blanks if side == "left" else blanks + piece


def label(piece: str) -> str:
    """A token that can be seen: a blank as ␣, a control character by its name."""
    shown = "".join(repr(c)[1:-1] if unicodedata.category(c) == "Cc" else "␣" if c.isspace() else c for c in piece)
    return shown or "∅"


def visible_text(text: str) -> str:
    """Without control characters: an untrained model may write some, and a terminal obeys them."""
    return "".join("\ufffd" if unicodedata.category(c) == "Cc" and c != "\t" else c for c in text)


def visible_lines(text: str) -> str:
    """The same for a text whose line breaks stay."""
    return "\n".join(map(visible_text, text.split("\n")))


def hypothesis_lines(found: "Sequence[Prediction]", scores: bool) -> Iterator[Text]:
    """The answer alone; or a line for each of several, with its number and score.

    scores  add the score and the log-probability to a single answer, too
    """
    for number, prediction in enumerate(found, 1):
        line = Text(visible_text(prediction.text))
        if len(found) > 1:
            line = Text(f"{number:2}  {prediction.score:8.3f}  ", "dim").append(line)
        elif scores:
            line.append(f"   {score_line(prediction)}", "dim")
        yield line


def score_line(prediction: "Prediction") -> str:
    return f"score {prediction.score:.3f}, log-probability {prediction.log_probability:.3f}"


def class_lines(probabilities: Mapping[str, float], answer: str = "", width: int = 30) -> Iterator[Text]:
    """A line for each class: its name, its probability, and a bar as long; what is likely, and the answer, is bold."""
    names = {name: visible_text(name) for name in probabilities}
    margin = max(map(cell_len, names.values()), default=0)
    for name, p in probabilities.items():
        answered = name == answer or p > 0.5
        line = Text(fit(names[name], margin), "bold" if answered else "")
        yield line.append(f"  {p:6.1%}  ").append("█" * round(p * width), "cyan" if answered else "dim")


def shaded_words(pieces: Sequence[str], weights: Sequence[float]) -> Text:
    """The tokens of a text in a row, each on a background that is the brighter the more it counted.

    The brightest is the one that counted most, whatever its share: a long text has small ones.
    """
    most = max((w for w in weights if w <= 1), default=0.0) or 1.0
    line = Text()
    for piece, weight in zip(pieces, weights, strict=True):
        level = weight / most if 0 <= weight <= 1 else 0.0  # NaN is neither
        line.append(f" {label(piece)} ", SHADES[min(int(level * len(SHADES)), len(SHADES) - 1)])
    return line


def tagged_words(words: Sequence[str], tags: Sequence[str]) -> Text:
    """`pay/O five/B-PRICE`, with the tags dim, and each kind of tag in a color of its own."""
    kinds = sorted({kind_of_answer(tag) for tag in tags} - {"O"})
    line = Text()
    for word, tag in zip(words, tags, strict=True):
        color = "" if tag == "O" else INKS[kinds.index(kind_of_answer(tag)) % len(INKS)]
        line.append(" " if line else "").append(visible_text(word), color).append(
            f"/{visible_text(tag)}", f"dim {color}".strip()
        )
    return line


def kind_of_answer(tag: str) -> str:
    """B-DATE and I-DATE are of one kind."""
    return tag[2:] if tag[:2] in ("B-", "I-") else tag
