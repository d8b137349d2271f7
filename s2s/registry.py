"""What a recipe can name: families of parts, what may be chosen about each, and what was chosen.

Parameters before the star are what the program knows (sizes); parameters after the star are what a
recipe may choose. There is no second schema: a signature is read by options_of(), and config.py checks
a recipe against it.

    class Additive(Attention, kind="additive"):
        def __init__(self, query: int, memory: int, *, size: PositiveInt = 256): ...
"""

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar, overload

from s2s.errors import RecipeError
from s2s.signatures import check_given, family_word, place_of, positional, same_definition

Component = TypeVar("Component", covariant=True)  # what a choice makes
R = TypeVar("R", covariant=True)  # what a function gives
F = TypeVar("F", bound=Callable[..., Any])


class Range(NamedTuple):
    """Bounds of a number, both allowed: Annotated[float, Range(0, 1)]."""

    low: float = float("-inf")
    high: float = float("inf")

    def __str__(self) -> str:
        if self.high == float("inf"):
            return f"at least {self.low:g}"
        return f"from {self.low:g} to {self.high:g}"


PositiveInt = Annotated[int, Range(1)]
NonNegativeInt = Annotated[int, Range(0)]
NonNegativeFloat = Annotated[float, Range(0)]
Probability = Annotated[float, Range(0, 1)]


class PathOrName(str):
    """An option that is a folder here, or the name of something elsewhere, such as a data set of the Hub."""


class Registrable:
    """A family of interchangeable parts: subclass it with kind="name" and recipes can ask for it.

    class Attention(nn.Module, Registrable): ...                   # a family has a registry of its own
    class Dot(Attention, kind="dot"): ...                     # a member is a class,
    @Search.register("greedy")                                # or a function

    What a family gives to its members, before the star, is what its own __init__ takes, or what `given` names. A
    member that takes something else is refused as it registers, and so is a second one of the same kind.

    aliases   {old: new}, options that a part has renamed: recipes with the old name are read, the new one is written
    formerly  the same of a kind: class Dot(Attention, kind="dot", formerly=("product",))
    """

    registry: ClassVar[dict[str, Callable[..., Any]]]
    former: ClassVar[dict[str, str]]  # kinds that were renamed, and what they are called now
    given: ClassVar[tuple[str, ...]]
    aliases: ClassVar[Mapping[str, str]] = {}
    _makes_families: ClassVar[bool] = True

    def __init_subclass__(
        cls, kind: str | None = None, *, formerly: Sequence[str] = (), given: Sequence[str] | None = None, **rest: Any
    ) -> None:
        super().__init_subclass__(**rest)
        if any(vars(base).get("_makes_families") for base in cls.__bases__):
            cls.registry, cls.former = {}, {}
            cls.given = tuple(given if given is not None else positional(vars(cls).get("__init__", object)))
        if kind is not None:
            cls._add(kind, cls, formerly)

    @classmethod
    def register(
        cls, kind: str, *, formerly: Sequence[str] = (), aliases: Mapping[str, str] | None = None
    ) -> Callable[[F], F]:
        """The same for a function: @Metric.register("bleu")."""

        def add(maker: F) -> F:
            if aliases:
                maker.aliases = dict(aliases)  # type: ignore[attr-defined]
            cls._add(kind, maker, formerly)
            return maker

        return add

    @classmethod
    def _add(cls, kind: str, maker: Callable[..., Any], formerly: Sequence[str]) -> None:
        check_given(cls, maker)
        for name in (kind, *formerly):
            there = cls.registry.get(name) or cls.registry.get(cls.former.get(name, ""))
            if there is not None and not same_definition(there, maker):
                what = f"there is already {family_word(cls)} {name!r}: {place_of(there)}"
                raise TypeError(f"{place_of(maker)}: {what}; give one of the two another kind")
        cls.registry[kind] = maker
        cls.former |= dict.fromkeys(formerly, kind)

    @classmethod
    def find(cls, kind: Any) -> str | None:
        """What this kind is called now, or None where there is none of that name."""
        if not isinstance(kind, str):
            return None
        return kind if kind in cls.registry else cls.former.get(kind)

    @classmethod
    def kind_of(cls, maker: Callable[..., Any]) -> str:
        """The kind that a class or a function was registered as."""
        return next(kind for kind, known in cls.registry.items() if known is maker)


class RegistrableFunctions(Registrable, Generic[R]):
    """A family whose members are functions: called with what the family gives, they return R.

    class Filter(RegistrableFunctions[Tensor], given=("scores", "written")): ...
    """

    _makes_families = True


@dataclasses.dataclass(frozen=True, repr=False)
class ComponentConfig(Generic[Component]):
    """A part that a recipe chose and s2s checked: call it with what the program knows.

    where  the key of the recipe at which it stands: RecipeErrors that the part raises get it before theirs, and so
           those of the parts inside it, wherever they are mounted
    """

    kind: str
    kwargs: Mapping[str, Any]  # only what is no default; the signature has those
    factory: Callable[..., Component]
    where: str = dataclasses.field(default="", compare=False)

    @overload
    def __call__(self: "ComponentConfig[RegistrableFunctions[R]]", *known: Any) -> R: ...
    @overload
    def __call__(self, *known: Any) -> Component: ...
    def __call__(self, *known: Any) -> Any:
        options = self.kwargs
        if self.where:
            inside = {**choices_in(self.factory), **options}
            options = {name: placed(part, f"{self.where}.{name}") for name, part in inside.items()}
        try:
            return self.factory(*known, **options)
        except RecipeError as error:
            raise error.at(self.where) from None

    def at(self, where: str) -> "ComponentConfig[Component]":
        """The same where a recipe says where it is; else it is said to be here."""
        return self if self.where else dataclasses.replace(self, where=where)

    def __repr__(self) -> str:
        return f"{self.kind}({', '.join(f'{k}={v!r}' for k, v in self.kwargs.items())})"


@cache
def choices_in(maker: Callable[..., Any]) -> dict[str, Any]:
    """The defaults of a constructor that are parts themselves, which do not know where they will stand."""
    return {
        option.name: option.default
        for option in options_of(maker).values()
        if isinstance(option.default, ComponentConfig)
        or (isinstance(option.default, tuple) and any(isinstance(item, ComponentConfig) for item in option.default))
    }


def placed(value: Any, where: str) -> Any:
    """A choice, several, or a section that holds some, at this key of a recipe; all else stays as it is."""
    if isinstance(value, ComponentConfig):
        return value if value.where == where else dataclasses.replace(value, where=where)
    if isinstance(value, tuple):
        items = tuple(placed(item, f"{where}[{i}]") for i, item in enumerate(value))
        return value if all(a is b for a, b in zip(items, value)) else items
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        held = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
        moved = {name: placed(item, f"{where}.{name}".lstrip(".")) for name, item in held.items()}
        changed = {name: item for name, item in moved.items() if item is not held[name]}
        return dataclasses.replace(value, **changed) if changed else value
    return value


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
    hints = typing.get_type_hints(maker if plain else maker.__init__, include_extras=True)
    return {
        p.name: Option(p.name, hints.get(p.name, Any), p.default)
        for p in inspect.signature(maker).parameters.values()
        if p.kind is p.KEYWORD_ONLY
    }


def aliases_of(maker: Callable[..., Any]) -> dict[str, str]:
    """Options by the names they had, and their names now: what a class declares, and those it comes from."""
    classes = reversed(maker.__mro__) if isinstance(maker, type) else [maker]
    return {old: new for part in classes for old, new in vars(part).get("aliases", {}).items()}


def type_name(hint: Any) -> str:
    """A type as a person would say it: `int, at least 1`, `attention or null`."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return f"{type_name(args[0])}, {args[1]}"
    if origin is ComponentConfig:
        return f"a kind of {args[0].__name__.lower()}"
    if origin is Literal:
        return " | ".join(map(str, args))
    if origin in (typing.Union, types.UnionType):
        return " or ".join("null" if a is type(None) else type_name(a) for a in args)
    if origin in (list, tuple):
        return f"list of {type_name(args[0])}"
    names = {
        str: "text",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        Path: "a path",
        PathOrName: "a path or a name",
    }
    return names.get(hint) or str(getattr(hint, "__name__", hint))


def written_options(thing: Any) -> Any:
    """A checked value as the plain tree somebody could have written."""
    if isinstance(thing, ComponentConfig):
        return {key: tree(value, full=False) for key, value in thing.kwargs.items()}
    return thing


def tree(value: Any, full: bool = True) -> Any:
    """Checked values as plain YAML values again; `full` adds every default."""
    if isinstance(value, ComponentConfig):
        known = {k: o.default for k, o in options_of(value.factory).items() if not o.required} if full else {}
        return {"kind": value.kind} | {k: tree(v, full) for k, v in (known | dict(value.kwargs)).items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: tree(getattr(value, f.name), full) for f in dataclasses.fields(value) if f.init}
    if isinstance(value, Mapping):
        return {key: tree(item, full) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tree(item, full) for item in value]
    return str(value) if isinstance(value, Path | PathOrName) else value
