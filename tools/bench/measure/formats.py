"""The number formats and paths that a model can write in on a CPU, beside each other: what `auto` should take."""

import time
from collections.abc import Iterator
from contextlib import nullcontext

import torch

from s2s.config import configure
from s2s.decoding.search import Search
from s2s.devices import native_bf16
from s2s.execution import NumberFormat
from s2s.inference.compile import InferenceModel, compile_for_inference
from s2s.inference.native import linear
from s2s.nn.model import Model
from s2s.tensors import BOS, Padded
from tools.bench import ours
from tools.bench.setting import Setting
from tools.bench.tables import Table
from tools.bench.timing import Call, interleave

JOBS = (("greedy", 1), ("greedy", 64), ("beam", 16))  # the search, and how many sentences a batch
LENGTH = 15  # of a source


def measure(setting: Setting) -> Iterator[Table]:
    sizes = setting.scale.translation
    model = ours.untaught(setting, sizes, "fp32").model.eval()
    table = Table(
        "Writing, in CPU seconds for a batch, and how many times as fast as prepared fp32",
        ("search, sentences", "path", "ms", "times as fast"),
    )
    for kind, rows in JOBS:
        calls = {name: writing(model, way, half, kind, rows, setting) for name, (way, half) in ways(model).items()}
        timed = interleave(calls, seconds=setting.seconds / 3, clock=time.process_time)
        first = next(iter(timed))
        for name, found in timed.items():
            ratio = "" if name == first else str(found.ratio(timed[first]))
            table.add(f"{kind}, {rows}", name, 1e3 / found.rate, ratio)
    table.notes.append(
        f"Untrained: {sizes.encoder} units in each direction, a decoder of {sizes.hidden}, {sizes.vocabulary:,} "
        f"pieces; sources of {LENGTH} pieces, answers of {setting.scale.answer}."
    )
    yield table


def ways(model: Model) -> dict[str, tuple[InferenceModel, bool]]:
    """By name, and whether autocast is on; the first is what the others are held against."""
    compiled = {name: compile_for_inference(model, name) for name in (NumberFormat.FP32, NumberFormat.BF16)}
    plain = compiled[NumberFormat.FP32]._replace(encode=model.encode, step=model.head.step)
    found = {"fp32, prepared": (compiled[NumberFormat.FP32], False), "fp32, layer by layer": (plain, False)}
    if not linear.int8_unavailable():
        found["int8, prepared"] = (compile_for_inference(model, NumberFormat.INT8), False)
    if native_bf16():
        found |= {"bf16, prepared": (compiled[NumberFormat.BF16], True), "bf16, layer by layer": (plain, True)}
    return found


def writing(model: Model, way: InferenceModel, half: bool, kind: str, rows: int, setting: Setting) -> Call:
    length = setting.scale.answer
    search = configure(Search, {"kind": kind, "max_length": length, "min_length": length})
    vocabulary = setting.scale.translation.vocabulary
    source = Padded(torch.randint(4, vocabulary, (rows, LENGTH)), torch.full((rows,), LENGTH))

    def write(i: int) -> int:
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16) if half else nullcontext():
            memory, state = model.head.start(way.encode(source))
            search(way.step, memory, state, torch.full((rows,), BOS))
        return 1

    return write
