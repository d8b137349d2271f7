"""The cache: folders that are filled once, under the hash of what they were made from.

    folder = filled(cache / "rows" / key, write)      # write(folder) is called only where there is no such folder

A folder is written under another name and renamed when it is whole, so nobody ever reads half of one, and
processes that make the same one at the same time do not disturb each other: the first to finish wins.
"""

import os
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from s2s.errors import DataError

ABANDONED = 24 * 3600  # seconds without a change, after which an unfinished folder belongs to a process that was killed


def cache_folder() -> Path:
    """$S2S_CACHE, or ~/.cache/s2s."""
    return Path(os.environ.get("S2S_CACHE") or "~/.cache/s2s").expanduser()


def filled(folder: Path, write: Callable[[Path], None]) -> Path:
    """The folder, made by write(folder) where it is not there yet. Raises DataError where the disk refuses."""
    if folder.is_dir():
        return folder
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
        except OSError:
            if not folder.is_dir():  # else another process was first: equal hashes, equal contents
                raise
        to_disk(folder.parent)
    except OSError as error:
        raise refused(folder.parent, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def refused(folder: Path, error: OSError) -> DataError:
    """What to say when the cache cannot be written."""
    why = error.strerror or str(error)
    hint = "free some space there, or name another folder: export S2S_CACHE=FOLDER"
    if isinstance(error, PermissionError | FileExistsError | NotADirectoryError):
        hint = "name a folder that you may write to: export S2S_CACHE=FOLDER"
    return DataError(str(folder), f"the cache cannot be written: {why}", hint)


def damaged(folder: Path, error: Exception) -> DataError:
    """What to say of a cached folder that somebody or something has changed."""
    return DataError(str(folder), f"the cache is damaged: {error}", f"delete it, and it is made again: rm -r {folder}")


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
