"""The recipes that come with s2s: found by name from any folder."""

from collections.abc import Iterator
from pathlib import Path

from s2s.errors import RecipeError, suggest

HERE = Path(__file__).parent


def recipes_folder() -> Path:
    """Inside the installed package; beside it in a checkout, where the wheel takes them from."""
    inside = HERE / "recipes"
    return inside if inside.is_dir() else HERE.parent / "recipes"


def shipped() -> Iterator[tuple[str, Path]]:
    """(name, file) of every shipped recipe, in the order of their names."""
    for path in sorted(recipes_folder().rglob("*.yaml"), key=lambda p: p.stem):
        yield path.stem, path


def find_recipe(name: str) -> Path:
    """A shipped recipe by its name, or any YAML file by its path."""
    path = Path(name).expanduser()
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return path
    known = dict(shipped())
    if name not in known:
        raise RecipeError(name, "is neither a shipped recipe nor a YAML file", suggest(name, known))
    return known[name]
