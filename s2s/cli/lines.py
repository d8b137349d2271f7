"""Filters: lines in, lines out. What every verb that reads a pipe shares.

for lines in decoded_line(chunks(sys.stdin.buffer)):
    echo(answers(lines))
"""

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

import typer

from s2s.cli.console import warn
from s2s.errors import DataError

LINES_AT_ONCE = 512  # lines that are answered together, at most: what a pipe waits for


def answer_lines(texts: Sequence[str] | None, answer: Callable[[Sequence[str], int], str]) -> None:
    """Print the answers to some texts or, without any, to the lines of standard input, a block of them at a time.

    answer  (lines, number of the first) -> what to print for them
    """
    if texts:
        echo(answer([tidy(text) for text in texts], 1))
        return
    number = 1
    for lines in decoded_line(chunks(sys.stdin.buffer)):
        echo(answer(lines, number))
        number += len(lines)


def at_terminal() -> bool:
    """Whether a person is typing and reading: then a verb without texts is a conversation."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def echo(answer: str) -> None:
    """Print at once, as bytes: a filter writes UTF-8 as it reads it, in any locale."""
    typer.echo(answer.encode("utf-8", "replace"), nl=False)


def rounded(number: float, digits: int = 5) -> float | None:
    """JSON has no word for infinity."""
    return round(number, digits) if math.isfinite(number) else None


def one_line(text: str) -> str:
    """What a byte or character model may write would break a line in, line out."""
    return text.replace("\n", " ").replace("\r", " ")


def tidy(text: str) -> str:
    """Bytes that were no UTF-8 arrive from a shell as halves of characters: show them as U+FFFD."""
    return os.fsencode(text).decode("utf-8", "replace") if not text.isascii() else text


def chunks(stream: BinaryIO, most: int = LINES_AT_ONCE) -> Iterator[list[bytes]]:
    """Lines as they come, without their ends: never more than `most`, and no waiting for more than are there.

    So a slow pipe is answered line by line, and a fast one in full batches.
    """
    begun: list[bytes] = []  # of a line whose end has not come
    while data := read_stream(lambda: stream.read1(1 << 16)):  # type: ignore[attr-defined]  # BufferedReader and BytesIO have it
        first, *rest = data.split(b"\n")
        begun.append(first)
        if not rest:
            continue
        lines = [b"".join(begun), *rest[:-1]]
        begun = [rest[-1]]
        for start in range(0, len(lines), most):
            yield lines[start : start + most]
    if last := b"".join(begun):
        yield [last]


def standard_input() -> list[str]:
    """All lines of standard input, read as every text is."""
    return [line for block in decoded_line(chunks(sys.stdin.buffer)) for line in block]


def read_stream(from_stream: Callable[[], bytes]) -> bytes:
    """What a call reads from standard input. Raises DataError where that is open for writing only, or is gone."""
    try:
        return from_stream()
    except OSError as error:  # io.UnsupportedOperation is one
        words = error.strerror or str(error)
        raise DataError("standard input", f"cannot be read: {words}", "give texts as arguments, or < FILE") from None


def decoded_line(blocks: Iterable[Sequence[bytes]]) -> Iterator[list[str]]:
    """Text of lines; bytes that are no UTF-8 become U+FFFD, with a warning the first time and a count at the end."""
    from s2s.data.source_files import line_of

    number, bad = 0, 0
    for block in blocks:
        lines = []
        for line in block:
            number += 1
            try:
                text = line_of(line, number)
            except UnicodeDecodeError as error:
                text = line_of(line, number, "replace")
                if not bad:
                    place = f"standard input: line {number}, byte {error.start + 1}"
                    warn(f"{place} is not UTF-8; such bytes are read as \ufffd")
                bad += 1
            lines.append(text)
        yield lines
    if bad > 1:
        warn(f"standard input: {bad} lines of {number} were not UTF-8")
