r"""Files as lines of text, with every way a file can be wrong said once: where, what, what to do.

Every text that s2s is given is read by one rule, line_of(), whether it comes from a file or from a pipe: it is UTF-8,
a mark of byte order before it is no text, and only \n or \r\n ends a line (a lone \r is text, and so are the other
characters at which str.splitlines() cuts). as_line() is the way back.
"""

import difflib
import gzip
import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

from s2s.errors import DataError, command

BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # what Windows programs put before the first line
LONGEST_LINE = 1 << 24  # bytes: a longer "line" is not text, and reading it would fill the memory


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unzipped where it is gzip (whatever its name says). Raises DataError."""
    try:
        with open(path, "rb") as file:
            yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if file.peek(2)[:2] == b"\x1f\x8b" else file
    except FileNotFoundError:
        raise missing(path) from None
    except IsADirectoryError:
        raise DataError(str(path), "is a folder, not a file", folder_hint(path)) from None
    except PermissionError:
        raise DataError(
            str(path), "may not be read", f"ask for permission, or: {command('chmod', 'u+r', path)}"
        ) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(str(path), f"is broken gzip: {error}", "fetch or write the file again") from None
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror or error}") from None


def line_of(line: bytes, number: int, errors: str = "strict") -> str:
    r"""The text of line `number`: without its end (\n or \r\n), the first without the mark of byte order before it."""
    if number == 1:
        line = line.removeprefix(BYTE_ORDER_MARK)
    return line.decode("utf-8", errors).removesuffix("\n").removesuffix("\r")


def as_line(text: str) -> str:
    """A text as a line that is read back whole: what would end it, or make the file look binary, becomes a space."""
    return text.replace("\n", " ").replace("\r", " ").replace("\0", " ")


def read_lines(path: Path) -> Iterator[str]:
    r"""The lines of a UTF-8 file, without their ends. Only \n ends a line, and a \r before it goes too.

    A mark of byte order at the start is left out. Raises DataError with file and line.
    """
    with opened(path) as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if number == 1:
                check_start(path, line.removeprefix(BYTE_ORDER_MARK))
            if len(line) == LONGEST_LINE:
                raise DataError(
                    f"{path}:{number}", f"a line of more than {LONGEST_LINE:,} bytes", "is this a text file?"
                )
            yield decoded(path, number, line)
        if number == 0:
            raise DataError(str(path), "is empty", "it needs one example a line")


def check_start(path: Path, line: bytes) -> None:
    """Complain about files whose first line shows that none can be read."""
    if line[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(
            f"{path}:1", "is UTF-16, not UTF-8", f"convert it: iconv -f UTF-16 -t UTF-8 {command(path)} > NEW"
        )
    if not line.endswith(b"\n") and line.rstrip(b"\r").count(b"\r"):
        hint = f"convert it: tr '\\r' '\\n' < {command(path)} > NEW"
        raise DataError(f"{path}:1", "lines end in a carriage return alone, as on old Macs", hint)


def decoded(path: Path, number: int, line: bytes) -> str:
    if b"\0" in line:
        raise DataError(f"{path}:{number}", "holds a zero byte: this looks binary", "it must be UTF-8 text")
    try:
        return line_of(line, number)
    except UnicodeDecodeError as error:
        byte = f"byte {line[error.start]:#04x} at column {error.start + 1}"
        hint = f"it must be UTF-8; from Latin-1, for instance: iconv -f ISO-8859-1 -t UTF-8 {command(path)} > NEW"
        raise DataError(f"{path}:{number}", f"is not UTF-8: {byte}", hint) from None


def missing(path: Path) -> DataError:
    """What to say of a path that leads nowhere: the first part of it that is not there, and what is."""
    while not os.path.exists(path.parent) and path.parent != path:
        path = path.parent
    if not os.access(path.parent, os.R_OK | os.X_OK):
        return DataError(str(path.parent), "is a folder that may not be opened", "ask for permission to read it")
    return DataError(str(path), "there is no such file or folder", folder_hint(path.parent, path.name))


def folder_hint(folder: Path, wanted: str = "") -> str:
    """`did you mean 'train.de'? the folder has: train.de, train.en, val.de`"""
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return ""
    near = difflib.get_close_matches(wanted, names, n=1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return f"{guess}the folder has: {shown or 'nothing'}"


def existing_file(*candidates: Path) -> Path | None:
    """The first of these that is a file, as it is or gzipped."""
    both = (path.with_name(path.name + end) for path in candidates for end in ("", ".gz"))
    return next((path for path in both if os.path.isfile(path)), None)


def digest(*things: object) -> str:
    """A short name for a list of plain values: equal values, equal name."""
    return hashlib.blake2b(repr(things).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def digest_files(paths: Iterable[Path]) -> str:
    """A short name for what files hold, byte for byte; where they are does not matter. Raises DataError."""
    names = []
    for path in paths:
        with opened(path):
            stat = path.stat()
        names.append(digest_file(path, stat.st_size, stat.st_mtime_ns))
    return digest(*names)


@lru_cache(maxsize=256)
def digest_file(path: Path, size: int, changed: int) -> str:
    """Size and time of change are only here so that one process hashes a file once."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
