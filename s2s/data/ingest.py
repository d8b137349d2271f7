"""From a reader to a corpus: rows are read once, checked and cached; some are held out where there is no validation.

train = open_corpus(reader, "train")          # reads the files once; from then on only hashes them
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from s2s.data.arrow import hashed, schema_of, to_batch
from s2s.data.cache import cached_folder, damaged_cache
from s2s.data.corpus import CHUNK_SIZE, CORPUS_FORMAT, Corpus, Counts, hold_out
from s2s.data.fields.base import Field
from s2s.data.fields.categorical import Categorical
from s2s.data.readers.base import Place, Reader, Row, Source
from s2s.data.source_files import digest
from s2s.data.values import ValueType, is_blank, value_type
from s2s.errors import DataError, RowError
from s2s.files import cache_folder

CHUNK_ROWS = 10_000  # in memory at once, at most


def has_split(reader: Reader, split: str) -> bool:
    """Whether open_corpus() can give this split: it is there, or is validation held out of train."""
    return reader.has(split) or (split == "validation" and reader.hold_out > 0)


def open_corpus(reader: Reader, split: str, cache: Path | None = None, target: Field | None = None) -> Corpus:
    """The rows of a split, read into the cache where they are not there already. Raises DataError.

    Where the data has no validation split, some rows of train are it, and are not in train.

    target  what targets are read by; of names, a list in a cell is all that a row has, a row without one is left
            out, and train keeps at least a row of each
    """
    names = target if isinstance(target, Categorical) else None
    if split in ("train", "validation") and reader.hold_out > 0 and not reader.has("validation"):
        corpus = named(read_corpus(reader, "train", cache), names)
        train, validation = hold_out(corpus, reader.hold_out, names)
        return train if split == "train" else validation
    return named(read_corpus(reader, split, cache), names)


def named(corpus: Corpus, names: Categorical | None) -> Corpus:
    """The corpus as a field of names reads it. Raises DataError where no row has a name."""
    if names is None:
        return corpus
    if corpus.several:
        fingerprint = digest(corpus.fingerprint, "together", names.modality, names.separator)
        corpus = replace(corpus, several=False, names=names, fingerprint=fingerprint)
    if names.optional or corpus.split == "train":  # training has left them out already
        return corpus
    keep = corpus.hashes("target") != hashed([""])
    if keep.all():
        return corpus
    if not keep.any():
        hint = f"look at the column that data.target names, or do without: data.{corpus.split}=null"
        raise DataError(corpus.split, f"has nothing in it: none of its {len(keep):,} rows has a label", hint)
    return corpus.subset(keep, corpus.split, "with a label", corpus.counts)


def read_corpus(reader: Reader, split: str, cache: Path | None = None) -> Corpus:
    """All rows of a split, with none held out."""
    training, limit, kind = split == "train", reader.max_characters, value_type(reader.source_type)
    aim = value_type(reader.target_type)
    versions = [kind.version] if kind.version else []
    versions += [] if aim.is_text else ["target", reader.target_type, aim.version]
    key = digest(CORPUS_FORMAT, reader.fingerprint(split), training, limit, reader.source_type, *versions)

    def write(folder: Path) -> None:
        write_rows(folder, reader.read_placed(split), split, training, limit, kind, aim)

    with cached_folder((cache or cache_folder()) / "rows" / key, write) as folder:
        try:
            about = json.loads((folder / "about.json").read_text())
            with pa.memory_map(str(folder / "rows.arrow")) as file:
                batches = pa.ipc.open_file(file).read_all().to_batches()
        except (OSError, ValueError, pa.ArrowException) as error:
            raise damaged_cache(folder, error) from error
    starts = np.cumsum([0, *(len(batch) for batch in batches)])
    counts = Counts(*about["counts"])
    corpus = Corpus(split, key, counts, about["several"], batches, starts, reader=reader, origin=split)
    return replace(corpus, kind=reader.source_type, target_kind=reader.target_type)


def write_rows(
    folder: Path,
    rows: Iterable[tuple[Place, Row]],
    split: str,
    training: bool,
    limit: int,
    kind: ValueType,
    aim: ValueType,
) -> None:
    """Check rows, hash them, and write those that are kept: sources of one type, targets of another, or the same."""
    read = empty = overlong = size = kept = 0
    several = False
    sources: list[Source] = []
    targets: list[list[Any]] = []
    numbers: list[int] = []
    places: list[Place] = []
    schema = schema_of(kind, aim)

    def flush() -> None:
        try:
            writer.write(to_batch(kind, aim, sources, targets, numbers))
        except RowError as error:
            raise error.located(places[error.row].source) from None
        for kept_rows in (sources, targets, numbers, places):
            kept_rows.clear()

    with pa.ipc.new_file(str(folder / "rows.arrow"), schema) as writer:
        for place, (source, target) in rows:
            read += 1
            if isinstance(target, str) or not aim.is_text:
                target = [target]
            else:
                several = True
                target = [text for text in target if text.strip()] or target[:1] or [""]
            long = kind.characters(source) if kind.holds(source) else 0
            length = max(long, *(aim.characters(each) for each in target if aim.holds(each)), 0)
            # Without a source, rows are the lines of a text: a blank one stands between two paragraphs.
            blank = not kind.missing and (is_blank(source) or is_blank(target[0]))
            empty += blank
            if not training and is_blank(source) and not kind.holds(source):
                raise DataError(place.source, "has no source", "leave the row out, or give it one")
            if not training and is_blank(target[0]) and not aim.holds(target[0]):
                raise DataError(place.target, "has no target", "leave the row out, or give it one")
            if length > limit and not training:
                hint = f"shorten it, or allow it: data.max_characters={length}"
                where = place.source if long == length else place.target
                raise DataError(where, f"has {length:,} characters, and {limit:,} are allowed", hint)
            if length > limit:
                overlong += 1
            elif not (blank and training):
                sources.append(source)
                targets.append(target)
                numbers.append(read - 1)
                places.append(place)
                size += (kind.size(source) if kind.holds(source) else 0) + sum(
                    aim.size(each) for each in target if aim.holds(each)
                )
                kept += 1
            if len(sources) == CHUNK_ROWS or size > CHUNK_SIZE:
                flush()
                size = 0
        if sources:
            flush()
    if kept == 0 or (empty == read and not training):
        what = f"has nothing in it: {read:,} rows, {empty:,} with an empty side, {overlong:,} too long"
        raise DataError(split, what, "check the files and columns that `data` names")
    about = {"counts": Counts(read, empty, overlong), "several": several}
    (folder / "about.json").write_text(json.dumps(about))
