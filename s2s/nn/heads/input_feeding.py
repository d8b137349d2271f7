"""Decoders in which a step needs the one before it: in training too they go step by step, which is slower."""

import torch
from torch import Tensor

from s2s.nn.heads.decoder import Decoder, DecoderOutput, DecoderParts, DecoderState, ExtraInputs
from s2s.tensors import Memory


class InputFeedingDecoder(Decoder, kind="luong"):
    """Input feeding: what one step settled on joins the input of the next: Luong et al. 2015,
    https://arxiv.org/abs/1508.04025"""

    whole = False

    @staticmethod
    def joins(embedding: int, context: int, vector: int) -> ExtraInputs:
        return ExtraInputs(first=vector, feed=vector)

    def read(self: DecoderParts, x: Tensor, memory: Memory, state: DecoderState) -> DecoderOutput:
        cells, feed = state
        masks = self.stack.draw(x)
        vectors: list[Tensor] = []
        looks: list[Tensor | None] = []
        for now in x.split(1, dim=1):
            h, cells = self.stack(torch.cat([now, feed], -1), cells, masks=masks)
            context, weights = self.attend(h, memory)
            feed = self.readout(h, context)
            vectors.append(feed)
            looks.append(weights)
        return DecoderOutput(torch.cat(vectors, 1), DecoderState(cells, feed), joined(looks))


class Bahdanau(Decoder, kind="bahdanau"):
    """The last state queries the memory, the context joins the cell's input, and the readout sees state, context
    and embedding: Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473, with tanh where they have maxout.

    The paper's own is cell: gru, attention: additive, bridge: linear.
    """

    needs_attention = True
    whole = False

    @staticmethod
    def joins(embedding: int, context: int, vector: int) -> ExtraInputs:
        return ExtraInputs(first=context, readout=embedding)

    def read(self: DecoderParts, x: Tensor, memory: Memory, state: DecoderState) -> DecoderOutput:
        cells = state.cells
        masks = self.stack.draw(x)
        hs: list[Tensor] = []
        contexts: list[Tensor] = []
        looks: list[Tensor | None] = []
        for now in x.split(1, dim=1):
            context, weights = self.attend(cells[0][:, -1:], memory)
            h, cells = self.stack(torch.cat([now, context], -1), cells, masks=masks)
            hs.append(h)
            contexts.append(context)
            looks.append(weights)
        vectors = self.readout(torch.cat(hs, 1), torch.cat(contexts, 1), x)  # nothing feeds it back: all at once
        return DecoderOutput(vectors, state._replace(cells=cells), joined(looks))


def joined(weights: list[Tensor | None]) -> Tensor | None:
    """T x [B, 1, S] -> [B, T, S]; None without attention."""
    found = [w for w in weights if w is not None]
    return torch.cat(found, 1) if found else None
