"""A task is its two fields, what is asked of the model, and the numbers that say how well it went."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from s2s.data.encoded import EncodedCorpus
from s2s.data.fields.base import Field, bound
from s2s.data.readers.base import Row
from s2s.data.tokenizers.base import Tokenizer
from s2s.decoding.batched import SearchCall
from s2s.errors import RecipeError, mounted
from s2s.metrics.base import Metric, Score
from s2s.nn.heads.base import HeadOutput
from s2s.nn.model import Model
from s2s.registry import ComponentConfig, Registrable
from s2s.tasks.losses import Likelihood, Loss, cross_entropy
from s2s.tensors import Batch


class Task(Registrable):
    """Fields for the two sides of an example, a loss, an answer, and metrics for answers.

    source_shapes, target_shapes  modalities that its sides may have (tensors.FieldSpec); () is all that
                                  encoder and head take
    source, target  Field, from bind(); `fit` learns their vocabularies, `save` and `load` keep them in a folder
    metrics         what evaluation reports, first the one that matters most
    predictor       the kind of predictor that answers for it (predictors/base.py): in validation, in evaluation and in
                    every verb alike; "task" where the task has an answer() of its own, which says so by being there
    verb            the command of s2s that uses such a run; any run is used by `s2s predict`
    searches        True where an answer is written, token by token: `training.validation_search` says how
    streams         True where the training rows are one continuous text
    parallel        True where source and target say the same, and should be about equally long
    """

    source_shapes: ClassVar[tuple[str, ...]] = ()
    target_shapes: ClassVar[tuple[str, ...]] = ()
    source: Field
    target: Field
    metrics: tuple[ComponentConfig[Metric], ...] = ()
    predictor: ClassVar[str] = "seq2seq"
    verb: ClassVar[str] = "predict"
    searches: ClassVar[bool] = True
    streams: ClassVar[bool] = False
    parallel: ClassVar[bool] = True

    def bind(
        self, source: ComponentConfig[Field], target: ComponentConfig[Field], shared: Tokenizer | None = None
    ) -> None:
        """Make both fields, with what they share. Raises RecipeError where one is nothing for this task."""
        self.source, self.target = bound(source, shared), bound(target, shared)
        self.require("source", source.kind, self.source.shapes, self.source_shapes)
        self.require("target", target.kind, self.target.shapes, self.target_shapes)

    def require(self, side: str, kind: str, shapes: Sequence[str], able: Sequence[str]) -> None:
        """Raises RecipeError for a field none of whose shapes this task can have on that side."""
        if able and not set(shapes) & set(able):
            fields = [name for name, maker in Field.registry.items() if set(getattr(maker, "shapes", ())) & set(able)]
            what = f"is {kind}, which gives {' or '.join(shapes) or 'nothing'}; this task takes {' or '.join(able)}"
            raise RecipeError(side, what, f"use one of: {', '.join(fields)}")

    def __init_subclass__(cls, kind: str | None = None, **rest: Any) -> None:
        super().__init_subclass__(kind=kind, **rest)
        if "answer" in vars(cls) and "predictor" not in vars(cls):
            cls.predictor = "task"

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
        return -output.logits.float().log_softmax(-1).gather(1, batch.labels[:, None]).squeeze(1)

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
    ) -> list[Any]:
        """What the model says of each encoded source, as a value: for a task that no predictor answers for.

        search  the recipe's `decoding`, for a task that makes use of it
        """
        raise NotImplementedError(f"{type(self).__name__} is answered by the predictor {self.predictor!r}")

    def comparable(self, texts: Iterable[Any]) -> list[Any]:
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


def sources(rows: Iterable[Row]) -> Iterator[Any]:
    return (row.source for row in rows)


def targets(rows: Iterable[Row]) -> Iterator[Any]:
    """Every reference of every row."""
    return (text for row in rows for text in row.references)
