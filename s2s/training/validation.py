"""What a run looks up to: loss and perplexity on held-out data, and the metrics of what it would write."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from s2s.data.batches import Batches
from s2s.decoding.batched import SearchCall, write_all
from s2s.nn.model import Model
from s2s.tasks.losses import cross_entropy
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
    texts       every held-out source, and its references beside it
    search      how to write; None leaves the metrics out
    """

    def __init__(
        self,
        task: Task,
        batches: Batches,
        texts: Sequence[str],
        references: Sequence[Sequence[str]],
        search: SearchCall | None,
        samples: int = 0,
    ) -> None:
        self.task, self.batches, self.texts, self.references = task, batches, texts, references
        self.search, self.samples = search, samples
        self.sources = task.source.encode_all(texts) if search is not None else []

    def __call__(self, model: Model, precision: Precision) -> Validation:
        scores = dict(losses(model, self.batches, precision))
        if self.search is None:
            return Validation(scores)
        with precision.autocast():
            found = write_all(model, self.task.source, self.sources, self.search, device=precision.device)
        written = [self.task.target.decode(best[0].ids) for best in found]
        higher = set()
        for metric in self.task.metrics:
            score = metric().score(written, self.references, n_bootstrap=0)
            scores[metric.kind] = score.value
            higher |= {metric.kind} if score.higher_is_better else set()
        step = max(1, len(written) // (self.samples + 1))
        shown = [(self.texts[i], self.references[i][0], written[i]) for i in range(step // 2, len(written), step)]
        return Validation(scores, frozenset(higher), shown[: self.samples])


@torch.inference_mode()
def losses(model: Model, batches: Batches, precision: Precision) -> dict[str, float]:
    """Mean negative log-likelihood a token, in nats, and its exponential."""
    model.eval()
    total, count = 0.0, 0
    for batch in batches.in_order():
        batch = move(batch, precision.device)
        with precision.autocast():
            loss = cross_entropy(model(batch), batch)
        total, count = total + float(loss.total), count + loss.tokens
    mean = total / max(1, count)
    return {"loss": mean, "perplexity": math.exp(min(mean, 700.0))}
