"""A list of pieces and their ids, and the text file that keeps it.

    # 7 pieces
    <pad>
    <s>
    </s>
    <unk>
    house
    \\n
    \\\\

A piece a line, so the piece with id i stands on line i + 2. The backslash begins an escape: a piece may
be a line break. The first line counts the pieces, so a file that was cut short is noticed.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from s2s.errors import RunError
from s2s.files import atomic_write
from s2s.tensors import UNK

SPECIALS = ("<pad>", "<s>", "</s>", "<unk>")  # their ids are PAD, BOS, EOS, UNK

ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
UNESCAPED = {escape: char for char, escape in ESCAPES.items()}


class Vocabulary:
    """Vocabulary(["house", "tree"])["tree"] is 5: the four specials come first.

    A text may hold the very words that name the specials: they are pieces like any other, with ids of
    their own, so no text can write an end of sentence.
    """

    def __init__(self, pieces: Iterable[str] = ()) -> None:
        own = list(pieces)
        self.pieces = [*SPECIALS, *own]
        self.ids = {piece: i for i, piece in enumerate(own, len(SPECIALS))}

    @classmethod
    def count(cls, sequences: Iterable[Sequence[str]], limit: int | None = None, min_count: int = 1) -> "Vocabulary":
        """The most frequent pieces first, and equals in the order of their characters.

        `limit` is the most pieces to keep, specials not counted; `min_count` drops rarer ones.
        """
        counts: Counter[str] = Counter()
        for sequence in sequences:
            counts.update(sequence)
        kept = [piece for piece, count in counts.items() if count >= min_count]
        return cls(sorted(kept, key=lambda piece: (-counts[piece], piece))[:limit])

    def __len__(self) -> int:
        return len(self.pieces)

    def __getitem__(self, piece: str) -> int:
        """The id of a piece, or UNK."""
        return self.ids.get(piece, UNK)

    def __contains__(self, piece: str) -> bool:
        return piece in self.ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.pieces == other.pieces

    __hash__ = None  # type: ignore[assignment]  # two equal vocabularies may grow apart

    def to_bytes(self) -> bytes:
        """What save() writes."""
        lines = [f"# {len(self)} pieces", *map(escape, self.pieces)]
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")

    def save(self, path: Path) -> None:
        """Write the text file. Raises RunError where that is not possible."""
        atomic_write(path, self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read what save() wrote. Raises RunError, with the file's name, if that is not what is there."""
        try:
            lines = read_vocabulary_file(path).decode("utf-8", "surrogatepass").split("\n")
        except UnicodeDecodeError as error:
            raise damaged_vocabulary(path, f"byte {error.start} is not UTF-8") from None
        header = re.fullmatch(r"# (\d+) pieces", lines[0])
        if header is None:
            raise damaged_vocabulary(path, "line 1 is not '# N pieces'")
        if lines[-1] or len(lines) != int(header[1]) + 2:
            raise damaged_vocabulary(path, f"line 1 promises {header[1]} pieces, and {len(lines) - 2} are there")
        pieces = [unescaped(line, path, number) for number, line in enumerate(lines[1:-1], 2)]
        if tuple(pieces[: len(SPECIALS)]) != SPECIALS:
            raise damaged_vocabulary(path, f"the first pieces are not {', '.join(SPECIALS)}")
        vocabulary = cls(pieces[len(SPECIALS) :])
        if len(vocabulary.ids) != len(pieces) - len(SPECIALS):
            twice = next(p for p, n in Counter(pieces[len(SPECIALS) :]).items() if n > 1)
            raise damaged_vocabulary(path, f"piece {twice!r} is there twice")
        return vocabulary


def escape(piece: str) -> str:
    """A piece on one line: a line break in it is written as \\n."""
    return re.sub(r"[\\\n\r]", lambda found: ESCAPES[found[0]], piece)


def unescaped(line: str, path: Path, number: int) -> str:
    """The piece that escape() wrote."""
    if "\\" not in line:
        return line
    if wrong := re.sub(r"\\[\\nr]", "", line).count("\\"):
        raise damaged_vocabulary(path, f"line {number} has {wrong} backslashes that escape nothing")
    return re.sub(r"\\.", lambda found: UNESCAPED[found[0]], line)


def damaged_vocabulary(path: Path, what: str) -> RunError:
    return RunError(str(path), f"is damaged: {what}", "copy the run again from where it was trained, or train again")


def read_vocabulary_file(path: Path) -> bytes:
    """All of a file, or a RunError that names it."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise RunError(str(path), "is missing", "the run is not complete: copy all of it, or train again") from None
    except OSError as error:
        raise RunError(str(path), f"cannot be read: {error.strerror}", "check the file and its permissions") from None
