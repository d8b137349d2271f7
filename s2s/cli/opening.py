"""How a verb opens its run: by path or name, as what it needs, or with the verb that suits the run instead."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar

import typer

from s2s.cli.sources import called, source_type
from s2s.errors import RunError, command

if TYPE_CHECKING:
    from s2s.predictors.base import Predictor
    from s2s.tasks.task import Task

OpenedAs = TypeVar("OpenedAs", bound="Predictor")


def complete_run(incomplete: str) -> list[str]:
    """For the shell: runs that begin so."""
    return sorted(p.parent.name for p in Path("runs").glob(f"{incomplete}*/recipe.yaml"))


RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="A run folder, or the name of one in runs/.", autocompletion=complete_run)
]


class Use(NamedTuple):
    """What a verb can use; an empty part is anything."""

    predictor: str = ""  # the kind of predictor
    sources: tuple[str, ...] = ()  # what is asked: text, picture, numbers, nothing
    targets: tuple[str, ...] = ()  # shapes of what is answered


USES = {
    "translate": Use("seq2seq", ("text",)),
    "chat": Use("seq2seq", ("text",)),
    "caption": Use("seq2seq", ("picture", "numbers")),
    "classify": Use("classifier", ("text", "picture", "numbers"), ("label", "labels")),
    "tag": Use("classifier", ("text", "numbers"), ("tags",)),
    "generate": Use("language-model"),
    "evaluate": Use(),
    "score": Use(),
    "predict": Use(),
}


def why_not(task: "Task", verb: str) -> str:
    """What keeps a verb from using runs of this task, or ""."""
    from s2s.predictors.base import Predictor
    from s2s.predictors.load import predictor_for

    use, source = USES[verb], source_type(task)
    wanted = Predictor.registry[use.predictor] if use.predictor else Predictor
    assert isinstance(wanted, type)
    if not issubclass(predictor_for(task), wanted):
        return f"and {command('s2s', verb)} is for other tasks"
    if use.sources and source not in use.sources:
        return f"which reads {called(source)}, and {command('s2s', verb)} takes {' or '.join(map(called, use.sources))}"
    shape = task.target.space.modality
    if use.targets and shape not in use.targets:
        return f"which answers with {shape}, and {command('s2s', verb)} is for {' or '.join(use.targets)}"
    return ""


def verb_for(task: "Task") -> str:
    """The verb that uses runs of this task: the task's own, where it can; `predict` can use them all."""
    return task.verb if task.verb in USES and not why_not(task, task.verb) else "predict"


def open_run(
    run: str,
    kind: type[OpenedAs],
    verb: str,
    *,
    device: str,
    weights: str,
    trust: bool,
    precision: str = "auto",
    require_fused: bool = False,
    changes: Sequence[str] = (),
) -> tuple[Path, OpenedAs]:
    """The folder of a run, and the run opened for a verb. Raises RunError where the verb is not for such a run."""
    from s2s.allocator import keep_freed_memory
    from s2s.predictors.load import find_run, load

    folder = find_run(run)
    predictor = load(
        folder,
        device=device,
        trust=trust,
        weights=weights,
        precision=precision,
        require_fused=require_fused,
        changes=changes,
    )
    if predictor.precision.device.type == "cpu":
        keep_freed_memory()  # this process is ours: a step asks for the same large buffers as the one before
    if why := why_not(predictor.task, verb):
        what = f"is a run of {predictor.recipe.task.kind}, {why}"
        raise RunError(str(folder), what, f"use the verb for it: {command('s2s', verb_for(predictor.task), run)}")
    assert isinstance(predictor, kind)
    return folder, predictor
