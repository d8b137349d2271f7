"""OpenNMT-py's own training and translation, with a clock: run_opennmt.py FOLDER train | translate BEAMS"""

import sys
import time
import types

for unused in ("spacy", "ahocorasick", "fasttext"):
    sys.modules[unused] = types.ModuleType(unused)

from hook import Clock, read_job, tell  # noqa: E402
from onmt.bin import train, translate  # noqa: E402
from onmt.inference_engine import InferenceEnginePY  # noqa: E402
from onmt.trainer import Trainer  # noqa: E402


def learn(folder: str, job: dict) -> None:
    clock = Clock(job["updates"] // 3)
    accumulate = Trainer._gradient_accumulation

    def counted(self, batches, normalization, *rest):
        clock.tokens(normalization)  # target tokens: the configuration says `normalization: tokens`
        return accumulate(self, batches, normalization, *rest)

    Trainer._gradient_accumulation = counted
    options, _ = train._get_parser().parse_known_args(["-config", f"{folder}/train.yaml"])
    train.train(options)
    tell(clock.result())


def write(folder: str, job: dict, beams: int) -> None:
    words = [
        *("-model", f"{folder}/model_step_{job['updates']}.pt"),
        *("-src", f"{job['data']}/pieces/test.src"),
        *("-output", f"{folder}/answers-{beams}.txt"),
        *("-beam_size", str(beams)),
        *("-batch_size", str(job["decoded"])),
        *("-batch_type", "sents"),
        *("-min_length", str(job["answer"]), "-max_length", str(job["answer"])),
        *("-gpu", "-1"),
    ]
    whole, seconds = InferenceEnginePY.infer_file, []

    def timed(self):
        start = time.perf_counter()
        try:
            return whole(self)
        finally:
            seconds.append(time.perf_counter() - start)

    InferenceEnginePY.infer_file = timed
    for _ in range(3):  # the first is there to warm up
        translate.translate(translate._get_parser().parse_args(words))
    tell({"seconds": sorted(seconds[1:])[0], "answers": f"{folder}/answers-{beams}.txt"})


if __name__ == "__main__":
    folder, what, *rest = sys.argv[1:]
    if what == "train":
        learn(folder, read_job(folder))
    else:
        write(folder, read_job(folder), int(rest[0]))
