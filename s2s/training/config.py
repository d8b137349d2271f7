"""What a recipe may say about training: how long, how fast, how often to look up."""

from dataclasses import dataclass
from typing import Literal

from s2s.config import configure
from s2s.decoding.sampling import greedy
from s2s.decoding.search import Search
from s2s.registry import ComponentConfig, NonNegativeFloat, NonNegativeInt, PositiveInt, Probability
from s2s.training.averaging import Averaging
from s2s.training.optimizers import Optimizer
from s2s.training.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Options of the training loop; a stop that is null does not stop it.

    epochs, steps     where it ends, whichever comes first; a step is one update of the weights
    batch_size        in batch_unit: target tokens with padding, or sentences
    accumulate        batches summed into one step: weighs every token as one large batch would
    clip_norm         longest gradient, over all weights; clip_value bounds each number of it
    validate_every    steps between validations; null is once an epoch
    select_by         `loss` or one of the task's metrics: decides what is best, and when to stop; of equal scores the
                      one with the lower loss is better
    patience          validations without a better score before stopping early
    validation_search how validation writes its hypotheses; null skips writing and its metrics. max_ratio is for
                      the first epochs: a model that has not learned to end would fill every line
    samples           sentences shown at each validation
    save_every        steps between checkpoints, besides the one after each validation
    log_every         steps between lines in log.jsonl; also how often a GPU is waited for
    """

    epochs: PositiveInt | None = 10
    steps: PositiveInt | None = None
    batch_size: PositiveInt = 2000
    batch_unit: Literal["tokens", "sentences"] = "tokens"
    accumulate: PositiveInt = 1
    optimizer: ComponentConfig[Optimizer] = configure(Optimizer, "adam")
    schedule: ComponentConfig[Schedule] = configure(Schedule, "constant")
    clip_norm: NonNegativeFloat | None = 1.0
    clip_value: NonNegativeFloat | None = None
    label_smoothing: Probability = 0.0
    average: ComponentConfig[Averaging] | None = None
    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    validate_every: PositiveInt | None = None
    select_by: str = "loss"
    patience: PositiveInt | None = None
    validation_search: ComponentConfig[Search] | None = configure(Search, {"kind": greedy, "max_ratio": 5.0})
    samples: NonNegativeInt = 2
    save_every: PositiveInt | None = None
    log_every: PositiveInt = 50
    tensorboard: bool = False

    def total_steps(self, batches: int) -> int | None:
        """The steps that a run will take if nothing stops it early; schedules that end need to know.

        batches  of the first pass: passes differ by a few, and all are taken to be as long
        """
        ends = [self.steps] if self.steps else []
        if self.epochs is not None:
            ends.append(self.epochs * -(-batches // self.accumulate))
        return min(ends) if ends else None
