"""Times that can be compared on a machine that is never quite quiet: variants take turns in one process.

    timed = interleave({"s2s": ours, "plain torch": theirs}, seconds=20)     # each call: call(round) -> work done
    timed["s2s"].rate, timed["s2s"].ratio(timed["plain torch"])

In every round each variant does the same piece of work, and who begins changes from round to round. Rates are the
medians of rounds; a ratio is the median of the ratios within rounds, so what slows both down does not touch it.
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Call = Callable[[int], float]  # what to do in round i; gives how much work that was


class Ratio(NamedTuple):
    """The median of paired ratios, and the middle half of them."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


class Timed(NamedTuple):
    """Rounds of one variant, in order."""

    seconds: list[float]
    work: list[float]

    @property
    def rate(self) -> float:
        """Work a second: the median of rounds."""
        return statistics.median(work / seconds for work, seconds in zip(self.work, self.seconds, strict=True))

    @property
    def total(self) -> float:
        """Work a second over all rounds together: what a rate in totals, as the peers give it, compares with."""
        return sum(self.work) / sum(self.seconds)

    def ratio(self, other: "Timed") -> Ratio:
        """How many times as fast as the other this one is, round by round."""
        pairs = zip(self.work, self.seconds, other.work, other.seconds, strict=True)
        ratios = [(work / seconds) / (its / took) for work, seconds, its, took in pairs]
        low, _, high = quartiles(ratios)
        return Ratio(statistics.median(ratios), low, high)


def interleave(
    calls: Mapping[str, Call],
    *,
    seconds: float,
    least: int = 3,
    most: int | None = None,
    warm: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timed]:
    """Rounds in which every variant has its turn, until the time is over.

    seconds      for all variants together, without the `warm` rounds, which are not counted
    least, most  rounds, whatever the time says; least wins
    """
    names = list(calls)
    found = {name: Timed([], []) for name in names}
    most = max(least, most) if most is not None else None
    began = clock()
    round_ = 0
    while True:
        if round_ == warm:
            began = clock()
        done = round_ - warm
        if done >= least and (clock() - began >= seconds or (most is not None and done >= most)):
            return found
        for place in range(len(names)):
            name = names[(place + round_) % len(names)]
            start = clock()
            work = calls[name](round_)
            took = clock() - start
            if round_ >= warm:
                found[name].seconds.append(took)
                found[name].work.append(work)
        round_ += 1


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The first, the second and the third; of a single value, that value."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank: the smallest value that so many percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
