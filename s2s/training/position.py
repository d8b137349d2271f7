"""Where a run stands, and what it did since it last looked up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from s2s.errors import TrainingError

Reason = Literal["epochs", "steps", "patience", "asked"]


@dataclass
class Position:
    """Where a run stands: plain numbers, all of them in the checkpoint."""

    step: int = 0  # updates of the weights
    epoch: int = 0  # passes finished
    batch: int = 0  # batches of this pass already learned from
    tokens: int = 0  # target tokens learned from, over all
    seconds: float = 0.0  # spent in training steps
    best: float | None = None  # score of the best validation
    best_step: int = 0
    worse: int = 0  # validations since the best


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `reason` is the stop that came first; `asked` is Ctrl-C or SIGTERM."""

    reason: Reason
    position: Position


class Recent:
    """What training did since it last looked up, with sums on the device, so that nothing waits.

    place   of the run, for an error
    """

    def __init__(self, device: torch.device, place: str) -> None:
        self.place = place
        self.loss = torch.zeros((), device=device, dtype=torch.float64 if device.type != "mps" else torch.float32)
        self.norm = torch.zeros((), device=device)
        self.tokens = self.steps = 0
        self.seconds = 0.0
        self.unchecked: list[tuple[int, Sequence[int]]] = []  # steps and rows since the loss was last looked at

    def learned(self, step: int, loss: Tensor, tokens: int, rows: Sequence[int]) -> None:
        """From these rows of the training data; the loss [] is their sum."""
        self.loss += loss
        self.tokens += tokens
        self.steps += 1
        self.unchecked.append((step, rows))

    def took(self, norm: Tensor, seconds: float) -> None:
        """What the last step found and needed."""
        self.norm += norm
        self.seconds += seconds

    def scores(self, rate: float) -> dict[str, float]:
        """The means, for reporters."""
        return {
            "loss": float(self.loss) / self.tokens,
            "gradient_norm": float(self.norm) / self.steps,
            "learning_rate": rate,
            "tokens_per_second": self.tokens / max(self.seconds, 1e-9),
        }

    def check(self) -> None:
        """Stop at a loss that is no number: TrainingError. The weights of the last checkpoint stay as they are."""
        if math.isfinite(float(self.loss)):
            self.unchecked.clear()
            return
        steps = [step for step, _ in self.unchecked]
        rows = sorted({row for _, rows in self.unchecked for row in rows})
        where = f"step {steps[0]}" if len(set(steps)) == 1 else f"steps {steps[0]} to {steps[-1]}"
        shown = ", ".join(map(str, rows[:8])) + (f", and {len(rows) - 8} more" if len(rows) > 8 else "")
        raise TrainingError(
            f"{self.place}: {where}",
            f"the loss is {float(self.loss)}; the batch held training rows {shown}",
            "the last checkpoint is kept. Lower training.optimizer.learning_rate, or set training.clip_norm=1",
        )
