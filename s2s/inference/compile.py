"""One function: a model, as fast as this machine can write with it.

    fast = compile_for_inference(model.eval())                  # or (model, NumberFormat.INT8)
    memory, state = model.head.start(fast.encode(source))
    output = fast.step(ids, memory, state)                      # what model.head.step gives

Weights are copied: compile again where training goes on.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from s2s.execution import ExecutionPath, NumberFormat, PathKind
from s2s.inference.encoder import in_int8
from s2s.inference.native import linear as native
from s2s.inference.step import compile_step, fast_path_unavailable
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head, StepFunction
from s2s.nn.model import Model, recurrences
from s2s.tensors import EncoderOutput, Padded

COMPILED = {
    NumberFormat.FP32: PathKind.PREPARED,
    NumberFormat.BF16: PathKind.BF16,
    NumberFormat.INT8: PathKind.INT8,
}


class InferenceModel(NamedTuple):
    """A model ready to write: what Model.encode() and Head.step() give, as fast as this machine can."""

    encode: Callable[[Padded | Tensor], EncoderOutput]
    step: StepFunction
    paths: list[ExecutionPath]  # of the encoder's recurrences, and of the head


def compile_for_inference(model: Model, precision: NumberFormat | None = None) -> InferenceModel:
    """The model as decoding uses it, while the weights stay as they are.

    precision  what it will compute in; None asks autocast, as it is where this is called. Autocast is the caller's
               affair for what is not compiled. INT8 takes native kernels: without them all is computed in 32 bits.
    """
    device = next(model.parameters()).device
    precision = precision or ambient_format(device)
    why_not = native.int8_unavailable() if precision is NumberFormat.INT8 else ""
    if why_not:
        precision = NumberFormat.FP32
    encoder: Encoder = in_int8(model.encoder) if precision is NumberFormat.INT8 else model.encoder
    uses_state = model.head.uses_state

    def encode(source: Padded | Tensor) -> EncoderOutput:
        return encoder(source, final_state=uses_state)

    slow = "layers compute in fp16" if precision is NumberFormat.FP16 else fast_path_unavailable(model.head)
    step = model.head.step if slow else compile_step(model.head, precision)
    return InferenceModel(
        encode, step, [*recurrences("encoder", encoder), *ways(model.head, device, slow, precision, why_not)]
    )


def ways(head: Head, device: torch.device, slow: str, precision: NumberFormat, no_int8: str) -> list[ExecutionPath]:
    """Which way a head writes. Off the CPU torch's kernels are the fast way, so that cells alone decide."""
    if not slow:
        kind = COMPILED[precision]
        return [ExecutionPath("head", kind, reason=f"no weights of 8 bits, {no_int8}" if no_int8 else "")]
    if device.type == "cpu":
        return [ExecutionPath("head", PathKind.PLAIN, reason=slow)]
    return recurrences("head", head) or [
        ExecutionPath("head", PathKind.PLAIN, reason=f"{type(head).__name__} has no cells")
    ]


def ambient_format(device: torch.device) -> NumberFormat:
    """What autocast would have layers compute in just now."""
    if not (torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type)):
        return NumberFormat.FP32
    half = torch.get_autocast_dtype(device.type)
    return NumberFormat.FP16 if half == torch.float16 else NumberFormat.BF16
