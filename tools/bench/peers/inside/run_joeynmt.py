"""JoeyNMT's own training and prediction, with a clock: run_joeynmt.py FOLDER train | translate BEAMS"""

import sys
import time
from functools import partial
from pathlib import Path

import joeynmt.prediction
from hook import Clock, read_job, tell
from joeynmt.config import load_config, parse_global_args, set_validation_args
from joeynmt.helpers import load_checkpoint, make_model_dir
from joeynmt.prediction import predict, prepare
from joeynmt.training import TrainManager


def learn(folder: Path, job: dict) -> None:
    clock = Clock(job["updates"] // 3)
    step = TrainManager._train_step

    def counted(self, batch):
        clock.tokens(batch.ntokens)
        return step(self, batch)

    TrainManager._train_step = counted
    TrainManager._validate = lambda self, data: None  # what is measured is training
    config = load_config(folder / "joey.yaml")
    make_model_dir(folder / "model", overwrite=True)
    options = parse_global_args(config, rank=0, mode="train")
    model, train, valid, _ = prepare(options, rank=0, mode="train")
    trainer = TrainManager(
        model=model,
        model_dir=options.model_dir,
        device=options.device,
        n_gpu=0,
        rank=0,
        num_workers=options.num_workers,
        autocast=options.autocast,
        seed=options.seed,
        train_args=options.train,
        dev_args=set_validation_args(options.test),
    )
    trainer.train_and_validate(train_data=train, valid_data=valid)
    trainer._save_checkpoint(False, float("nan"))
    tell(clock.result())


def write(folder: Path, job: dict, beams: int) -> None:
    # The option of this name in its configuration does not reach its searches.
    joeynmt.prediction.search = partial(joeynmt.prediction.search, min_output_length=job["answer"])
    config = load_config(folder / "joey.yaml")
    config["testing"]["beam_size"] = beams
    options = parse_global_args(config, rank=0, mode="test")
    model, _, _, test = prepare(options, rank=0, mode="test")
    found = sorted((folder / "model").glob("*.ckpt"), key=lambda path: path.stat().st_mtime)[-1]
    model.load_state_dict(load_checkpoint(found, map_location=options.device)["model_state"])
    seconds = []
    for _ in range(3):  # the first is there to warm up
        start = time.perf_counter()
        result = predict(
            model=model,
            data=test,
            compute_loss=False,
            device=options.device,
            rank=0,
            n_gpu=0,
            normalization="none",
            num_workers=options.num_workers,
            args=options.test,
            autocast=options.autocast,
        )
        seconds.append(time.perf_counter() - start)
    answers = folder / f"answers-{beams}.txt"
    answers.write_text("".join(f"{text}\n" for text in result[2]), encoding="utf-8")
    tell({"seconds": min(seconds[1:]), "answers": str(answers)})


if __name__ == "__main__":
    where, what, *rest = Path(sys.argv[1]), *sys.argv[2:]
    if what == "train":
        learn(where, read_job(where))
    else:
        write(where, read_job(where), int(rest[0]))
