"""The encoder of vectors that others computed: one projection."""

import torch
from torch import Tensor, nn

from s2s.nn.dropout import DropoutRate
from s2s.nn.encoders.base import Encoder
from s2s.registry import PositiveInt
from s2s.tensors import EncoderOutput, FieldSpec, Padded


class Project(Encoder, kind="project"):
    """tanh(W x): one place for a vector, or one for each of several: Vinyals et al. 2015, https://arxiv.org/abs/1411.4555

    width    M
    dropout  on the memory
    """

    input_modalities = ("vector", "vectors")

    def __init__(self, space: FieldSpec, *, width: PositiveInt = 256, dropout: DropoutRate = 0.0) -> None:
        super().__init__(space)
        self.width = width
        self.map = nn.Linear(space.size, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, source: Padded | Tensor, final_state: bool = True) -> EncoderOutput:
        if isinstance(source, Padded):
            memory, valid = self.drop(self.map(source.data).tanh()), source.valid
        else:
            memory = self.drop(self.map(source).tanh())[:, None]
            valid = torch.ones(memory.shape[:2], dtype=torch.bool, device=memory.device)
        weight = valid[..., None].to(memory.dtype)
        mean = (memory * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp(min=1)
        return EncoderOutput(memory, valid, (mean,) if final_state else (), sequence=isinstance(source, Padded))
