"""The three standard streams, made fit for use before anything is read or written, and named when one fails.

A stream that was closed leads nowhere; one that cannot take a character gets a question mark for it; and what is to be
read on standard error is never a reason to stop.
"""

import io
import os
import sys
from contextlib import suppress
from typing import Any

STDOUT = "standard output"


class NamedStream(io.FileIO):
    """Standard output, whose errors say that they are about it: a full disk, a terminal that is gone."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = STDOUT
            raise


class Forgiving(io.FileIO):
    """Standard error: what cannot be written is dropped, and the work goes on.

    A reader who has left is another matter: BrokenPipeError ends the program, as it does on standard output.
    """

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError:
            return len(data)


def prepare_streams() -> None:
    """Once, at the start of the program. A stream that somebody has put in the place of another is left as it is."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, nowhere(number))
    if sys.stdout is sys.__stdout__:
        sys.stdout = over(NamedStream(1, "w", closefd=False), sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = over(Forgiving(2, "w", closefd=False), sys.stderr)


def nowhere(number: int) -> io.TextIOWrapper:
    """The null device under this number, which the next file to be opened would otherwise get."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
    return open(number, "r" if number == 0 else "w", encoding="utf-8", errors="replace", closefd=False)


def over(raw: io.FileIO, stream: Any) -> io.TextIOWrapper:
    """A stream like another that writes to `raw`, with a question mark for what its encoding has not."""
    unbuffered = not isinstance(stream.buffer, io.BufferedWriter)  # PYTHONUNBUFFERED
    return io.TextIOWrapper(
        raw if unbuffered else io.BufferedWriter(raw),  # as Python itself does it
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def silence() -> None:
    """What is still to be written has no reader, and Python would complain of that when it shuts down."""
    with suppress(OSError, ValueError):  # ValueError: in the place of standard output is no file
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
