"""One training at a time in one folder."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from s2s.errors import RunError
from s2s.files import explained_errno

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}  # what a network disk that knows none says


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, or raise RunError that says who does.

    The lock is the system's, on a file that names its owner: it is let go when a process dies, however it
    dies, so a lock file left behind by a dead process is taken over, and a number that the system gave to
    another process since does not matter.
    """
    from filelock import FileLock, Timeout  # a run that is only read needs none

    path = folder / ".lock"
    lock = FileLock(path, timeout=0)
    with explained_errno(path):
        try:
            lock.acquire()
        except Timeout:
            raise RunError(
                str(folder),
                f"{owner(path)} is training in it",
                "wait for it or stop it, or choose another folder: --out DIR",
            ) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        with suppress(OSError):  # Windows lets nobody write to a locked file: there, the lock names no one
            path.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", encoding="utf-8")
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # while it is still held: whoever has opened it sees that it is gone, and opens it again
        lock.release()


def owner(path: Path) -> str:
    """`process 4711 on mallorca`, as the one who holds the lock wrote it."""
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")[:200].strip() or "another process"
    return "another process"
