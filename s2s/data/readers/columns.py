"""What a recipe may call a column, and the text that is found there.

1                  the second column
en                 the column of that name
translation.en     the field `en` of the objects in column `translation`
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from s2s.data.fields.categorical import words_of
from s2s.data.readers.base import Row
from s2s.data.values import value_types
from s2s.errors import DataError, suggest
from s2s.registry import NonNegativeInt

ColumnName = str | NonNegativeInt
ONE_LIST = "this is one large list: write one of its objects a line (jq -c '.[]')"
DEEPEST = 3  # fields inside fields that a message names

ColumnNames = ColumnName | tuple[ColumnName, ...]  # several columns of targets are several references


def as_tuple(names: ColumnNames) -> tuple[ColumnName, ...]:
    return names if isinstance(names, tuple) else (names,)


def row_of(record: Any, source: ColumnName | None, target: ColumnNames, where: str, labels: bool = False) -> Row:
    """A record of a table, which maps names to cells or is a list of cells, as an example. Raises DataError.

    source  None for no source: the rows are then the lines of a text
    labels  a target may be a number, which has a name

    A source that is a list of texts is its words; what a target is that is a list, whoever reads it knows.
    """
    if isinstance(record, list) and record and all(isinstance(item, Mapping) for item in record):
        raise DataError(where, "holds a list of objects, and a row is one object", ONE_LIST)
    cell = "" if source is None else look_up(record, source, where)
    if isinstance(cell, list | tuple) and all(isinstance(word, str) for word in cell):
        cell = words_of(cell)
    value: Any = cell
    if not isinstance(cell, str):
        found = (one.from_cell(cell, where) for one in value_types())
        value = next((value for value in found if value is not None), None)
        value = cell_text(cell, source or "", where) if value is None else value
    return Row(value, references_of(record, target, where, labels))


def references_of(record: Any, target: ColumnNames, where: str, labels: bool = False) -> str | list[str]:
    """The text of a target, or several: from several columns, or from a cell that is a list.

    They are references of a text, or all labels of a row, or the tags of its words: the field of the target decides.
    """
    names = as_tuple(target)
    cells = [numbered(look_up(record, name, where)) if labels else look_up(record, name, where) for name in names]
    several = isinstance(target, tuple) or any(isinstance(cell, list | tuple) for cell in cells)
    texts = [
        cell_text(text, name, where)
        for cell, name in zip(cells, names)
        for text in (cell if isinstance(cell, list | tuple) else [cell])
    ] or [""]
    return texts if several else texts[0]


def numbered(cell: Any) -> Any:
    """The number of a label as text, whatever held it; of a list, each."""
    if isinstance(cell, list | tuple):
        return [numbered(item) for item in cell]
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(int(cell)) if isinstance(cell, bool | int) else cell


def look_up(record: Any, name: ColumnName, where: str) -> Any:
    """One cell."""
    if isinstance(record, Mapping) and isinstance(name, str):
        return record[name] if name in record else look_inside(record, name, where)
    if isinstance(record, Mapping | list | tuple) and isinstance(name, int):
        cells = list(record.values()) if isinstance(record, Mapping) else record
        return cells[in_range(name, len(cells), where)]
    hint = "give columns by number, from 0" if isinstance(record, list) else "every record must be an object or a list"
    raise DataError(where, f"column {name!r} was asked for, and the record is {column_type(record)}", hint)


def look_inside(record: Mapping[str, Any], name: str, where: str) -> Any:
    """`a.b` is the column of that whole name, or else field b of column a; a column that is null has null fields."""
    inner: Any = record
    rest = name
    while rest not in inner:
        first, dot, rest = rest.partition(".")
        if not dot or not isinstance(inner.get(first, ""), Mapping | None):
            raise no_column(where, name, dotted(record))
        inner = inner[first]
        if inner is None:
            return None
    return inner[rest]


def dotted(record: Mapping[str, Any], deepest: int = DEEPEST) -> Iterator[str]:
    """The names that a column could be asked for by, down to a depth that can be read."""
    for key, value in record.items():
        inside = isinstance(value, Mapping) and deepest > 1
        yield from (f"{key}.{inner}" for inner in dotted(value, deepest - 1)) if inside else [str(key)]


def top_columns(names: Sequence[str], source: ColumnName | None, target: ColumnNames, where: str) -> list[str]:
    """The columns of a table that are to be read; numbers count all that it has, so they need all."""
    tops = []
    for name in (*([] if source is None else [source]), *as_tuple(target)):
        if isinstance(name, int):
            in_range(name, len(names), where)
            return list(names)
        top = next((top for top in (name, name.partition(".")[0]) if top in names), None)
        if top is None:
            raise no_column(where, name, names)
        tops.append(top)
    return sorted(set(tops))


def in_range(number: int, count: int, where: str) -> int:
    if number < count:
        return number
    has = f"has {count} column" if count == 1 else f"has {count} columns"
    raise DataError(where, f"{has}, and column {number} was asked for", "the first column is 0")


def no_column(where: str, name: ColumnName, names: Iterable[str]) -> DataError:
    return DataError(where, f"there is no column {name!r}", suggest(name, names).replace("options", "columns"))


def cell_text(cell: Any, name: ColumnName, where: str) -> str:
    """A cell that is text. Null is empty text: it is counted, and left out of training; so is what is no number."""
    if type(cell) is str:
        return cell
    if cell is None or (isinstance(cell, float) and cell != cell):
        return ""
    hint = "name columns that hold text, or what the numbers of labels mean: data.labels=[no,yes]"
    if isinstance(cell, Mapping):
        hint = f"name a field inside it, one of: {', '.join(f'{name}.{field}' for field in dotted(cell))}"
    raise DataError(where, f"column {name!r} holds {column_type(cell)}, and text is needed", hint)


def column_type(cell: Any) -> str:
    """What a person would call it: `the number 3`, `a list`."""
    if isinstance(cell, bool | int | float):
        return f"the truth value {cell}" if isinstance(cell, bool) else f"the number {cell}"
    names = {list: "a list", tuple: "a list", dict: "an object", bytes: "bytes", str: "text", type(None): "null"}
    return names.get(type(cell), f"a {type(cell).__name__}")
