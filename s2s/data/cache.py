"""The cache: folders that are filled once, under the hash of what they were made from.

    with cached_folder(cache / "rows" / key, write) as folder:  # write(path) is called where there is none
        ...                                                  # open what is in it

A folder is written under another name and renamed when it is whole, so nobody ever reads half of one, and
processes that make the same one at the same time do not disturb each other: the first to finish wins.
Inside the `with`, nobody removes it; what is open or memory-mapped by its end stays readable after that.

    for one in kept(cache):
        remove(one.path)                                     # False where somebody is at work with it
"""

import errno
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from s2s.errors import DataError, command

try:
    import fcntl
except ImportError:  # Windows: there, a folder with an open file cannot be renamed, which protects it as well
    fcntl = None  # type: ignore[assignment]

CACHE_KINDS = {"rows": "as they were read", "ids": "rows as numbers", "fields": "vocabularies"}
KEY = re.compile(r"[0-9a-f]{32}")  # what files.digest() makes
ABANDONED = 24 * 3600  # seconds without a change, after which an unfinished folder belongs to a process that was killed
RECENT = 3600  # seconds since its last use, in which a folder that cannot be locked is not removed


@contextmanager
def cached_folder(folder: Path, write: Callable[[Path], None]) -> Iterator[Path]:
    """The folder, made by write(path) where it is not there yet. Raises DataError where the disk refuses."""
    while True:
        if not folder.is_dir():
            fill_folder(folder, write)
        with in_use(folder) as there:
            if there:  # else it was removed a moment ago
                yield folder
                return


def fill_folder(folder: Path, write: Callable[[Path], None]) -> None:
    """Make a folder under another name, and rename it when it is whole."""
    unfinished = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        unfinished.mkdir(parents=True)
        sweep(folder.parent)
        write(unfinished)
        for path in unfinished.iterdir():
            to_disk(path)
        to_disk(unfinished)
        try:
            os.rename(unfinished, folder)
        except OSError as error:
            # Another process was first: equal hashes, equal contents. It may be gone by now: cached_folder() looks.
            if error.errno != errno.ENOTEMPTY and not folder.is_dir():
                raise
        to_disk(folder.parent)
    except OSError as error:
        raise refused(folder.parent, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def in_use(folder: Path) -> Iterator[bool]:
    """Keep others from removing a folder, and note the time; False where it is gone already."""
    handle = None
    with suppress(OSError):  # no locks, or no opening of folders: remove() then goes by the time of the last use
        handle = os.open(folder, os.O_RDONLY)
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_SH)
    try:
        there = folder.is_dir() if handle is None else is_same_folder(handle, folder)
        with suppress(OSError):  # somebody else's cache, which may be read only
            os.utime(folder)
        yield there
    finally:
        if handle is not None:
            os.close(handle)


def is_same_folder(handle: int, folder: Path) -> bool:
    """Whether what was opened has still its name."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(folder))
    except FileNotFoundError:
        return False


class Kept(NamedTuple):
    """One folder of the cache."""

    kind: str
    path: Path
    size: int  # bytes
    used: float  # when, in seconds since 1970


def kept(cache: Path) -> Iterator[Kept]:
    """What the cache holds and s2s made, whole folders only; by kind, and the longest unused first."""
    for kind in CACHE_KINDS:
        found = []
        for path in (cache / kind).glob("*"):
            if KEY.fullmatch(path.name):  # an $S2S_CACHE may hold what is not ours
                with suppress(OSError):  # removed a moment ago
                    size = sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
                    found.append(Kept(kind, path, size, path.stat().st_mtime))
        yield from sorted(found, key=lambda one: one.used)


def remove(folder: Path, unused: float = 0.0) -> bool:
    """Remove it, unless it was used in the last `unused` seconds, somebody uses it now, or the disk refuses."""
    doomed = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")  # if we are killed, sweep() finds it
    handle = None
    try:
        with suppress(PermissionError):  # Windows opens no folders
            handle = os.open(folder, os.O_RDONLY)
        wait = unused if alone(handle) else max(unused, RECENT)
        if time.time() - folder.stat().st_mtime < wait:
            return False
        os.rename(folder, doomed)  # from here on nobody finds it
    except OSError as error:
        return isinstance(error, FileNotFoundError)  # somebody else removed it
    finally:
        if handle is not None:
            os.close(handle)
    shutil.rmtree(doomed, ignore_errors=True)
    return True


def alone(handle: int | None) -> bool:
    """Whether nobody uses the folder that was opened; False, too, where there are no locks. Raises BlockingIOError."""
    if handle is None or fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise  # somebody does
    except OSError:  # a network disk that knows no locks
        return False
    return True


def refused(folder: Path, error: OSError) -> DataError:
    """What to say when the cache cannot be written."""
    why = error.strerror or str(error)
    hint = "free some space there, or name another folder: export S2S_CACHE=FOLDER"
    if isinstance(error, PermissionError | FileExistsError | NotADirectoryError):
        hint = "name a folder that you may write to: export S2S_CACHE=FOLDER"
    return DataError(str(folder), f"the cache cannot be written: {why}", hint)


def damaged_cache(folder: Path, error: Exception) -> DataError:
    """What to say of a cached folder that somebody or something has changed."""
    return DataError(
        str(folder), f"the cache is damaged: {error}", f"delete it, and it is made again: {command('rm', '-r', folder)}"
    )


def sweep(parent: Path) -> None:
    """Remove what killed processes left unfinished."""
    for path in parent.glob(".*.*"):
        with suppress(OSError):
            newest = max((p.stat().st_mtime for p in path.iterdir()), default=path.stat().st_mtime)
            if time.time() - newest > ABANDONED:
                shutil.rmtree(path, ignore_errors=True)


def to_disk(path: Path) -> None:
    """Wait until a file, or the list of names in a folder, would survive a power cut."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
