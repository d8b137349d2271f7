"""What stands in a row: value types, one class each. No other place knows one from another.

    value_type("numbers").to_arrow(array)       # how the corpus keeps it
    type_of(value).show(value)                  # which type a value is of, and the value in a line

A new kind of data is a class of this family and a field that reads it, in a file that `uses` names:

    class Strokes(ValueType, kind="strokes"):
        python_type, plural, endings = list, "drawings", (".strokes",)
        def arrow_type(self): return pa.list_(pa.list_(pa.float32()))
        def read(self, path): return json.loads(path.read_text())
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from s2s.data.arrays import load_array
from s2s.data.pictures import Picture, picture_of
from s2s.data.source_files import opened
from s2s.errors import RecipeError, suggest
from s2s.registry import Registrable
from s2s.signatures import same_definition
from s2s.tensors import FieldSpec

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN_CHARACTERS = 80  # characters of a value whose type does not say how it is shown


class ValueType(Registrable):
    """kept = type.to_arrow(value); value = type.from_arrow(kept). A member needs `python_type` and arrow_type().

    python_type  the class of its values; of several that fit, the nearest is meant
    plural       what they are called in a sentence
    modalities   what a field makes of them, where the field does not say what it takes
    endings      of the files that are taken from a folder, the usual one first, such as .png; read() reads one
    typed        True where people type such values, one a line
    is_text      True where a value has a length in words, by which others can be judged
    missing      True where a row without one is a row
    misplaced    what to do where a value of this type stands among those of another
    version      changes when what to_arrow() gives changes: nothing older is then found in the cache

    An empty text stands for a value that is missing, whatever the type.
    """

    python_type: ClassVar[type | None] = None
    plural: ClassVar[str] = "values"
    modalities: ClassVar[tuple[str, ...]] = ()
    endings: ClassVar[tuple[str, ...]] = ()
    typed: ClassVar[bool] = False
    is_text: ClassVar[bool] = False
    missing: ClassVar[bool] = False
    misplaced: ClassVar[str] = "rows of one data set have sources of one type: Reader.source_type says which"
    version: ClassVar[str] = ""

    def arrow_type(self) -> "pa.DataType":
        """How the corpus keeps a value."""
        raise NotImplementedError(f"{type(self).__name__} needs arrow_type()")

    def to_arrow(self, value: Any) -> Any:
        """A value as Arrow takes it."""
        return value

    def from_arrow(self, stored: Any) -> Any:
        """The value that to_arrow() made this of."""
        return stored

    def holds(self, value: Any) -> bool:
        """Is this a value of the type? So is one whose class was made by a copy of the same file."""
        wanted = self.python_type
        return wanted is not None and (isinstance(value, wanted) or same_definition(type(value), wanted))

    def key(self, value: Any) -> bytes:
        """What tells a value from others, the same in every process and on every machine."""
        import pyarrow as pa

        return repr(pa.array([self.to_arrow(value)], self.arrow_type()).to_pylist()).encode()

    def size(self, value: Any) -> int:
        """About how many bytes of memory it fills."""
        return len(self.key(value))

    def characters(self, value: Any) -> int:
        """What `max_characters` limits."""
        return 0

    def words(self, value: Any) -> int:
        """Its length, where scores are told by length."""
        return 0

    def show(self, value: Any) -> str:
        """A value in a line."""
        text = " ".join(str(value).split())
        return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."

    def plain(self, value: Any) -> Any:
        """A value as JSON has it."""
        import pyarrow as pa

        return pa.array([self.to_arrow(value)], self.arrow_type()).to_pylist()[0]

    def read(self, path: Path) -> Any:
        """The value that a file holds. Raises DataError with the file's name."""
        raise NotImplementedError(f"{type(self).__name__} has no read()")

    def read_all(self, path: Path, space: FieldSpec) -> Iterator[tuple[str, Any]]:
        """(name, value) of each that a file holds, for a field whose tensors are `space`: one, as a rule."""
        yield str(path), self.read(path)

    def from_cell(self, cell: Any, where: str) -> Any:
        """The value that the cell of a table holds; None where it holds none of this type. Raises DataError."""
        return None

    def in_table(self, column: Any) -> bool:
        """Does an Arrow column of this type hold values that from_cell() reads?"""
        return False

    @property
    def example(self) -> str:
        """The name of a file of it."""
        return f"a{self.endings[0]}" if self.endings else "FILE"

    @property
    def readable(self) -> bool:
        """Can a verb be given files of it?"""
        return type(self).read is not ValueType.read


class Text(ValueType, kind="text"):
    """A string. White space around it does not tell it from others."""

    python_type, plural, modalities, typed, is_text = str, "texts", ("ids",), True, True

    def arrow_type(self) -> "pa.DataType":
        import pyarrow as pa

        return pa.string()

    def key(self, value: str) -> bytes:
        return value.strip().encode()

    def size(self, value: str) -> int:
        return len(value)

    def characters(self, value: str) -> int:
        return len(value)

    def words(self, value: str) -> int:
        return len(value.split())

    def show(self, value: str) -> str:
        return value

    def plain(self, value: str) -> str:
        return value


class NoValue(Text, kind="nothing"):
    """No source: an empty text in every row, so that rows without one are rows."""

    plural, modalities, is_text, missing = "nothing", ("nothing",), False, True


class PictureValue(ValueType, kind="picture"):
    """The bytes of an image file, as `datasets` keeps them: {bytes, path}. Its name does not tell it from others."""

    python_type, plural, modalities = Picture, "pictures", ("image",)
    endings = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")
    misplaced = "pictures in a table: use Parquet, with a column of {bytes, path} as `datasets` writes them"

    def arrow_type(self) -> "pa.DataType":
        import pyarrow as pa

        return pa.struct({"bytes": pa.binary(), "path": pa.string()})

    def to_arrow(self, value: Picture) -> Any:
        return {"bytes": value.data, "path": value.name}

    def from_arrow(self, stored: Any) -> Picture:
        return Picture(stored["bytes"], stored["path"])

    def key(self, value: Picture) -> bytes:
        return value.data

    def size(self, value: Picture) -> int:
        return len(value.data)

    def show(self, value: Picture) -> str:
        return value.name

    def plain(self, value: Picture) -> str:
        return value.name

    def read(self, path: Path) -> Picture:
        with opened(path) as file:
            return Picture(file.read(), str(path))

    def from_cell(self, cell: Any, where: str) -> Picture | None:
        return picture_of(cell, where)

    def in_table(self, column: Any) -> bool:
        import pyarrow as pa

        return pa.types.is_struct(column) and any(field.name == "bytes" for field in column)


class Numbers(ValueType, kind="numbers"):
    """An array of float32, [F] or [S, F], kept as {flat, shape}."""

    python_type, plural, modalities, endings = np.ndarray, "arrays", ("vector", "vectors"), (".npy",)

    def arrow_type(self) -> "pa.DataType":
        import pyarrow as pa

        return pa.struct({"flat": pa.list_(pa.float32()), "shape": pa.list_(pa.int32())})

    def to_arrow(self, value: np.ndarray) -> Any:
        return {"flat": value.ravel(), "shape": list(value.shape)}

    def from_arrow(self, stored: Any) -> np.ndarray:
        return np.array(stored["flat"], dtype=np.float32).reshape(stored["shape"])

    def key(self, value: np.ndarray) -> bytes:
        return value.tobytes()

    def size(self, value: np.ndarray) -> int:
        return value.nbytes

    def plain(self, value: np.ndarray) -> Any:
        return value.tolist()

    def show(self, value: np.ndarray) -> str:
        return f"{' x '.join(map(str, value.shape))} numbers"

    def read(self, path: Path) -> np.ndarray:
        return np.array(load_array(path), np.float32)

    def read_all(self, path: Path, space: FieldSpec) -> Iterator[tuple[str, np.ndarray]]:
        """The array, or the rows of one with an axis more."""
        array = load_array(path)
        if array.ndim == (3 if space.modality == "vectors" else 2):
            yield from ((f"{path}:{i}", np.array(row, np.float32)) for i, row in enumerate(array, 1))
        else:
            yield str(path), np.array(array, np.float32)


def value_type(kind: str) -> ValueType:
    """The type that a reader names. Raises RecipeError for one that nobody has registered."""
    if kind not in ValueType.registry:
        hint = f"{suggest(kind, ValueType.registry)}; a class of ValueType in a file that `uses` names adds one"
        raise RecipeError("data", f"there is no value type {kind!r}", hint)
    return ValueType.registry[kind]()  # type: ignore[no-any-return]


def value_types() -> list[ValueType]:
    return [value_type(kind) for kind in ValueType.registry]


def type_of(value: Any) -> ValueType:
    """The type of a value. Raises TypeError for one of none."""
    types = value_types()
    for parent in type(value).__mro__:
        for one in types:
            if one.python_type is parent:
                return one
    found = next((one for one in types if one.holds(value)), None)
    if found is None:
        raise TypeError(f"no value type has {type(value).__name__}: {', '.join(ValueType.registry)}")
    return found


def type_for(takes: tuple[str, ...], space: FieldSpec) -> ValueType | None:
    """The type of what a field reads, by what it says it takes, else by what it makes of it."""
    if takes:
        return value_type(takes[0])
    return next((one for one in value_types() if space.modality in one.modalities), None)


def shown(value: Any) -> str:
    """A value in a line of text: a text itself, or the name of a picture."""
    return type_of(value).show(value)


def as_text(value: Any) -> str:
    """A value in full: a text itself, another as JSON, in a line."""
    return value if isinstance(value, str) else json.dumps(type_of(value).plain(value), ensure_ascii=False)


def is_blank(value: Any) -> bool:
    """Is it the empty text that stands for a value which is missing?"""
    return isinstance(value, str) and not value.strip()
