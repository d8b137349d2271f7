"""A task is its two fields and the numbers that say how well it went."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from s2s.config import Choice, Family, choose
from s2s.data.fields import Field
from s2s.data.readers import Row
from s2s.data.tokenizers import Tokenizer
from s2s.tasks.metrics import Metric


class Task(Family):
    """Fields for the two sides of an example, and metrics for what is written.

    source, target  Field; `fit` learns their vocabularies, `save` and `load` keep them in a folder
    metrics         what evaluation reports, first the one that matters most
    """

    source: Field
    target: Field
    metrics: tuple[Choice[Metric], ...]

    def fit(self, rows: Iterable[Row]) -> None:
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """Keep both fields in a folder, as text or in the tokenizer's own format."""
        folder.mkdir(parents=True, exist_ok=True)
        self.source.save(folder, "source")
        self.target.save(folder, "target")

    def load(self, folder: Path) -> None:
        self.source.load(folder, "source")
        self.target.load(folder, "target")


class Translation(Task, kind="translation"):
    """Text to text: translation, transliteration, summaries, spelling.

    tokenizer  shared by both sides; a side whose field names a tokenizer of its own does not use it
    """

    def __init__(
        self,
        *,
        source: Choice[Field] = choose(Field, "text"),
        target: Choice[Field] = choose(Field, "text"),
        tokenizer: Choice[Tokenizer] = choose(Tokenizer, "unigram"),
        metrics: tuple[Choice[Metric], ...] = (choose(Metric, "bleu"), choose(Metric, "chrf")),
    ) -> None:
        self.shared = tokenizer()
        self.source, self.target, self.metrics = source(self.shared), target(self.shared), metrics

    def fit(self, rows: Iterable[Row]) -> None:
        """Learn the vocabularies from training rows; `rows` is read once for each that is to be learned."""
        sides = (self.source, self.target)
        sharing = [i for i, side in enumerate(sides) if side.shares(self.shared)]
        if sharing:
            self.shared.fit(chain.from_iterable((texts(row)[i] for i in sharing) for row in rows))
        for i, side in enumerate(sides):
            if i not in sharing:
                side.fit(column(rows, i))


def texts(row: Row) -> tuple[str, str]:
    """The source and the first reference."""
    return row.source, row.target if isinstance(row.target, str) else row.target[0]


def column(rows: Iterable[Row], side: int) -> Iterator[str]:
    return (texts(row)[side] for row in rows)
