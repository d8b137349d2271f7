"""The head of a language model: a recurrence and a projection, with the regularization that makes one good.

Merity et al. 2018 (AWD-LSTM), https://arxiv.org/abs/1708.02182, is this with

    cell: {kind: lstm, weight_drop: 0.5}, locked: true, type_dropout: 0.1, activation: 2, slowness: 1, tied_output: true
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s.config import configure
from s2s.errors import RecipeError
from s2s.nn.cells import Cell
from s2s.nn.dropout import Dropout, DropoutRate
from s2s.nn.embedding import Embedding
from s2s.nn.heads.base import Head, HeadOutput, StepOutput
from s2s.nn.heads.decoder import shift_right
from s2s.nn.stack import Stack
from s2s.registry import ComponentConfig, NonNegativeFloat, PositiveInt
from s2s.tensors import Batch, EncoderOutput, FieldSpec, Memory, Padded, State


class LanguageModel(Head, kind="language-model"):
    """output = head(encoded, batch, state): what comes next, W h, without looking at any source.

    Its state goes on from batch to batch where a text does: Mikolov et al. 2010,
    https://doi.org/10.21437/Interspeech.2010-343

    embedding     null reads ids as one-hot vectors
    dropout       on embeddings, between layers, and before the projection; locked keeps one mask for a whole chunk
    type_dropout  share of tokens that are unknown wherever they stand in a batch: Gal & Ghahramani 2016,
                  https://arxiv.org/abs/1512.05287
    activation    weight of a penalty on large outputs
    slowness      weight of a penalty on outputs that change fast; for both see Merity et al. 2017,
                  https://arxiv.org/abs/1708.01009
    tied_output   the output matrix is the embedding, which must be as wide as the last layer
    residual, layer_norm: see Stack
    """

    output_modalities = ("ids",)
    whole = True

    def __init__(
        self,
        width: int,
        space: FieldSpec,
        *,
        cell: ComponentConfig[Cell] = configure(Cell, "lstm"),
        embedding: PositiveInt | None = 128,
        hidden: PositiveInt = 512,
        layers: PositiveInt = 1,
        dropout: DropoutRate = 0.0,
        locked: bool = False,
        word_dropout: DropoutRate = 0.0,
        type_dropout: DropoutRate = 0.0,
        activation: NonNegativeFloat = 0.0,
        slowness: NonNegativeFloat = 0.0,
        tied_output: bool = False,
        residual: bool = False,
        layer_norm: bool = False,
    ) -> None:
        super().__init__(width, space)
        if tied_output and embedding != hidden:
            raise RecipeError(
                "tied_output",
                f"needs an embedding as wide as the last layer: {embedding} is not {hidden}",
                f"use embedding: {hidden}, or tied_output: false",
            )
        self.size, self.activation, self.slowness = space.size, activation, slowness
        self.embed = Embedding(space.size, embedding, word_dropout, type_dropout) if embedding else None
        self.drop = Dropout(dropout, locked)
        self.stack = Stack(
            cell,
            embedding or space.size,
            hidden,
            layers,
            dropout=dropout,
            locked=locked,
            residual=residual,
            layer_norm=layer_norm,
        )
        self.out = nn.Linear(hidden, space.size)
        if tied_output and self.embed is not None:
            self.out.weight = self.embed.weight

    def start(self, encoded: EncoderOutput, state: State | None = None) -> tuple[Memory, State]:
        """Nothing to look at, and zeros, or the state given."""
        memory = Memory(encoded.memory, encoded.memory, encoded.valid)
        if state is None:
            zeros = self.out.weight.new_zeros(len(encoded.valid), self.stack.layers, self.stack.hidden)
            state = (zeros,) * self.stack.parts
        return memory, state

    def step(self, ids: Tensor, memory: Memory, state: State) -> StepOutput:
        """The pieces just read [B] to logits [B, V] for the next."""
        outputs, state = self.stack(self.read(ids[:, None]), state)
        return StepOutput(self.out(self.drop(outputs)[:, 0]), state, None)

    def forward(self, encoded: EncoderOutput, batch: Batch, state: Any = None) -> HeadOutput:
        assert isinstance(batch.target, Padded)
        _, state = self.start(encoded, state)
        outputs, state = self.stack(self.read(shift_right(batch.target.data, batch.start_ids)), state)
        vectors = self.drop(outputs)
        real = vectors.flatten(0, 1).index_select(0, batch.label_positions)
        return HeadOutput(self.out(real), state, penalty=self.penalty(outputs, real, batch.target.valid))

    def read(self, ids: Tensor) -> Tensor:
        """[B, T] to vectors [B, T, E]."""
        if self.embed is None:
            return F.one_hot(ids, self.size).to(self.out.weight.dtype)
        return self.drop(self.embed(ids))

    def penalty(self, outputs: Tensor, real: Tensor, valid: Tensor) -> Tensor | None:
        """Sums over positions of mean squares: of what is projected [N, H], and of how outputs [B, T, H] change."""
        if not self.training or not (self.activation or self.slowness):
            return None
        change = (outputs[:, 1:] - outputs[:, :-1]).float().square().mean(-1)
        total = self.activation * real.float().square().mean(-1).sum()
        return total + self.slowness * torch.where(valid[:, 1:], change, 0.0).sum()
