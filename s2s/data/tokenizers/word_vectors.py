"""Word vectors that somebody else has learned: the rows of a GloVe or fastText text file that a vocabulary needs.

    found = WordVectors(path=Path("glove.6B.300d.txt.gz")).read(tokenizer, 300)
    found.ids, found.vectors        # [N], [N, 300]

A line is a word and its numbers, with blanks between; fastText begins with a line `count dimension`. The file is
read once, line by line, as bytes, so that one of six gigabytes needs no memory, and a word in a broken encoding,
of which there are some in every large file, is simply one that nobody asked for.

GloVe: Pennington et al. 2014, https://aclanthology.org/D14-1162; fastText: Bojanowski et al. 2017,
https://aclanthology.org/Q17-1010
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from s2s.data.source_files import opened
from s2s.data.tokenizers.base import Tokenizer
from s2s.data.tokenizers.simple import JOINER, VocabularyTokenizer
from s2s.errors import DataError, RecipeError
from s2s.tensors import PAD

MAX_LINE_BYTES = 1 << 20  # bytes of a line: 50,000 numbers
DECIMAL_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
HEADER = re.compile(rb"\d{1,18} \d{1,18}")


class VectorsFound(NamedTuple):
    """The vectors that a file has for a vocabulary."""

    ids: np.ndarray  # [N] of pieces, rising
    vectors: np.ndarray  # [N, E] float32
    other_case: int  # of these were found under another spelling: `The` as `the`
    pieces: int  # in the vocabulary, without PAD

    def __str__(self) -> str:
        share = f"{len(self.ids):,} of {self.pieces:,} tokens ({len(self.ids) / self.pieces:.1%})"
        case = f", {self.other_case:,} of them in another case" if self.other_case else ""
        return f"{share} have a vector{case}"


@dataclass(frozen=True, kw_only=True)
class WordVectors:
    """What a recipe says about vectors to begin with. They are read when a run begins, and are in its weights after.

    path    a text file, gzipped or not, as GloVe and fastText have them
    frozen  leave them as they are: nothing of that embedding is trained
    side    whose embedding they fill; `both` for two that are one language, or tied
    """

    path: Path
    frozen: bool = False
    side: Literal["source", "target", "both"] = "source"

    @property
    def sides(self) -> tuple[str, ...]:
        return ("source", "target") if self.side == "both" else (self.side,)

    def read(self, tokenizer: Tokenizer, width: int, key: str = "model.encoder.embedding") -> VectorsFound:
        """The vectors of a tokenizer's pieces. The first line of a word counts, as frequent ones come first.

        width  E, of the embedding they are for, which the recipe calls `key`

        Raises RecipeError where tokenizer or width do not suit the file, DataError with the line that is wrong.
        """
        wanted = spellings(tokenizer)
        size = len(tokenizer)
        rank = np.full(size, len(wanted), dtype=np.int8)  # of the spelling that a piece was found under; none yet
        vectors = np.zeros((size, width), dtype=np.float32)
        for number, word, numbers in entries(self.path, width, key):
            better = [(r, i) for r, named in enumerate(wanted) for i in named.get(word, ()) if r < rank[i]]
            if better:
                vector = parsed(self.path, number, numbers)
                for r, i in better:
                    rank[i], vectors[i] = r, vector
        ids = np.flatnonzero(rank < len(wanted))
        if not len(ids):
            example = next(iter(wanted[0])).decode("utf-8", "replace")
            hint = f"the vocabulary has tokens such as {example!r}: is the file of this language?"
            raise DataError(str(self.path), f"has no vector for any of {size - 1:,} tokens", hint)
        return VectorsFound(ids, vectors[ids], int((rank[ids] > 0).sum()), size - 1)


def spellings(tokenizer: Tokenizer) -> list[dict[bytes, list[int]]]:
    """The ids of pieces by how they may be spelled in a file: as they are, in lower case, with a capital.

    A mark with its joiner is that mark. Raises RecipeError for a tokenizer whose pieces are no words.
    """
    if not isinstance(tokenizer, VocabularyTokenizer):
        kind = next((name for name, maker in Tokenizer.registry.items() if maker is type(tokenizer)), "other")
        what = f"are of words, and the tokenizer is {kind}: its tokens are parts of words"
        raise RecipeError("", what, "choose tokenizer: word, or leave word_vectors out")
    forms: list[dict[bytes, list[int]]] = [{}, {}, {}]
    names = tokenizer.vocabulary.pieces
    for i, name in enumerate(names):
        if i == PAD:
            continue
        word = name.replace(JOINER, "") or name
        others = (form for form in (word.lower(), word.capitalize()) if form != word)
        for form, spelled in zip(forms, (word, *others)):
            form.setdefault(spelled.encode("utf-8", "surrogatepass"), []).append(i)
    return forms


def entries(path: Path, width: int, key: str) -> Iterator[tuple[int, bytes, bytes]]:
    """(number of the line, word, its numbers) for every line. Raises DataError and RecipeError; see read()."""
    count = 0
    for number, line in numbered_lines(path):
        if number == 1 and HEADER.fullmatch(line):
            check_vector_width(path, int(line.split()[1]), width, key)
            continue
        if not line:
            continue
        if count == 0:
            check_vector_width(path, numbers_in(line), width, key)
        count += 1
        word, _, numbers = line.partition(b" ")
        if line.count(b" ") != width:
            word, numbers = with_blanks(path, number, line, width)
        yield number, word, numbers
    if not count:
        raise DataError(str(path), "holds no vectors", "it needs lines of a word and its numbers")


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines of bytes without their ends, and without the blank that fastText leaves at the end of each."""
    with opened(path) as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES):
            number += 1
            if len(line) == MAX_LINE_BYTES or b"\0" in line:
                hint = "binary vectors (.bin) must be written as text first"
                raise DataError(f"{path}:{number}", "is no line of a word and numbers", hint)
            stripped = line.rstrip(b" \r\n")
            yield number, stripped.replace(b"\t", b" ") if b"\t" in stripped else stripped


def numbers_in(line: bytes) -> int:
    """How many numbers a line ends in; its first word is none."""
    fields = line.split(b" ")[1:]
    return next((n for n, field in enumerate(reversed(fields)) if not DECIMAL_NUMBER.fullmatch(field)), len(fields))


def check_vector_width(path: Path, found: int, width: int, key: str) -> None:
    if not found:
        hint = "a line is a word and its numbers, with blanks between, as in glove.6B.50d.txt"
        raise DataError(f"{path}:1", "is no file of word vectors", hint)
    if found != width:
        what = f"vectors of {path.name} are {found} wide, and the embedding is {width}"
        raise RecipeError("", what, f"set {key}={found}")


def with_blanks(path: Path, number: int, line: bytes, width: int) -> tuple[bytes, bytes]:
    """A line with more blanks than numbers, or fewer: GloVe 840B has words such as `. . .`"""
    *word, numbers = line.split(b" ", max(0, line.count(b" ") + 1 - width))
    if not word or (DECIMAL_NUMBER.fullmatch(word[-1]) and len(word) > 1):
        what = f"has {numbers_in(line)} numbers, and the first line has {width}"
        raise DataError(f"{path}:{number}", what, "the file is damaged, or was cut short: fetch it again")
    return b" ".join(word), numbers


def parsed(path: Path, number: int, numbers: bytes) -> np.ndarray:
    """[E], all of them finite."""
    fields = numbers.split(b" ")
    try:
        vector = np.array(fields, dtype=np.float32)
    except ValueError:
        vector = None
    if vector is None or not np.isfinite(vector).all():
        bad = next((f for f in fields if not DECIMAL_NUMBER.fullmatch(f)), numbers[:20]).decode("utf-8", "replace")
        raise DataError(f"{path}:{number}", f"{bad!r} is not a number", "the file is damaged: fetch it again")
    return vector
