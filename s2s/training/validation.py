"""What a run looks up to: loss and perplexity on held-out data, and the metrics of what it would answer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from s2s.data.batches import Batches
from s2s.data.readers import Row, shown
from s2s.data.streams import StreamBatches
from s2s.decoding.batched import SearchCall
from s2s.nn.model import Model
from s2s.tasks.task import Task
from s2s.tensors import move
from s2s.training.precision import Precision


@dataclass(frozen=True)
class Validation:
    """scores by name; samples are (source, first reference, hypothesis)."""

    scores: dict[str, float]
    higher_is_better: frozenset[str] = frozenset()
    samples: list[tuple[str, str, str]] = field(default_factory=list)


class Validator:
    """found = validator(model, precision)

    batches     the held-out corpus, in its own order
    rows        the same as they were read; none where the task has no metrics
    search      how to write; None leaves the metrics of a task that writes out
    """

    def __init__(
        self,
        task: Task,
        batches: Batches | StreamBatches,
        rows: Sequence[Row],
        search: SearchCall | None,
        samples: int = 0,
    ) -> None:
        self.task, self.batches, self.rows = task, batches, rows
        self.search, self.samples = search, samples
        self.answers = bool(task.metrics and rows) and (search is not None or not task.searches)
        self.sources = task.source.encode_all([row.source for row in rows]) if self.answers else []

    def __call__(self, model: Model, precision: Precision) -> Validation:
        scores = dict(losses(model, self.task, self.batches, precision))
        if not self.answers:
            return Validation(scores)
        with precision.autocast():
            written = self.task.answer(model, self.sources, self.search, device=precision.device)
        references = [row.references for row in self.rows]
        answers, right = self.task.comparable(written), [self.task.comparable(several) for several in references]
        higher = set()
        for metric in self.task.metrics:
            score = metric().score(answers, right, n_bootstrap=0)
            scores[metric.kind] = score.value
            higher |= {metric.kind} if score.higher_is_better else set()
        step = max(1, len(written) // (self.samples + 1))
        chosen = range(step // 2, len(written), step)
        samples = [(shown(self.rows[i].source), references[i][0], written[i]) for i in chosen]
        return Validation(scores, frozenset(higher), samples[: self.samples])


@torch.inference_mode()
def losses(model: Model, task: Task, batches: Batches | StreamBatches, precision: Precision) -> dict[str, float]:
    """Mean negative log-probability of an answer, in nats, unweighted and not smoothed, and its exponential."""
    model.eval()
    total, count = 0.0, 0
    state: Any = None
    for batch in batches.in_order():
        batch = move(batch, precision.device)
        with precision.autocast():
            output = model(batch, None if batch.fresh else state)
            nats = task.nats(output, batch)
        state = output.state
        total, count = total + float(nats.double().sum()), count + batch.tokens
    mean = total / max(1, count)
    return {"loss": mean, "perplexity": math.exp(min(mean, 700.0))}
