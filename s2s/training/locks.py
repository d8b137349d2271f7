"""One training at a time in one folder."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from s2s.errors import RunError
from s2s.safefiles import explained

try:
    import fcntl
except ImportError:  # Windows: nothing keeps a second training out there
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, or raise RunError that says who does.

    The lock is the system's, on a file that names its owner: it is let go when a process dies, however it
    dies, so a lock file left behind by a dead process is taken over, and a number that the system gave to
    another process since does not matter.
    """
    path = folder / ".lock"
    with explained(path):
        handle = take(path)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # while it is still held, so that nobody locks a file about to vanish
        os.close(handle)


def take(path: Path) -> int:
    """The handle of the locked file, which now names this process."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            hold(handle, path)
            if same_file(handle, path):
                os.ftruncate(handle, 0)
                os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its last owner removed it between our opening and our locking it


def hold(handle: int, path: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(handle, 200).decode("utf-8", "replace").strip() or "another process"
        hint = "wait for it or stop it, or choose another folder: --out DIR"
        raise RunError(str(path.parent), f"{owner} is training in it", hint) from None
    except OSError:
        pass  # a network disk that knows no locks


def same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False
