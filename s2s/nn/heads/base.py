"""Heads: what a model says about an encoding. The decoders, the largest, have files of their own."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

from s2s.errors import RecipeError
from s2s.nn.embedding import embedding_in
from s2s.registry import Registrable
from s2s.tensors import Batch, EncoderOutput, FieldSpec, Memory


class HeadOutput(NamedTuple):
    """What a head says about a batch of which the answers are known."""

    logits: Tensor  # [N, V], at batch.label_positions only: compare them with batch.labels
    state: Any = ()  # carries on from the last position, where there is such a thing
    weights: Tensor | None = None  # [B, T, S], where it looked
    penalty: Tensor | None = None  # [], a sum over the same answers that training adds to their loss


class StepOutput(NamedTuple):
    """What a decoder says after reading one more piece."""

    logits: Tensor  # [B, V]
    state: Any  # the same nest as was passed in
    weights: Tensor | None  # [B, S], where it looked; None without attention


StepFunction = Callable[[Tensor, Any, Any], StepOutput]  # step(ids [B], memory, state)


class AnswerOutput(NamedTuple):
    """What a head that chooses says about sources alone."""

    logits: Tensor  # [B, C], or [B, S, C] for one answer a position
    weights: Tensor | None = None  # [B, S], where it looked


class Head(nn.Module, Registrable):
    """output = head(encoded, batch, state). `output_modalities` says which targets it fits (tensors.FieldSpec).

    needs_memory  True where it can say nothing of an encoding without positions
    uses_state  False where the encoder need not work out how it ended
    """

    output_modalities: ClassVar[tuple[str, ...]] = ()
    needs_memory: ClassVar[bool] = False
    uses_state: bool = False

    def __init__(self, width: int, space: FieldSpec) -> None:
        super().__init__()

    def embedding(self) -> nn.Embedding | None:
        """Its part called `embed`, where that is one: it may be tied to the encoder's, and begin with word vectors."""
        return embedding_in(self)

    def share_embedding(self, embedding: nn.Embedding) -> None:
        """Use the matrix [V, E] of this one from now on. Raises RecipeError where a head cannot."""
        name = type(self).__name__
        raise RecipeError(
            "", f"{name} cannot share an embedding", f"give it share_embedding(), as {Head.__name__} says"
        )

    def forward(self, encoded: EncoderOutput, batch: Batch, state: Any = None) -> HeadOutput:
        raise NotImplementedError

    def answer(self, encoded: EncoderOutput) -> AnswerOutput:
        """What is chosen for each source: heads that name one thing an example, or one a position."""
        raise NotImplementedError(f"{type(self).__name__} does not choose")

    def start(self, encoded: EncoderOutput, state: Any = None) -> tuple[Memory, Any]:
        """Memory and first state for step(): heads that write a sequence have both."""
        raise NotImplementedError(f"{type(self).__name__} does not write step by step")

    def step(self, ids: Tensor, memory: Memory, state: Any) -> StepOutput:
        """The pieces just read [B] to logits [B, V] for the next."""
        raise NotImplementedError(f"{type(self).__name__} does not write step by step")
