"""Lets a process that has computed be forked: servers load a model once and fork their workers (gunicorn --preload).

The threads of OpenMP, which torch and the kernels compute with, do not live on in a child; yet their library believes
they do, and the child's first large product would wait for them for ever. So they are sent home before every fork,
which costs little: both sides wake theirs again when they need them.
"""

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

import torch

SOFT = 1  # omp_pause_soft: threads go, what was set stays


@cache  # once a process
def allow_fork_after_compute() -> bool:
    """From now on. False where the library of threads cannot do it, or nobody forks."""
    pause = getattr(openmp(), "omp_pause_resource_all", None)
    if pause is None or not hasattr(os, "register_at_fork"):
        return False
    os.register_at_fork(before=lambda: pause(SOFT))
    return True


def openmp() -> Any:
    """The library of threads that torch brings along, or one that is loaded for all."""
    for path in (Path(torch.__file__).parent / "lib").glob("libgomp*"):
        return ctypes.CDLL(str(path))
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows has no such thing
        return None
