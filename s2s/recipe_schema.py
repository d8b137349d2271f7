"""The JSON schema of recipes, from the signatures themselves: editors complete and check by it.

s2s schema > recipe.schema.json
# yaml-language-server: $schema=recipe.schema.json      (the first line of a recipe)
"""

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from s2s.recipe import Recipe
from s2s.registry import ComponentConfig, Range, Registrable, aliases_of, options_of, tree

PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", Path: "string"}
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def recipe_schema() -> dict[str, Any]:
    """Of whole recipes, with every kind that is registered."""
    families: dict[str, type[Registrable]] = {}
    top = of_options(Recipe, families)
    parts: dict[str, Any] = {}
    while missing := [name for name in families if name not in parts]:  # a part may have parts of new families
        parts |= {name: of_family(families[name], families) for name in missing}
    return {"$schema": DRAFT, "title": "A recipe of s2s", **top, "$defs": dict(sorted(parts.items()))}


def of_family(family: type[Registrable], families: dict[str, type[Registrable]]) -> dict[str, Any]:
    """The name of a kind, or a kind with options."""
    kinds = [*family.registry, *family.former]
    members = []
    for kind in kinds:
        whole = of_options(family.registry[family.former.get(kind, kind)], families)
        whole["properties"] = {"kind": {"const": kind}, **whole["properties"]}
        members.append({**whole, "required": ["kind", *whole.get("required", [])]})
    return {"anyOf": [{"enum": kinds}, *members]}


def of_options(maker: Callable[..., Any], families: dict[str, type[Registrable]]) -> dict[str, Any]:
    """An object with what may be chosen about a part or a section."""
    options, found = options_of(maker), {}
    for option in options.values():
        found[option.name] = of_type(option.hint, families, option.default)
        if not option.required:
            found[option.name] = {**found[option.name], "default": tree(option.default, full=False)}
    found |= {old: {**found[new], "deprecated": True} for old, new in aliases_of(maker).items() if new in found}
    text = inspect.cleandoc(maker.__doc__ or "").split("\n\n")[0]
    required = [option.name for option in options.values() if option.required]
    made = {"type": "object", "description": text, "properties": found, "additionalProperties": False}
    return {**made, "required": required} if required else made


def of_type(hint: Any, families: dict[str, type[Registrable]], default: Any = None) -> dict[str, Any]:
    """What config.convert takes for a parameter with this type."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return {**of_type(args[0], families), **(bounds(args[1]) if isinstance(args[1], Range) else {})}
    if origin is ComponentConfig:
        families[args[0].__name__] = args[0]
        part = {"$ref": f"#/$defs/{args[0].__name__}"}
        if not isinstance(default, ComponentConfig):
            return part
        changes = of_options(default.factory, families)  # without a kind, options change the default's
        return {"anyOf": [part, {key: value for key, value in changes.items() if key != "required"}]}
    if origin in (typing.Union, types.UnionType):
        null = [{"enum": ["none"]}] if type(None) in args else []  # what people write for it
        return {"anyOf": [*(of_type(arg, families, default) for arg in args), *null]}
    if origin is Literal:
        return {"enum": list(args)}
    if origin in (list, tuple):
        item = of_type(args[0], families)
        return {"anyOf": [{"type": "array", "items": item}, item]}  # one thing is a list of one
    if origin is dict:
        return {"type": "object", "additionalProperties": of_type(args[1], families)}
    if dataclasses.is_dataclass(hint):
        return of_options(typing.cast(type, hint), families)
    return {"type": "null"} if hint is type(None) else {"type": PLAIN[hint]} if hint in PLAIN else {}


def bounds(range: Range) -> dict[str, float]:
    """As far as there are any."""
    named = {"minimum": range.low, "maximum": range.high}
    return {name: value for name, value in named.items() if not math.isinf(value)}
