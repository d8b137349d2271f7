"""Seconds and tokens of a toolkit's own training loop, without a change to it: a hook on every optimizer's step.

    clock = Clock(skip=30)                # updates that are not counted
    ... clock.tokens(n) before each step, training as usual ...
    clock.result()

This file and its neighbors run in a peer's environment: they import nothing of the bench.
"""

import json
import time
from pathlib import Path

from torch.optim.optimizer import register_optimizer_step_post_hook


class Clock:
    """Times of updates, and the target tokens that each learned from."""

    def __init__(self, skip: int) -> None:
        self.skip, self.waiting = skip, 0
        self.times: list[float] = []
        self.counts: list[int] = []
        register_optimizer_step_post_hook(self.stepped)

    def tokens(self, count: int) -> None:
        """So many more are in the update that comes next."""
        self.waiting += int(count)

    def stepped(self, optimizer, arguments, options) -> None:
        self.times.append(time.perf_counter())
        self.counts.append(self.waiting)
        self.waiting = 0

    def result(self) -> dict:
        """Totals after the first `skip` updates: batches differ in length, so a median would mislead."""
        skip = min(self.skip, len(self.times) - 2)
        seconds = self.times[-1] - self.times[skip]
        return {"tokens": sum(self.counts[skip + 1 :]), "seconds": seconds, "updates": len(self.times) - skip - 1}


def read_job(folder: str) -> dict:
    return json.loads((Path(folder) / "job.json").read_text())


def tell(result: dict) -> None:
    print("RESULT " + json.dumps(result), flush=True)
