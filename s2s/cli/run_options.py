"""How a verb opens its run, declared once: a group of options that a verb takes as one parameter.

    @grouped
    def translate(run: RunName, ..., how: HowWritten = HowWritten()) -> None:
        ... = open_run(run, Seq2SeqPredictor, "translate", **how.chosen())

On the command line, each field of the group is an option of its own.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import Annotated, Any

import typer


@dataclass(frozen=True)
class HowOpened:
    """What every verb that opens a run asks for."""

    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1")] = "auto"
    weights: Annotated[str, typer.Option(help="best or last")] = "best"
    trust: Annotated[bool, typer.Option("--trust", help="Import the components that the run brings along.")] = False

    def chosen(self) -> dict[str, Any]:
        """By name, as open_run takes them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class HowWritten(HowOpened):
    """What a verb that has a run write asks for, too."""

    precision: Annotated[str, typer.Option(help="auto, fp32, bf16; int8: 8 bits, on a CPU with kernels for them.")] = (
        "auto"
    )
    require_fused: Annotated[
        bool, typer.Option("--require-fused", help="An error where it would not go the fast way.")
    ] = False


def grouped(verb: Callable[..., None]) -> Callable[..., None]:
    """The verb with the fields of its parameter `how` as parameters; called from Python it takes `how` as well."""
    signature = inspect.signature(verb)
    group = signature.parameters["how"].annotation
    names = [field.name for field in fields(group)]

    @wraps(verb)
    def spread(*arguments: Any, **given: Any) -> None:
        chosen = {name: given.pop(name) for name in names if name in given}
        if chosen:
            given["how"] = group(**chosen)
        verb(*arguments, **given)

    kept = [parameter for name, parameter in signature.parameters.items() if name != "how"]
    own = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
        for field in fields(group)
    ]
    spread.__signature__ = signature.replace(parameters=[*kept, *own])  # type: ignore[attr-defined]  # typer reads it
    spread.__annotations__ = {each.name: each.annotation for each in [*kept, *own]} | {"return": None}
    del spread.__wrapped__  # it has other parameters
    return spread
