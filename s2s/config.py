"""From recipe text to checked constructors: the signature of a part is its schema.

    attention: {kind: additive, size: 512}        # or just  attention: additive

    choice = configure(Attention, node, where="model.head.attention")
    attention = choice(query, memory)             # what the program knows, when it knows it

Every mistake is reported, each with its place and the nearest word.
"""

import dataclasses
import datetime
import os
import re
import types
import typing
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml

from s2s.errors import Problem, RecipeError, suggest
from s2s.plugins import load_all
from s2s.registry import (
    ComponentConfig,
    PathOrName,
    Range,
    Registrable,
    aliases_of,
    options_of,
    placed,
    type_name,
    written_options,
)

Options = TypeVar("Options")
Member = TypeVar("Member", bound=Registrable)

LONGEST_NAME = 255  # bytes, of a file on every system in use
BACKSLASHES = r"in double quotes YAML reads \t, \n and the like as other characters: use single quotes: 'C:\data'"


class Changed(str):
    """A key that the command line wrote: where a recipe has the same by a former name, this one counts."""


def configure(
    family: type[Member], node: Any, where: str = "", default: ComponentConfig[Member] | None = None
) -> ComponentConfig[Member]:
    """Check `{kind: name, option: value, ...}`, or just `name`, against a family of parts.

    Where there is a default, `kind` may be left out: the options then change the default's. Code may give the class or
    the function itself in place of its name.
    """
    word = family.__name__.lower()
    kinds: dict[str, Callable[..., Member]] = family.registry
    node = {"kind": node} if isinstance(node, str) or callable(node) else node
    if not isinstance(node, Mapping):
        raise RecipeError(where, f"needs the name of a {word}, found {node!r}", suggest("", kinds))
    if "kind" not in node and default is not None:
        former = aliases_of(default.factory)
        node = {
            "kind": default.kind,
            **written_options(default),
            **{former.get(key, key): item for key, item in node.items()},
        }
    if "kind" not in node:
        raise RecipeError(where, f"needs a kind of {word}", suggest("", kinds))
    kind = family.kind_of(node["kind"]) if callable(node["kind"]) else node["kind"]
    kind = known_kind(family, kind, where)
    options = {key: value for key, value in node.items() if key != "kind"}
    return ComponentConfig(kind, parse_kwargs(kinds[kind], options, where, f"{word} {kind!r}"), kinds[kind], where)


def known_kind(family: type[Registrable], kind: Any, where: str) -> str:
    """A kind by its name today, looked for in what is installed beside s2s if it is not here."""
    found = family.find(kind)
    if found is not None:
        return found
    wrong = load_all()
    found = family.find(kind)
    if found is None:
        what = f"there is no {family.__name__.lower()} called {kind!r}"
        raise RecipeError(f"{where}.kind".lstrip("."), what, "; ".join([suggest(kind, family.registry), *wrong]))
    return found


def parse_dataclass(cls: type[Options], node: Any, where: str) -> Options:
    """Build a dataclass of keyword-only options from a mapping."""
    if not isinstance(node, Mapping | None):
        raise RecipeError(where, f"expected options, found {node!r}", suggest("", options_of(cls)))
    made: Options = placed(cls(**parse_kwargs(cls, node or {}, where, where or "the recipe")), where)
    return made


def parse_kwargs(maker: Callable[..., Any], node: Mapping[str, Any], where: str, name: str) -> dict[str, Any]:
    """Check options against the keyword-only parameters of a constructor; report every mistake.

    A default that is written out is the default: it is not among what comes back. So the recipe of a run, which has
    every default written out, says no more than the one that began it, and nothing can take a default for a choice.
    """
    wanted = options_of(maker)
    problems: list[Problem] = []
    good: dict[str, Any] = {}
    given = by_present_names(node, aliases_of(maker), wanted, where, problems)
    for key, (written_as, value) in given.items():
        place = f"{where}.{written_as}".lstrip(".")
        if key not in wanted:
            problems.append(Problem(place, f"{name} has no option {key!r}", suggest(key, wanted)))
            continue
        try:
            found = convert(value, wanted[key].hint, place, wanted[key].default)
        except RecipeError as error:
            problems.extend(error.problems)
            continue
        if type(found) is not type(wanted[key].default) or found != wanted[key].default:
            good[str(key)] = found
    for key, option in wanted.items():
        if option.required and key not in given:
            hint = f"it has no default; the options are: {', '.join(wanted)}"
            problems.append(Problem(where or key, f"{name} needs {key!r}", hint))
    if problems:
        raise RecipeError.of(problems)
    return good


def by_present_names(
    node: Mapping[str, Any], former: Mapping[str, str], wanted: Collection[str], where: str, problems: list[Problem]
) -> dict[str, tuple[str, Any]]:
    """{name of an option today: (as it is written, value)}; of two ways to write one, the command line's counts."""
    found: dict[str, tuple[str, Any]] = {}
    for key, value in node.items():
        name = former.get(key, key) if key not in wanted else key
        if name in found and isinstance(found[name][0], Changed) == isinstance(key, Changed):
            what = f"is written twice: {found[name][0]!r} and {key!r} are one option, now called {name!r}"
            problems.append(Problem(f"{where}.{key}".lstrip("."), what, "leave one of them out"))
        elif name not in found or isinstance(key, Changed):
            found[name] = (key, value)
    return found


def convert(value: Any, hint: Any, where: str, default: Any = None) -> Any:
    """Read a YAML value as the type a parameter is annotated with."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin is Annotated:
        return check_range(convert(value, args[0], where, default), args[1], where)
    if origin is ComponentConfig:
        return configure(args[0], value, where, default if isinstance(default, ComponentConfig) else None)
    if dataclasses.is_dataclass(hint):
        return parse_dataclass(typing.cast(type, hint), value, where)
    if origin in (typing.Union, types.UnionType):
        return convert_union(value, args, where, default)
    if origin is Literal:
        if value in args and not isinstance(value, bool):
            return value
        raise RecipeError(where, f"{value!r} is not a choice", suggest(value, map(str, args)))
    if origin in (list, tuple):
        items = value if isinstance(value, list | tuple) else [value]  # one thing is a list of one
        return origin(convert(item, args[0], f"{where}[{i}]") for i, item in enumerate(items))
    if origin is dict and isinstance(value, Mapping):
        return {convert_plain(key, str, where): convert(item, args[1], f"{where}.{key}") for key, item in value.items()}
    return convert_plain(value, hint, where)


def convert_union(value: Any, args: tuple[Any, ...], where: str, default: Any) -> Any:
    """The first type of a union that takes the value; `none` is what people write for null."""
    choices = [a for a in args if a is not type(None)]
    if type(None) in args:
        family = next((typing.get_args(a)[0] for a in choices if typing.get_origin(a) is ComponentConfig), None)
        if value is None or (value == "none" and str not in choices and "none" not in getattr(family, "registry", ())):
            return None
    exact = [a for a in choices if isinstance(a, type) and type(value) is a]
    errors: list[RecipeError] = []
    for hint in [*exact, *choices]:
        try:
            return convert(value, hint, where, default)
        except RecipeError as error:
            errors.append(error)
    if str in choices and isinstance(value, bool | float | datetime.date | None):  # a text that YAML misread
        raise errors[len(exact) + choices.index(str)]
    raise errors[-1]


def convert_plain(value: Any, hint: Any, where: str) -> Any:
    """str, int, float, bool and Path, as people write them."""
    if hint is float and not isinstance(value, bool):
        try:
            return float(value)  # YAML reads 1e-3 as text; a float parameter knows better
        except (TypeError, ValueError):
            pass
    elif hint is Path and isinstance(value, str):
        if any(character < " " for character in value):
            raise RecipeError(where, f"is a path with a control character: {value!r}", BACKSLASHES)
        path = Path(expand(value, where))
        if any(len(os.fsencode(name)) > LONGEST_NAME for name in path.parts):  # asking whether it is there would raise
            what = f"is no path: it has a name of more than {LONGEST_NAME} bytes"
            raise RecipeError(where, what, "a text itself goes into `text`, where there is one")
        return path
    elif hint is PathOrName and isinstance(value, str):
        return PathOrName(expand(value, where))
    elif hint is int and isinstance(value, float) and value.is_integer():
        return int(value)  # 1e6 with a point, as YAML wants it
    elif hint is int and isinstance(value, str) and re.fullmatch(r"\d+e\d+", value):
        return int(float(value))
    elif isinstance(value, hint) and not (isinstance(value, bool) and hint is int):
        return value
    hint_text = ""
    if isinstance(value, bool) and hint is str:
        hint_text = "YAML reads no, yes, on and off as true or false: put it in quotes"
    elif isinstance(value, datetime.date) and hint is str:
        hint_text = f"YAML reads it as a date: put it in quotes: '{value}'"
    elif hint is str and value is None:
        hint_text = "YAML reads null, ~ and nothing at all as none: put a name in quotes: 'null'"
    elif hint is str and isinstance(value, int | float):
        hint_text = f"put it in quotes: '{value}'"
    raise RecipeError(where, f"expected {type_name(hint)}, found {value!r}", hint_text)


def parse_change(change: str) -> tuple[str, Any]:
    """`training.steps=100` as a key and a value, which is read as YAML would read it. Raises RecipeError."""
    key, sign, text = change.partition("=")
    if not sign or not key:
        raise RecipeError("on the command line", f"{change!r} is not KEY=VALUE", "for example: training.steps=100")
    try:
        return key, yaml.safe_load(text) if text else ""
    except (yaml.YAMLError, ValueError, RecursionError):
        return key, text  # `a: b`, `[x` or a number without end: a text that YAML would misread


def check_range(value: Any, bounds: Any, where: str) -> Any:
    if isinstance(bounds, Range) and not bounds.low <= value <= bounds.high:
        raise RecipeError(where, f"must be {bounds}, found {value:g}")
    return value


def expand(text: str, where: str) -> str:
    """`~` and `$NAME` in a path, as the shell would read them."""
    full = os.path.expanduser(os.path.expandvars(text))
    if missing := re.search(r"\$\{?(\w+)\}?", full):
        raise RecipeError(where, f"the environment has no variable {missing[1]!r}", f"set it: export {missing[1]}=...")
    return full
