"""s2s train: from a recipe to a run folder; again, to carry on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from s2s.cli.console import errors, output
from s2s.cli.recipes import RecipeArgument
from s2s.errors import command

if TYPE_CHECKING:
    from s2s.recipe import Recipe
    from s2s.training.position import TrainingResult


def train_command(
    recipe: RecipeArgument,
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Changes, such as training.epochs=5.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder; runs/NAME if not given.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start again; the run in the folder goes at the first checkpoint.")
    ] = False,
    accept_data: Annotated[
        bool, typer.Option("--accept-data", help="Carry on although the data is not what it was.")
    ] = False,
    require_fused: Annotated[
        bool, typer.Option("--require-fused", help="An error where a recurrence would be a Python loop.")
    ] = False,
) -> None:
    """Train what a recipe describes. The same command again carries on where it stopped.

    s2s train demo
    s2s train multi30k training.epochs=5 model.head.attention=additive --out runs/additive
    """
    from s2s.allocator import keep_freed_memory
    from s2s.api.train import train as run_training
    from s2s.devices import find_device
    from s2s.recipe import read_recipe
    from s2s.recipe_index import find_recipe
    from s2s.training.progress import reporter_for
    from s2s.training.signals import StopRequest

    read = read_recipe(find_recipe(recipe), changes or ())
    folder = out or Path("runs") / read.name
    if find_device(read.training.device).type == "cpu":
        keep_freed_memory()  # this process is ours
    stop = StopRequest(signals=True)
    with reporter_for(errors()) as reporter:
        outcome = run_training(
            read,
            folder,
            reporter=reporter,
            require_fused=require_fused,
            fresh=fresh,
            accept_data=accept_data,
            stop=stop,
        )
    again = [recipe, *(changes or ()), *(["--out", out] if out else []), *["--require-fused"] * require_fused]
    close(read, folder, outcome, command("s2s", "train", *again))


def next_steps(recipe: "Recipe", folder: Path) -> list[str]:
    """What to do with a run: measure it, and ask it."""
    from s2s.cli.opening import verb_for
    from s2s.cli.sources import type_read
    from s2s.runs.run import Run

    task = recipe.task()
    task.load(Run(folder).fields)
    reads = type_read(task)
    asked = [reads.example] if reads is not None and reads.readable else []
    trusted = ["--trust"] if recipe.uses else []
    return [
        command("s2s", "evaluate", folder, *trusted),
        command("s2s", verb_for(task), folder, *asked, *trusted),
    ]


def close(recipe: "Recipe", folder: Path, outcome: "TrainingResult", again: str) -> None:
    """An example, and what to do next; `again` is the command that carries on. The reporter has said how it ended."""
    if outcome.reason == "asked":
        errors().print(f"go on: {again}", markup=False, soft_wrap=True)  # one line, which can be pasted
        raise typer.Exit(130)
    if example := last_sample(folder):
        before = f"{example['source']} → " if example["source"] else ""
        output().print(f"it says: {before}{example['hypothesis']}", markup=False)
    output().print(f"the run is in {folder}. Next:", markup=False)
    for step in next_steps(recipe, folder):
        output().print(f"  {step}", markup=False)


def last_sample(folder: Path) -> dict[str, str] | None:
    """A held-out sentence as the last validation wrote it."""
    from s2s.runs.run import Run

    samples = [event["samples"] for event in Run(folder).events() if event.get("samples")]
    return samples[-1][0] if samples else None
