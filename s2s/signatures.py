"""What is looked at when a part registers: does it take what its family gives, and is it another one's double?"""

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def parameters(maker: Callable[..., Any]) -> list[inspect.Parameter]:
    """Those of a function, or of a constructor without `self`."""
    if maker is object or getattr(maker, "__init__", None) is object.__init__:
        return []
    found = list(inspect.signature(maker).parameters.values())
    return found[1:] if found and found[0].name == "self" else found


def positional(maker: Callable[..., Any]) -> list[str]:
    """The names of what stands before the star."""
    return [p.name for p in parameters(maker) if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def check_given(family: Any, maker: Callable[..., Any]) -> None:
    """Does a part take what its family gives? Names may differ, but none may stand in another's place."""
    takes, gives = positional(maker), family.given
    takes_more = any(p.kind is p.VAR_POSITIONAL for p in parameters(maker))
    moved = [name for name, other in zip(takes, gives) if name != other and name in gives]
    if moved or len(takes) > len(gives) or (len(takes) < len(gives) and not takes_more):
        found = f"{maker.__name__}({', '.join(takes)})"
        what = f"{found} must take ({', '.join(gives)}), which is what {family_word(family)} is given"
        raise TypeError(f"{place_of(maker)}: {what}; put a star before what a recipe may choose")


def family_word(member: type) -> str:
    """`an attention`, of a family or of a class in it."""
    word = next(cls for cls in member.__mro__ if "registry" in vars(cls)).__name__.lower()
    return f"an {word}" if word[0] in "aeio" else f"a {word}"


def same_definition(a: Callable[..., Any], b: Callable[..., Any]) -> bool:
    """Is one the other, defined again? So it is where a file is imported twice, or its copy, which a run brings."""
    if a.__qualname__ != b.__qualname__:
        return False
    if a.__module__ == b.__module__:
        return True
    files = [file_of(part) for part in (a, b)]
    if None in files:
        return False
    return files[0] == files[1] or read_bytes(files[0]) == read_bytes(files[1])


def read_bytes(path: str | None) -> bytes | None:
    try:
        return Path(path or "").read_bytes()
    except OSError:
        return None


def file_of(maker: Callable[..., Any]) -> str | None:
    """The file that a class or a function was read from; None for what was typed."""
    found = getattr(sys.modules.get(maker.__module__), "__file__", None)
    return os.path.realpath(found) if found else None


def place_of(maker: Callable[..., Any]) -> str:
    """`my_parts.py:12`, or the module and name of what has no file."""
    path = file_of(maker)
    try:
        line = inspect.getsourcelines(maker)[1]
    except (OSError, TypeError):
        return f"{maker.__module__}.{maker.__qualname__}"
    return f"{os.path.relpath(path) if path else maker.__module__}:{line}"
