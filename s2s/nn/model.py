"""One model class: what kind of model it is depends on the pair of encoder and head.

sequence to sequence            rnn + decoder, gnmt, luong, bahdanau    translation, chat
picture to sequence             cnn, timm, project + decoder            captions
nothing to sequence             none + language-model                   text, letter by letter or word by word
sequence or picture to vector   rnn, cnn, timm + classifier             classification
sequence to aligned sequence    rnn + tagger                            tags
"""

from typing import Any

from torch import Tensor, nn

from s2s.config import configure
from s2s.errors import RecipeError
from s2s.execution import ExecutionPath, PathKind
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head, HeadOutput
from s2s.nn.initialization import Initializer
from s2s.nn.stack import Stack
from s2s.registry import ComponentConfig
from s2s.tensors import Batch, EncoderOutput, FieldSpec, Padded, select


class Model(nn.Module):
    """output = model(batch): logits [N, V] at batch.label_positions, state, weights [B, T, S] or None."""

    def __init__(self, encoder: Encoder, head: Head) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, batch: Batch, state: Any = None) -> HeadOutput:
        encoded = self.encode(batch.source)
        if batch.source_index is not None:  # a picture with five captions is looked at once
            encoded = select(encoded, batch.source_index)
        return self.head(encoded, batch, state)

    def encode(self, source: Padded | Tensor) -> EncoderOutput:
        """What the head attends to; with a final state only if the head uses it."""
        try:
            return self.encoder(source, final_state=self.head.uses_state)
        except RecipeError as error:  # what only the data could tell
            raise error.at("model.encoder") from None

    def paths(self) -> list[ExecutionPath]:
        """How each recurrence runs over time; both sides, where there is none in either."""
        found = [*recurrences("encoder", self.encoder), *recurrences("head", self.head)]
        if found:
            return found
        sides = (("encoder", self.encoder), ("head", self.head))
        return [ExecutionPath(side, PathKind.UNRECURRENT, name_of(part)) for side, part in sides]


def recurrences(side: str, part: nn.Module) -> list[ExecutionPath]:
    """How each recurrence of one side runs over time: `encoder lstm fused`, `head lstm fused, step by step`."""
    stepwise = not getattr(part, "whole", True)
    stacks = [module for module in part.modules() if isinstance(module, Stack)]
    return [ExecutionPath(side, stack.path, stack.cell, stepwise) for stack in stacks]


def name_of(part: nn.Module) -> str:
    """The kind of a part as a recipe writes it."""
    kinds = getattr(part, "registry", {})
    return next((kind for kind, maker in kinds.items() if maker is type(part)), type(part).__name__)


def build_model(
    encoder: ComponentConfig[Encoder],
    head: ComponentConfig[Head],
    source: FieldSpec,
    target: FieldSpec,
    *,
    tied_embeddings: bool = False,
    initialization: ComponentConfig[Initializer] = configure(Initializer, "default"),
) -> Model:
    """Sizes flow one way: data -> encoder -> head. Raises RecipeError where parts do not fit.

    tied_embeddings  source and target share one embedding matrix: they must share their vocabulary and size
    """
    check_fits("model.encoder", encoder, Encoder, "reads", "source", source)
    check_fits("model.head", head, Head, "writes", "target", target)
    encoding = encoder.at("model.encoder")(source)
    if encoding.width == 0 and getattr(head.factory, "needs_memory", False):
        what = f"{head.kind} goes by what an encoder gives, and {encoder.kind} gives nothing"
        raise RecipeError("model.head", what, "choose an encoder, and a source for it to read")
    model = Model(encoding, head.at("model.head")(encoding.width, target))
    if tied_embeddings:
        tie_embeddings(model, source, target)
    initialization.at("model.initialization")(model)
    return model


def check_fits(where: str, part: ComponentConfig[Any], family: Any, verb: str, side: str, space: FieldSpec) -> None:
    """Does this part take data of that modality? If not, say which do."""
    attribute = "input_modalities" if side == "source" else "output_modalities"
    takes = getattr(part.factory, attribute, ())
    if space.modality not in takes:
        able = [kind for kind, cls in family.registry.items() if space.modality in getattr(cls, attribute, ())]
        raise RecipeError(
            where,
            f"{part.kind} {verb} {' or '.join(takes) or 'nothing'}, and the {side} is {space.modality}",
            f"those that {verb[:-1]} {space.modality}: {', '.join(able) or 'none yet'}",
        )


def tie_embeddings(model: Model, source: FieldSpec, target: FieldSpec) -> None:
    """One embedding matrix for both sides, and for the output if that is tied to the target's."""
    where, off = "model.tied_embeddings", "or turn it off: model.tied_embeddings=false"
    reads, writes = model.encoder.embedding(), model.head.embedding()
    if reads is None or writes is None:
        missing = "encoder" if reads is None else "head"
        raise RecipeError(where, f"the {missing} has no embedding to share", off[3:])
    if not source.vocabulary or source.vocabulary != target.vocabulary or source.size != target.size:
        raise RecipeError(
            where,
            f"source ({source.size:,} tokens) and target ({target.size:,} tokens) have vocabularies of their own",
            f"let both sides share the task's tokenizer, {off}",
        )
    if reads.embedding_dim != writes.embedding_dim:
        raise RecipeError(
            where,
            f"the encoder's embedding is {reads.embedding_dim} wide, the head's {writes.embedding_dim}",
            f"make model.encoder.embedding and model.head.embedding equal, {off}",
        )
    try:
        model.head.share_embedding(reads)
    except RecipeError as error:
        raise error.at(where) from None
