"""Where a run stands, and what it did since it last looked up."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from s2s.devices import widest
from s2s.errors import TrainingError

Reason = Literal["epochs", "steps", "patience", "asked"]


@dataclass
class TrainingState:
    """Where a run stands: plain numbers, all of them in the checkpoint."""

    step: int = 0  # updates of the weights
    epoch: int = 0  # passes finished
    batch: int = 0  # batches of this pass already learned from
    tokens: int = 0  # target tokens learned from, over all
    seconds: float = 0.0  # spent in training, by the clock on the wall; validations and checkpoints not counted
    best: float | None = None  # score of the best validation
    best_step: int = 0
    worse: int = 0  # validations since the best
    best_loss: float | None = None  # of the best validation: what decides between equal scores

    def improves(self, score: float, loss: float, higher_is_better: bool) -> bool:
        """Is this validation better than the best so far? Of equal scores the one with the lower loss is."""
        if self.best is None or score != self.best:
            return not math.isnan(score) and (self.best is None or (score > self.best) == higher_is_better)
        return self.best_loss is not None and loss < self.best_loss


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended. `reason` is the stop that came first; `asked` is Ctrl-C or SIGTERM."""

    reason: Reason
    position: TrainingState


class MetricAccumulator:
    """What training did since it last looked up, with sums on the device, so that nothing waits.

    place   of the run, for an error
    remedy  what to try where training cannot go on, for an error
    scaled  gradients that are no numbers are no mistake: the loss scale was too high, and the step is left out
    """

    def __init__(
        self,
        device: torch.device,
        place: str,
        remedy: str = "",
        scaled: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.device, self.place, self.remedy, self.scaled, self.clock = device, place, remedy, scaled, clock
        self.unchecked: list[tuple[int, Sequence[int]]] = []  # steps and rows since the loss was last looked at
        self.forget()

    def forget(self) -> None:
        """Begin anew, once the means have been told."""
        self.loss = torch.zeros((), device=self.device, dtype=widest(self.device))
        self.norm = torch.zeros((), device=self.device)
        self.left_out = torch.zeros((), device=self.device)  # steps whose gradients were no numbers
        self.tokens = self.steps = 0
        self.seconds = 0.0
        self.go_on()

    def learned(self, step: int, loss: Tensor, tokens: int, rows: Sequence[int]) -> None:
        """From these rows of the training data; the loss [] is their sum."""
        self.loss += loss
        self.tokens += tokens
        self.steps += 1
        self.unchecked.append((step, rows))

    def found(self, norm: Tensor) -> None:
        """The length of the last step's gradient []."""
        if self.scaled:
            known = norm.isfinite()
            self.left_out += ~known
            norm = torch.where(known, norm, 0.0)
        self.norm += norm

    # -- the clock: a device is behind what it was told, so time is only known where somebody has waited for it --

    def go_on(self) -> None:
        """Time counts from now: what was done since the last look was not training."""
        self.began = self.clock()

    def lap(self) -> float:
        """Seconds since the last look, right after one."""
        began, self.began = self.began, self.clock()
        self.seconds += self.began - began
        return self.began - began

    def scores(self, rate: float) -> dict[str, float]:
        """The means, for reporters."""
        loss, norm, left_out = self.sums()
        return {
            "loss": loss / self.tokens,
            "gradient_norm": norm / max(1, self.steps - left_out),
            "learning_rate": rate,
            "tokens_per_second": self.tokens / max(self.seconds, 1e-9),
        }

    def sums(self) -> list[float]:
        """Loss, norm and steps left out: one wait for the three."""
        return torch.stack([x.to(self.loss.dtype) for x in (self.loss, self.norm, self.left_out)]).tolist()

    # -- is it sound? --

    def check(self, weights: Iterable[Tensor] = ()) -> None:
        """Stop at a loss, a gradient or a weight that is no number: TrainingError. Waits for the device, once.

        Called before anything is written: the weights of the last checkpoint stay as they are.
        """
        largest = [x.to(self.device, self.loss.dtype) for x in extremes(weights)]
        numbers = torch.stack([self.loss, self.norm.to(self.loss.dtype), *largest]).tolist()
        for name, number in zip(("loss", "norm of the gradient", "largest weight"), numbers):
            if not math.isfinite(number):
                raise self.trouble(f"the {name} is {number}")
        self.unchecked.clear()

    def trouble(self, what: str) -> TrainingError:
        """Says at which steps, and which rows they learned from."""
        steps = [step for step, _ in self.unchecked]
        rows = sorted({row for _, rows in self.unchecked for row in rows})
        where = self.place
        if steps:
            where += f": step {steps[0]}" if len(set(steps)) == 1 else f": steps {steps[0]} to {steps[-1]}"
        if rows:
            what += f"; the batch held training rows {', '.join(map(str, rows[:8]))}"
            what += f", and {len(rows) - 8} more" if len(rows) > 8 else ""
        return TrainingError(where, what, self.remedy)


def extremes(weights: Iterable[Tensor]) -> list[Tensor]:
    """The largest absolute value of all of them, [], as a list of one; of none where there are none."""
    some = [w.detach() for w in weights if w.is_floating_point() and w.numel()]
    return [torch.stack([x.float() for x in torch._foreach_norm(some, math.inf)]).max()] if some else []
