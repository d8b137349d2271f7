"""The reader of CoNLL files: a word a line with its columns, and a blank line between sentences.

data: {kind: conll, path: conll2003, source: 0, target: 3}                        # EU NNP B-NP B-ORG
data: {kind: conll, path: UD_English-EWT, source: 1, target: 3}                   # CoNLL-U: forms and UPOS
data: {kind: conll, path: ner, source: 0, target: 1, separator: tab}              # words may hold blanks

Formats: Buchholz & Marsi 2006, https://aclanthology.org/W06-2920; CoNLL-U: https://universaldependencies.org/format.html
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from s2s.data.fields.categorical import words_of
from s2s.data.readers.base import Row
from s2s.data.readers.tables import Table, plural, shortened
from s2s.data.source_files import read_lines
from s2s.errors import DataError
from s2s.registry import NonNegativeInt

DOCUMENT = "-DOCSTART-"  # stands for a word where a document begins
DOCUMENTS = ("#begin document", "#end document")  # of CoNLL-2011 and 2012
NO_WORD = re.compile(r"[0-9]+[-.][0-9]+")  # CoNLL-U: 1-2 spans words that follow, 1.1 is one that was left out


@dataclass(kw_only=True)
class Conll(Table, kind="conll"):
    """Words and their tags in columns: {path}/{train}.conll and so on, or {path} itself where that is a file.

    source, target  the columns of words and of tags, by number from 0
    separator       tab, or blank for any white space; auto is tab where the first word's line has one
    comments        whether a line that begins with # before a sentence is a comment, as in CoNLL-U; a line with as many
                    columns as the others is one only where a space follows the #

    -DOCSTART- lines are skipped, and so are the ids 1-2 and 1.1 of CoNLL-U where the first column is not the source.
    White space inside a word is read as _. The files are .conll, .conllu, .iob, .iob2, .bio, .txt or .tsv.
    """

    source: NonNegativeInt
    target: NonNegativeInt
    separator: Literal["auto", "tab", "blank"] = "auto"
    comments: bool = True

    endings: ClassVar[tuple[str, ...]] = (".conll", ".conllu", ".iob", ".iob2", ".bio", ".txt", ".tsv")

    def asked(self) -> tuple[object, ...]:
        return *super().asked(), self.separator, self.comments

    def file_rows(self, path: Path) -> Iterator[tuple[str, Row]]:
        words: list[str] = []
        tags: list[str] = []
        began = 0  # the line of its first word: where a sentence stands
        for number, cells in self.sentences(path):
            if not cells:
                if words:
                    yield f"{path}:{began}", self.row(words, tags)
                words, tags = [], []
                continue
            began = began if words else number
            if len(cells) <= max(self.source, self.target):
                asked = max(self.source, self.target)
                what = f"has {plural(len(cells), 'column')}, and column {asked} was asked for (they count from 0)"
                raise DataError(f"{path}:{number}", what, f"the line is: {shortened(cells)}")
            words.append(cells[self.source])
            tags.append(cells[self.target])
        if words:
            yield f"{path}:{began}", self.row(words, tags)

    def row(self, words: list[str], tags: list[str]) -> Row:
        """A sentence. Tags that are numbers are a list, until data.labels has given them names."""
        return Row(words_of(words), tags if self.labels else words_of(tags))

    def sentences(self, path: Path) -> Iterator[tuple[int, Sequence[str]]]:
        """The number and cells of every line with a word; no cells where a sentence ends."""
        tab, width = self.form(path)
        within = False
        for number, line in enumerate(read_lines(path), 1):
            cells = self.cells(line, tab)
            if not line.strip():
                within = False
                yield number, ()
            elif not within and self.comments and is_comment(line, len(cells), tab, width):
                continue
            elif cells[0] == DOCUMENT:
                within = False
                yield number, ()
            elif self.source > 0 and NO_WORD.fullmatch(cells[0]):
                continue
            else:
                within = True
                yield number, cells

    def form(self, path: Path) -> tuple[bool, int]:
        """Whether tabs separate, and how many columns the first line has that is surely no comment."""
        lines = (line for line in read_lines(path) if line.strip())
        first = next((line for line in lines if not line.startswith("#") and not line.startswith(DOCUMENT)), "")
        tab = self.separator == "tab" or (self.separator == "auto" and "\t" in first)
        return tab, len(self.cells(first, tab))

    def cells(self, line: str, tab: bool) -> list[str]:
        return line.split("\t") if tab else line.split()


def is_comment(line: str, columns: int, tab: bool, width: int) -> bool:
    """A line that begins with #, and is no word: `# text = ...`, `#end document`; but not `#<tab>SYM` or `#WNUT O`."""
    if not line.startswith("#") or (tab and "\t" in line):
        return False
    return line[1:2] in ("", " ") or line.startswith(DOCUMENTS) or columns != width
