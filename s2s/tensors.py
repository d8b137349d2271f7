"""The shapes everything agrees on.

    B batch      S source positions   T target positions   Q queries: T in training, 1 in decoding
    E embedding  H hidden             M memory width       V vocabulary or classes
    L layers     K beams              A attention keys

Batch is dimension 0 of every tensor that leaves a module, so reordering hypotheses is one
`index_select`. A mask is called `valid`, and True means real.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

import torch
from torch import Tensor

PAD, BOS, EOS, UNK = range(4)  # the ids every vocabulary starts with

State = tuple[Tensor, ...]  # each [B, L, H]: (h,) for rnn and gru, (h, c) for lstm, () for none

Tree = TypeVar("Tree")  # a nest of tuples with tensors at its leaves


@dataclass(frozen=True)
class FieldSpec:
    """What a field's tensors look like: all that a model needs to know about data.

    modality    what kind of thing it is
    size        vocabulary, classes, features, or image channels
    vocabulary  names the vocabulary: equal names are one vocabulary, so embeddings may be tied
    """

    modality: Literal["nothing", "ids", "vector", "vectors", "image", "label", "labels", "tags"]
    size: int = 0
    vocabulary: str = ""


class Padded(NamedTuple):
    """Sequences of different lengths, padded on the right into one rectangle."""

    data: Tensor  # [B, S] ids or [B, S, F] features
    lengths: Tensor  # [B], on the device of the data

    @property
    def valid(self) -> Tensor:
        """[B, S], True where there is something."""
        return torch.arange(self.data.shape[1], device=self.data.device) < self.lengths[:, None]


def all_real(lengths: Tensor, time: int) -> bool:
    """Is there no padding, as far as can be told without waiting for a GPU?"""
    return lengths.device.type == "cpu" and bool((lengths == time).all())


class Batch(NamedTuple):
    """Examples as tensors, and which rows of the corpus they are."""

    source: Padded | Tensor  # Padded sequences, or [B, ...] for one thing an example
    target: Padded | Tensor  # Padded sequences, [B] labels, or [B, C]: several labels at once, a vector
    label_positions: Tensor  # [N], where target.data.flatten() is real: found on the CPU, so no step waits for the GPU
    example_ids: tuple[int, ...] = ()  # their numbers in the corpus: how a message names them
    start_ids: Tensor | None = None  # [B], the ids that stand before the first of the target; None where it begins: BOS
    is_first_chunk: bool = True  # False where it carries on from the batch before, whose last state is then its first
    source_index: Tensor | None = None  # [B], which of the sources each target has, where several share one

    @property
    def tokens(self) -> int:
        """N, how many answers the model owes: what a loss is divided by."""
        return len(self.label_positions)

    @property
    def labels(self) -> Tensor:
        """[N], the answers, in the order of `label_positions`; [N, C] of several labels, or a vector."""
        target = self.target.data.flatten(0, 1) if isinstance(self.target, Padded) else self.target
        return target[self.label_positions]


class EncoderOutput(NamedTuple):
    """What every encoder gives: one vector a position, and how it ended."""

    memory: Tensor  # [B, S, M]
    valid: Tensor  # [B, S]
    state: State = ()  # each [B, L, M]
    sequence: bool = True  # False: places of a picture, whose number says nothing of how long an answer is


class Memory(NamedTuple):
    """What a decoder attends to: an encoding whose attention keys are computed once."""

    values: Tensor  # [B, S, M]
    keys: Tensor  # [B, S, A]
    valid: Tensor  # [B, S]
    sequence: bool = True  # as in EncoderOutput


def tree_map(f: Callable[[Tensor], Tensor], tree: Tree) -> Tree:
    """Apply f to every tensor in a nest of tuples."""
    if isinstance(tree, Tensor):
        return f(tree)  # type: ignore[return-value]
    if isinstance(tree, tuple):
        items = [tree_map(f, item) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else tuple(items)  # type: ignore[return-value]
    return tree


def select(tree: Tree, index: Tensor) -> Tree:
    """Rows of every tensor: tree[index]."""
    return tree_map(lambda t: t.index_select(0, index), tree)


def repeat(tree: Tree, times: int) -> Tree:
    """Every row `times` times in a row: one copy a beam."""
    return tree_map(lambda t: t.repeat_interleave(times, dim=0), tree)


def move(tree: Tree, device: Any) -> Tree:
    return tree_map(lambda t: t.to(device, non_blocking=True), tree)


def tree_leaves(tree: Any) -> list[Tensor]:
    """The tensors of a nest, in order."""
    found: list[Tensor] = []
    tree_map(lambda t: found.append(t) or t, tree)  # type: ignore[func-returns-value]
    return found


def tree_unflatten(tree: Tree, tensors: Iterable[Tensor]) -> Tree:
    """A nest of the same shape with these tensors at its leaves: what tree_leaves() took from one."""
    new = iter(tensors)
    return tree_map(lambda t: next(new), tree)


def detach(tree: Tree) -> Tree:
    """Keep the numbers, drop the history: what truncated backpropagation carries on."""
    return tree_map(Tensor.detach, tree)
