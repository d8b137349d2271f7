"""How much memory some work takes: it is done in a process of its own, which tells its peak.

    used = in_child(train, recipe, folder)      # train(recipe, folder) there; used.grown is what it took

Pages of files that are mapped come and go as the system likes, so what counts is anonymous memory.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

STATUS = Path("/proc/self/status")
EVERY = 0.02  # seconds between looks


class Used(NamedTuple):
    """Bytes of anonymous memory, and what the work gave."""

    before: int  # with everything imported
    peak: int
    result: Any

    @property
    def grown(self) -> int:
        return self.peak - self.before


class Watch:
    """The most anonymous memory that was seen while it was open."""

    def __init__(self) -> None:
        self.peak = anonymous()
        self._done = threading.Event()

    def look(self) -> None:
        while not self._done.is_set():
            self.peak = max(self.peak, anonymous())
            time.sleep(EVERY)

    @contextmanager
    def open(self) -> Any:
        thread = threading.Thread(target=self.look, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._done.set()
            thread.join()
            self.peak = max(self.peak, anonymous())


def anonymous() -> int:
    """Bytes of this process's own memory now; 0 where the system does not tell."""
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon:")), 0)


def in_child(work: Callable[..., Any], *arguments: Any) -> Used:
    """work(*arguments) in a new process; it must be importable by name, and its result must pickle."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=tell, args=(theirs, work, arguments))
    process.start()
    theirs.close()
    try:
        found = ours.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"{work.__name__} ended with exit code {process.exitcode} before it was done") from None
    process.join()
    if isinstance(found, BaseException):
        raise found
    used: Used = found
    return used


def tell(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """What happens in the child."""
    before, watch = anonymous(), Watch()
    try:
        with watch.open():
            result = work(*arguments)
        pipe.send(Used(before, watch.peak, result))
    except BaseException as error:
        pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))
    finally:
        pipe.close()
