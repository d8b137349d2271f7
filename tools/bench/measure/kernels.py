"""The kernels in C beside torch's for the same: products of some rows, and the best of many scores."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from s2s.inference.linear import TorchLinear
from s2s.inference.native import build, linear, scores
from tools.bench.setting import Setting
from tools.bench.tables import Table
from tools.bench.timing import Call, interleave

SHAPES = ((2048, 512), (2048, 1024), (7720, 512))  # outputs, inputs: of the layers and the projection of the translator
ROWS = (1, 5, 64, 320)
CALLS = 8  # in a round


@torch.inference_mode()
def measure(setting: Setting) -> Iterator[Table]:
    if linear.int8_unavailable():
        yield Table("Kernels in C", ("why there are none",), [[linear.int8_unavailable()]])
        return
    table = Table(
        "Products, in microseconds",
        ("rows", "outputs x inputs", "by torch", "32 bits", "times as fast", "8 bits", "times as fast"),
    )
    seconds = setting.seconds / 20
    for rows in ROWS:
        for outputs, inputs in SHAPES:
            weight, bias = torch.randn(outputs, inputs), torch.randn(outputs)
            calls: dict[str, Any] = {
                "8": linear.NativeLinear(weight, bias, bounded=True),
                "32": linear.NativeLinear(weight, bias, bits=32),
                "torch": TorchLinear(weight, bias),
            }
            x = torch.rand(rows, inputs)
            timed = interleave({name: several(call, x) for name, call in calls.items()}, seconds=seconds)
            values: list[float | str] = [1e6 / timed["torch"].rate]
            for bits in ("32", "8"):
                values += [1e6 / timed[bits].rate, str(timed[bits].ratio(timed["torch"]))]
            table.add(rows, f"{outputs:,} x {inputs:,}", *values)
    yield table
    table = Table("Scores, in microseconds", ("what", "in C", "by torch", "times as fast"))
    for what, native, plain in comparisons():
        timed = interleave({"ours": several(native), "theirs": several(plain)}, seconds=seconds)
        ratio = str(timed["ours"].ratio(timed["theirs"]))
        table.add(what, 1e6 / timed["ours"].rate, 1e6 / timed["theirs"].rate, ratio)
    table.notes.append(
        f"{torch.get_num_threads()} threads, of which a kernel takes one for each {build.SHARE:,} numbers."
    )
    yield table


def comparisons() -> Iterator[tuple[str, Callable[[], Any], Callable[[], Any]]]:
    one, five = torch.randn(64, 7720), torch.randn(64, 5, 7720)
    rank = torch.zeros(64, 5)
    flat = five.flatten(0, 1)
    yield "log_softmax, 320 x 7,720", lambda: scores.log_softmax(flat), lambda: flat.log_softmax(-1)
    yield "likeliest of 64 x 7,720", lambda: scores.likeliest(one), lambda: one.argmax(-1)
    yield "10 best of 64 x 5 x 7,720", lambda: scores.top(five, rank, 10), lambda: scores.torch_top_k(five, rank, 10)


def several(call: Callable[..., Any], *x: Tensor) -> Call:
    """Some calls a round: one is over too soon to be timed."""

    def run(i: int) -> int:
        for _ in range(CALLS):
            call(*x)
        return CALLS

    return run
