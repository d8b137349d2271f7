"""Steps of a recurrence with all worked out beforehand that does not depend on what is written.

    stack = InferenceStack(head.stack, vectors)     # h [B, 1, H], cells = stack(stack.look_up(ids [B]), cells)
    step = compile_step(head)                       # StepOutput = step(ids [B], memory, state), as Head.step

What the first layer makes of a piece is looked up in a table, its input weights times every embedding; for the
layers above, and whatever else comes in, input and recurrent weights are one matrix. Weights are copied: compile
again where training goes on.

A decoder of one's own, whose read() keeps to what nn/heads/decoder.py says it may touch, joins by naming itself:

    from s2s.inference.step import WIRINGS, Wiring
    WIRINGS[Mine] = Wiring()
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from s2s.execution import NumberFormat
from s2s.inference.linear import make_linear, make_lstm
from s2s.nn.cells import GRU, LSTM
from s2s.nn.heads.base import Head, StepFunction, StepOutput
from s2s.nn.heads.decoder import AttentionDecoder, Decoder
from s2s.nn.heads.gnmt import GNMT
from s2s.nn.heads.input_feeding import Bahdanau, InputFeedingDecoder
from s2s.nn.heads.language_model import LanguageModel
from s2s.nn.stack import Stack
from s2s.tensors import State

LARGEST = 1 << 26  # numbers in the table: 256 MiB


class Wiring(NamedTuple):
    """What there is to know of a kind of decoder before its read() may run on compiled parts.

    tabled  the embedding goes into the first layer and nowhere else
    """

    tabled: bool = True


# By the very class: who inherits from one may wire its parts in another way.
WIRINGS: dict[type[Decoder], Wiring] = {
    AttentionDecoder: Wiring(),
    GNMT: Wiring(),
    InputFeedingDecoder: Wiring(),
    Bahdanau: Wiring(tabled=False),
}


def fast_path_unavailable(head: nn.Module) -> str:
    """Why compile_step() has nothing better than head.step(), in one line, or ""."""
    if isinstance(head, LanguageModel):
        if type(head).read is not LanguageModel.read or type(head).step is not LanguageModel.step:
            return f"{type(head).__name__} is wired in a way of its own"
        return step_unavailable(head.stack, head.size)
    if not isinstance(head, Decoder):
        return f"{type(head).__name__} has no prepared step"
    if type(head) not in WIRINGS:
        return f"{type(head).__name__} is wired in a way of its own"
    return step_unavailable(head.stack, head.embed.num_embeddings)


def step_unavailable(stack: Stack, size: int) -> str:
    """Why the steps of a stack cannot be prepared, or ""; `size` is V."""
    weight = next(stack.parameters())
    if stack.training:
        return "it is in training"
    if weight.device.type != "cpu" or weight.dtype != torch.float32:
        return f"weights are {weight.dtype} on {weight.device.type}, and it is for 32 bits on a CPU"
    if any(type(cell) not in STEPS for cell in stack.cells):
        return f"cell {stack.cell} has no prepared step"
    if stack.residual or len(stack.norms) or stack.ways != 1:
        return "something stands between layers: residual, layer_norm"
    if size * 4 * stack.width > LARGEST:
        return f"a table of {size:,} tokens would not fit into {LARGEST >> 18} MiB"
    return ""


def compile_step(head: Head, format: NumberFormat = NumberFormat.FP32) -> StepFunction:
    """A faster head.step() that gives the same, while the weights stay as they are.

    format  FP32, BF16, or INT8 for weights of 8 bits
    """
    assert not fast_path_unavailable(head)
    return LanguageModelStep(head, format) if isinstance(head, LanguageModel) else DecoderStep(head, format)  # type: ignore[arg-type]


class LSTMStep:
    """state = step(x [B, I] or None, state, base [B, 4H] or None): one layer, one position.

    x        what is multiplied; base takes the place of the bias, with whatever of the input is worked out already
    kept     the columns of the input weights that are multiplied
    bounded  no number of x exceeds 1
    """

    gates = 4

    def __init__(self, cell: Any, kept: slice, biased: bool, bounded: bool, format: NumberFormat) -> None:
        core, self.hidden = cell.core, cell.hidden
        order = torch.arange(4 * self.hidden).view(4, -1)[[0, 1, 3, 2]].flatten()  # the tanh gate last
        self.inputs, self.bias = core.weight_ih_l0[order], (core.bias_ih_l0 + core.bias_hh_l0)[order]
        weight = torch.cat([core.weight_hh_l0[order], self.inputs[:, kept]], 1)
        bias = self.bias if biased else None
        self.fused = make_lstm(weight, bias, format=format, bounded=bounded)
        if self.fused is None:
            self.multiply = make_linear(weight, bias, format=format, bounded=bounded)

    def __call__(self, x: Tensor | None, state: State, base: Tensor | None) -> State:
        h, c = state
        x = h if x is None else torch.cat([h, x], 1)
        if self.fused is not None:
            return self.fused(x, c, base)
        gates = self.multiply(x, base)
        i, f, o = gates[:, : 3 * self.hidden].sigmoid_().chunk(3, 1)
        c = torch.addcmul(f * c, i, gates[:, 3 * self.hidden :].tanh_())
        return o * c.tanh(), c


class GRUStep:
    """The same for a gru, whose reset gate stands between the two products; base is [B, 3H]."""

    gates = 3

    def __init__(self, cell: Any, kept: slice, biased: bool, bounded: bool, format: NumberFormat) -> None:
        core, self.hidden = cell.core, cell.hidden
        inside = torch.arange(3 * self.hidden) >= 2 * self.hidden  # its bias stays within the reset
        self.inputs, self.bias = core.weight_ih_l0, core.bias_ih_l0 + core.bias_hh_l0.masked_fill(inside, 0)
        bias = core.bias_hh_l0.masked_fill(~inside, 0)
        self.recurrent = make_linear(core.weight_hh_l0, bias, format=format, bounded=True)
        columns, bias = self.inputs[:, kept], self.bias if biased else None
        some = columns.shape[1] > 0
        self.multiply = make_linear(columns, bias, format=format, bounded=bounded) if some else None

    def __call__(self, x: Tensor | None, state: State, base: Tensor | None) -> State:
        (h,) = state
        given = base if self.multiply is None or x is None else self.multiply(x, base)
        assert given is not None
        inner, size = self.recurrent(h), 2 * self.hidden
        r, z = (given[:, :size] + inner[:, :size]).sigmoid_().chunk(2, 1)
        n = torch.addcmul(given[:, size:], r, inner[:, size:]).tanh_()
        return (torch.lerp(n, h, z),)


STEPS: dict[type, Callable[..., Any]] = {LSTM: LSTMStep, GRU: GRUStep}


class InferenceStack:
    """h [B, 1, H], state = stack(x, state, look=look), as a Stack does one position.

    x     look_up(ids), and behind it whatever joins the input of the first layer: [B, 1, *]
    vectors  [V, E], what the first layer reads for each piece; None for one-hot vectors
    tabled   False: look_up() gives the vectors themselves, for a decoder that needs them elsewhere too
    """

    @torch.no_grad()
    def __init__(
        self,
        stack: Stack,
        vectors: Tensor | None,
        *,
        tabled: bool = True,
        format: NumberFormat = NumberFormat.FP32,
    ) -> None:
        first, *upper = stack.cells
        of = STEPS[type(first)]
        width = len(vectors.t()) if vectors is not None else first.inputs
        alone = tabled and width == first.inputs  # nothing but the old state is left to multiply
        lower = of(first, slice(width if tabled else 0, None), not tabled, alone, format)
        self.steps = [lower, *(of(cell, slice(None), True, not stack.beside, format) for cell in upper)]
        self.width = lower.gates * stack.hidden if tabled else 0
        self.table = vectors
        if tabled:
            weight = lower.inputs[:, :width].t()
            self.table = (weight if vectors is None else vectors @ weight) + lower.bias  # [V, gates * H]

    def look_up(self, ids: Tensor) -> Tensor:
        """[B] -> [B, 1, *]"""
        assert self.table is not None
        return self.table[ids][:, None]

    def draw(self, x: Tensor) -> None:
        """No dropout masks: there is no dropout."""

    def __call__(
        self,
        x: Tensor,
        state: State,
        *,
        masks: Sequence[Tensor] | None = None,
        look: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Tensor, State]:
        given = x[:, 0]
        base = given[:, : self.width] if self.width else None
        inputs: Tensor | None = given[:, self.width :] if given.shape[1] > self.width else None
        beside: Tensor | None = None
        ends: list[State] = []
        starts = zip(*(part.float().unbind(1) for part in state), strict=True)  # a bridge may compute in 16 bits
        for layer, (step, start) in enumerate(zip(self.steps, starts, strict=True)):
            end = step(inputs, start, base)
            ends.append(end)
            inputs, base = end[0], None
            if layer == 0 and look is not None:
                beside = look(inputs[:, None])[:, 0]
            if beside is not None and layer + 1 < len(self.steps):
                inputs = torch.cat([inputs, beside], 1)
        if len(ends) == 1:
            return ends[0][0][:, None], tuple(part[:, None] for part in ends[0])
        return ends[-1][0][:, None], tuple(torch.stack(part, 1) for part in zip(*ends, strict=True))


class DecoderStep:
    """StepOutput = step(ids [N], memory, state): what Decoder.step gives, sooner.

    How the parts are wired is said once, in the read() of each decoder, which runs here on compiled parts: this is
    its DecoderParts. The memory may have fewer rows than there are ids: each then serves as many hypotheses of one
    source, side by side.
    """

    shares_memory = True

    def __init__(self, decoder: Decoder, format: NumberFormat = NumberFormat.FP32) -> None:
        self.read, self.attend = type(decoder).read, decoder.attend
        tabled = WIRINGS[type(decoder)].tabled
        self.stack = InferenceStack(decoder.stack, decoder.embed.weight, tabled=tabled, format=format)
        self.combine = make_linear(decoder.combine.weight, decoder.combine.bias, format=format)
        self.out = make_linear(decoder.out.weight, decoder.out.bias, format=format, bounded=True)

    @torch.no_grad()
    def __call__(self, ids: Tensor, memory: Any, state: Any) -> StepOutput:
        output = self.read(self, self.stack.look_up(ids), memory, state)
        weights = None if output.weights is None else output.weights[:, 0]
        return StepOutput(self.out(output.vectors[:, 0]), output.state, weights)

    def readout(self, *parts: Tensor) -> Tensor:
        """As the decoder's own, for one position: [B, 1, *] each -> [B, 1, P]"""
        return self.combine(torch.cat(parts, -1)[:, 0]).tanh_()[:, None]


class LanguageModelStep:
    """StepOutput = step(ids [N], memory, state): what LanguageModel.step gives, sooner."""

    def __init__(self, head: LanguageModel, format: NumberFormat = NumberFormat.FP32) -> None:
        self.stack = InferenceStack(head.stack, None if head.embed is None else head.embed.weight, format=format)
        self.out = make_linear(head.out.weight, head.out.bias, format=format, bounded=True)

    @torch.no_grad()
    def __call__(self, ids: Tensor, memory: Any, state: State) -> StepOutput:
        h, state = self.stack(self.stack.look_up(ids), state)
        return StepOutput(self.out(h[:, 0]), state, None)
