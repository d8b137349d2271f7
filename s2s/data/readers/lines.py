"""Plain text, a row a line, for language models: files, a text in the recipe, and one that every Python brings along.

data: {kind: lines, path: book.txt}                    # the last tenth of its characters is for validation
data: {kind: lines, path: corpus}                      # corpus/train.txt, corpus/valid.txt
data: {kind: lines, text: hello, hold_out: 0}
data: python
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from s2s.data.readers.base import AUTO, USUAL_SPLIT_NAMES, Place, Reader, Row, SourceType
from s2s.data.source_files import digest, digest_files, existing_file, missing, read_lines
from s2s.errors import OptionError, RecipeError
from s2s.registry import NonNegativeInt, PositiveInt, Probability


@dataclass(kw_only=True)
class ContinuousText(Reader):
    """A text that is read in order: what is held out of it is its end, not some of its lines."""

    hold_out: NonNegativeInt | Probability = 0.1
    max_characters: PositiveInt = 10_000_000

    @property
    def source_type(self) -> SourceType:
        return "nothing"

    def lines(self, name: str) -> Iterator[str]:
        """The lines of what is called `name`, without their breaks."""
        raise NotImplementedError

    def is_there(self, name: str) -> bool:
        """Is this a text of its own, rather than the end of another?"""
        raise NotImplementedError

    def offers(self, name: str) -> bool:
        return self.is_there(name) or (name == "validation" and self.hold_out > 0 and not self.apart)

    @property
    def apart(self) -> bool:
        """Has validation a text of its own?"""
        if self.validation != AUTO:
            return True
        return any(self.is_there(name) for name in USUAL_SPLIT_NAMES["validation"])

    def place(self, name: str, number: int) -> str:
        """Where a line of what is called `name` stands."""
        return f"{name}: line {number:,}"

    def placed(self, name: str) -> Iterator[tuple[Place, Row]]:
        whole = self.is_there(name) and (self.apart or name != self.train)
        numbered = enumerate(self.lines(name), 1) if whole else self.part(first=name == self.train)
        origin = name if whole else self.train
        return ((Place.both(self.place(origin, number)), Row("", line)) for number, line in numbered)

    def part(self, first: bool) -> Iterator[tuple[int, str]]:
        """The training text up to where validation begins, or from there on; a line may be cut in two."""
        total = sum(len(line) + 1 for line in self.lines(self.train))
        held = int(self.hold_out) if self.hold_out >= 1 else total - int(total * (1 - self.hold_out))
        left = total - min(held, total // 2)
        for number, line in enumerate(self.lines(self.train), 1):
            here, rest = line[: max(0, left)], line[max(0, left) :]
            if first and left > 0:
                yield number, here
            elif not first and left <= len(line):
                yield number, rest if left > 0 else line
            left -= len(line) + 1


@dataclass(kw_only=True)
class Lines(ContinuousText, kind="lines"):
    """Plain text files, {path}/{train}.txt and so on, or {path} itself where that is a file; also as .gz.

    text      instead of a path: the text itself
    hold_out  the last part of the training text is for validation, where there is no file for it: a fraction of
              its characters, or so many; 0 is none
    """

    path: Path | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        if (self.path is None) == (self.text is None):
            raise RecipeError("path", "is needed, or `text`, and not both", "such as: path: book.txt")

    def locate(self, name: str) -> Path | None:
        if self.path is None:
            return None
        if self.path.is_file():
            return self.path if name == self.train else existing_file(self.path.parent / name)
        return existing_file(self.path / f"{name}.txt", self.path / name)

    def is_there(self, name: str) -> bool:
        return name == self.train if self.text is not None else self.locate(name) is not None

    def lines(self, name: str) -> Iterator[str]:
        if self.text is not None:
            return iter(self.text.split("\n"))
        return read_lines(self.file(name))

    def place(self, name: str, number: int) -> str:
        return super().place("data.text", number) if self.text is not None else f"{self.file(name)}:{number}"

    def file(self, name: str) -> Path:
        found = self.locate(name)
        if found is None:
            assert self.path is not None
            raise missing(self.path / f"{name}.txt" if self.path.is_dir() else self.path)
        return found

    def contents(self, name: str) -> str:
        if self.text is not None:
            return digest(name, self.hold_out, self.text)
        held_out_of = self.train if not self.is_there(name) else name
        return digest(name, self.apart, self.hold_out, digest_files([self.file(held_out_of)]))


@dataclass(kw_only=True)
class Python(ContinuousText, kind="python"):
    """What `help()` says about the language, which every CPython brings along: its topics, in order of their names."""

    def is_there(self, name: str) -> bool:
        return name == self.train

    def topics(self) -> dict[str, str]:
        try:
            from pydoc_data.topics import topics
        except ImportError:
            raise OptionError("", "this Python has no pydoc_data.topics", "use the one from python.org") from None
        return topics

    def lines(self, name: str) -> Iterator[str]:
        topics = self.topics()
        return (line for topic in sorted(topics) for line in topics[topic].split("\n"))

    def contents(self, name: str) -> str:
        return digest(name, self.hold_out, *(part for item in sorted(self.topics().items()) for part in item))
