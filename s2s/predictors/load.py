"""load("runs/x").predict([...]): what every command, and every program that ships a model, calls.

load("runs/x", kind=Seq2SeqPredictor).search([...])  # as what it must be, which type checkers then know
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, overload

import s2s.predictors.classifier
import s2s.predictors.language_model
import s2s.predictors.seq2seq  # noqa: F401  (these register the predictors that a task may name)
from s2s.devices import choose_precision, choose_writing_precision, find_device, overlooked
from s2s.errors import RecipeError, RunError, several, suggest
from s2s.execution import NumberFormat
from s2s.inference.fork import allow_fork_after_compute
from s2s.nn.initialization import Unfilled
from s2s.nn.model import Model
from s2s.predictors.base import Predictor
from s2s.recipe import Recipe, parse_recipe
from s2s.recipe_yaml import parse_yaml
from s2s.runs.run import Run
from s2s.tasks.task import Task

LoadedAs = TypeVar("LoadedAs", bound=Predictor)


@overload
def load(
    path: str | Path,
    *,
    device: str = ...,
    trust: bool = ...,
    weights: str = ...,
    precision: str = ...,
    require_fused: bool = ...,
    changes: Sequence[str] = ...,
) -> Predictor: ...
@overload
def load(
    path: str | Path,
    *,
    kind: type[LoadedAs],
    device: str = ...,
    trust: bool = ...,
    weights: str = ...,
    precision: str = ...,
    require_fused: bool = ...,
    changes: Sequence[str] = ...,
) -> LoadedAs: ...
def load(
    path: str | Path,
    *,
    kind: type[Predictor] = Predictor,
    device: str = "auto",
    trust: bool = False,
    weights: str = "best",
    precision: str = "auto",
    require_fused: bool = False,
    changes: Sequence[str] = (),
) -> Predictor:
    """Open a run folder for prediction. Executes no code from it. Workers may be forked afterwards, and answer.

    kind     what it must be: s2s.Seq2SeqPredictor, s2s.ClassifierPredictor, s2s.LanguageModelPredictor, or one's own
    device   auto, cpu, cuda, cuda:1
    trust    import the run's own parts (Python files in its folder `parts`), where its recipe uses any
    changes  to its recipe, such as ["decoding.beam_size=10"]
    weights  "best" by the recipe's measure (where nothing was measured, the last are the best), or "last"

    precision  auto: the fastest that is as good as fp32 here; fp32, bf16, fp16; int8 for weights of 8 bits, on a CPU
               with kernels for them, with answers that may differ a little
    require_fused  raise where decoding would not go the fast way

    Raises RunError where the folder is no run, is damaged, is of another kind, or uses parts and `trust` is not given.
    """
    allow_fork_after_compute()
    run = Run.open(path)
    recipe = open_recipe(run, trust, several(changes, "changes"))
    task = recipe.task()
    made = predictor_for(task)
    if not issubclass(made, kind):
        what = f"is a run of {recipe.task.kind}, which is answered by a {made.__name__} and not by a {kind.__name__}"
        raise RunError(str(run.path), what, "leave out what it must be, or open another run")
    task.load(run.fields)
    with Unfilled():
        model = recipe.build_model(task.source.space, task.target.space)
    fill(model, run, weights)
    if precision == NumberFormat.INT8 and not made.writes:
        raise RunError(str(run.path), "chooses and does not write, and int8 is for writing", "leave precision out")
    choose = choose_writing_precision if made.writes else choose_precision
    chosen = choose(precision, find_device(device, "device"), "precision")
    if missed := overlooked(device):
        chosen = replace(chosen, why=f"{chosen.why}; {missed}")
    predictor = made(recipe, task, model, chosen)
    if require_fused and (slow := [path for path in predictor.execution_paths() if path.slow_to_write]):
        what = f"would not go the fast way: {'; '.join(map(str, slow))}"
        raise RunError(str(run.path), what, "leave --require-fused out")
    return predictor


def predictor_for(task: Task) -> type[Predictor]:
    """The class that answers for this task, wherever it is asked. Raises RecipeError where there is none."""
    kinds = Predictor.registry
    if task.predictor not in kinds:
        what = f"names the predictor {task.predictor!r}, and there is none"
        raise RecipeError("task", f"{type(task).__name__} {what}", suggest(task.predictor, kinds))
    found = kinds[task.predictor]
    assert isinstance(found, type)
    assert issubclass(found, Predictor)
    return found


def fill(model: Model, run: Run, weights: str) -> None:
    """Put the run's weights into a model. Raises RunError where they are another model's."""
    try:
        model.load_state_dict(run.load_weights(weights))
    except RuntimeError as error:  # torch lists every name and shape
        first = str(error).split("\n")[1].strip() if "\n" in str(error) else str(error)
        raise RunError(
            str(run.path / f"{weights}.safetensors"),
            f"the weights do not fit the model of recipe.yaml: {first}",
            "recipe.yaml was changed, or the files are of two runs: copy the whole folder again",
        ) from None


def open_recipe(run: Run, trust: bool, changes: Sequence[str] = ()) -> Recipe:
    """The recipe of a run, whose own parts are imported only where they are trusted."""
    text = run.recipe_text()
    node, _ = parse_yaml(text, str(run.recipe))
    if node.get("uses") and not trust:
        raise RunError(
            str(run.path),
            "its recipe uses components of its own, and importing them executes their code",
            f"read {run.path / 'parts'}; if you trust it, add --trust, or load(..., trust=True)",
        )
    recipe = parse_recipe(text, str(run.recipe), folder=run.path)
    if not changes:
        return recipe
    # Changes are of what was told: decoding.kind=greedy would else meet the written-out defaults of a beam.
    return parse_recipe(recipe.to_yaml(full=False), str(run.recipe), changes, folder=run.path)


def find_run(name: str | Path) -> Path:
    """A run folder by its path, or by its name in `runs`."""
    for path in (Path(name).expanduser(), Path("runs") / name):
        if path.is_dir():
            return path
    here = sorted(p.name for p in Path("runs").glob("*/")) if Path("runs").is_dir() else []
    raise RunError(
        str(name), "there is no run folder here", suggest(str(name), here) if here else "train one: s2s train"
    )
