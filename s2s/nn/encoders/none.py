"""The encoder of a model without a source: a decoder behind it is a language model."""

import torch
from torch import Tensor

from s2s.nn.encoders.base import Encoder
from s2s.tensors import EncoderOutput, Padded


class NoEncoder(Encoder, kind="none"):
    """Reads nothing, and has nothing to look at: what comes next depends on what was written alone. Mikolov et al.
    2010, https://doi.org/10.21437/Interspeech.2010-343"""

    input_modalities = ("nothing",)
    width = 0

    def forward(self, source: Padded | Tensor, final_state: bool = True) -> EncoderOutput:
        assert isinstance(source, Tensor)
        rows = len(source)
        return EncoderOutput(source.new_zeros(rows, 0, 0), torch.zeros(rows, 0, dtype=torch.bool, device=source.device))
