"""From recipe text to checked constructors: the signature of a part is its schema.

Parameters before the star are what the program knows (sizes); parameters after the star are what a
recipe may choose. There is no second schema.

    class Additive(Attention, kind="additive"):
        def __init__(self, query: int, memory: int, *, size: Positive = 256): ...

    attention: {kind: additive, size: 512}        # or just  attention: additive
"""

import dataclasses
import difflib
import inspect
import os
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

from s2s.errors import Problem, RecipeError

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Range(NamedTuple):
    """Bounds of a number, both allowed: Annotated[float, Range(0, 1)]."""

    low: float = float("-inf")
    high: float = float("inf")

    def __str__(self) -> str:
        if self.high == float("inf"):
            return f"at least {self.low:g}"
        return f"from {self.low:g} to {self.high:g}"


Positive = Annotated[int, Range(1)]
Count = Annotated[int, Range(0)]
Amount = Annotated[float, Range(0)]
Fraction = Annotated[float, Range(0, 1)]


class Family:
    """A family of interchangeable parts: subclass it with kind="name" and recipes can ask for it.

    class Attention(nn.Module, Family): ...                   # a family has a registry of its own
    class Dot(Attention, kind="dot"): ...                     # a member is a class,
    @Search.register("greedy")                                # or a function
    """

    kinds: ClassVar[dict[str, Callable[..., Any]]]

    def __init_subclass__(cls, kind: str | None = None, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if Family in cls.__bases__:
            cls.kinds = {}
        if kind is not None:
            cls.kinds[kind] = cls

    @classmethod
    def register(cls, kind: str) -> Callable[[F], F]:
        """The same for a function: @Metric.register("bleu")."""

        def add(maker: F) -> F:
            cls.kinds[kind] = maker
            return maker

        return add


@dataclasses.dataclass(frozen=True, repr=False)
class Choice(Generic[T]):
    """A part that a recipe chose and s2s checked: call it with what the program knows."""

    kind: str
    options: Mapping[str, Any]  # only what was written; the signature has the defaults
    maker: Callable[..., T]

    def __call__(self, *known: Any) -> T:
        return self.maker(*known, **self.options)

    def __repr__(self) -> str:
        return f"{self.kind}({', '.join(f'{k}={v!r}' for k, v in self.options.items())})"


class Option(NamedTuple):
    """One thing a recipe may choose about a part."""

    name: str
    hint: Any
    default: Any

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty


def options_of(maker: Callable[..., Any]) -> dict[str, Option]:
    """The keyword-only parameters of a constructor, in the order they are written."""
    plain = inspect.isfunction(maker) or dataclasses.is_dataclass(maker)
    hints = typing.get_type_hints(maker if plain else maker.__init__, include_extras=True)  # type: ignore[misc]
    return {
        p.name: Option(p.name, hints.get(p.name, Any), p.default)
        for p in inspect.signature(maker).parameters.values()
        if p.kind is p.KEYWORD_ONLY
    }


def choose(family: type[T], node: Any, where: str = "", default: Choice[T] | None = None) -> Choice[T]:
    """Check `{kind: name, option: value, ...}`, or just `name`, against a family of parts.

    Where there is a default, `kind` may be left out: the options then change the default's.
    """
    word = family.__name__.lower()
    kinds: dict[str, Callable[..., T]] = family.kinds  # type: ignore[attr-defined]
    node = {"kind": node} if isinstance(node, str) else node
    if not isinstance(node, Mapping):
        raise RecipeError(where, f"needs the name of a {word}, found {node!r}", suggest("", kinds))
    if "kind" not in node and default is not None:
        node = {"kind": default.kind, **written(default), **node}
    if "kind" not in node:
        raise RecipeError(where, f"needs a kind of {word}", suggest("", kinds))
    kind = node["kind"]
    if kind not in kinds:
        raise RecipeError(f"{where}.kind", f"there is no {word} called {kind!r}", suggest(kind, kinds))
    options = {key: value for key, value in node.items() if key != "kind"}
    return Choice(kind, arguments(kinds[kind], options, where, f"{word} {kind!r}"), kinds[kind])


def make(cls: type[T], node: Any, where: str) -> T:
    """Build a dataclass of keyword-only options from a mapping."""
    if not isinstance(node, Mapping | None):
        raise RecipeError(where, f"expected options, found {node!r}", suggest("", options_of(cls)))
    return cls(**arguments(cls, node or {}, where, where or "the recipe"))


def arguments(maker: Callable[..., Any], node: Mapping[str, Any], where: str, name: str) -> dict[str, Any]:
    """Check options against the keyword-only parameters of a constructor; report every mistake."""
    wanted = options_of(maker)
    problems: list[Problem] = []
    good: dict[str, Any] = {}
    for key, value in node.items():
        place = f"{where}.{key}".lstrip(".")
        if key not in wanted:
            problems.append(Problem(place, f"{name} has no option {key!r}", suggest(key, wanted)))
            continue
        try:
            good[key] = convert(value, wanted[key].hint, place, wanted[key].default)
        except RecipeError as error:
            problems.extend(error.problems)
    for key, option in wanted.items():
        if option.required and key not in node:
            hint = f"it has no default; the options are: {', '.join(wanted)}"
            problems.append(Problem(where or key, f"{name} needs {key!r}", hint))
    if problems:
        raise RecipeError.of(problems)
    return good


def convert(value: Any, hint: Any, where: str, default: Any = None) -> Any:
    """Read a YAML value as the type a parameter is annotated with."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin is Annotated:
        return within(convert(value, args[0], where, default), args[1], where)
    if origin is Choice:
        return choose(args[0], value, where, default if isinstance(default, Choice) else None)
    if dataclasses.is_dataclass(hint):
        return make(typing.cast(type, hint), value, where)
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
        return {str(key): convert(item, args[1], f"{where}.{key}") for key, item in value.items()}
    return convert_plain(value, hint, where)


def convert_union(value: Any, args: tuple[Any, ...], where: str, default: Any) -> Any:
    """The first type of a union that takes the value; `none` is what people write for null."""
    choices = [a for a in args if a is not type(None)]
    if type(None) in args:
        family = next((typing.get_args(a)[0] for a in choices if typing.get_origin(a) is Choice), None)
        if value is None or (value == "none" and str not in choices and "none" not in getattr(family, "kinds", ())):
            return None
    exact = [a for a in choices if isinstance(a, type) and type(value) is a]
    errors: list[RecipeError] = []
    for hint in [*exact, *choices]:
        try:
            return convert(value, hint, where, default)
        except RecipeError as error:
            errors.append(error)
    raise errors[-1]


def convert_plain(value: Any, hint: Any, where: str) -> Any:
    """str, int, float, bool and Path, as people write them."""
    if hint is float and not isinstance(value, bool):
        try:
            return float(value)  # YAML reads 1e-3 as text; a float parameter knows better
        except (TypeError, ValueError):
            pass
    elif hint is Path and isinstance(value, str):
        return Path(expand(value, where))
    elif hint is int and isinstance(value, float) and value.is_integer():
        return int(value)  # 1e6 with a point, as YAML wants it
    elif hint is int and isinstance(value, str) and re.fullmatch(r"\d+e\d+", value):
        return int(float(value))
    elif isinstance(value, hint) and not (isinstance(value, bool) and hint is int):
        return value
    hint_text = ""
    if isinstance(value, bool) and hint is str:
        hint_text = "YAML reads no, yes, on and off as true or false: put it in quotes"
    elif hint is str and isinstance(value, int | float):
        hint_text = f"put it in quotes: '{value}'"
    raise RecipeError(where, f"expected {type_name(hint)}, found {value!r}", hint_text)


def within(value: Any, bounds: Any, where: str) -> Any:
    if isinstance(bounds, Range) and not bounds.low <= value <= bounds.high:
        raise RecipeError(where, f"must be {bounds}, found {value:g}")
    return value


def expand(text: str, where: str) -> str:
    """`~` and `$NAME` in a path, as the shell would read them."""
    full = os.path.expanduser(os.path.expandvars(text))
    if missing := re.search(r"\$\{?(\w+)\}?", full):
        raise RecipeError(where, f"the environment has no variable {missing[1]!r}", f"set it: export {missing[1]}=...")
    return full


def type_name(hint: Any) -> str:
    """A type as a person would say it: `int, at least 1`, `attention or null`."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return f"{type_name(args[0])}, {args[1]}"
    if origin is Choice:
        return f"a kind of {args[0].__name__.lower()}"
    if origin is Literal:
        return " | ".join(map(str, args))
    if origin in (typing.Union, types.UnionType):
        return " or ".join("null" if a is type(None) else type_name(a) for a in args)
    if origin in (list, tuple):
        return f"list of {type_name(args[0])}"
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}
    return names.get(hint) or str(getattr(hint, "__name__", hint))


def written(thing: Any) -> Any:
    """A checked value as the plain tree somebody could have written."""
    if isinstance(thing, Choice):
        return {key: tree(value, full=False) for key, value in thing.options.items()}
    return thing


def tree(value: Any, full: bool = True) -> Any:
    """Checked values as plain YAML values again; `full` adds every default."""
    if isinstance(value, Choice):
        known = {k: o.default for k, o in options_of(value.maker).items() if not o.required} if full else {}
        return {"kind": value.kind} | {k: tree(v, full) for k, v in (known | dict(value.options)).items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: tree(getattr(value, f.name), full) for f in dataclasses.fields(value) if f.init}
    if isinstance(value, Mapping):
        return {key: tree(item, full) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tree(item, full) for item in value]
    return str(value) if isinstance(value, Path) else value


def suggest(word: Any, known: Iterable[str]) -> str:
    """`did you mean 'hidden'? the options are: cell, hidden, layers`"""
    names = list(known)
    near = difflib.get_close_matches(str(word), names, n=1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return f"{guess}the options are: {', '.join(names) or 'none'}"
