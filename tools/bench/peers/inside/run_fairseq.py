"""fairseq's own training and generation, with a clock: run_fairseq.py FOLDER train | translate BEAMS"""

import contextlib
import dataclasses
import io
import shutil
import sys
import time
from pathlib import Path

from hook import Clock, read_job, tell

usual = dataclasses.dataclass


def lenient(cls=None, **options):
    """A dataclass whose instances may be the defaults of another: Python 3.11 asks for a hash."""

    def make(cls):
        made = usual(cls, **options)
        if made.__hash__ is None:
            made.__hash__ = object.__hash__
        return made

    return make if cls is None else make(cls)


dataclasses.dataclass = lenient

from fairseq import options  # noqa: E402
from fairseq.dataclass.utils import convert_namespace_to_omegaconf  # noqa: E402
from fairseq.tasks.translation import TranslationTask  # noqa: E402
from fairseq.trainer import Trainer  # noqa: E402
from fairseq_cli import generate, preprocess, train  # noqa: E402


def words(folder: Path, name: str) -> list:
    return (folder / name).read_text(encoding="utf-8").split("\n")


def learn(folder: Path, job: dict) -> None:
    shutil.rmtree(folder / "binary", ignore_errors=True)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    preprocess.main(options.get_preprocessing_parser().parse_args(words(folder, "preprocess.txt")))
    clock = Clock(job["updates"] // 3)
    step = Trainer.train_step

    def counted(self, samples, *rest, **named):
        clock.tokens(sum(sample["ntokens"] for sample in samples if sample))
        return step(self, samples, *rest, **named)

    Trainer.train_step = counted
    parsed = options.parse_args_and_arch(options.get_training_parser(), words(folder, "train.txt"))
    train.main(convert_namespace_to_omegaconf(parsed))
    tell(clock.result())


def write(folder: Path, job: dict, beams: int) -> None:
    step, spent = TranslationTask.inference_step, []

    def timed(self, *arguments, **named):
        start = time.perf_counter()
        try:
            return step(self, *arguments, **named)
        finally:
            spent.append(time.perf_counter() - start)

    TranslationTask.inference_step = timed
    totals = []
    for _ in range(3):  # the first is there to warm up
        spent.clear()
        said = io.StringIO()
        parser = options.get_generation_parser()
        parsed = options.parse_args_and_arch(parser, [*words(folder, "generate.txt"), "--beam", str(beams)])
        with contextlib.redirect_stdout(said):
            generate.main(convert_namespace_to_omegaconf(parsed))
        totals.append(sum(spent))
    found = {}
    for line in said.getvalue().splitlines():
        if line.startswith("H-"):
            number, _, text = line.split("\t", 2)
            found[int(number[2:])] = text
    answers = folder / f"answers-{beams}.txt"
    answers.write_text("".join(f"{found[i]}\n" for i in sorted(found)), encoding="utf-8")
    tell({"seconds": min(totals[1:]), "answers": str(answers)})


if __name__ == "__main__":
    where, what, *rest = Path(sys.argv[1]), *sys.argv[2:]
    if what == "train":
        learn(where, read_job(where))
    else:
        write(where, read_job(where), int(rest[0]))
