"""Conversations as examples: what was said last, and the reply to it.

data: {kind: dialogues, path: corpus, context: 3}      # corpus/train.jsonl.gz: {"turns": ["Hi!", "Hello.", ...]} a line
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

from s2s.data.columns import kind_of
from s2s.data.files import digest, digest_files, existing, missing, read_lines
from s2s.data.readers import AUTO, USUAL, Reader, Row
from s2s.data.tables import parse_json
from s2s.errors import DataError
from s2s.parts import Count, Fraction, Positive

SEPARATOR = " ¶ "  # a mark that tokenizers leave whole and nobody types


def context_of(turns: Sequence[str], most: int, separator: str = SEPARATOR) -> str:
    """The last turns of a conversation as one source text; a reader and a chat make it alike."""
    return separator.join(" ".join(turn.split()) for turn in turns[-most:])


@dataclass(kw_only=True)
class Dialogues(Reader, kind="dialogues"):
    """JSON lines with the turns of a conversation each: every turn but the first is a reply to those before it.

    path       a file, or a folder with train.jsonl and others, also as .gz
    turns      what the list of turns is called; a turn is a text, or an object with the field `text_key`
    context    how many turns before a reply are its source
    separator  what stands between them
    hold_out   so many conversations (or this fraction of them) are for validation, where there is no file for it
    """

    path: Path
    turns: str = "turns"
    text_key: str = "text"
    context: Positive = 3
    separator: str = SEPARATOR
    hold_out: Count | Fraction = 0.05

    endings: ClassVar[tuple[str, ...]] = (".jsonl", ".json", ".ndjson")

    @property
    def turns_seen(self) -> int:
        return self.context

    def locate(self, name: str) -> Path | None:
        if self.path.is_file():
            return self.path if name == self.train else existing(self.path.parent / name)
        return existing(self.path / name, *(self.path / f"{name}{ending}" for ending in self.endings))

    @property
    def apart(self) -> bool:
        """Has validation a file of its own?"""
        return self.validation != AUTO or any(self.locate(name) for name in USUAL["validation"])

    def offers(self, name: str) -> bool:
        return self.locate(name) is not None or (name == "validation" and self.hold_out > 0 and not self.apart)

    def file(self, name: str) -> Path:
        found = self.locate(name)
        if found is None:
            raise missing(self.path / f"{name}.jsonl" if self.path.is_dir() else self.path)
        return found

    def contents(self, name: str) -> str:
        held_out_of = name if self.locate(name) else self.train
        about = (self.turns, self.text_key, self.context, self.separator, self.hold_out, self.apart, name)
        return digest(*about, digest_files([self.file(held_out_of)]))

    def rows(self, name: str) -> Iterator[Row]:
        for turns in self.conversations(name):
            for i in range(1, len(turns)):
                yield Row(context_of(turns[:i], self.context, self.separator), turns[i])

    def conversations(self, name: str) -> Iterator[list[str]]:
        """The turns of each conversation of a split."""
        if self.apart or name not in (self.train, "validation"):
            yield from self.all_of(name)
            return
        share = float(self.hold_out)
        if share >= 1:
            share /= max(1, sum(1 for _ in self.all_of(self.train)))
        for turns in self.all_of(self.train):
            # Chance that stays when conversations are added: the hash of one says on which side it is.
            number = int.from_bytes(blake2b("\n".join(turns).encode(), digest_size=4).digest(), "big") / 2**32
            if (number < min(share, 0.5)) == (name == "validation"):
                yield turns

    def all_of(self, name: str) -> Iterator[list[str]]:
        path = self.file(name)
        for number, line in enumerate(read_lines(path), 1):
            if line.strip():
                where = f"{path}:{number}"
                yield self.turns_of(parse_json(line, number, where), where)

    def turns_of(self, record: Any, where: str) -> list[str]:
        """The texts of a conversation. Raises DataError where there are none."""
        turns = record.get(self.turns) if isinstance(record, dict) else record
        if not isinstance(turns, list):
            has = ", ".join(map(str, record)) if isinstance(record, dict) else kind_of(record)
            hint = f"name it: data.turns=NAME; the line has: {has}"
            raise DataError(where, f"has no list called {self.turns!r}", hint)
        texts: list[str] = []
        for place, turn in enumerate(turns, 1):
            text = turn.get(self.text_key) if isinstance(turn, dict) else turn
            if not isinstance(text, str):
                hint = "a turn is a text, or an object whose text data.text_key names"
                raise DataError(where, f"turn {place} is {kind_of(text)}", hint)
            texts += [text] if text.strip() else []
        return texts
