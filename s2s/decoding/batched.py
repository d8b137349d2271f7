"""Writing many sentences at once: sorted by length, batched, and given back in the order they came.

On a CPU some batches are written at a time, each by its share of the cores. Steps are many small calls: cores that
share each of them wait for one another, and for Python, more than they work.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from s2s.data.fields.base import Field
from s2s.decoding.parallel import side_by_side
from s2s.decoding.search import Hypothesis, Step
from s2s.errors import memory_for
from s2s.inference.compile import InferenceModel, compile_for_inference
from s2s.nn.model import Model
from s2s.tensors import BOS, move

DEFAULT_BATCH_SIZE = 200  # ids in a source
MAX_BATCHES_AT_ONCE = 4  # batches at a time: Python runs for one at a time only

BatchResult = TypeVar("BatchResult")
SearchCall = Callable[[Step, Any, Any, Tensor], list[list[Hypothesis]]]  # (step, memory, state, first): a chosen Search


def write_batches(
    model: Model,
    field: Field,
    sources: Sequence[np.ndarray],
    search: SearchCall,
    *,
    device: torch.device,
    batch_size: int = 64,
    prepared: InferenceModel | None = None,
) -> Iterator[tuple[list[int], list[list[Hypothesis]]]]:
    """Numbers of the sentences in a batch, and the n-best list of each, longest sources first.

    field    the source field, which collates what its encode_all() gave
    sources  one array of ids a sentence
    batch_size  sentences of usual length; fewer where they are long
    prepared  what compile_for_inference() gave; it is done here if not given
    """
    model.eval()
    prepared = prepared or compile_for_inference(model)
    lengths = [field.length(source) for source in sources]
    order = sorted(range(len(sources)), key=lambda i: (-lengths[i], i))

    def write(rows: list[int]) -> tuple[list[int], list[list[Hypothesis]]]:
        source = move(field.collate([sources[i] for i in rows]), device)
        memory, state = model.head.start(prepared.encode(source))
        first = torch.full((len(rows),), BOS, device=device)
        return rows, search(prepared.step, memory, state, first)

    yield from for_each(write, list(fitting_batches([lengths[i] for i in order], order, batch_size)), device)


def write_all(
    model: Model,
    field: Field,
    sources: Sequence[np.ndarray],
    search: SearchCall,
    *,
    device: torch.device,
    batch_size: int = 64,
    prepared: InferenceModel | None = None,
) -> list[list[Hypothesis]]:
    """The n-best list of every sentence, in the order of `sources`."""
    written: list[list[Hypothesis]] = [[] for _ in sources]
    for rows, found in write_batches(
        model, field, sources, search, device=device, batch_size=batch_size, prepared=prepared
    ):
        for row, hypotheses in zip(rows, found, strict=True):
            written[row] = hypotheses
    return written


def fitting_batches(lengths: Sequence[int], order: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """`order` in pieces of at most batch_size rows, and USUAL times as many ids: a long line must not fill memory.

    lengths  of the rows in `order`, which only fall: the first of a piece is its longest
    """
    start = 0
    while start < len(order):
        rows = max(1, min(batch_size, batch_size * DEFAULT_BATCH_SIZE // max(1, lengths[start])))
        yield list(order[start : start + rows])
        start += rows


def for_each(
    work: Callable[[list[int]], BatchResult], batches: Sequence[list[int]], device: torch.device
) -> Iterator[BatchResult]:
    """work(rows) for every batch, in order, without gradients; on a CPU some at a time.

    Raises OutOfMemory where one does not fit.
    """
    on = torch.is_autocast_enabled(device.type)
    mode = torch.no_grad if on else torch.inference_mode  # in which autocast would cast every weight at every step
    threads = torch.get_num_threads()
    workers = min(threads, MAX_BATCHES_AT_ONCE, len(batches)) if device.type == "cpu" else 1
    if workers <= 1:
        yield from map(mode()(memory_for("decoding", smaller_search)(work)), batches)
        return
    half = torch.get_autocast_dtype("cpu")

    def share(rows: list[int]) -> BatchResult:
        torch.set_num_threads(threads // workers)  # this and the modes below are each thread's own
        with mode(), torch.autocast("cpu", dtype=half, enabled=on):
            return memory_for("decoding", smaller_search)(work)(rows)

    try:
        yield from side_by_side(share, batches, workers)
    finally:
        torch.set_num_threads(threads)  # what threads yet to come begin with


def smaller_search() -> str:
    """What to do where decoding does not fit."""
    return "make beam_size, max_length or the count of answers smaller, or give shorter texts"
