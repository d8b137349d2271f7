"""What a recipe can name: families of parts, what may be chosen about each, and what was chosen.

Parameters before the star are what the program knows (sizes); parameters after the star are what a
recipe may choose. There is no second schema: a signature is read by options_of(), and config.py checks
a recipe against it.

    class Additive(Attention, kind="additive"):
        def __init__(self, query: int, memory: int, *, size: Positive = 256): ...
"""

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

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
    options: Mapping[str, Any]  # only what is no default; the signature has those
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
