"""Readers of examples that are files of their own: folders of pictures, and arrays beside texts.

data: {kind: imagefolder, path: photos, target: caption}     # photos/train/metadata.csv: file_name,caption
data: {kind: features, path: vectors, target: en}            # vectors/train.npy [rows, ...] and vectors/train.en
data: {kind: arrayfolder, path: vectors, target: caption}    # vectors/train/metadata.csv: file_name,caption, with .npy
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2s.data.arrays import load_array
from s2s.data.pictures import read_picture
from s2s.data.readers.base import Place, Reader, Row, Source
from s2s.data.readers.columns import ColumnNames, as_tuple, cell_text, look_up, references_of
from s2s.data.readers.tables import Csv, check_cells, csv_cells, parse_json, shortened
from s2s.data.source_files import digest, digest_files, existing_file, missing, read_lines
from s2s.errors import DataError

LISTS = ("metadata.csv", "metadata.jsonl")
NAME_COLUMNS = 5  # missing files that a message names,
LONGEST = 1000  # and the characters of each


@dataclass(kw_only=True)
class ImageFolder(Reader, kind="imagefolder"):
    """Pictures in {path}/{train}, and what belongs to each in metadata.csv or .jsonl beside them, by its file_name.

    The convention of `datasets`: https://huggingface.co/docs/datasets/image_dataset

    target  the column with the text; several columns, or a list in a cell, are several references
    """

    path: Path
    target: ColumnNames

    @property
    def source_type(self) -> str:
        return "picture"

    def listing(self, name: str) -> Path | None:
        return existing_file(*(self.path / name / file for file in LISTS))

    def offers(self, name: str) -> bool:
        return self.listing(name) is not None

    def records(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(where it stands, the record) of every picture."""
        path = self.listing(name)
        if path is None:
            raise missing(self.path / name / LISTS[0])
        if path.name.startswith("metadata.csv"):
            rows = csv_cells(path)
            _, header = next(rows, (0, []))
            for number, cells in rows:
                check_cells(cells, len(header), f"{path}:{number}", Csv.loose)
                yield f"{path}:{number}", dict(zip(header, cells))  # a column that a row lacks, look_up() misses
        else:
            for number, line in enumerate(read_lines(path), 1):
                if line.strip():
                    yield f"{path}:{number}", parse_json(line, number, f"{path}:{number}")

    def listed(self, name: str) -> list[tuple[str, dict[str, Any], Path]]:
        """Every record with its file. Raises DataError that names what is missing."""
        found = []
        for where, record in self.records(name):
            file = cell_text(look_up(record, "file_name", where), "file_name", where)
            found.append((where, record, self.path / name / file))
        if gone := [shortened([str(path)], LONGEST) for _, _, path in found if not os.path.isfile(path)]:
            more = f" and {len(gone) - NAME_COLUMNS:,} more" if len(gone) > NAME_COLUMNS else ""
            hint = "file_name is relative to the folder of the list"
            raise DataError(
                str(self.listing(name)), f"names files that are missing: {', '.join(gone[:NAME_COLUMNS])}{more}", hint
            )
        return found

    def source(self, path: Path) -> Source:
        return read_picture(path)

    def placed(self, name: str) -> Iterator[tuple[Place, Row]]:
        for where, record, path in self.listed(name):
            yield Place(str(path), where), Row(self.source(path), references_of(record, self.target, where))

    def contents(self, name: str) -> str:
        files = self.listed(name)
        listing = self.listing(name)
        assert listing is not None
        return digest(as_tuple(self.target), digest_files([listing, *(path for _, _, path in files)]))


@dataclass(kw_only=True)
class ArrayFolder(ImageFolder, kind="arrayfolder"):
    """Arrays in {path}/{train}, a .npy file [F] or [S, F] for each example, listed as imagefolder lists pictures.

    The convention of `datasets`: https://huggingface.co/docs/datasets/image_dataset; S may differ from file to file.
    """

    @property
    def source_type(self) -> str:
        return "numbers"

    def source(self, path: Path) -> Source:
        array = load_array(path)
        if array.ndim not in (1, 2):
            raise DataError(str(path), f"has the shape {list(array.shape)}", "one example must be [F] or [S, F]")
        return np.array(array, dtype=np.float32)


@dataclass(kw_only=True)
class FeaturesReader(Reader, kind="features"):
    """Arrays of numbers, {path}/{train}.npy [rows, F] or [rows, S, F], and a text for each in {path}/{train}.{target}.

    target  the ending of the text files; a list is several references
    """

    path: Path
    target: str | tuple[str, ...]

    @property
    def source_type(self) -> str:
        return "numbers"

    @property
    def endings(self) -> tuple[str, ...]:
        return (self.target,) if isinstance(self.target, str) else self.target

    def files(self, name: str) -> list[Path]:
        """The array file, then the texts."""
        wanted = [self.path / f"{name}.{ending}" for ending in ("npy", *self.endings)]
        found = [existing_file(path) for path in wanted]
        if gone := [path for path, there in zip(wanted, found) if there is None]:
            raise missing(gone[0])
        return [path for path in found if path is not None]

    def offers(self, name: str) -> bool:
        return (self.path / f"{name}.npy").is_file()

    def placed(self, name: str) -> Iterator[tuple[Place, Row]]:
        file, *texts = self.files(name)
        arrays = load_array(file)
        if arrays.ndim not in (2, 3):
            what = f"has the shape {list(arrays.shape)}"
            raise DataError(str(file), what, "it must be numbers of shape [rows, F] or [rows, S, F]")
        lines = [list(read_lines(path)) for path in texts]
        for path, column in zip(texts, lines):
            if len(column) != len(arrays):
                what = f"has {len(column):,} lines, and {file} has {len(arrays):,} rows"
                raise DataError(str(path), what, "line n must belong to row n")
        for i, array in enumerate(arrays):
            several = [column[i] for column in lines]
            value = np.array(array, dtype=np.float32)
            place = Place(f"{file}: row {i + 1:,}", f"{texts[0]}:{i + 1}")
            yield place, Row(value, several[0] if isinstance(self.target, str) else several)

    def contents(self, name: str) -> str:
        return digest(self.endings, digest_files(self.files(name)))
