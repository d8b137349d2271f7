"""How a verb opens its run: by path or name, as what it needs, or with the verb that suits the run instead."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from s2s.errors import RunError, command

if TYPE_CHECKING:
    from s2s.predicting.base import Predictor

P = TypeVar("P", bound="Predictor")


def complete_run(incomplete: str) -> list[str]:
    """For the shell: runs that begin so."""
    return sorted(p.parent.name for p in Path("runs").glob(f"{incomplete}*/recipe.yaml"))


# What every verb that opens a run asks for.
RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="A run folder, or the name of one in runs/.", autocompletion=complete_run)
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1")]
Weights = Annotated[str, typer.Option(help="best or last")]
Bits = Annotated[str, typer.Option("--precision", help="auto, fp32, bf16; int8: weights of 8 bits, on a CPU.")]
RequireFused = Annotated[bool, typer.Option("--require-fused", help="An error where it would not go the fast way.")]
Trust = Annotated[bool, typer.Option("--trust", help="Import the parts that the run brings along.")]


def open_run(
    run: str,
    kind: type[P],
    *,
    device: str,
    weights: str,
    trust: bool,
    precision: str = "auto",
    require_fused: bool = False,
    changes: Sequence[str] = (),
) -> tuple[Path, P]:
    """The folder of a run, and the run opened. Raises RunError where it is of another kind."""
    from s2s.predict import find_run, load
    from s2s.training.memory import keep_freed_memory

    folder = find_run(run)
    keep_freed_memory()  # this process is ours: a step asks for the same large buffers as the one before
    predictor = load(
        folder,
        device=device,
        trust=trust,
        weights=weights,
        precision=precision,
        require_fused=require_fused,
        changes=changes,
    )
    if not isinstance(predictor, kind):
        recipe = predictor.recipe
        raise RunError(
            str(folder),
            f"is a run of {recipe.task.kind}",
            f"use the verb for it: {command('s2s', predictor.task.verb, run)}",
        )
    return folder, predictor
