"""Where the paths of a recipe lead: beside the recipe first, then in the working folder.

    find(Path("corpus"), Path("recipes"))       # recipes/corpus; corpus, where only that is there
    recipe = map_paths(recipe, lambda key, path: path.absolute())

A path on the command line is relative to the working folder, as every other command reads it.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from s2s.registry import ComponentConfig, PathOrName

Checked = TypeVar("Checked")


def places(written: Path, beside: Path | None) -> tuple[Path, ...]:
    """Where a path may lead, the likeliest first. `beside`: the recipe's folder; None: only the working folder."""
    if written.is_absolute() or beside is None or same_folder(beside, Path()):
        return (written,)
    return (beside / written, written)


def same_folder(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def find(written: Path, beside: Path | None) -> Path:
    """The first place where something is; the first of all where there is nothing."""
    candidates = places(written, beside)
    return next((path for path in candidates if path.exists()), candidates[0])


def find_named(written: PathOrName, beside: Path | None) -> PathOrName:
    """The same for what may be the name of something elsewhere: without a folder here it stays as it is."""
    found = find(Path(written), beside)
    return PathOrName(found) if found.is_dir() else written


def map_paths(thing: Checked, change: Callable[[str, Any], Any], where: str = "") -> Checked:
    """The same checked values with every path changed: change("data.path", Path("corpus")) is the new one."""
    changed: Any = thing
    if isinstance(thing, Path | PathOrName):
        changed = change(where, thing)
    elif isinstance(thing, ComponentConfig):
        options = {key: map_paths(value, change, f"{where}.{key}") for key, value in thing.kwargs.items()}
        changed = dataclasses.replace(thing, kwargs=options)
    elif dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        fields = {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing) if f.init}
        new = {name: map_paths(value, change, f"{where}.{name}".lstrip(".")) for name, value in fields.items()}
        if any(new[name] is not fields[name] for name in fields):
            changed = dataclasses.replace(thing, **new)
    elif isinstance(thing, Mapping):
        changed = {key: map_paths(value, change, f"{where}.{key}") for key, value in thing.items()}
    elif type(thing) in (list, tuple):
        changed = type(thing)(map_paths(item, change, f"{where}[{i}]") for i, item in enumerate(thing))  # type: ignore
    return changed  # type: ignore[no-any-return]


def absolute(thing: Checked) -> Checked:
    """The same with paths that lead to the same places from every folder."""

    def made(key: str, path: Path | PathOrName) -> Path | PathOrName:
        if isinstance(path, Path):
            return path.absolute()
        return PathOrName(Path(path).absolute()) if Path(path).is_dir() else path

    return map_paths(thing, made)


def paths_of(thing: Any) -> dict[str, Any]:
    """Every path by its key: {"data.path": Path("corpus")}."""
    found: dict[str, Any] = {}

    def note(key: str, path: Any) -> Any:
        found[key] = path
        return path

    map_paths(thing, note)
    return found
