"""load("runs/x").predict([...]): what every command, and every program that ships a model, calls."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from s2s.errors import RunError, suggest
from s2s.nn.initialization import Unfilled
from s2s.nn.model import Model
from s2s.predicting.base import Predictor
from s2s.predicting.generator import Generator
from s2s.predicting.labeler import CHOICES, Labeler
from s2s.predicting.writer import Writer
from s2s.recipe import Recipe, parse_recipe, parse_yaml
from s2s.tasks.task import Task
from s2s.training.precision import choose_decoding_precision, find_device, overlooked
from s2s.training.runs import Run


def load(
    path: str | Path,
    *,
    device: str = "auto",
    trust: bool = False,
    weights: str = "best",
    precision: str = "auto",
    require_fused: bool = False,
    changes: Sequence[str] = (),
) -> Predictor:
    """Open a run folder for prediction. Executes no code from it.

    device   auto, cpu, cuda, cuda:1
    trust    import the run's own parts (Python files in its folder `parts`), where its recipe uses any
    changes  to its recipe, such as ["decoding.beam_size=10"]
    weights  "best" by the recipe's measure (where nothing was measured, the last are the best), or "last"

    precision  auto, fp32, bf16, fp16; int8 for weights of 8 bits, on a CPU, with answers that may differ a little
    require_fused  raise where decoding would not go the fast way

    Raises RunError where the folder is no run, is damaged, or uses parts and `trust` is not given.
    """
    run = Run.open(path)
    recipe = open_recipe(run, trust, changes)
    task = recipe.task()
    task.load(run.fields)
    with Unfilled():
        model = recipe.build_model(task.source.space, task.target.space)
    fill(model, run, weights)
    chosen = choose_decoding_precision(precision, find_device(device, "device"))
    if missed := overlooked(device):
        chosen = replace(chosen, why=f"{chosen.why}; {missed}")
    predictor = predictor_for(task)(recipe, task, model, chosen)
    if chosen.name == "int8" and not predictor.writes:
        raise RunError(str(run.path), "chooses and does not write, and int8 is for writing", "leave precision out")
    if require_fused and (slow := [path for path in predictor.paths() if "plain" in path or "looped" in path]):
        raise RunError(str(run.path), f"would not go the fast way: {'; '.join(slow)}", "leave --require-fused out")
    return predictor


def predictor_for(task: Task) -> type[Predictor]:
    """What a run of this task can do beyond predict()."""
    if task.verb == "generate":
        return Generator
    return Labeler if task.target.space.shape in CHOICES else Writer


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
            "its recipe uses parts of its own, and importing them executes their code",
            f"read {run.path / 'parts'}; if you trust it, add --trust, or load(..., trust=True)",
        )
    return parse_recipe(text, str(run.path / "recipe.yaml"), changes, folder=run.path)


def find_run(name: str | Path) -> Path:
    """A run folder by its path, or by its name in `runs`."""
    for path in (Path(name).expanduser(), Path("runs") / name):
        if path.is_dir():
            return path
    here = sorted(p.name for p in Path("runs").glob("*/")) if Path("runs").is_dir() else []
    raise RunError(
        str(name), "there is no run folder here", suggest(str(name), here) if here else "train one: s2s train"
    )
