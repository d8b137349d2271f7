"""Parts that are not s2s's own: a file beside the recipe, a module, or an installed package.

    uses: [my_parts.py, my_package.parts, name-of-a-plugin]

A package offers its parts in its pyproject.toml; they are imported where `uses` names them, and where a recipe has a
kind that nobody knows yet:

    [project.entry-points."s2s.plugins"]
    name-of-a-plugin = "my_package.parts"
"""

import hashlib
import importlib
import importlib.util
import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from s2s.errors import RecipeError, command, suggest
from s2s.former_names import FormerNamesLoader

ENTRY_POINT_GROUP = "s2s.plugins"


def use_parts(name: str, folder: Path = Path(), *, here: bool = False) -> Path | None:
    """Import what `uses` names: being imported is what registers parts. Raises RecipeError.

    folder  of the recipe, where its files are looked for
    here    look in the working folder first, as for every path on the command line

    Gives the file, which a run brings along; None where it is something that is installed.
    """
    if is_file(name, folder) or (here and is_file(name)):
        path = Path(name).expanduser()
        path = path if here and path.is_file() else folder / path
        use_file(path)
        return path
    if name in (known := installed()):
        load_plugin(known[name])
    else:
        use_module(name, folder)
    return None


def is_file(name: str, folder: Path = Path()) -> bool:
    """Is this a file of the user's, which a run brings along, rather than something that is installed?"""
    return name.endswith(".py") or "/" in name or "\\" in name or (folder / name).is_file()


def use_file(path: Path) -> None:
    """Import a Python file by its path; once, unless it was edited since."""
    if not path.is_file():
        raise RecipeError(
            "uses",
            f"there is no file {str(path)!r}",
            "names are relative to the recipe's folder, on the command line to yours",
        )
    held = f"{path.resolve()}".encode("utf-8", "surrogateescape") + path.read_bytes()
    name = f"s2s_parts_{hashlib.blake2b(held, digest_size=8).hexdigest()}"
    if name in sys.modules:
        return
    if path.suffix != ".py":
        raise RecipeError("uses", f"{str(path)!r} is not a Python file", "give a name that ends in .py")
    loader = FormerNamesLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except Exception as error:  # whatever a stranger's file may raise is reported as its own
        del sys.modules[name]
        raise RecipeError(
            "uses", f"{path} does not import: {said(error)}", f"try: {command('python', path)}"
        ) from error


def use_module(name: str, folder: Path) -> None:
    """Import a module that Python finds by its name."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise not_imported(name, error) from error  # it is there, and lacks something else
        there = [*installed(), *(path.name for path in sorted(folder.glob("*.py")))]
        hint = suggest(name, there) if there else "give a file (my_parts.py), a module, or an installed plugin"
        raise RecipeError("uses", f"there is no file, module or plugin called {name!r}", hint) from None
    except Exception as error:
        raise not_imported(name, error) from error


def not_imported(name: str, error: Exception) -> RecipeError:
    return RecipeError(
        "uses", f"{name} does not import: {said(error)}", f"try: {command('python', '-c', f'import {name}')}"
    )


def said(error: BaseException) -> str:
    """What went wrong, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def installed() -> dict[str, EntryPoint]:
    """The plugins of installed packages, by name."""
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


@cache
def load_plugin(point: EntryPoint) -> None:
    """Import one plugin, once. Raises RecipeError."""
    try:
        point.load()
    except Exception as error:
        hint = f"repair or remove the package it came with: {point.value}"
        raise RecipeError("uses", f"the plugin {point.name!r} does not import: {said(error)}", hint) from error


def load_all() -> list[str]:
    """Import every plugin that is installed; gives what went wrong with those that do not import."""
    wrong = []
    for point in installed().values():
        try:
            load_plugin(point)
        except RecipeError as error:
            wrong.append(error.problems[0].what)
    return wrong
