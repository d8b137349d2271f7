"""A task is its two fields, what is asked of the model, and the numbers that say how well it went."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

import s2s.data.subwords
import s2s.data.texts  # noqa: F401  (registers the default field)
from s2s.config import choose
from s2s.data.encoded import EncodedCorpus
from s2s.data.fields import Field
from s2s.data.readers import Row
from s2s.data.tokenizers import Tokenizer
from s2s.decoding.batched import SearchCall, write_all
from s2s.errors import mounted
from s2s.nn.heads import HeadOutput
from s2s.nn.model import Model
from s2s.parts import Choice, Family
from s2s.tasks.losses import Likelihood, Loss, cross_entropy
from s2s.tasks.metrics import Metric, Score
from s2s.tensors import Batch


class Task(Family):
    """Fields for the two sides of an example, a loss, an answer, and metrics for answers.

    source, target  Field; `fit` learns their vocabularies, `save` and `load` keep them in a folder
    metrics         what evaluation reports, first the one that matters most
    verb            the command of s2s that uses such a run
    searches        True where an answer is written, piece by piece: `training.validation_search` says how
    streams         True where the training rows are one continuous text
    parallel        True where source and target say the same, and should be about equally long
    """

    source: Field
    target: Field
    metrics: tuple[Choice[Metric], ...] = ()
    verb: ClassVar[str] = "translate"
    searches: ClassVar[bool] = True
    streams: ClassVar[bool] = False
    parallel: ClassVar[bool] = True

    def fit(self, rows: Iterable[Row]) -> None:
        """Learn the vocabularies from training rows; `rows` is read once for each side. Raises OptionError."""
        with mounted("source"):
            self.source.fit(sources(rows))
        with mounted("target"):
            self.target.fit(targets(rows))

    def loss(self, output: HeadOutput, batch: Batch, smoothing: float = 0.0) -> Loss:
        """What training makes small, with the penalties that the head adds while it is trained."""
        found = cross_entropy(output, batch, smoothing)
        return found if output.penalty is None else found._replace(total=found.total + output.penalty)

    def nats(self, output: HeadOutput, batch: Batch) -> Tensor:
        """[N], the negative log-probability of every right answer, whatever training makes of it."""
        return -output.logits.float().log_softmax(-1).gather(1, batch.gold[:, None]).squeeze(1)

    def check(self, split: str, encoded: EncodedCorpus) -> None:
        """Do the two sides of every row belong together? Raises RowError, of a row of the corpus, where they do not."""

    def answer(
        self,
        model: Model,
        sources: Sequence[np.ndarray],
        search: SearchCall | None,
        *,
        device: torch.device,
        batch_size: int = 64,
    ) -> list[str]:
        """What the model says of each encoded source, as text. This one writes it."""
        assert search is not None
        found = write_all(model, self.source, sources, search, device=device, batch_size=batch_size)
        return [self.target.decode(best[0].ids) for best in found]

    def comparable(self, texts: Iterable[str]) -> list[str]:
        """Answers, or references, as metrics get them: in the same form whatever the data has. Scores of validation
        and evaluation, intervals, baselines and paired tests all go by it."""
        return [self.target.comparable(text) for text in texts]

    def likelihood_scores(self, likelihood: Likelihood) -> list[Score]:
        """Scores that need no answer, only what the model makes of the right one."""
        return []

    def details(self, rows: Sequence[Row], answers: Sequence[str]) -> dict[str, Any]:
        """What else there is to say of answers to these rows, as plain values.

        baselines  [{name, answer, scores}], what others reach by the same metrics
        """
        return {}

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
        columns = (sources(rows), targets(rows))
        sides = (self.source, self.target)
        sharing = [i for i, side in enumerate(sides) if side.shares(self.shared)]
        if sharing:
            with mounted("tokenizer"):
                self.shared.fit(chain.from_iterable(columns[i] for i in sharing))
        for i, name in enumerate(("source", "target")):
            if i not in sharing:
                with mounted(name):
                    sides[i].fit(columns[i])


def sources(rows: Iterable[Row]) -> Iterator[Any]:
    return (row.source for row in rows)


def targets(rows: Iterable[Row]) -> Iterator[str]:
    """Every reference of every row."""
    return (text for row in rows for text in row.references)
