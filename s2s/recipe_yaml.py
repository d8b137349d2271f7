"""The words of a recipe: YAML with the line of every key, changes from the command line, and the place of a mistake.

node, lines = parse_yaml(text, "demo.yaml")
set_key(node, "training.steps=100")
Origin("demo.yaml", lines).place("model.head")      # demo.yaml:4: model.head
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from s2s.config import BACKSLASHES, Changed, parse_change
from s2s.errors import DataError, OptionError, Problem, RecipeError


@dataclass(frozen=True)
class Origin:
    """Where the words of a recipe stand, so that a complaint can point at them.

    parts    what `uses` names: the file of each, as it was found; None for what is installed
    nowhere  paths that lead nowhere yet, and all places where they were looked for
    """

    path: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    parts: tuple[Path | None, ...] = ()
    nowhere: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    def place(self, key: str) -> str:
        """`recipes/translation/demo.yaml:4: model.head`, or `on the command line: model.head`."""
        if self.is_placed(key):
            return key
        if any(key == c or key.startswith((f"{c}.", f"{c}[")) or c.startswith(f"{key}.") for c in self.changed):
            return f"on the command line: {key}"
        near = key
        while near not in self.lines and set(near) & set(".["):
            near = near[: max(near.rfind("."), near.rfind("["))]  # of metrics[0].order, metrics may be all there is
        return f"{self.path}:{self.lines.get(near, 1)}: {key}" if self.path else key

    def commands(self, key: str) -> bool:
        """Whether the command line says this, and not the file."""
        return any(key == c or key.startswith(f"{c}.") for c in self.changed)

    def with_places(self, error: DataError) -> DataError:
        """The same problems; one about a path that leads nowhere says all places where it was looked for."""

        def explained(problem: Problem) -> Problem:
            where = Path(problem.where)
            for key, tried in self.nowhere.items():
                if any(where == path or where in path.parents or path in where.parents for path in tried):
                    looked = f"{key}: looked for {tried[0]}, beside the recipe, and {tried[1]}, in the working folder"
                    return problem._replace(hint="; ".join(filter(None, (looked, problem.hint))))
            return problem

        return DataError.of(map(explained, error.problems))

    def is_placed(self, key: str) -> bool:
        """Whether a key has its place in front of it already."""
        return key.startswith("on the command line") or bool(self.path and key.startswith(f"{self.path}:"))

    @contextmanager
    def mounting(self, key: str) -> Iterator[None]:
        """What a component that stands at this key raises about its options gets its place in the recipe.

        A DataError about a path that leads nowhere says where it was looked for.
        """
        try:
            yield
        except (OptionError, RecipeError) as error:
            kind = DataError if isinstance(error, OptionError) else RecipeError

            def whole(where: str) -> str:
                return where if where.startswith(key) or self.is_placed(where) else f"{key}.{where}".rstrip(".")

            raise kind.of(p._replace(where=self.place(whole(p.where))) for p in error.problems) from None
        except DataError as error:
            raise self.with_places(error) from None

    def located(self, error: RecipeError) -> RecipeError:
        """The same problems, each with its place."""
        return RecipeError.of(p._replace(where=self.place(p.where)) for p in error.problems)


def parse_yaml(text: str, path: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The tree of a YAML text, and the line of every key in it."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise RecipeError(
                path, "is not a recipe: it has no sections", "start with: name, task, data, model, training"
            )
        lines = line_numbers(node, path)
        return loader.construct_document(node), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        what = getattr(error, "problem", None) or "is not YAML"
        raise RecipeError(where, f"YAML cannot be read here: {what}", yaml_hint(error)) from None
    except RecursionError:
        raise RecipeError(path, "is YAML nested too deeply", "a recipe is a few levels deep") from None
    except ValueError as error:  # of a number with thousands of digits, or a date that no calendar has
        raise RecipeError(path, f"YAML cannot be read: {error}", "put what is text in quotes") from None


def yaml_hint(error: yaml.YAMLError) -> str:
    """What most likely makes a text no YAML."""
    context, problem = (str(getattr(error, name, "")) for name in ("context", "problem"))
    if "double-quoted" in context and "escape" in problem:
        return BACKSLASHES
    if problem.startswith(("found character '%", "found character '@", "found character '`")):
        return "put a text that begins with such a sign in quotes"
    return "indent with spaces, and put a space after each ':'"


def line_numbers(node: yaml.Node, path: str, where: str = "") -> dict[str, int]:
    """The line of every key, by its dotted name; a key written twice is a mistake YAML itself lets pass."""
    found: dict[str, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = f"{where}.{key.value}".lstrip(".")
            line = key.start_mark.line + 1
            if name in found:
                raise RecipeError(f"{path}:{line}", f"{name} is written twice", f"it is also on line {found[name]}")
            found[name] = line
            found |= line_numbers(value, path, name)
    return found


def set_key(node: dict[str, Any], change: str) -> None:
    """`training.steps=100`, in the recipe's own words, written into its tree."""
    key, value = parse_change(change)
    *parents, last = key.split(".")
    for parent in parents:
        inner = node.get(parent)
        if not isinstance(inner, dict):  # a plain name becomes the same part, written out
            inner = {"kind": inner} if isinstance(inner, str) else {}
            node[parent] = inner
        node = inner
    node.pop(last, None)
    node[Changed(last)] = value


def as_list(value: Any, where: str) -> list[str]:
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    if wrong := [v for v in values if not isinstance(v, str)]:
        raise RecipeError(where, f"expected names of files, modules or plugins, found {wrong[0]!r}")
    return values
