"""Training as a person watches it: a live bar at a terminal, a line now and then anywhere else."""

import math
import time
from collections.abc import Callable, Sequence

from rich.console import Console, Group
from rich.live import Live as Display
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from s2s.training.reporters import JsonLog, Plan, Reporter, ReporterList, Sample, Scores, TensorBoard

__all__ = ["JsonLog", "LineReporter", "LiveReporter", "Plan", "Reporter", "ReporterList", "TensorBoard", "reporter_for"]

Clock = Callable[[], float]
MAX_SAMPLE_CHARACTERS = 400  # characters of a sample that are shown


def reporter_for(console: Console) -> Reporter:
    """Live where the console is a terminal that can redraw a line, LineReporter elsewhere."""
    return LiveReporter(console) if console.is_terminal and not console.is_dumb_terminal else LineReporter(console)


class ConsoleReporter(Reporter):
    """What both ways of showing share: where training stands, how fast it goes, and what is best."""

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        self.console, self.clock = console, clock
        self.plan = Plan()
        self.at, self.epoch = 0, 0.0
        self.scores: Scores = {}
        self.best = ""
        self.began, self.first = clock(), 0

    def start(self, plan: Plan) -> None:
        self.plan = plan
        self.best = "" if plan.best is None else f"best {plan.select_by} {formatted_number(plan.select_by, plan.best)}"
        self.at = self.first = plan.step
        self.began = self.clock()

    def advance(self, step: int, epoch: float) -> None:
        self.at, self.epoch = step, epoch

    def step(self, step: int, epoch: float, scores: Scores) -> None:
        self.advance(step, epoch)
        self.scores = scores

    def validation(self, step: int, scores: Scores, best: bool, samples: Sequence[Sample] = ()) -> None:
        name = self.plan.select_by
        if best and name in scores:
            self.best = f"best {name} {formatted_number(name, scores[name])} (step {step:,})"
        words = ", ".join(f"{name} {formatted_number(name, value)}" for name, value in scores.items())
        self.say(Text(f"step {step:,}: {words}{', the best so far' if best else ''}", style="bold" if best else ""))
        for sample in samples:
            told = zip(("source", "reference", "hypothesis"), sample) if any(sample[:2]) else [("sample", sample[2])]
            for name, text in told:
                self.say(
                    Text(
                        f"  {name:<11} {shown_value(text)}", style="cyan" if name in ("hypothesis", "sample") else "dim"
                    )
                )

    def message(self, text: str) -> None:
        self.say(Text(text))

    def say(self, text: Text) -> None:
        """A Text is never read as markup: square brackets stay, and what the stream cannot write becomes `?`."""
        encoding = self.console.encoding
        plain = text.plain.encode(encoding, "replace").decode(encoding)
        self.console.print(Text(plain, style=text.style), soft_wrap=True)

    def place(self) -> str:
        """`epoch 3/10, step 1,200/5,000`"""
        epoch = max(1, math.ceil(self.epoch))  # 3.0 is the end of the third pass
        epochs = f"/{self.plan.epochs:,}" if self.plan.epochs else ""
        total = f"/{self.plan.total_steps:,}" if self.plan.total_steps else ""
        return f"epoch {epoch:,}{epochs}, step {self.at:,}{total}"

    def numbers(self) -> str:
        """`loss 3.214, 11,204 tokens/s, learning rate 0.001`"""
        labels = {"loss": "loss ", "tokens_per_second": "", "learning_rate": "learning rate "}
        return ", ".join(f"{labels[n]}{formatted_number(n, self.scores[n])}" for n in labels if n in self.scores)

    def left(self) -> str:
        """`4:12 left`, by the mean time a step has taken in this training; "" while that is not known."""
        done = self.at - self.first
        if not self.plan.total_steps or done <= 0:
            return ""
        seconds = (self.clock() - self.began) / done * max(0, self.plan.total_steps - self.at)
        return f"{duration(seconds)} left"


class LineReporter(ConsoleReporter):
    """A line at most every `seconds`, and one for each validation: for files, pipes and notebooks."""

    def __init__(self, console: Console, seconds: float = 10.0, clock: Clock = time.monotonic) -> None:
        super().__init__(console, clock)
        self.seconds = seconds
        self.next = float("-inf")

    def step(self, step: int, epoch: float, scores: Scores) -> None:
        super().step(step, epoch, scores)
        if self.clock() >= self.next:
            self.next = self.clock() + self.seconds
            self.say(Text(", ".join(part for part in (self.place(), self.numbers(), self.left()) if part)))

    def finish(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.say(Text(line))


class LiveReporter(ConsoleReporter):
    """Two lines that stay at the bottom of the terminal; validations scroll by above them."""

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        super().__init__(console, clock)
        self.display: Display | None = None

    def start(self, plan: Plan) -> None:
        super().start(plan)
        self.show()

    def advance(self, step: int, epoch: float) -> None:
        super().advance(step, epoch)
        if self.display is None:
            self.show()

    def show(self) -> None:
        self.close()
        self.display = Display(self, console=self.console, refresh_per_second=4, transient=True)
        self.display.start()

    def __rich__(self) -> Group:
        bar = Table.grid(padding=(0, 2), expand=True)
        bar.add_column(no_wrap=True)
        bar.add_column(ratio=1)
        bar.add_column(no_wrap=True)
        amount = ProgressBar(total=self.plan.total_steps, completed=self.at, pulse=not self.plan.total_steps)
        bar.add_row(Text(self.place()), amount, Text(self.left() or f"{duration(self.clock() - self.began)} so far"))
        parts = [part for part in (self.numbers(), self.best) if part]
        words = ", ".join(parts) or "the first steps ..."
        return Group(bar, Text(words, style="dim", no_wrap=True, overflow="ellipsis"))

    def finish(self, lines: Sequence[str]) -> None:
        self.close()
        self.console.print(Panel(Text("\n".join(lines)), expand=False, padding=(0, 2)))

    def close(self) -> None:
        if self.display is not None:
            self.display.stop()
            self.display = None


def formatted_number(name: str, value: float) -> str:
    """A score in as many digits as say something."""
    if name == "tokens_per_second":
        return f"{value:,.0f} tokens/s"
    if name == "learning_rate":
        return f"{value:.3g}"
    return f"{value:.4f}" if name == "loss" else f"{value:,.2f}"


def duration(seconds: float) -> str:
    """`4:12`, or `1:04:12` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def shown_value(text: str) -> str:
    """One line without control characters: a corpus may hold anything, and a terminal obeys it."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return clean if len(clean) <= MAX_SAMPLE_CHARACTERS else clean[: MAX_SAMPLE_CHARACTERS - 1] + "…"
