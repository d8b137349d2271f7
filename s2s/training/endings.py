"""How a training ends, in words: as it should, out of memory, or with numbers that have run away."""

from s2s.devices import Precision
from s2s.runs.run import Run
from s2s.training.config import TrainingConfig
from s2s.training.position import TrainingResult

SMALLER_MODEL = "make the model smaller: model.encoder.hidden, model.head.hidden, embedding, layers"
REASONS = {
    "epochs": "all epochs are done",
    "steps": "all steps are done",
    "patience": "validation stopped getting better",
    "asked": "stopped as asked, and saved",
}


def ending(outcome: TrainingResult, selects: str) -> str:
    """How a training went, in one line."""
    here = outcome.position
    said = f"{REASONS[outcome.reason]}: {here.step:,} steps, {here.seconds:,.0f} s of training"
    if here.best is None:
        return said
    return f"{said}; best {selects} {here.best:.{4 if selects == 'loss' else 2}f} at step {here.best_step:,}"


def smaller_training(run: Run, options: TrainingConfig, precision: Precision) -> str:
    """What to do where a training does not fit into memory, and what is kept of it."""
    step = run.checkpoint_step
    kept = f"the checkpoint of step {step:,} is kept. " if step else ""
    half = max(1, options.batch_size // 2)
    elsewhere = ", or go on with it on the CPU: training.device=cpu" if precision.device.type != "cpu" else ""
    return (
        f"{kept}Train into a new folder with training.batch_size={half:,} (it is {options.batch_size:,}; "
        f"training.accumulate={2 * options.accumulate} makes up for it), or {SMALLER_MODEL}{elsewhere}"
    )


def remedy(options: TrainingConfig, rate: float) -> str:
    """What to try where numbers have run away: what of it is not done already."""
    ways = [f"a lower training.optimizer.learning_rate than {rate:g}"]
    ways += ["training.clip_norm=1"] if options.clip_norm is None or options.clip_norm > 1 else []
    ways += ["training.precision=fp32"] if options.precision in ("bf16", "fp16") else []
    return f"the last checkpoint is kept. Train into a new folder (--out DIR) with {', or '.join(ways)}"
