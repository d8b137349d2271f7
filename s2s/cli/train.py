"""s2s train: from a recipe to a run folder; again, to carry on."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from s2s.cli.console import errors, output
from s2s.cli.recipes import RecipeArgument

if TYPE_CHECKING:
    from s2s.training.position import Outcome


def train(
    recipe: RecipeArgument,
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Changes, such as training.epochs=5.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder; runs/NAME if not given.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what the folder holds and start again.")] = False,
    require_fused: Annotated[
        bool, typer.Option("--require-fused", help="An error where a recurrence would be a Python loop.")
    ] = False,
) -> None:
    """Train what a recipe describes. The same command again carries on where it stopped.

    s2s train demo
    s2s train multi30k training.epochs=5 model.head.attention=additive --out runs/additive
    """
    from s2s.recipe import read_recipe
    from s2s.session import is_run
    from s2s.session import train as run_training
    from s2s.shipped import find_recipe
    from s2s.training.progress import reporter_for

    read = read_recipe(find_recipe(recipe), changes or ())
    folder = out or Path("runs") / read.name
    if fresh and is_run(folder):
        shutil.rmtree(folder)

    with reporter_for(errors()) as reporter:
        outcome = run_training(read, folder, reporter=reporter, require_fused=require_fused)
    verb = getattr(read.task.maker, "verb", "translate")
    close(folder, outcome, verb, " ".join([recipe, *(changes or ()), *(["--out", str(out)] if out else [])]))


def close(folder: Path, outcome: "Outcome", verb: str, again: str) -> None:
    """An example, and what to do next; the reporter has said how it ended."""
    if outcome.reason == "asked":
        errors().print(f"go on: s2s train {again}", markup=False)
        raise typer.Exit(130)
    if example := last_sample(folder):
        output().print(f"it says: {example['source']} → {example['hypothesis']}", markup=False)
    output().print(f"the run is in {folder}. Next:", markup=False)
    output().print(f"  s2s evaluate {folder}", markup=False)
    output().print(f"  s2s {verb} {folder}", markup=False)


def last_sample(folder: Path) -> dict[str, str] | None:
    """A held-out sentence as the last validation wrote it."""
    from s2s.training.runs import Run

    samples = [event["samples"] for event in Run(folder).events() if event.get("samples")]
    return samples[-1][0] if samples else None
