"""Heads that choose: one label an example, several at once, or one tag a position.

classifier   sequence to vector: Schuster & Paliwal 1997, https://doi.org/10.1109/78.650093
tagger       one answer for every position of the source
"""

from typing import Any

import torch
from torch import Tensor, nn

from s2s.config import configure
from s2s.errors import DataError
from s2s.nn.dropout import DropoutRate
from s2s.nn.heads.base import AnswerOutput, Head, HeadOutput
from s2s.nn.pooling import Pooling
from s2s.registry import ComponentConfig, PositiveInt
from s2s.tensors import Batch, EncoderOutput, FieldSpec, Padded


class Classifier(Head, kind="classifier"):
    """One vector an example, and what it says of each class: Schuster & Paliwal 1997, https://doi.org/10.1109/78.650093

    pooling  how many vectors become one; several are put side by side: Howard & Ruder 2018,
             https://arxiv.org/abs/1801.06146
    hidden   width of a layer between, with relu; null for none
    dropout  on the pooled vector, and on that layer
    """

    output_modalities = ("label", "labels")
    needs_memory = True

    def __init__(
        self,
        width: int,
        space: FieldSpec,
        *,
        pooling: tuple[ComponentConfig[Pooling], ...] = (configure(Pooling, "max"),),
        hidden: PositiveInt | None = None,
        dropout: DropoutRate = 0.0,
    ) -> None:
        super().__init__(width, space)
        self.pooling = nn.ModuleList(choice(width) for choice in pooling)
        self.uses_state = any(part.uses_state for part in self.pooling)
        self.drop = nn.Dropout(dropout)
        size = width * len(pooling)
        between = [nn.Linear(size, hidden), nn.ReLU(), nn.Dropout(dropout)] if hidden else []
        self.between = nn.Sequential(*between)
        self.out = nn.Linear(hidden or size, space.size)

    def answer(self, encoded: EncoderOutput) -> AnswerOutput:
        """logits [B, C]; weights [B, S] of the first pooling that has them."""
        pooled = [part(encoded) for part in self.pooling]
        vector = self.drop(torch.cat([one.vector for one in pooled], -1))
        weights = next((one.weights for one in pooled if one.weights is not None), None)
        return AnswerOutput(self.out(self.between(vector)), weights)

    def forward(self, encoded: EncoderOutput, batch: Batch, state: Any = None) -> HeadOutput:
        logits = self.answer(encoded).logits
        if len(batch.label_positions) < len(logits):  # a row whose label training does not have owes no answer
            logits = logits.index_select(0, batch.label_positions)
        return HeadOutput(logits)


class Tagger(Head, kind="tagger"):
    """One answer a position, which knows what comes before and after: Huang et al. 2015, https://arxiv.org/abs/1508.01991

    dropout  on the encoder's vectors
    """

    output_modalities = ("tags",)
    needs_memory = True

    def __init__(self, width: int, space: FieldSpec, *, dropout: DropoutRate = 0.0) -> None:
        super().__init__(width, space)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(width, space.size)

    def answer(self, encoded: EncoderOutput) -> AnswerOutput:
        return AnswerOutput(self.out(self.drop(encoded.memory)))

    def forward(self, encoded: EncoderOutput, batch: Batch, state: Any = None) -> HeadOutput:
        assert isinstance(batch.target, Padded)
        tags, positions = batch.target.data.shape[1], encoded.memory.shape[1]
        if tags > positions:
            hint = "let the encoder give a vector for every tag, as it does where a source has a word for each"
            raise DataError("target", f"has {tags} tags, and the encoder gives {positions} vectors", hint)
        memory: Tensor = encoded.memory[:, : batch.target.data.shape[1]]  # the end of the source has no tag
        return HeadOutput(self.out(self.drop(memory.flatten(0, 1).index_select(0, batch.label_positions))))
