"""From a recipe to a run folder: prepare the data, build the model, train it, keep all that was learned.

    outcome = train(read_recipe("recipes/translation/demo.yaml"), Path("runs/demo"))

The same call carries on a run that was stopped.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import torch

from s2s.api.manifest import manifest
from s2s.api.prepare import DataBundle, open_data, prepare_data
from s2s.api.resume import check_data, check_same, go_on
from s2s.devices import Precision, choose_precision, find_device, overlooked
from s2s.errors import RecipeError, memory_for
from s2s.nn.model import Model
from s2s.nn.pretrained import SIDE_COMPONENTS, begin_with, embedding_of
from s2s.paths import absolute
from s2s.predictors.base import Predictor
from s2s.predictors.load import predictor_for
from s2s.recipe import Recipe
from s2s.runs.run import Run
from s2s.tasks.task import Task
from s2s.tensors import FieldSpec
from s2s.training.config import TrainingConfig
from s2s.training.endings import SMALLER_MODEL, ending, smaller_training
from s2s.training.plots import learning_curves
from s2s.training.position import TrainingResult
from s2s.training.reporters import JsonLog, Reporter, ReporterList, TensorBoard
from s2s.training.seeds import set_seed
from s2s.training.signals import StopRequest
from s2s.training.trainer import Trainer
from s2s.training.validation import Validator, scores_of


def train(
    recipe: Recipe,
    out: Path,
    *,
    reporter: Reporter | None = None,
    require_fused: bool = False,
    stop: StopRequest | None = None,
    fresh: bool = False,
    accept_data: bool = False,
) -> TrainingResult:
    """Train what a recipe describes, into the folder `out`; carry on if it holds a stopped run of that recipe.

    reporter       is told of the data, the model, every step and every validation
    require_fused  raise where a recurrence would be a Python loop over time
    fresh          replace the run in `out`; it comes back if this training fails before its first checkpoint
    accept_data    carry on although the data is not what it was
    stop           asks for an end in good order: StopRequest(signals=True) makes Ctrl-C and SIGTERM do so

    Signals, threads and memory of the process stay as they are, unless `stop` asks for the signals.
    Raises S2SError for everything the reader can put right; until all that can be known is known, nothing is changed.
    """
    options = recipe.training
    check_options(recipe)
    precision = choose_precision(options.precision, find_device(options.device))
    reporter = reporter or Reporter()
    run = Run(out)
    if run.has_checkpoint or run.replaced.pending:
        with run.lock():  # nobody else is at work with it; and what a killed training left is put right
            pass
    started = run.has_checkpoint and not fresh  # written below once all that it needs is there
    if started:
        run = Run.open(out)
        check_same(run, recipe)
        corpora = open_data(recipe)
        changed = check_data(run, corpora, accept_data)
        task = recipe.task()
        task.load(run.fields)
        data = prepare_data(recipe, reporter.message, task, corpora)
    else:
        run.check_room(fresh=fresh)
        data = prepare_data(recipe, reporter.message)
    set_seed(recipe.seed)
    with memory_for("model", lambda: SMALLER_MODEL):
        model = recipe.build_model(data.task.source.space, data.task.target.space)
    if require_fused and (slow := [path for path in model.paths() if path.loops]):
        what = f"loops over time: {'; '.join(map(str, slow))}"
        raise RecipeError("model", what, "use cells rnn, gru or lstm, and a decoder that reads whole targets")
    if not started:
        for line in [*begin_with_vectors(recipe, model, data.task), *begin_encoder(recipe, model)]:
            reporter.message(line)
    for line in run_header(model, data, precision, options):
        reporter.message(line)
    run.make_folder()
    with run.lock(), run.replaced.back_on_failure(reporter.message):
        if not started:
            for name in begin_run(run, recipe, data, precision, fresh):
                reporter.message(f"left in the folder: {name}, which s2s did not make")
        kept = ReporterList([JsonLog(run), *([TensorBoard(run.path / "tensorboard")] if options.tensorboard else [])])
        told = ReporterList([reporter, kept])
        with kept, memory_for(str(run.path), lambda: smaller_training(run, options, precision)):
            trainer = Trainer(
                model,
                data.task,
                data.batches,
                validator(data, recipe),
                run,
                options,
                precision=precision,
                reporter=told,
            )
            if started:
                go_on(trainer, recipe, data, changed, reporter.message)
            else:
                trainer.save()
            outcome = trainer.fit(stop or StopRequest())
            run.replaced.forget()
            note = learning_curves(run.events(), run.plots / "learning.png", options.select_by, recipe.name)
            if note is not None:
                reporter.message(note)
            told.finish([ending(outcome, trainer.selects)])
    return outcome


def begin_run(run: Run, recipe: Recipe, data: DataBundle, precision: Precision, fresh: bool) -> list[str]:
    """A new run, with all that it needs but weights; gives what foreign files were left in its folder."""
    names = [brought_as(part) if part else name for name, part in zip(recipe.uses, recipe.origin.parts, strict=True)]
    brought = replace(absolute(recipe), uses=tuple(names))
    left = run.begin(brought.to_yaml(), fresh=fresh)
    copy_parts(recipe, run)
    data.task.save(run.fields)
    run.write_manifest(manifest(recipe, data, precision))
    return left


def check_options(recipe: Recipe) -> None:
    """`select_by` must name something that validation computes; a schedule that ends must know when."""
    options = recipe.training
    try:
        options.schedule().factor(1, options.steps or options.epochs)
    except RecipeError as error:
        raise recipe.origin.located(error) from None
    task = recipe.build_task()
    predictor_for(task)
    known = scores_of(task, options.validation_search)
    if options.select_by not in known:
        raise recipe.origin.located(
            RecipeError(
                "training.select_by",
                f"validation has no score {options.select_by!r}",
                f"it has: {', '.join(known)}; the task's metrics decide",
            )
        )


def validator(data: DataBundle, recipe: Recipe) -> Validator | None:
    """What measures a model on held-out rows; its answers are those of the predictor that the task names."""
    if data.validation is None or data.held_out is None:
        return None
    task, options = data.task, recipe.training
    search = options.validation_search
    searching = replace(recipe, decoding=search or recipe.decoding) if task.searches else recipe

    def predictor(model: Model, precision: Precision) -> Predictor:
        made = predictor_for(task)
        return made(searching, task, model, precision.to_write() if made.writes else precision)  # as it will be used

    asked = predictor if search is not None or not task.searches else None
    return Validator(task, data.validation, data.held_out, asked, options.samples)


def run_header(model: Model, data: DataBundle, precision: Precision, options: TrainingConfig) -> list[str]:
    """The header of a run: what is trained, on what, along which path."""
    count = sum(p.numel() for p in model.parameters())
    scaled = "; the loss is scaled, so that no gradient vanishes" if precision.scaler else ""
    lines = [
        f"model: {count / 1e6:.2f} million parameters; {', '.join(map(str, model.paths()))}",
        sides(data.task.source.space, data.task.target.space),
        f"device: {precision.device}, {precision.name} ({precision.why}{scaled})",
        f"batches: {data.batches.count(0):,} an epoch, {options.batch_size:,} {options.batch_unit} each",
    ]
    return lines if not (missed := overlooked(options.device)) else [*lines, f"warning: {missed}"]


def begin_with_vectors(recipe: Recipe, model: Model, task: Task) -> list[str]:
    """Fill embeddings from the recipe's file of word vectors, where it names one; says how many it has."""
    chosen = recipe.model.word_vectors
    if chosen is None:
        return []
    said = []
    for side in chosen.sides:
        embedding, tokenizer = embedding_of(model, side), getattr(task, side).tokenizer
        key = f"model.{SIDE_COMPONENTS[side]}.embedding"
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
        raise recipe.origin.located(error.at("model.encoder")) from None


def sides(source: FieldSpec, target: FieldSpec) -> str:
    """`vocabulary: 6,000 source, 6,000 target (shared)`; `sides: image to ids (812)`"""
    if source.modality == target.modality == "ids":
        shared = " (shared)" if source.vocabulary == target.vocabulary else ""
        return f"vocabulary: {source.size:,} source, {target.size:,} target{shared}"
    named = [space.modality + (f" ({space.size:,})" if space.size else "") for space in (source, target)]
    return f"sides: {named[0]} to {named[1]}"


def copy_parts(recipe: Recipe, run: Run) -> None:
    """A run brings the user's own parts along, so that it can be opened elsewhere."""
    for source in filter(None, recipe.origin.parts):
        (run.path / "parts").mkdir(exist_ok=True)
        shutil.copy2(source, run.path / brought_as(source))


def brought_as(part: Path) -> str:
    """What `uses` says in the run of a file that it brings along."""
    return f"parts/{part.name}"
