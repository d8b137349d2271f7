"""Readers of tables in files: tsv, csv, JSON lines and Parquet, each but the last also gzipped.

data: {kind: tsv, path: corpus, source: 0, target: 1}                   # corpus/train.tsv, no header
data: {kind: csv, path: my.csv, source: english, target: spanish}       # one file; validation is held out of it
data: {kind: jsonl, path: corpus, source: translation.de, target: translation.en}
"""

import csv
import glob
import json
import sys
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from s2s.data.readers.base import AUTO, Place, Reader, Row, SourceType
from s2s.data.readers.columns import ONE_LIST, ColumnName, ColumnNames, as_tuple, no_column, row_of, top_columns
from s2s.data.source_files import LONGEST_LINE, digest, digest_files, existing_file, missing, opened, read_lines
from s2s.errors import DataError, OptionError

csv.field_size_limit(
    min(LONGEST_LINE, sys.maxsize)
)  # the library's own limit is 131,072, and it is for all the program


@dataclass(kw_only=True)
class Table(Reader):
    """A file a split: {path}/{train}.tsv and so on, or {path} itself where that is a file.

    source, target  columns by name, by number from 0, or nested: translation.en;
                    a list of targets is several references, and so is a cell that is a list; of labels
                    or tags, a list is all that the row has; a source that is a list is its words;
                    source: null is none, for language models
    A split may also be a whole file name (train: pairs.txt). Parts train-00000-of-00002 are read in order.
    """

    path: Path
    source: ColumnName | None
    target: ColumnNames

    endings: ClassVar[tuple[str, ...]]

    @property
    def source_type(self) -> SourceType:
        return "nothing" if self.source is None else "text"

    def locate(self, name: str) -> list[Path]:
        folder = self.path
        if self.path.is_file():
            if name == self.train:
                return [self.path]
            folder = self.path.parent
        if found := existing_file(folder / name, *(folder / f"{name}{ending}" for ending in self.endings)):
            return [found]
        parts = (glob.glob(f"{glob.escape(str(folder / name))}-[0-9]*{ending}") for ending in self.endings)
        return [Path(part) for group in parts for part in sorted(group)]

    def named(self, split: str) -> str | None:
        name = super().named(split)
        # Beside one file that a recipe names, others are not taken for its splits unless it names them too.
        return None if self.path.is_file() and getattr(self, split, None) == AUTO else name

    def offers(self, name: str) -> bool:
        return bool(self.locate(name))

    def files(self, name: str) -> list[Path]:
        found = self.locate(name)
        if not found:
            folder = self.path.parent if self.path.is_file() else self.path
            raise missing(folder / f"{name}{self.endings[0]}")
        return found

    def contents(self, name: str) -> str:
        return digest(*self.asked(), digest_files(self.files(name)))

    def asked(self) -> tuple[object, ...]:
        """What decides how the bytes of a file become rows."""
        return type(self).__name__, self.source, self.target

    def placed(self, name: str) -> Iterator[tuple[Place, Row]]:
        for path in self.files(name):
            for where, row in self.file_rows(path):
                yield Place(where, where), row

    @abstractmethod
    def file_rows(self, path: Path) -> Iterator[tuple[str, Row]]:
        """(where it stands, the row) of every row of a file."""


@dataclass(kw_only=True)
class Tsv(Table, kind="tsv"):
    """Cells between tabs, a row a line, no quoting.

    header  whether the first line names the columns; null: where columns are asked for by name

    The first line says how many cells a row has. One with more of them is a mistake, unless those are blank: a tab
    inside a text would make another text of it. One with fewer is read where no column that is asked for is missing.
    """

    header: bool | None = None
    loose: ClassVar[str] = "take the tab out of the cell that it stands in, or give every cell a name in the first line"

    endings: ClassVar[tuple[str, ...]] = (".tsv", ".tab")

    def asked(self) -> tuple[object, ...]:
        return *super().asked(), self.header

    def cells(self, path: Path) -> Iterator[tuple[int, Sequence[str]]]:
        """The cells of every row, and the line it ends on."""
        return ((number, line.split("\t")) for number, line in enumerate(read_lines(path), 1) if line)

    def file_rows(self, path: Path) -> Iterator[tuple[str, Row]]:
        names = (*([] if self.source is None else [self.source]), *as_tuple(self.target))
        header = any(isinstance(name, str) for name in names) if self.header is None else self.header
        rows = self.cells(path)
        line, first = next(rows, (0, []))
        if line and not header:
            rows = chain([(line, first)], rows)
        wanted = [column_number(first if header else [], name, path) for name in names]
        needed, several = max(wanted) + 1, isinstance(self.target, tuple)
        for number, cells in rows:
            if len(cells) > len(first):
                check_cells(cells, len(first), f"{path}:{number}", self.loose)
            if len(cells) < needed:
                what = f"has {plural(len(cells), 'column')}, and column {needed - 1} was asked for (they count from 0)"
                raise DataError(f"{path}:{number}", what, f"the line is: {shortened(cells)}")
            texts = ["", *(cells[i] for i in wanted)] if self.source is None else [cells[i] for i in wanted]
            yield f"{path}:{number}", Row(texts[0], texts[1:] if several else texts[1])


@dataclass(kw_only=True)
class Csv(Tsv, kind="csv"):
    """Cells between commas (or another delimiter), quoted where they need to be (RFC 4180); as many a row as for tsv.

    header     whether the first line names the columns; null: where columns are asked for by name
    delimiter  one character; a tab is "\\t"
    """

    delimiter: str = ","
    loose: ClassVar[str] = 'a cell with a comma or a line break in it is quoted: "Well, yes"'

    endings: ClassVar[tuple[str, ...]] = (".csv",)

    def asked(self) -> tuple[object, ...]:
        return *super().asked(), self.delimiter

    def cells(self, path: Path) -> Iterator[tuple[int, Sequence[str]]]:
        return csv_cells(path, self.delimiter)


@dataclass(kw_only=True)
class JsonLines(Table, kind="jsonl"):
    """A JSON object (or list) a line."""

    endings: ClassVar[tuple[str, ...]] = (".jsonl", ".json", ".ndjson")

    def file_rows(self, path: Path) -> Iterator[tuple[str, Row]]:
        for number, line in enumerate(read_lines(path), 1):
            if line.strip():
                where = f"{path}:{number}"
                record = parse_json(line, number, where)
                yield where, row_of(record, self.source, self.target, where, bool(self.labels))


@dataclass(kw_only=True)
class Parquet(Table, kind="parquet"):
    """Parquet files, read in pieces: no more than a thousand rows are in memory.

    A source that holds {bytes, path} is a picture, as `datasets` writes them.
    """

    endings: ClassVar[tuple[str, ...]] = (".parquet",)

    @property
    def source_type(self) -> SourceType:
        import pyarrow as pa
        import pyarrow.parquet as pq

        usual = super().source_type
        try:
            schema = pq.read_schema(self.files(self.train)[0])
            kind = None if self.source is None else schema.field(self.source).type
        except (pa.ArrowException, OSError, KeyError, IndexError, DataError):  # reading it says what is wrong
            return usual
        return "picture" if kind is not None and is_picture(kind) else usual

    def file_rows(self, path: Path) -> Iterator[tuple[str, Row]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        with opened(path):  # says what is wrong with a path better than pyarrow
            pass
        try:
            with pq.ParquetFile(path) as file:
                columns = top_columns(file.schema_arrow.names, self.source, self.target, str(path))
                batches = (batch.to_pylist() for batch in file.iter_batches(1000, columns=columns))
                for number, record in enumerate(chain.from_iterable(batches), 1):
                    where = f"{path}: row {number:,}"
                    yield where, row_of(record, self.source, self.target, where, bool(self.labels))
        except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: of a text that is no UTF-8
            raise DataError(
                str(path), f"is not a readable Parquet file: {first_line(error)}", "write it again"
            ) from None


def is_picture(kind: Any) -> bool:
    """Is this the Arrow type of pictures?"""
    import pyarrow as pa

    return pa.types.is_struct(kind) and any(field.name == "bytes" for field in kind)


def csv_cells(path: Path, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """The cells of every row that is not blank, and the line it ends on. Raises DataError with file and line."""
    try:
        # A shell and YAML without double quotes leave the two characters \t as they are.
        sign = "\t" if delimiter == "\\t" else delimiter
        table = csv.reader((f"{line}\n" for line in read_lines(path)), delimiter=sign, strict=True)
    except (TypeError, ValueError):
        hint = 'such as ";" or "|"; a tab is "\\t"'
        raise OptionError("delimiter", f"must be one character, found {delimiter!r}", hint) from None
    try:
        for cells in table:
            if cells:
                yield table.line_num, cells
    except csv.Error as error:
        what = "a quote is opened and never closed" if "end of data" in str(error) else f"is not CSV: {error}"
        hint = 'a cell that holds a quote is written "like ""this"""; without quoting, the kind is tsv'
        raise DataError(f"{path}:{table.line_num}", what, hint) from None


def check_cells(cells: Sequence[str], width: int, where: str, hint: str) -> None:
    """Complain about a row with more cells than the first line, unless nothing is in them."""
    if any(cell.strip() for cell in cells[width:]):
        what = f"has {plural(len(cells), 'cell')}, and the first line has {width}"
        raise DataError(where, f"{what}: {shortened(cells)}", hint)


def column_number(header: Sequence[str], name: ColumnName, path: Path) -> int:
    """Where a column is. Raises DataError with the nearest of the names there are."""
    if isinstance(name, int):
        return name
    names = [cell.strip() for cell in header]
    if name in names:
        return names.index(name)
    if not names:
        raise DataError(
            f"{path}:1", f"has no header to find column {name!r} in", "give columns by number, or header: true"
        )
    raise no_column(f"{path}:1", name, names)


def parse_json(line: str, number: int, where: str) -> Any:
    """What a line holds. Raises DataError."""
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        hint = "JSON lines hold one whole object on every line"
        if number == 1 and line.lstrip().startswith("["):
            hint = ONE_LIST
        raise DataError(where, f"is not JSON: {error.msg} at column {error.colno}", hint) from None
    except ValueError:  # Python's bound on the digits of a whole number
        digits = f"{sys.get_int_max_str_digits():,}"
        raise DataError(where, f"holds a number of more than {digits} digits", "put it in quotes: it is text") from None
    except RecursionError:
        raise DataError(where, "is JSON nested too deeply", "write one flat object a line") from None


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def shortened(cells: Sequence[str], most: int = 60) -> str:
    text = " | ".join(cells)
    return text if len(text) <= most else text[: most - 3] + "..."


def first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0]
