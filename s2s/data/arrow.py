"""How rows look on disk: a source as its value type has it, a target as a list of such values, every reference; and
the hashes by which equal ones are found."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa

from s2s.data.readers.base import Source
from s2s.data.values import ValueType, value_type
from s2s.errors import RowError


def schema_of(kind: ValueType, target: ValueType) -> pa.Schema:
    return pa.schema(
        {
            "source": kind.arrow_type(),
            "target": pa.list_(target.arrow_type()),
            "source_hash": pa.uint64(),
            "target_hash": pa.uint64(),
            "number": pa.uint64(),  # of the row among those that the reader gives, from 0, with those that are left out
        }
    )


def to_batch(
    kind: ValueType, target: ValueType, sources: list[Source], targets: list[list[Any]], numbers: list[int]
) -> pa.RecordBatch:
    """Rows as Arrow. Raises RowError where a text is no Unicode, or a value of another type."""
    schema = schema_of(kind, target)
    if wrong := [row for row, source in enumerate(sources) if not kind.holds(source)]:
        raise misplaced(wrong[0], sources[wrong[0]])
    if wrong := [row for row, several in enumerate(targets) if not all(map(target.holds, several))]:
        raise misplaced(wrong[0], targets[wrong[0]][0], "target")
    try:
        columns = [
            [*map(kind.to_arrow, sources)],
            [[*map(target.to_arrow, several)] for several in targets],
            hashed(sources, kind),
            hashed([several[0] for several in targets], target),
            numbers,
        ]
        arrays = [pa.array(column, stored) for column, stored in zip(columns, schema.types)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)
    except UnicodeEncodeError as error:
        row = next(
            i for i, (a, b) in enumerate(zip(sources, targets)) if any(is_text_column(v, error.object) for v in (a, *b))
        )
        what = f"a text holds half a character: {error.object[error.start : error.end]!a}"
        raise RowError(row, what, "write it as UTF-8, without \\ud800 to \\udfff") from None
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        row = next((i for i, source in enumerate(sources) if not fits(source, kind)), 0)
        raise misplaced(row, sources[row]) from None


def is_text_column(value: Any, text: str) -> bool:
    return isinstance(value, str) and value == text


def misplaced(row: int, source: Source, side: str = "source") -> RowError:
    """A value of another type than the rest."""
    held = next((one for one in map(value_type, ValueType.registry) if one.holds(source)), ValueType())
    return RowError(row, f"its {side} is of another kind than the data says", held.misplaced)


def fits(source: Source, kind: ValueType) -> bool:
    """Can this source be kept as that type?"""
    try:
        pa.array([kind.to_arrow(source)], kind.arrow_type())
        return True
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return False


def hashed(values: Sequence[Source], kind: ValueType | None = None) -> np.ndarray:
    """[values], the same in every process and on every machine; without a type they are texts."""
    keys = map((kind or value_type("text")).key, values)
    return np.frombuffer(b"".join(blake2b(key, digest_size=8).digest() for key in keys), dtype="<u8")
