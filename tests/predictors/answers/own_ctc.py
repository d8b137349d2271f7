"""Speech of a user's own, in one file beside a recipe: a CTC head, and a task that answers by its best path."""

import numpy as np
import torch.nn.functional as F
from torch import nn

from s2s.config import configure
from s2s.data.fields.base import Field
from s2s.decoding.decisions import decide_all
from s2s.metrics.base import Metric
from s2s.nn.heads.base import AnswerOutput, Head, HeadOutput
from s2s.registry import ComponentConfig
from s2s.tasks.losses import Loss
from s2s.tasks.task import Task
from s2s.tensors import PAD


class CTC(Head, kind="ctc"):
    """Graves et al. 2006, https://doi.org/10.1145/1143844.1143891"""

    output_modalities = ("ids",)

    def __init__(self, width, space):
        super().__init__(width, space)
        self.out = nn.Linear(width, space.size)

    def answer(self, encoded):
        return AnswerOutput(self.out(encoded.memory))

    def forward(self, encoded, batch, state=None):
        return HeadOutput(self.out(encoded.memory))


class Speech(Task, kind="speech"):
    """Frames to text: https://doi.org/10.1145/1143844.1143891"""

    verb = "transcribe"  # there is no such verb: `s2s predict` is for all
    searches = False
    parallel = False

    def __init__(
        self,
        *,
        source: ComponentConfig[Field] = configure(Field, "numbers"),
        target: ComponentConfig[Field] = configure(Field, {"kind": "text", "tokenizer": "char"}),
        metrics: tuple[ComponentConfig[Metric], ...] = (configure(Metric, "chrf"), configure(Metric, "exact")),
    ):
        self.source, self.target, self.metrics = source(), target(), metrics

    def per_row(self, output, batch):
        paths = output.logits.float().log_softmax(-1).transpose(0, 1)
        sizes = batch.source.lengths, batch.target.lengths - 1  # without EOS
        return F.ctc_loss(paths, batch.target.data, *sizes, blank=PAD, reduction="none", zero_infinity=True)

    def loss(self, output, batch, smoothing=0.0):
        return Loss(self.per_row(output, batch).sum(), batch.tokens)

    def nats(self, output, batch):
        lengths = batch.target.lengths
        return (self.per_row(output, batch) / lengths).repeat_interleave(lengths)

    def answer(self, model, sources, search, *, device, batch_size=64):
        logits, _ = decide_all(model, self.source, sources, device=device, batch_size=batch_size)
        return [self.best_path(each.argmax(-1)) for each in logits]

    def best_path(self, best):
        return self.target.decode(best[np.r_[True, best[1:] != best[:-1]] & (best != PAD)])
