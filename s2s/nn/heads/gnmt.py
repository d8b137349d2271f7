"""GNMT's decoder: the recurrence is told what was attended to, and whole targets still go at once."""

from torch import Tensor

from s2s.nn.heads.decoder import Decoder, DecoderOutput, DecoderParts, DecoderState, ExtraInputs
from s2s.tensors import Memory


class GNMT(Decoder, kind="gnmt"):
    """The first layer queries the memory; the context joins the input of every layer above: Wu et al. 2016,
    https://arxiv.org/abs/1609.08144

    Needs two layers or more. The paper has residual connections between the upper layers: residual: true.
    """

    needs_attention = True
    fewest_layers = 2

    @staticmethod
    def joins(embedding: int, context: int, vector: int) -> ExtraInputs:
        return ExtraInputs(upper=context)

    def read(self: DecoderParts, x: Tensor, memory: Memory, state: DecoderState) -> DecoderOutput:
        found: list[tuple[Tensor, Tensor | None]] = []

        def look(h: Tensor) -> Tensor:
            found.append(self.attend(h, memory))
            return found[0][0]

        h, cells = self.stack(x, state.cells, look=look)
        context, weights = found[0]
        return DecoderOutput(self.readout(h, context), state._replace(cells=cells), weights)
