"""Schedules: what the learning rate is multiplied by at each step.

A length below 1 is a fraction of the whole training, any other is a number of steps. Steps count from 1.
"""

import math
from collections.abc import Mapping
from typing import Any

from s2s.errors import RecipeError
from s2s.registry import NonNegativeFloat, NonNegativeInt, Probability, Registrable


class Schedule(Registrable):
    """schedule = choice();  factor = schedule.factor(step, total)

    factor   the multiplier for step 1, 2, ...; `total` is the number of steps of the whole training, or
             None where nobody knows. Raises RecipeError where a schedule cannot do without it.
    observe  is told the score of each validation
    """

    def factor(self, step: int, total: int | None) -> float:
        raise NotImplementedError

    def observe(self, score: float, higher_is_better: bool) -> None:
        """Most schedules do not look at scores."""

    def forget(self) -> None:
        """What `observe` saw cannot be compared with what it will see."""

    def state_dict(self) -> dict[str, Any]:
        """Plain values: what `observe` has changed."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from state_dict."""


def steps_of(length: float, total: int | None, name: str) -> int:
    """A length in steps: 0.1 is a tenth of the training, 400 is 400 steps."""
    return round(length * known(total, name)) if 0 < length < 1 else round(length)


def known(total: int | None, name: str) -> int:
    if total is None:
        what = f"{name} needs to know how long training is, and nothing says so"
        raise RecipeError("training.schedule", what, "set training.steps or training.epochs, or use schedule: constant")
    return total


def ramp(step: int, warmup: int) -> float:
    """Rises in a line to 1 at step `warmup`."""
    return min(1.0, step / warmup) if warmup else 1.0


def progress(step: int, warmup: int, total: int) -> float:
    """0 at the end of the warm-up, 1 at the last step and after it."""
    return min(1.0, max(0.0, (step - warmup) / max(1, total - warmup)))


class Constant(Schedule, kind="constant"):
    """The same rate all the way, after a warm-up in a line (Goyal et al. 2017, https://arxiv.org/abs/1706.02677)."""

    def __init__(self, *, warmup: NonNegativeFloat = 0.0) -> None:
        self.warmup = warmup

    def factor(self, step: int, total: int | None) -> float:
        return ramp(step, steps_of(self.warmup, total, "a warm-up given as a fraction"))


class Plateau(Schedule, kind="plateau"):
    """Times `factor` after more than `patience` validations in a row without a better score.

    cooldown  validations after a cut in which nothing is counted
    minimum   the rate never falls below this part of itself

    As torch's ReduceLROnPlateau with a threshold of 0; recurrent language models were first trained so: Mikolov
    et al. 2010, https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html
    """

    def __init__(
        self,
        *,
        factor: Probability = 0.5,
        patience: NonNegativeInt = 1,
        cooldown: NonNegativeInt = 0,
        minimum: Probability = 0.001,
        warmup: NonNegativeFloat = 0.0,
    ) -> None:
        self.decay, self.patience, self.cooldown = factor, patience, cooldown
        self.minimum, self.warmup = minimum, warmup
        self.scale = 1.0
        self.best: float | None = None
        self.bad = 0  # validations in a row without a better score
        self.resting = 0  # validations left of the cooldown

    def factor(self, step: int, total: int | None) -> float:
        return ramp(step, steps_of(self.warmup, total, "a warm-up given as a fraction")) * self.scale

    def observe(self, score: float, higher_is_better: bool) -> None:
        if math.isfinite(score) and (
            self.best is None or (score > self.best if higher_is_better else score < self.best)
        ):
            self.best, self.bad = score, 0
        else:
            self.bad += 1
        if self.resting:
            self.resting, self.bad = self.resting - 1, 0
        if self.bad > self.patience:
            self.scale = max(self.minimum, self.scale * self.decay)
            self.bad, self.resting = 0, self.cooldown

    def state_dict(self) -> dict[str, Any]:
        return {"scale": self.scale, "best": self.best, "bad": self.bad, "resting": self.resting}

    def forget(self) -> None:
        self.best, self.bad = None, 0

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.scale, self.best = state["scale"], state["best"]
        self.bad, self.resting = state["bad"], state["resting"]


class InverseSqrt(Schedule, kind="inverse-sqrt"):
    """A line up to 1 at step `warmup`, then sqrt(warmup / step): Vaswani et al. 2017, https://arxiv.org/abs/1706.03762

    The paper's factor also holds the size of the model; here the recipe's learning rate is the peak.
    """

    def __init__(self, *, warmup: NonNegativeFloat = 4000.0) -> None:
        self.warmup = warmup

    def factor(self, step: int, total: int | None) -> float:
        warmup = max(1, steps_of(self.warmup, total, "a warm-up given as a fraction"))
        return min(step / warmup, math.sqrt(warmup / step))


class Cosine(Schedule, kind="cosine"):
    """Half a cosine from 1 to `final` at the last step: Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983"""

    def __init__(self, *, warmup: NonNegativeFloat = 0.0, final: Probability = 0.0) -> None:
        self.warmup, self.final = warmup, final

    def factor(self, step: int, total: int | None) -> float:
        total = known(total, "cosine")
        warmup = steps_of(self.warmup, total, "cosine")
        curve = 0.5 * (1 + math.cos(math.pi * progress(step, warmup, total)))
        return ramp(step, warmup) * (self.final + (1 - self.final) * curve)


class LinearDecay(Schedule, kind="linear"):
    """A line from 1 to `final` at the last step: Devlin et al. 2019, https://arxiv.org/abs/1810.04805"""

    def __init__(self, *, warmup: NonNegativeFloat = 0.0, final: Probability = 0.0) -> None:
        self.warmup, self.final = warmup, final

    def factor(self, step: int, total: int | None) -> float:
        total = known(total, "linear")
        warmup = steps_of(self.warmup, total, "linear")
        return ramp(step, warmup) * (1 - (1 - self.final) * progress(step, warmup, total))


class LuongSchedule(Schedule, kind="luong"):
    """1 until step `start`, then halved, and halved again after every `every` steps: Luong et al. 2015,
    https://arxiv.org/abs/1508.04025 (the defaults: 10 epochs, halved each epoch after the fifth)"""

    def __init__(
        self, *, start: NonNegativeFloat = 0.5, every: NonNegativeFloat = 0.1, warmup: NonNegativeFloat = 0.0
    ) -> None:
        self.start, self.every, self.warmup = start, every, warmup

    def factor(self, step: int, total: int | None) -> float:
        start, every = steps_of(self.start, total, "luong"), max(1, steps_of(self.every, total, "luong"))
        halvings = 1 + (step - start - 1) // every if step > start else 0
        return ramp(step, steps_of(self.warmup, total, "luong")) * 0.5**halvings
