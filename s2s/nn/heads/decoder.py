"""Decoders: heads that write a sequence, looking back at the source. What they share, and the default one.

decoder   attention after the recurrence: whole targets at once     this file
gnmt      attention between the first layer and those above         gnmt.py
luong     attention after the recurrence, fed back to the next step input_feeding.py
bahdanau  attention before the recurrence                           input_feeding.py
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from s2s.config import configure
from s2s.errors import RecipeError
from s2s.nn.attention import Attention
from s2s.nn.bridge import Bridge
from s2s.nn.cells import Cell
from s2s.nn.dropout import Dropout, DropoutRate
from s2s.nn.embedding import Embedding
from s2s.nn.heads.base import Head, HeadOutput, StepOutput
from s2s.nn.stack import Stack
from s2s.registry import ComponentConfig, NonNegativeFloat, PositiveInt
from s2s.tensors import BOS, Batch, EncoderOutput, FieldSpec, Memory, Padded, State


class DecoderState(NamedTuple):
    """All that changes as a decoder writes; batch first, so select() reorders hypotheses."""

    cells: State  # parts x [B, L, H]
    feed: Tensor  # [B, 1, P], the last vector, where it is fed back; [B, 1, 0] where not


class DecoderOutput(NamedTuple):
    """What run() gives: one vector a position, ready for dropout and projection."""

    vectors: Tensor  # [B, Q, P]
    state: DecoderState  # after the last position
    weights: Tensor | None  # [B, Q, S]


class ExtraInputs(NamedTuple):
    """Where more than the usual comes in: the width of what joins, 0 for nothing."""

    first: int = 0  # the input of the first layer, beside the embedding
    upper: int = 0  # the input of every other layer
    readout: int = 0  # the readout, beside the state and the context
    feed: int = 0  # DecoderState.feed


class OverTime(Protocol):
    """A Stack, or what stands in for one that takes a single step."""

    def draw(self, x: Tensor) -> Any:
        """Dropout masks to keep through a loop over positions."""

    def __call__(
        self,
        x: Tensor,
        state: State,
        *,
        masks: Any = None,
        look: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Tensor, State]: ...


class DecoderParts(Protocol):
    """All that read() may touch. A decoder has it, and so has what takes its place for writing (s2s/inference/step.py):
    read() then runs on that, with x of one position, so that how the parts are wired is said once."""

    @property
    def stack(self) -> OverTime: ...

    def attend(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor | None]:
        """context [B, Q, M] and weights [B, Q, S]"""

    def readout(self, *parts: Tensor) -> Tensor:
        """[B, Q, *] each -> [B, Q, P]"""


class Decoder(Head):
    """output = decoder(encoded, batch); to write freely:

    memory, state = decoder.start(encoded)
    output = decoder.step(ids [B], memory, state)        # .logits [B, V], .state, .weights [B, S] or None

    What it says at a position is W tanh(R [state; context]): P is `hidden`, or `embedding` when tied_output.
    A member gives read(), and joins() where it wires its parts differently.

    attention     null for none: the decoder then knows the source by its first state alone
    dropout       on embeddings, between layers, and before the projection; locked keeps one mask for a target
    word_dropout  share of positions whose embedding is zeroed: Bowman et al. 2016, https://arxiv.org/abs/1511.06349
    bridge        how the first state comes from the encoder
    tied_output   the output matrix is the embedding: Press & Wolf 2017, https://arxiv.org/abs/1608.05859
    look_everywhere  weight of a penalty on places of the source that were looked at too little or too much over a
                  whole target, (1 - sum_t a_t)^2 each: Xu et al. 2015, https://arxiv.org/abs/1502.03044
    residual, layer_norm: see Stack
    """

    output_modalities = ("ids",)
    needs_attention: ClassVar[bool] = False
    fewest_layers: ClassVar[int] = 1
    whole: ClassVar[bool] = True  # reads whole targets at once in training, without a loop of its own

    def __init__(
        self,
        width: int,
        space: FieldSpec,
        *,
        cell: ComponentConfig[Cell] = configure(Cell, "lstm"),
        attention: ComponentConfig[Attention] | None = configure(Attention, "general"),
        embedding: PositiveInt = 256,
        hidden: PositiveInt = 512,
        layers: PositiveInt = 1,
        dropout: DropoutRate = 0.0,
        locked: bool = False,
        word_dropout: DropoutRate = 0.0,
        residual: bool = False,
        layer_norm: bool = False,
        bridge: ComponentConfig[Bridge] = configure(Bridge, "mean"),
        tied_output: bool = False,
        look_everywhere: NonNegativeFloat = 0.0,
    ) -> None:
        super().__init__(width, space)
        self._check(attention, layers)
        self.look_everywhere = look_everywhere
        size = embedding if tied_output else hidden  # P
        context = width if attention else 0
        joins = self.joins(embedding, context, size)
        self.feed, self.tied_output = joins.feed, tied_output
        self.embed = Embedding(space.size, embedding, word_dropout)
        self.stack = Stack(
            cell,
            embedding + joins.first,
            hidden,
            layers,
            dropout=dropout,
            locked=locked,
            residual=residual,
            layer_norm=layer_norm,
            beside=joins.upper,
        )
        self.attention = attention(hidden, width) if attention else None
        self.bridge = bridge(width, hidden, self.stack.parts, layers)
        self.uses_state = self.bridge.uses_state
        self.combine = nn.Linear(hidden + context + joins.readout, size)
        self.drop = Dropout(dropout, locked)
        self.out = nn.Linear(size, space.size)
        if tied_output:
            self.out.weight = self.embed.weight

    @staticmethod
    def joins(embedding: int, context: int, vector: int) -> ExtraInputs:
        """What comes in beside the usual, in terms of E, M (0 without attention) and P."""
        return ExtraInputs()

    def read(self: DecoderParts, x: Tensor, memory: Memory, state: DecoderState) -> DecoderOutput:
        """Embeddings [B, Q, E] of all of a target, or of one step, to vectors, by no other parts than these."""
        raise NotImplementedError

    def share_embedding(self, embedding: nn.Embedding) -> None:
        """For the output too, when that is tied."""
        self.embed.weight = embedding.weight
        if self.tied_output:
            self.out.weight = embedding.weight

    def start(self, encoded: EncoderOutput, state: DecoderState | None = None) -> tuple[Memory, DecoderState]:
        """What it attends to, and its first state (or the one given, of a target that goes on)."""
        nothing = encoded.memory[..., :0]  # nobody looks: do not let a search carry it along
        memory = self.attention.remember(encoded) if self.attention else Memory(nothing, nothing, encoded.valid)
        memory = memory._replace(sequence=encoded.sequence)
        if state is None:
            feed = encoded.memory.new_zeros(len(encoded.memory), 1, self.feed)
            state = DecoderState(self.bridge(encoded), feed)
        return memory, state

    def step(self, ids: Tensor, memory: Memory, state: DecoderState) -> StepOutput:
        """The pieces just read [B] to logits [B, V] for the next."""
        output = self.run(ids[:, None], memory, state)
        weights = None if output.weights is None else output.weights[:, 0]
        return StepOutput(self.out(self.drop(output.vectors)[:, 0]), output.state, weights)

    def forward(self, encoded: EncoderOutput, batch: Batch, state: DecoderState | None = None) -> HeadOutput:
        assert isinstance(batch.target, Padded)
        memory, state = self.start(encoded, state)
        output = self.run(shift_right(batch.target.data, batch.start_ids), memory, state)
        # the largest product of all: at real positions only, in one call
        vectors = self.drop(output.vectors).flatten(0, 1).index_select(0, batch.label_positions)
        penalty = self.penalty(output.weights, batch.target, memory)
        return HeadOutput(self.out(vectors), output.state, output.weights, penalty)

    def penalty(self, weights: Tensor | None, target: Padded, memory: Memory) -> Tensor | None:
        """A sum over sentences, for training only."""
        if not (self.training and self.look_everywhere) or weights is None:
            return None
        looked = (weights.float() * target.valid[..., None]).sum(1)  # [B, S]
        return self.look_everywhere * torch.where(memory.valid, 1 - looked, 0.0).square().sum()

    def run(self, ids: Tensor, memory: Memory, state: DecoderState) -> DecoderOutput:
        """ids [B, Q]: all of a target at once, or one step of it."""
        return self.read(self.drop(self.embed(ids)), memory, state)

    def attend(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor | None]:
        """context [B, Q, M] and weights [B, Q, S]; without attention [B, Q, 0] and None.

        Of a memory with fewer rows, each serves several rows of the query that follow one another.
        """
        if self.attention is None:
            return query[..., :0], None
        if len(query) == len(memory.valid):
            return self.attention(query, memory)
        context, weights = self.attention(query.view(len(memory.valid), -1, query.shape[-1]), memory)
        return context.reshape(len(query), 1, -1), weights.reshape(len(query), 1, -1)

    def readout(self, *parts: Tensor) -> Tensor:
        """State, context and what else a member joins to them: [B, Q, *] each -> [B, Q, P]"""
        return self.combine(torch.cat(parts, -1)).tanh()

    def _check(self, attention: ComponentConfig[Attention] | None, layers: int) -> None:
        kind = type(self).__name__.lower()
        if self.needs_attention and attention is None:
            raise RecipeError(
                "attention",
                f"{kind} needs attention, found null",
                f"use one of: {', '.join(Attention.registry)}; or the kind decoder, which can do without",
            )
        if layers < self.fewest_layers:
            raise RecipeError(
                "layers",
                f"{kind} needs {self.fewest_layers} layers or more, found {layers}",
                f"use layers: {self.fewest_layers}, or the kind decoder",
            )


class AttentionDecoder(Decoder, kind="decoder"):
    """Attention after the recurrence, without feeding back: whole targets in one fused call, the fastest to train.

    Luong et al. 2015, https://arxiv.org/abs/1508.04025, without input feeding
    """

    def read(self: DecoderParts, x: Tensor, memory: Memory, state: DecoderState) -> DecoderOutput:
        h, cells = self.stack(x, state.cells)
        context, weights = self.attend(h, memory)
        return DecoderOutput(self.readout(h, context), state._replace(cells=cells), weights)


def shift_right(target: Tensor, first: Tensor | None = None) -> Tensor:
    """y1 .. yT -> BOS y1 .. yT-1 [B, T]: what the decoder has read when it must say yt.

    first  [B], what stands there in place of BOS, in a text that goes on
    """
    before = torch.full_like(target[:, :1], BOS) if first is None else first[:, None]
    return torch.cat([before, target[:, :-1]], 1)
