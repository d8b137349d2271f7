"""How a model is computed, as values to decide by: in which numbers, and which way each of its parts goes over time.

ExecutionPath("encoder", PathKind.FUSED, "lstm")                    # str(): encoder lstm fused
ExecutionPath("head", PathKind.PLAIN, reason="cell rnn has ...")    # str(): head plain: cell rnn has ...
"""

from dataclasses import dataclass
from enum import StrEnum


class NumberFormat(StrEnum):
    """What layers compute in. int8 is for writing only: weights of 8 bits, and all else in 32."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"
    INT8 = "int8"


class PathKind(StrEnum):
    """How one part goes from position to position."""

    FUSED = "fused"  # torch's kernels: one for a whole sequence, and one for a step
    LOOPED = "looped"  # a cell that is a Python loop over time
    PREPARED = "prepared"  # compiled for writing (s2s/inference): tables, merged matrices, native steps
    BF16 = "prepared bf16"  # the same, with products of 16 bits
    INT8 = "prepared int8"  # the same, with weights of 8 bits
    PLAIN = "plain"  # writes by the layers of training, one by one, though this device has a faster way for others
    UNRECURRENT = "without recurrence"  # no cells of ours in it: nothing to say about time


@dataclass(frozen=True)
class ExecutionPath:
    """The way of one part of a model.

    side      encoder or head
    part      what it is: the kind of its cells
    stepwise  the part itself loops over positions where whole targets are given: a decoder that feeds back
    reason    why this way and no faster one, in one line
    """

    side: str
    kind: PathKind
    part: str = ""
    stepwise: bool = False
    reason: str = ""

    @property
    def loops(self) -> bool:
        """Does it read a sequence that is all there in a Python loop?"""
        return self.stepwise or self.kind is PathKind.LOOPED

    @property
    def slow_to_write(self) -> bool:
        """Is there a faster way on this device, for models that are made for it? Everything writes step by step."""
        return self.kind in (PathKind.LOOPED, PathKind.PLAIN)

    def __str__(self) -> str:
        words = " ".join(word for word in (self.side, self.part, self.kind.value) if word)
        return words + (", step by step" if self.stepwise else "") + (f": {self.reason}" if self.reason else "")
