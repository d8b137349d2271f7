"""How rows look on disk: what Arrow keeps of a source, and the hashes by which equal ones are found.

text, nothing   a string                         picture   {bytes, path}, as `datasets` has it
numbers         {flat, shape}                    target    a list of strings: every reference
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa

from s2s.data.pictures import Picture
from s2s.data.readers.base import Source, SourceType
from s2s.errors import RowError

SOURCES: dict[SourceType, pa.DataType] = {
    "text": pa.string(),
    "nothing": pa.string(),
    "picture": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
    "numbers": pa.struct({"flat": pa.list_(pa.float32()), "shape": pa.list_(pa.int32())}),
}


def schema_of(kind: SourceType) -> pa.Schema:
    return pa.schema(
        {
            "source": SOURCES[kind],
            "target": pa.list_(pa.string()),
            "source_hash": pa.uint64(),
            "target_hash": pa.uint64(),
            "number": pa.uint64(),  # of the row among those that the reader gives, from 0, with those that are left out
        }
    )


def to_batch(schema: pa.Schema, sources: list[Source], targets: list[list[str]], numbers: list[int]) -> pa.RecordBatch:
    """Rows as Arrow. Raises RowError where a text is no Unicode, or a source of another kind."""
    try:
        columns = [
            [*map(to_arrow, sources)],
            targets,
            hashed(sources),
            hashed([several[0] for several in targets]),
            numbers,
        ]
        arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)
    except UnicodeEncodeError as error:
        row = next(i for i, sides in enumerate(zip(sources, targets)) if error.object in (sides[0], *sides[1]))
        what = f"a text holds half a character: {error.object[error.start : error.end]!a}"
        raise RowError(row, what, "write it as UTF-8, without \\ud800 to \\udfff") from None
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        row = next((i for i, source in enumerate(sources) if not fits(source, schema.field("source").type)), 0)
        hint = "pictures in a table: use Parquet, with a column of {bytes, path} as `datasets` writes them"
        raise RowError(row, "its source is of another kind than the data says", hint) from None


def fits(source: Source, kind: pa.DataType) -> bool:
    """Can this source be kept as that type?"""
    try:
        pa.array([to_arrow(source)], kind)
        return True
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return False


def to_arrow(source: Source) -> Any:
    """A source as Arrow takes it."""
    if isinstance(source, str):
        return source
    if isinstance(source, Picture):
        return {"bytes": source.data, "path": source.name}
    return {"flat": source.ravel(), "shape": list(source.shape)}


def from_arrow(value: Any) -> Source:
    """The source that to_arrow() made this of."""
    if isinstance(value, str):
        return value
    if "bytes" in value:
        return Picture(value["bytes"], value["path"])
    return np.array(value["flat"], dtype=np.float32).reshape(value["shape"])


def hashed(values: Sequence[Source]) -> np.ndarray:
    """[values], the same in every process and on every machine."""
    return np.frombuffer(b"".join(blake2b(v, digest_size=8).digest() for v in map(as_bytes, values)), dtype="<u8")


def as_bytes(value: Source) -> bytes:
    """What tells a value from others: white space around a text does not, nor does the name of a picture."""
    if isinstance(value, str):
        return value.strip().encode()
    return value.data if isinstance(value, Picture) else value.tobytes()


def size_of(source: Source) -> int:
    """Characters of a text; else bytes, which are not limited but fill memory."""
    if isinstance(source, str):
        return len(source)
    return len(source.data) if isinstance(source, Picture) else source.nbytes
