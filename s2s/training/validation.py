"""What a run looks up to: loss and perplexity on held-out data, and the metrics of what it would answer.

What it would answer the predictor of its task says, as in evaluation afterwards: whoever puts a training together hands
over how to make one (api/train.py), for training is below prediction.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch

from s2s.data.batches import Batches
from s2s.data.corpus import Corpus
from s2s.data.readers.base import Row, Source
from s2s.data.streams import StreamBatches
from s2s.data.values import as_text, shown
from s2s.devices import Precision, widest
from s2s.metrics.base import score_all, score_kinds
from s2s.nn.model import Model
from s2s.tasks.task import Task
from s2s.tensors import move


@dataclass(frozen=True)
class Validation:
    """scores by name; samples are (source, first reference, hypothesis), or ("", "", text) of a language model."""

    scores: dict[str, float]
    higher_is_better: frozenset[str] = frozenset()
    samples: list[tuple[str, str, str]] = field(default_factory=list)


class Answers(Protocol):
    """What answers: a Predictor."""

    def predict(self, sources: Sequence[Source], encoded: Sequence[np.ndarray] | None = None) -> list[str]: ...

    def sample(self) -> str:
        """A text that shows what the model has learned, for a task that has no sources; always the same dice."""


class Validator:
    """found = validator(model, precision)

    batches     the held-out corpus, in its own order
    rows        the same as they were read, which may be from the disk each time
    predictor   makes what answers out of a model that is being trained; None leaves the metrics out
    """

    def __init__(
        self,
        task: Task,
        batches: Batches | StreamBatches,
        rows: Corpus | Sequence[Row],
        predictor: Callable[[Model, Precision], Answers] | None,
        samples: int = 0,
    ) -> None:
        self.task, self.batches, self.rows = task, batches, rows
        self.predictor, self.samples = predictor, samples

    def __call__(self, model: Model, precision: Precision) -> Validation:
        scores = dict(losses(model, self.task, self.batches, precision))
        if self.predictor is not None and self.task.streams and self.samples:
            sample = self.predictor(model, precision).sample()
            return Validation(scores, samples=[("", "", sample)] if sample else [])
        if self.predictor is None or not (len(self.rows) and self.task.metrics):
            return Validation(scores)
        rows = list(self.rows)
        encoded: Any = self.batches.encoded.sources  # a sequence of arrays, on the disk
        written = self.predictor(model, precision).predict([row.source for row in rows], encoded)
        references = [row.references for row in rows]
        answers, right = self.task.comparable(written), [self.task.comparable(several) for several in references]
        found = score_all(self.task.metrics, answers, right, n_bootstrap=0)
        scores |= {score.kind: score.value for score in found}
        higher = {score.kind for score in found if score.higher_is_better}
        step = max(1, len(written) // (self.samples + 1))
        chosen = range(step // 2, len(written), step)
        samples = [(shown(rows[i].source), as_text(references[i][0]), as_text(written[i])) for i in chosen]
        return Validation(scores, frozenset(higher), samples[: self.samples])

    def blind(self, kind: str) -> str:
        """Why a metric cannot tell good from bad on this data, one line: the references themselves get 0. Else "".

        BLEU does where no text has four tokens; worse, a wrong text that is longer gets more.
        """
        if self.predictor is None or not len(self.rows) or self._perfect(kind) != 0:
            return ""
        order = kind.removeprefix("bleu") or "4"
        why = f", for it counts runs of {order} tokens, and none of them is as long" if kind.startswith("bleu") else ""
        others = [metric.kind for metric in self.task.metrics if self._perfect(metric.kind)] or ["loss"]
        return (
            f"warning: {kind} is 0 even for the references themselves{why}; the loss decides instead which weights "
            f"are best. For such texts set training.select_by={others[0]}"
        )

    def _perfect(self, kind: str) -> float | None:
        """What the references score as answers; None for what is no metric, or is best when it is low."""
        references = [row.references for row in self.rows]
        for metric in self.task.metrics:
            if metric.kind == kind:
                score = metric().score([texts[0] for texts in references], references, n_bootstrap=0)
                return score.value if score.higher_is_better else None
        return None


def scores_of(task: Task, search: object) -> list[str]:
    """What validation will measure: names that `select_by` may have. `search` is that of the recipe, or None."""
    answered = search is not None or not task.searches
    return ["loss", "perplexity", *(score_kinds(task.metrics) if answered else [])]


@torch.no_grad()  # inference mode would have autocast cast weights at every step of a decoder that loops
def losses(model: Model, task: Task, batches: Batches | StreamBatches, precision: Precision) -> dict[str, float]:
    """Mean negative log-probability of an answer, in nats, unweighted and not smoothed, and its exponential."""
    model.eval()
    total = torch.zeros((), device=precision.device, dtype=widest(precision.device))  # there, so that nothing waits
    count = 0
    state: Any = None
    for batch in batches.in_order():
        batch = move(batch, precision.device)
        with precision.autocast():
            output = model(batch, None if batch.is_first_chunk else state)
            nats = task.nats(output, batch)
        state = output.state
        total += nats.to(total.dtype).sum()
        count += batch.tokens
    mean = float(total) / count if count else math.nan  # of nothing: no weights are the best by it
    return {"loss": mean, "perplexity": math.exp(min(mean, 700.0))}
