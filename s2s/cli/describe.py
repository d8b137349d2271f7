"""A part described in lines: what its docstring says, its options with their types and defaults, its papers."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from rich.text import Text

from s2s.registry import ComponentConfig, Option, options_of, tree, type_name


def described_component(name: str, maker: Callable[..., Any], whole: bool = False) -> Iterator[Text]:
    """The lines about one part: its name, what it is, its papers (or all that its docstring says), its options."""
    yield Text(name, "bold")
    for line in about_component(maker, whole):
        yield Text(f"  {line}", "dim")
    rows = [(o.name, type_name(o.hint), default_text(o)) for o in options_of(maker).values()]
    widths = [max(map(len, column), default=0) for column in zip(*rows, strict=True)]
    for option, kind, default in rows:
        yield (
            Text("    ")
            .append(option.ljust(widths[0]), "cyan")
            .append(f"  {kind.ljust(widths[1])}  {default}".rstrip())
        )
    yield Text("")


def about_component(maker: Callable[..., Any], whole: bool = False) -> list[str]:
    """The first line of a docstring, and every other line of it that cites something.

    whole  all of it, and what the classes above say about the options they share
    """
    if whole:
        above = maker.__mro__[1:] if isinstance(maker, type) else ()
        shared = [vars(part).get("__doc__") for part in above if "__init__" in vars(part) and options_of(part)]
        texts = [inspect.cleandoc(text) for text in (maker.__doc__, *shared) if text]
        return [line for text in texts for line in (*text.splitlines(), "")]
    first, *rest = inspect.cleandoc(maker.__doc__ or "").splitlines() or [""]
    return [line for line in [first, *(line.strip() for line in rest if "://" in line)] if line]


def default_text(option: Option) -> str:
    """A default as one would write it in a recipe."""
    return "(must be given)" if option.required else plain_value(option.default)


def plain_value(value: Any) -> str:
    """A value in YAML's short form, on one line."""
    if isinstance(value, ComponentConfig):
        written = tree(value, full=False)
        return plain_value(written) if value.kwargs else value.kind
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {plain_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(plain_value, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) if isinstance(value, int | float) or reads_as_itself(str(value)) else repr(str(value))


def reads_as_itself(text: str) -> bool:
    """Without quotes, YAML reads `no`, `,` and nothing as something else."""
    import yaml

    try:
        return bool(yaml.safe_load(text) == text)
    except yaml.YAMLError:
        return False
