"""Text out of pieces as they are written: what is certain is given out at once, the rest is held back.

    transcript = Transcript(field.decode, stop=["\n\n"])
    transcript.push(piece)
    transcript.take()          # "" while a character is half written, or a stop string may have begun

It remembers a few pieces, not the text, so that its memory does not grow.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from s2s.tensors import EOS

BREAK = "\n"  # what EOS stands for
HALF = "\ufffd"  # what decoders make of bytes that are no character yet
MAX_ENDING_CHARACTERS = 4  # bytes in a character of UTF-8


class Transcript:
    """The text that one row writes.

    decode  the ids of one line to its text, as Field.decode
    stop    strings that end the text; they are not part of it
    """

    def __init__(self, decode: Callable[[list[int]], str], stop: Sequence[str] = ()) -> None:
        self.decode, self.stop = decode, tuple(s for s in stop if s)
        self.ids: list[int] = []  # of this line: those just read, as context, and those not yet read
        self.read = 0  # how many of them have become text
        self.waiting = ""  # text that was not given out
        self.stopped = False
        self.glued = False  # the next piece brings a space that stands there already

    def follow(self, ids: Iterable[int], text: str) -> None:
        """Go on from a text that was read, not written: how its last piece is spelled decides about a space."""
        line = list(ids)
        line = line[len(line) - line[::-1].index(EOS) :] if EOS in line else line
        self.ids = line[-MAX_ENDING_CHARACTERS:]
        self.read = len(self.ids)
        self.waiting, self.stopped = "", False
        self.glued = text[-1:].isspace() and text[-1:] != BREAK and not self.decode(self.ids)[-1:].isspace()

    def push(self, piece: int) -> None:
        """One piece more."""
        if self.stopped:
            return
        if piece == EOS:
            self._add(self._unread() + BREAK)
            self.ids, self.read = [], 0
        else:
            self.ids.append(piece)
            grown = self._unread()
            if grown.endswith(HALF) and len(self.ids) - self.read < MAX_ENDING_CHARACTERS:
                return
            self._add(grown)
            self.ids = self.ids[self.read :]
            self.read = len(self.ids)

    def take(self, most: int | None = None) -> str:
        """The text that has become certain since the last call, `most` characters of it; the rest waits."""
        end = len(self.waiting) if self.stopped else len(self.waiting) - self._begun()
        end = end if most is None else min(end, most)
        text, self.waiting = self.waiting[:end], self.waiting[end:]
        return text

    def take_all(self) -> str:
        """All that waits, certain or not; only half a character stays."""
        text, self.waiting = self.waiting, ""
        return text

    @property
    def certain(self) -> int:
        """How many characters take() would give."""
        return len(self.waiting) if self.stopped else len(self.waiting) - self._begun()

    def pack(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {"ids": self.ids, "read": self.read, "waiting": self.waiting, "glued": self.glued}

    def unpack(self, values: dict[str, Any]) -> None:
        """What pack() gave. What had stopped goes on."""
        self.ids, self.read = [int(i) for i in values["ids"]], int(values["read"])
        self.waiting, self.glued, self.stopped = str(values["waiting"]), bool(values["glued"]), False

    def _unread(self) -> str:
        """The text of the pieces after `read`: what they add to those before them."""
        return self.decode(self.ids)[len(self.decode(self.ids[: self.read])) :]

    def _add(self, text: str) -> None:
        if self.glued and text:
            text, self.glued = text.removeprefix(" "), False
        # A stop string that was not there before ends in the new text.
        start = max(0, len(self.waiting) - max(map(len, self.stop), default=0))
        self.waiting += text
        found = [at for s in self.stop if (at := self.waiting.find(s, start)) >= 0]
        if found:
            self.waiting, self.stopped = self.waiting[: min(found)], True

    def _begun(self) -> int:
        """How many characters at the end may be the beginning of a stop string."""
        return max(
            (n for s in self.stop for n in range(1, len(s)) if self.waiting.endswith(s[:n])),
            default=0,
        )


def lines_to_ids(encode_all: Callable[[list[str]], Any], text: str) -> list[int]:
    """A text as a language model reads it: every line break is EOS, and a last line without one is not ended.

    encode_all  of the tokenizer: without EOS
    """
    encoded = encode_all(text.split(BREAK))
    ids: list[int] = []
    for number, line in enumerate(encoded):
        ids += [EOS] if number else []
        ids += line
    return ids


def readable_text(text: str) -> str:
    """Line ends of other systems as line breaks: a model has never seen them."""
    return text.replace("\r\n", BREAK).replace("\r", BREAK)
