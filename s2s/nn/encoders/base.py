"""Encoders: whatever the source is, one vector a position and how it ended."""

from typing import ClassVar

from torch import Tensor, nn

from s2s.nn.embedding import embedding_in
from s2s.registry import Registrable
from s2s.tensors import EncoderOutput, FieldSpec, Padded


class Encoder(nn.Module, Registrable):
    """encoded = encoder(source, final_state)

    source       Padded [B, S], or a tensor [B, ...] for one thing an example
    final_state  False where the head does not ask how it ended: encoded.state may then be ()

    `input_modalities` says which sources it takes (tensors.FieldSpec); `width` is M.
    """

    input_modalities: ClassVar[tuple[str, ...]] = ()
    width: int

    def __init__(self, space: FieldSpec) -> None:
        super().__init__()

    def forward(self, source: Padded | Tensor, final_state: bool = True) -> EncoderOutput:
        raise NotImplementedError

    def embedding(self) -> nn.Embedding | None:
        """Its part called `embed`, where that is one: it may be tied to the head's, and begin with word vectors."""
        return embedding_in(self)

    def begin(self) -> list[str]:
        """Fetch weights that were learned elsewhere, once, when a run begins; what to say about it, in lines."""
        return []
