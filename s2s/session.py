"""From a recipe to a run folder: prepare the data, build the model, train it, keep all that was learned.

    outcome = train(read_recipe("recipes/demo.yaml"), Path("runs/demo"))

The same call carries on a run that was stopped.
"""

import platform
import shutil
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from s2s.errors import RecipeError, RunError
from s2s.nn.model import Model
from s2s.nn.pretrained import PARTS, begin_with, embedding_of
from s2s.predict import open_recipe
from s2s.prepare import Prepared, prepare
from s2s.recipe import Recipe, differences
from s2s.tasks.task import Task
from s2s.tensors import Space
from s2s.training.memory import keep_freed_memory
from s2s.training.options import Training
from s2s.training.plots import learning_curves
from s2s.training.position import Outcome
from s2s.training.precision import Precision, choose_precision, find_device
from s2s.training.reporters import JsonLog, Progress, Reporter, TensorBoard
from s2s.training.runs import Run
from s2s.training.seeds import set_seed
from s2s.training.trainer import Trainer
from s2s.training.validation import Validator

# What may change when a run is carried on: how long, where, and what is shown, but not what is learned.
MAY_CHANGE = (
    "training.epochs",
    "training.steps",
    "training.patience",
    "training.device",
    "training.log_every",
    "training.save_every",
    "training.samples",
    "training.tensorboard",
    "model.word_vectors.path",  # read when the run began, and not again
    "decoding",
    "name",
)


def train(recipe: Recipe, out: Path, *, reporter: Reporter | None = None, require_fused: bool = False) -> Outcome:
    """Train what a recipe describes, into the folder `out`; carry on if it holds a stopped run of that recipe.

    reporter  is told of the data, the model, every step and every validation
    require_fused  raise where a recurrence would be a Python loop over time

    Raises S2SError for everything the reader can put right.
    """
    options = recipe.training
    check_options(recipe)
    precision = choose_precision(options.precision, find_device(options.device))
    reporter = reporter or Reporter()
    if precision.device.type == "cpu":
        keep_freed_memory()
    started = Run(out).has_checkpoint  # written below once all that it needs is there
    if started:
        run = Run.open(out)
        check_same(run, recipe)
        task = recipe.task()
        task.load(run.fields)
        data = prepare(recipe, reporter.message, task)
    else:
        data = prepare(recipe, reporter.message)
    set_seed(recipe.seed)
    model = recipe.build_model(data.task.source.space, data.task.target.space)
    if require_fused and (slow := [path for path in model.paths() if "looped" in path or "step by step" in path]):
        what = f"loops over time: {'; '.join(slow)}"
        raise RecipeError("model", what, "use cells rnn, gru or lstm, and a decoder that reads whole targets")
    if not started:
        for line in [*begin_with_vectors(recipe, model, data.task), *begin_encoder(recipe, model)]:
            reporter.message(line)
    for line in describe(model, data, precision, options):
        reporter.message(line)
    if not started:
        brought = replace(recipe, uses=tuple(f"parts/{Path(name).name}" for name in recipe.uses))
        run = Run.create(out, brought.to_yaml())
    with run.lock():
        if not started:
            copy_parts(recipe, run)
            data.task.save(run.fields)
            run.write_manifest(manifest(recipe, data, precision))
        told = [reporter, JsonLog(run), *([TensorBoard(run.path / "tensorboard")] if options.tensorboard else [])]
        trainer = Trainer(
            model,
            data.task,
            data.batches,
            validator(data, options),
            run,
            options,
            precision=precision,
            reporter=Progress(told),
        )
        if started:
            trainer.resume()
            reporter.message(f"going on from step {trainer.position.step:,}")
        else:
            trainer.save()
        outcome = trainer.fit()
        note = learning_curves(run.events(), run.plots / "learning.png", options.select_by, recipe.name)
        if note is not None:
            reporter.message(note)
    return outcome


def is_run(folder: Path) -> bool:
    """Has a training begun there?"""
    return (folder / "manifest.json").exists()


def check_options(recipe: Recipe) -> None:
    """`select_by` must name something that validation computes; a schedule that ends must know when."""
    options = recipe.training
    try:
        options.schedule().factor(1, options.steps or options.epochs)
    except RecipeError as error:
        raise recipe.origin.located(error) from None
    known = ["loss", "perplexity"]
    task = recipe.task()
    if options.validation_search is not None or not task.searches:
        known += [metric.kind for metric in task.metrics]
    if options.select_by not in known:
        raise recipe.origin.located(
            RecipeError(
                "training.select_by",
                f"validation has no score {options.select_by!r}",
                f"it has: {', '.join(known)}; the task's metrics decide",
            )
        )


def check_same(run: Run, recipe: Recipe) -> None:
    """A run is carried on by the recipe that began it, or not at all."""
    old = open_recipe(run, trust=bool(recipe.uses))
    changed = [p for p in differences(old, recipe) if not p.where.startswith((*MAY_CHANGE, "uses"))]
    if changed:
        first = "; ".join(f"{p.where}: {p.what}" for p in changed[:3])
        raise RunError(
            str(run.path),
            f"holds a run of another recipe ({first})",
            "choose another folder with --out, or start again with --fresh",
        )


def validator(data: Prepared, options: Training) -> Validator | None:
    if data.validation is None or data.held_out is None:
        return None
    rows = list(data.held_out) if data.task.metrics else []
    return Validator(data.task, data.validation, rows, options.validation_search, options.samples)


def describe(model: Model, data: Prepared, precision: Precision, options: Training) -> list[str]:
    """The header of a run: what is trained, on what, along which path."""
    count = sum(p.numel() for p in model.parameters())
    return [
        f"model: {count / 1e6:.2f} million parameters; {', '.join(model.paths())}",
        sides(data.task.source.space, data.task.target.space),
        f"device: {precision.device}, {precision.name} ({precision.why})",
        f"batches: {data.batches.count(0):,} an epoch, {options.batch_size:,} {options.batch_unit} each",
    ]


def begin_with_vectors(recipe: Recipe, model: Model, task: Task) -> list[str]:
    """Fill embeddings from the recipe's file of word vectors, where it names one; says how many it has."""
    chosen = recipe.model.word_vectors
    if chosen is None:
        return []
    said = []
    for side in chosen.sides:
        embedding, tokenizer = embedding_of(model, side), getattr(task, side).tokenizer
        key = f"model.{PARTS[side]}.embedding"
        with recipe.origin.mounting("model.word_vectors"):
            found = chosen.read(tokenizer, embedding.embedding_dim, key)
        begin_with(embedding, torch.from_numpy(found.ids), torch.from_numpy(found.vectors))
        said.append(f"word vectors: {found}{' (frozen)' if chosen.frozen else ''}")
    return said


def begin_encoder(recipe: Recipe, model: Model) -> list[str]:
    """Weights of an encoder that others have trained."""
    try:
        return model.encoder.begin()
    except RecipeError as error:
        raise recipe.origin.located(error) from None


def sides(source: Space, target: Space) -> str:
    """`vocabulary: 6,000 source, 6,000 target (shared)`; `sides: image to ids (812)`"""
    if source.shape == target.shape == "ids":
        shared = " (shared)" if source.vocabulary == target.vocabulary else ""
        return f"vocabulary: {source.size:,} source, {target.size:,} target{shared}"
    named = [space.shape + (f" ({space.size:,})" if space.size else "") for space in (source, target)]
    return f"sides: {named[0]} to {named[1]}"


def copy_parts(recipe: Recipe, run: Run) -> None:
    """A run brings the user's own parts along, so that it can be opened elsewhere."""
    for name in recipe.uses:
        source = Path(recipe.origin.path).parent / name
        (run.path / "parts").mkdir(exist_ok=True)
        shutil.copy2(source.expanduser(), run.path / "parts" / Path(name).name)


def manifest(recipe: Recipe, data: Prepared, precision: Precision) -> dict[str, Any]:
    """What it takes to tell two runs apart, or to have this one again."""
    packages = ("s2s", "torch", "sentencepiece", "sacrebleu", "datasets", "numpy")
    return {
        "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "seed": recipe.seed,
        "device": str(precision.device),
        "precision": precision.name,
        "threads": torch.get_num_threads(),
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
        "machine": platform.machine(),
        "data": data.fingerprints,
        "fields": {side: getattr(data.task, side).fingerprint for side in ("source", "target")},
        "report": data.report.to_dict(),
    }
