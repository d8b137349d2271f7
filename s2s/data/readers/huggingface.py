"""The reader of Hugging Face datasets: a name on the Hub, a folder of data files, or a `save_to_disk` folder.

data: {kind: huggingface, path: bentrevett/multi30k, source: de, target: en}
data: {kind: huggingface, path: wmt/wmt14, config: de-en, source: translation.de, target: translation.en}
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from s2s.data.readers.base import Place, Reader, Row, with_names
from s2s.data.readers.columns import ColumnName, ColumnNames, row_of, top_columns
from s2s.data.source_files import digest, digest_files, missing
from s2s.errors import DataError, suggest
from s2s.registry import PathOrName


@dataclass(kw_only=True)
class HuggingFace(Reader, kind="huggingface"):
    """Anything that `datasets` loads without running foreign code (Lhoest et al. 2021, https://arxiv.org/abs/2109.02846).

    path            a name on the Hub, or a local folder
    source, target  columns by name or number, or nested: translation.en;
                    a list of targets is several references, and so is a cell that is a list; of labels
                    or tags, a list is all that the row has; a source that is a list is its words
    config          which of several data sets under one name
    streaming       read while downloading, and keep only s2s's own copy of the text

    A target that the data set calls a class label has the names that it gives them, or those of `labels`.
    """

    path: PathOrName
    source: ColumnName | None
    target: ColumnNames
    config: str | None = None
    streaming: bool = False

    @property
    def source_type(self) -> str:
        if self.source is None:
            return "nothing"
        splits = self.loaded[0]
        split = splits[self.train] if self.train in splits else next(iter(splits.values()))
        return "picture" if picture_column(split, self.source) else "text"

    @cached_property
    def place(self) -> str:
        """A local folder, or a name on the Hub. Raises DataError for a path that leads nowhere."""
        place = os.path.expanduser(os.path.expandvars(self.path))
        if os.path.isfile(place):
            raise DataError(
                place, "is a file, not a folder or a name on the Hub", "for a file: kind: jsonl, csv, parquet"
            )
        if not os.path.isdir(place) and (place.startswith((".", "/", "~")) or place.count("/") > 1):
            raise missing(Path(place))
        return place

    @property
    def on_disk(self) -> bool:
        """Whether `save_to_disk` wrote it."""
        return any((Path(self.place) / name).is_file() for name in ("dataset_dict.json", "state.json"))

    @cached_property
    def loaded(self) -> tuple[Mapping[str, Any], str]:
        """The splits, and a text that changes when what they hold does."""
        with explained_failure(self.place):
            import datasets

            if self.on_disk:
                found = datasets.load_from_disk(self.place)
                splits = found if isinstance(found, Mapping) else {self.train: found}
                files = sorted(p for p in Path(self.place).rglob("*") if p.suffix in (".arrow", ".json"))
                return splits, digest_files(files)
            builder = datasets.load_dataset_builder(self.place, self.config)
            name = "/".join(Path(builder.cache_dir).parts[-4:])  # name, config, version, hash of the data files
            if self.streaming:
                return builder.as_streaming_dataset(), name
            builder.download_and_prepare()
            return builder.as_dataset(), name

    def offers(self, name: str) -> bool:
        return name in self.loaded[0]

    def contents(self, name: str) -> str:
        return digest("huggingface", self.source, self.target, name, self.loaded[1])

    def placed(self, name: str) -> Iterator[tuple[Place, Row]]:
        if not self.offers(name):
            hint = suggest(name, self.loaded[0]).replace("options", "splits")
            raise DataError(self.place, f"there is no split {name!r}", hint)
        split, number = self.loaded[0][name], 0
        column = picture_column(split, self.source)
        if column is not None:
            import datasets

            split = split.cast_column(column, datasets.Image(decode=False))  # its bytes are enough
        names = () if self.labels else class_names(split, self.target)
        with explained_failure(self.place):
            if split.column_names:  # a stream may not know them
                where = f"{self.place} ({name})"
                split = split.select_columns(top_columns(split.column_names, self.source, self.target, where))
            for batch in split.iter(1000):
                for cells in zip(*batch.values()):
                    number += 1
                    record = dict(zip(batch, cells))
                    if column is not None:
                        record[column] = fetched(record[column])
                    where = f"{self.place} ({name}): row {number:,}"
                    row = row_of(record, self.source, self.target, where, bool(self.labels or names))
                    yield Place(where, where), with_names(unlabeled(row), names, where) if names else row


def picture_column(split: Any, source: ColumnName | None) -> str | None:
    """The name of the source where its data set says that it holds pictures."""
    features = dict(split.features or {})
    name = list(features)[source] if isinstance(source, int) and source < len(features) else source
    return name if isinstance(name, str) and type(features.get(name)).__name__ == "Image" else None


def fetched(cell: Any) -> Any:
    """A picture that a stream only names, as zip://a.png::https://..., with its bytes."""
    if isinstance(cell, Mapping) and cell.get("bytes") is None and "://" in (cell.get("path") or ""):
        import fsspec

        with fsspec.open(cell["path"], "rb") as file:
            return {**cell, "bytes": file.read()}
    return cell


def class_names(split: Any, target: ColumnNames) -> tuple[str, ...]:
    """What the data set calls the classes of its target, or of each in a list; none where that is no class label."""
    feature = (split.features or {}).get(target) if isinstance(target, str) else None
    if isinstance(feature, list) and len(feature) == 1:  # how older data sets write a list
        feature = feature[0]
    feature = getattr(feature, "feature", feature)
    return tuple(getattr(feature, "names", None) or ())


def unlabeled(row: Row) -> Row:
    """A class label of -1 is none, as `datasets` has it for test sets whose answers are kept secret."""
    return row._replace(target="") if row.target == "-1" else row


@contextmanager
def explained_failure(place: str) -> Iterator[None]:
    """Whatever `datasets` raises, which may be anything, as a DataError that says what to try."""
    try:
        yield
    except (DataError, GeneratorExit):
        raise
    except Exception as error:
        cause = error.__cause__ if type(error).__name__ == "DatasetGenerationError" and error.__cause__ else error
        said = " ".join(str(cause).split())[:300] or type(cause).__name__
        hint = "check the name; a private data set needs: huggingface-cli login"
        if "config" in said.lower():
            hint = "choose one with: data.config=NAME"
        elif isinstance(cause, ConnectionError) or "offline" in said.lower():
            hint = "without a network, path: FOLDER reads local files or what save_to_disk wrote"
        elif os.path.isdir(place):
            hint = "a folder needs files that datasets can read (jsonl, csv, parquet), or what save_to_disk wrote"
        raise DataError(place, f"datasets cannot read it: {said}", hint) from error
