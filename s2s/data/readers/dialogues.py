"""Conversations as examples: what was said last, and the reply to it.

data: {kind: dialogues, path: corpus, context: 3}      # corpus/train.jsonl.gz: {"turns": ["Hi!", "Hello.", ...]} a line
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from s2s.data.readers.base import AUTO, USUAL_SPLIT_NAMES, Place, Reader, Row
from s2s.data.readers.columns import ONE_LIST, column_type
from s2s.data.readers.context import SEPARATOR, context_of
from s2s.data.readers.tables import parse_json
from s2s.data.source_files import digest, digest_files, existing_file, missing, read_lines
from s2s.errors import DataError
from s2s.registry import NonNegativeInt, PositiveInt, Probability

HELD_OUT = "validation, held out of train"  # a name that no file has


@dataclass(kw_only=True)
class Dialogues(Reader, kind="dialogues"):
    """JSON lines with the turns of a conversation each: every turn but the first is a reply to those before it.

    path                a file, or a folder with train.jsonl and others, also as .gz
    turns               what the list of turns is called; a turn is a text, or an object with the field `text_key`
    context             how many turns before a reply are its source
    context_characters  how long they may be together: the earlier ones are left out, the last never is
    separator           what stands between them
    skip_first          turns at the beginning of each conversation that are left out, such as a greeting
    hold_out            so many conversations (or this fraction of them, half at most) are set aside for validation,
                        where it has no file; none of them is in train
    """

    path: Path
    turns: str = "turns"
    text_key: str = "text"
    context: PositiveInt = 3
    context_characters: PositiveInt | None = None
    separator: str = SEPARATOR
    skip_first: NonNegativeInt = 0
    hold_out: NonNegativeInt | Probability = 0.05

    endings: ClassVar[tuple[str, ...]] = (".jsonl", ".json", ".ndjson")

    @property
    def turns_seen(self) -> int:
        return self.context

    def source_of(self, turns: Sequence[str]) -> str:
        return context_of(turns, self.context, self.separator, self.context_characters)

    def locate(self, name: str) -> Path | None:
        if self.path.is_file():
            return self.path if name == self.train else existing_file(self.path.parent / name)
        return existing_file(self.path / name, *(self.path / f"{name}{ending}" for ending in self.endings))

    @property
    def holds_out(self) -> bool:
        """Are the conversations of validation taken out of train? Here, since rows do not know where one ends."""
        if self.validation == AUTO:
            return self.hold_out > 0 and not any(self.locate(name) for name in USUAL_SPLIT_NAMES["validation"])
        return self.hold_out > 0 and self.validation is None

    def named(self, split: str) -> str | None:
        return HELD_OUT if split == "validation" and self.holds_out else super().named(split)

    def offers(self, name: str) -> bool:
        return self.locate(name) is not None

    def file(self, name: str) -> Path:
        found = self.locate(self.train if name == HELD_OUT else name)
        if found is None:
            raise missing(self.path / f"{name}.jsonl" if self.path.is_dir() else self.path)
        return found

    def contents(self, name: str) -> str:
        shape = (self.turns, self.text_key, self.context, self.context_characters, self.separator, self.skip_first)
        part = (name == HELD_OUT, self.hold_out) if self.holds_out and name in (self.train, HELD_OUT) else None
        return digest("dialogues", shape, part, digest_files([self.file(name)]))

    def placed(self, name: str) -> Iterator[tuple[Place, Row]]:
        for where, turns in self.conversations_placed(name):
            for i in range(1, len(turns)):
                yield Place(where, where), Row(self.source_of(turns[:i]), turns[i])

    def conversations(self, name: str) -> Iterator[list[str]]:
        """The turns of each conversation of what is called `name`. Raises DataError."""
        return (turns for _, turns in self.conversations_placed(name))

    def conversations_placed(self, name: str) -> Iterator[tuple[str, list[str]]]:
        """The same, each with the file and line that it stands in."""
        if not (self.holds_out and name in (self.train, HELD_OUT)):
            yield from self.every(name)
            return
        for where, turns in self.every(self.train):
            if (number_of(turns) <= self.last_held_out) == (name == HELD_OUT):
                yield where, turns

    @cached_property
    def last_held_out(self) -> int:
        """Conversations with a number up to this one are held out of train. Raises DataError where there are too few.

        The numbers are hashes: chance that stays when conversations are added or change places.
        """
        numbers = np.fromiter((number_of(turns) for _, turns in self.every(self.train)), dtype=np.uint64)
        different = np.unique(numbers)
        if len(different) < 2:
            what = f"has {len(different)} different conversation, and some must be set aside for validation"
            raise DataError(
                str(self.file(self.train)), what, "add some, or name a validation file, or: data.hold_out=0"
            )
        wanted = self.hold_out if self.hold_out >= 1 else self.hold_out * len(numbers)
        return int(different[max(1, min(int(wanted), len(different) // 2)) - 1])

    def every(self, name: str) -> Iterator[tuple[str, list[str]]]:
        """All conversations of a file, each with its place."""
        path = self.file(name)
        for number, line in enumerate(read_lines(path), 1):
            if line.strip():
                where = f"{path}:{number}"
                yield where, self.turns_of(parse_json(line, number, where), where)[self.skip_first :]

    def turns_of(self, record: Any, where: str) -> list[str]:
        """The texts of a conversation that are not blank. Raises DataError where there is no list of texts."""
        turns = record.get(self.turns) if isinstance(record, dict) else record
        if not isinstance(turns, list):
            has = ", ".join(map(str, record)) if isinstance(record, dict) else column_type(record)
            hint = f"name it: data.turns=NAME; the line has: {has}"
            raise DataError(where, f"has no list called {self.turns!r}", hint)
        texts: list[str] = []
        for place, turn in enumerate(turns, 1):
            text = turn.get(self.text_key) if isinstance(turn, dict) else turn
            if isinstance(turn, list) or (isinstance(turn, dict) and self.turns in turn):
                raise DataError(where, "holds a list of conversations, and a line is one", ONE_LIST)
            if not isinstance(text, str):
                hint = "a turn is a text, or an object whose text data.text_key names"
                raise DataError(where, f"turn {place} is {column_type(text)}", hint)
            texts += [text] if text.strip() else []
        return texts


def number_of(turns: Sequence[str]) -> int:
    """64 bits that equal conversations have in common."""
    return int.from_bytes(blake2b("\n".join(turns).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
