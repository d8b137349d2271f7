"""Carrying on a run that was stopped: by the recipe that began it, with its data, wherever it is now."""

from collections.abc import Callable, Mapping

from s2s.api.manifest import about_run, circumstances
from s2s.api.prepare import DataBundle
from s2s.data.changes import changes
from s2s.data.corpus import Corpus
from s2s.errors import RunError
from s2s.paths import absolute, map_paths, paths_of
from s2s.predictors.load import open_recipe
from s2s.recipe import Recipe, differences
from s2s.runs.run import Run
from s2s.training.trainer import Trainer

# What may change when a run is carried on: how long, where, and what is shown, but not what is learned.
MAY_CHANGE = (
    "training.epochs",
    "training.steps",
    "training.patience",
    "training.device",
    "training.precision",
    "training.log_every",
    "training.save_every",
    "training.samples",
    "training.tensorboard",
    "decoding",
    "name",
    "uses",
)


def check_same(run: Run, recipe: Recipe) -> None:
    """A run is carried on by the recipe that began it, or not at all. Paths may differ: what they lead to counts."""
    old = open_recipe(run, trust=bool(recipe.uses))
    paths = {key.partition("[")[0] for key in (*paths_of(old), *paths_of(recipe))}
    changed = [p for p in differences(old, recipe) if not p.where.startswith(MAY_CHANGE) and p.where not in paths]
    if changed:
        first = "; ".join(f"{p.where}: {p.what}" for p in changed[:3])
        raise RunError(
            str(run.path),
            f"holds a run of another recipe ({first})",
            "choose another folder with --out, or start again with --fresh",
        )


def check_data(run: Run, corpora: Mapping[str, Corpus], accept: bool) -> dict[str, str]:
    """A run is carried on with the data that it began with, or with other data where that is accepted.

    Gives what has become of each split that is another. No training reads `test`: it may change.
    """
    kept = run.manifest()
    rows = {split: report["rows"] for split, report in kept.get("report", {}).items()}
    changed = changes(corpora, kept.get("contents", {}), kept.get("data", {}), rows)
    if changed.keys() - {"test"} and not accept:
        raise RunError(
            str(run.path),
            f"its data has changed: {in_words(changed)}",
            "put back what it was, or go on with what it is: --accept-data, or train(..., accept_data=True)",
        )
    return changed


def in_words(changed: Mapping[str, str]) -> str:
    """`train: 120 rows became 60; validation: 40 rows, and not the same ones`"""
    return "; ".join(f"{split}: {how}" for split, how in changed.items())


def go_on(
    trainer: Trainer, recipe: Recipe, data: DataBundle, changed: Mapping[str, str], say: Callable[[str], None]
) -> None:
    """Back to where the run stopped; log.jsonl and the manifest say where, on what, and with what data."""
    run = trainer.run
    trainer.resume()
    at, now = {"step": trainer.position.step}, circumstances(trainer.precision)
    run.log({"event": "resume", **at, **now})
    kept = run.manifest()
    kept["resumed"] = [*kept.get("resumed", []), {**at, **now}]
    if changed:
        run.log({"event": "data", **at, "changed": changed})
        say(f"the data has changed: {in_words(changed)}")
        trainer.accept(changed)
        trainer.save()  # before the manifest: a run that is killed in between asks again
    run.write_manifest(kept | about_run(data))
    keep_paths(run, recipe)
    say(f"going on from step {trainer.position.step:,}")


def keep_paths(run: Run, recipe: Recipe) -> None:
    """The run's recipe says where its data is now."""
    old = open_recipe(run, trust=bool(recipe.uses))
    now = paths_of(absolute(recipe))
    moved = map_paths(old, lambda key, path: now.get(key, path))
    if paths_of(moved) != paths_of(old):
        run.write("recipe.yaml", moved.to_yaml())
