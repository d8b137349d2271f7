"""Files that are whole or not there at all, plain words for why one could not be written, and where the cache is."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from s2s.errors import RunError

FULL = ("the disk is full", "make room and run the same command again; what was saved before is whole")
ANOTHER_FOLDER_HINT = "choose another folder; for a training: --out DIR"
FORBIDDEN = ("this user may not read or write here", f"change its permissions, or {ANOTHER_FOLDER_HINT}")
ERRNO_SENTENCES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: ("the disk quota is used up", FULL[1]),
    errno.EFBIG: ("the file is larger than this disk allows", ANOTHER_FOLDER_HINT),
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
    errno.EROFS: ("the disk is read-only", ANOTHER_FOLDER_HINT),
    errno.ENOENT: ("there is no such file", "check the name, or copy the whole run folder again"),
    errno.EEXIST: ("there is a file of this name, and a folder is needed", "move the file away"),
    errno.ENOTDIR: ("a part of this path is a file, not a folder", ANOTHER_FOLDER_HINT),
    errno.EISDIR: ("is a folder, and a file is needed", "move the folder away"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter one; for a training: --out DIR"),
}


def cache_folder() -> Path:
    """$S2S_CACHE, or ~/.cache/s2s."""
    return Path(os.environ.get("S2S_CACHE") or "~/.cache/s2s").expanduser()


@contextmanager
def explained_errno(path: Path) -> Iterator[None]:
    """Any OSError in the block becomes a RunError about `path` that says what to do."""
    try:
        yield
    except OSError as error:
        raise RunError(str(path), *errno_reason(error)) from error


def errno_reason(error: OSError) -> tuple[str, str]:
    """Why a file could not be read or written, and what to do about it."""
    words = error.strerror or str(error) or type(error).__name__
    return ERRNO_SENTENCES.get(error.errno or 0, (f"cannot be used: {words}", "check the disk"))


def atomic_write(path: Path, data: bytes) -> None:
    """Write a file so that a crash at any moment leaves the old one or the new one, whole. Raises RunError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with explained_errno(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(path.parent)


def move_over(old: Path, new: Path) -> None:
    """Rename a file onto another so that the rename itself survives a power cut. Raises RunError."""
    with explained_errno(new):
        os.replace(old, new)
        sync_folder(new.parent)


def sync_folder(folder: Path) -> None:
    """A rename is on disk only when its folder is; not every system can do this."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network disks refuse to sync a folder; the file itself is written
            os.fsync(handle)
    finally:
        os.close(handle)


def remove_leftovers(folder: Path) -> None:
    """Delete the half-written files of a process that was killed. Only for the one who holds the lock."""
    for path in folder.glob(".*.tmp"):
        with suppress(OSError):
            path.unlink()
