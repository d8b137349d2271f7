"""What a training tells the world, and who listens: a terminal, a plain stream, log.jsonl, TensorBoard.

with ReporterList([reporter_for(console), JsonLog(run)]) as progress:
    progress.start(Plan(total_steps=5000, epochs=10))
    progress.advance(step, epoch)                    # every step: costs nothing
    progress.step(step, epoch, scores)               # now and then
    progress.validation(step, scores, best, samples)
    progress.finish(["BLEU 37.4 on test", "try: s2s translate runs/x"])
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from s2s.errors import RunError

Scores = Mapping[str, float]
Sample = tuple[str, str, str]  # source, reference, hypothesis


class Plan(NamedTuple):
    """What is known before the first step.

    total_steps, epochs  how long the training will be, where that is known
    step, best           how far an earlier training of the run came, and its best score
    select_by            names the score that decides what is best
    """

    total_steps: int | None = None
    epochs: int | None = None
    step: int = 0
    select_by: str = "loss"
    best: float | None = None


class Reporter:
    """One who listens; a context manager that closes itself. Members say only what they have to say.

    start       before the first step
    advance     after every step, `epoch` in passes over the data (1.25); must be fast
    step        now and then, with loss, learning_rate, gradient_norm, tokens_per_second
    validation  the scores of held-out data; `best` where these weights are the best so far
    message     one thing worth knowing
    finish      how it went, a line each
    close       after everything, also after an error
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, plan: Plan) -> None: ...

    def advance(self, step: int, epoch: float) -> None: ...

    def step(self, step: int, epoch: float, scores: Scores) -> None: ...

    def validation(self, step: int, scores: Scores, best: bool, samples: Sequence[Sample] = ()) -> None: ...

    def message(self, text: str) -> None: ...

    def finish(self, lines: Sequence[str]) -> None: ...

    def close(self) -> None: ...


class ReporterList(Reporter):
    """Several reporters as one."""

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self.reporters = tuple(reporters)

    def start(self, plan: Plan) -> None:
        for reporter in self.reporters:
            reporter.start(plan)

    def advance(self, step: int, epoch: float) -> None:
        for reporter in self.reporters:
            reporter.advance(step, epoch)

    def step(self, step: int, epoch: float, scores: Scores) -> None:
        for reporter in self.reporters:
            reporter.step(step, epoch, scores)

    def validation(self, step: int, scores: Scores, best: bool, samples: Sequence[Sample] = ()) -> None:
        for reporter in self.reporters:
            reporter.validation(step, scores, best, samples)

    def message(self, text: str) -> None:
        for reporter in self.reporters:
            reporter.message(text)

    def finish(self, lines: Sequence[str]) -> None:
        for reporter in self.reporters:
            reporter.finish(lines)

    def close(self) -> None:
        for reporter in self.reporters:
            reporter.close()


class Log(Protocol):
    """Something that keeps events: a Run."""

    def log(self, event: Mapping[str, Any]) -> None: ...


class JsonLog(Reporter):
    """One event a line, in the run's log.jsonl: what plots.learning_curves reads."""

    def __init__(self, run: Log) -> None:
        self.run = run
        self.epoch = 0.0

    def start(self, plan: Plan) -> None:
        self.run.log({"event": "start", **plan._asdict()})

    def advance(self, step: int, epoch: float) -> None:
        self.epoch = epoch

    def step(self, step: int, epoch: float, scores: Scores) -> None:
        self.epoch = epoch
        self.run.log({"event": "train", "step": step, "epoch": epoch, **scores})

    def validation(self, step: int, scores: Scores, best: bool, samples: Sequence[Sample] = ()) -> None:
        shown = [dict(zip(("source", "reference", "hypothesis"), sample)) for sample in samples]
        event = {"event": "validation", "step": step, "epoch": self.epoch, **scores, "best": best}
        self.run.log(event | ({"samples": shown} if shown else {}))

    def message(self, text: str) -> None:
        self.run.log({"event": "message", "text": text})

    def finish(self, lines: Sequence[str]) -> None:
        self.run.log({"event": "finish", "lines": list(lines)})


class TensorBoard(Reporter):
    """Scalars and samples for `tensorboard --logdir FOLDER`. Raises RunError where the package is missing."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            hint = "pip install 's2s[tensorboard]', or set training.tensorboard=false"
            raise RunError("training.tensorboard", "the package tensorboard is not installed", hint) from error
        self.folder, self.make = folder, SummaryWriter
        self.writer: Any = None

    def start(self, plan: Plan) -> None:
        # a run that goes on tells again what came after its last checkpoint: purge hides the first telling
        self.writer = self.make(str(self.folder), purge_step=plan.step + 1 if plan.step else None)

    def step(self, step: int, epoch: float, scores: Scores) -> None:
        self._scalars("train", step, {**scores, "epoch": epoch})

    def validation(self, step: int, scores: Scores, best: bool, samples: Sequence[Sample] = ()) -> None:
        self._scalars("validation", step, scores)
        for number, sample in enumerate(samples):
            text = "\n".join(f"    {line}" for line in sample)  # indented: Markdown leaves it alone
            self.writer.add_text(f"samples/{number + 1}", text, step)
        self.writer.flush()

    def _scalars(self, group: str, step: int, scores: Scores) -> None:
        if self.writer is None:
            self.start(Plan())
        for name, value in scores.items():
            self.writer.add_scalar(f"{group}/{name}", value, step)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
