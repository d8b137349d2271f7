"""The machine and the programs that a figure was measured with, and what its matrix products reach."""

import ctypes
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from tools.bench.setting import Setting
from tools.bench.timing import interleave

PACKAGES = ("s2s", "torch", "numpy", "sentencepiece", "sacrebleu")
TELLING = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8")
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def describe(threads: int) -> dict[str, Any]:
    """What has to stand beside a figure: processor, instructions, versions, threads, allocator."""
    info = cpu_info()
    instructions = [name for name in TELLING if name in info.get("flags", "").split()]
    return {
        "when": time.strftime("%Y-%m-%d %H:%M %Z"),
        "processor": info.get("model name", platform.processor() or platform.machine()),
        "cores": os.cpu_count(),
        "instructions": instructions,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := version_of(name))},
        "threads": threads,
        "allocator": "glibc, freed memory kept" if has_mallopt() else platform.libc_ver()[0] or "unknown",
    }


def cpu_info() -> dict[str, str]:
    """The first processor of /proc/cpuinfo; nothing where the system has none."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def version_of(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def has_mallopt() -> bool:
    try:
        return hasattr(ctypes.CDLL(None), "mallopt")
    except OSError:
        return False


def native_bf16() -> bool:
    """Whether this processor multiplies bf16 itself; elsewhere torch emulates it, and slowly."""
    return bool({"avx512_bf16", "amx_bf16"} & set(cpu_info().get("flags", "").split()))


def peak(precision: str, seconds: float, size: int) -> float:
    """Operations a second of the product of two square matrices: the median of many."""
    a = torch.randn(size, size).to(DTYPES[precision])
    b, out = torch.randn(size, size).to(a.dtype), torch.empty(size, size, dtype=a.dtype)

    def multiply(round_: int) -> float:
        torch.mm(a, b, out=out)
        return 2.0 * size**3

    return interleave({"": multiply}, seconds=seconds, warm=2)[""].rate


def peaks(setting: Setting) -> dict[str, float]:
    """The same for every precision that is measured."""
    seconds = min(2.0, setting.seconds / 4)
    return {name: peak(name, seconds, setting.scale.square) for name in setting.precisions}


def bandwidth(seconds: float, megabytes: int) -> float:
    """Bytes a second that are read from memory: the median of sums over an array too large for any cache."""
    array = torch.ones(megabytes << 18)

    def read(round_: int) -> float:
        array.sum()
        return 4.0 * array.numel()

    return interleave({"": read}, seconds=seconds, warm=1)[""].rate
