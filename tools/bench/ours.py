"""s2s itself at the measured work, through its own recipes, trainer and searches, and with its weights in plain torch.

    ours = open_trainer(recipes.translation(setting, folder), setting, "fp32")
    ours.trainer.learn([batch])              # one update

Everything that knows how s2s is built inside is here: when that changes, this file does.
"""

import dataclasses
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import s2s
from s2s.allocator import keep_freed_memory
from s2s.api.prepare import DataBundle, prepare_data
from s2s.config import configure
from s2s.decoding.search import Search
from s2s.devices import choose_precision, find_device
from s2s.inference.native.linear import int8_unavailable
from s2s.nn.model import Model
from s2s.predictors.base import Predictor
from s2s.recipe import Recipe
from s2s.runs.run import Run
from s2s.tasks.task import Task
from s2s.tensors import Batch, FieldSpec
from s2s.training.seeds import set_seed
from s2s.training.trainer import Trainer
from tools.bench import recipes
from tools.bench.flops import TranslationSizes
from tools.bench.setting import Setting
from tools.bench.timing import Call


class Ours(NamedTuple):
    """A trainer that is ready for its first update."""

    data: DataBundle
    trainer: Trainer

    def first_batches(self, count: int) -> list[Batch]:
        """Of the first pass."""
        return list(islice(self.data.batches.epoch(0), count))


def learning(trainer: Trainer, batches: Sequence[Batch]) -> Call:
    """An update a round; the work is how many answers were learned from."""

    def learn(i: int) -> float:
        batch = batches[i % len(batches)]
        trainer.learn([batch])
        return batch.tokens

    return learn


def open_trainer(recipe: Recipe, setting: Setting, precision: str, data: DataBundle | None = None) -> Ours:
    """All that `s2s train` sets up before its first step, but for the messages."""
    use_cache(setting)
    keep_freed_memory()
    data = data or prepare_data(recipe)
    set_seed(recipe.seed)
    model = recipe.build_model(data.task.source.space, data.task.target.space)
    return Ours(data, make_trainer(recipe, model, data.task, data.batches, precision))


class NoBatches:
    """What a trainer counts, where batches come from elsewhere."""

    def count(self, epoch: int) -> int:
        return 1000

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        return iter(())


def untaught(setting: Setting, sizes: TranslationSizes, precision: str) -> Trainer:
    """A trainer of the translator at other sizes, for batches of one's own: no data is prepared."""
    scale = dataclasses.replace(setting.scale, translation=sizes)
    recipe = recipes.translation(dataclasses.replace(setting, scale=scale), setting.work, precision)
    keep_freed_memory()
    set_seed(recipe.seed)
    space = FieldSpec("ids", sizes.vocabulary, "bench")
    batches: Any = NoBatches()
    return make_trainer(recipe, recipe.build_model(space, space), recipe.task(), batches, precision)


def make_trainer(recipe: Recipe, model: Model, task: Task, batches: Any, precision: str) -> Trainer:
    run = Run(Path(tempfile.gettempdir()) / "s2s-bench-unused")  # learn() writes nothing
    chosen = choose_precision(precision, find_device("cpu"))
    return Trainer(model, task, batches, None, run, recipe.training, precision=chosen)


def use_cache(setting: Setting) -> None:
    """Let s2s keep prepared data where the bench does: other work on this machine does not meet it."""
    os.environ["S2S_CACHE"] = str(setting.cache)


@contextmanager
def cache(folder: Path) -> Iterator[None]:
    """Another one for a while, such as an empty one."""
    before = os.environ.get("S2S_CACHE")
    os.environ["S2S_CACHE"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["S2S_CACHE"]
        else:
            os.environ["S2S_CACHE"] = before


OURS = "s2s"  # the first of the variants that write


def trained(recipe: Recipe, setting: Setting, precision: str = "auto") -> Predictor:
    """A predictor after `training.steps` updates; trained once, and kept. precision: of its weights, as it writes."""
    use_cache(setting)
    key = blake2b(recipe.to_yaml().encode(), digest_size=6).hexdigest()
    folder = setting.work / "runs" / f"{recipe.name}-{key}"
    if not (folder / "best.safetensors").exists():
        s2s.train(recipe, folder)  # goes on where it was interrupted
    return s2s.load(folder, device="cpu", precision=precision)


def writers(recipe: Recipe, setting: Setting) -> dict[str, Predictor]:
    """The same one in fp32 and, where this machine has them, with weights of 8 bits."""
    names = {OURS: "fp32"} | ({} if int8_unavailable() else {f"{OURS}, int8": "int8"})
    return {name: trained(recipe, setting, precision) for name, precision in names.items()}


def run_of(recipe: Recipe, setting: Setting) -> Path:
    """The folder of what trained() opens."""
    trained(recipe, setting)
    key = blake2b(recipe.to_yaml().encode(), digest_size=6).hexdigest()
    return setting.work / "runs" / f"{recipe.name}-{key}"


def search(kind: str, **options: Any) -> Any:
    """A checked search, as `decoding` of a recipe."""
    return configure(Search, {"kind": kind, **options})


@contextmanager
def batches_of(writer: Predictor, size: int) -> Iterator[None]:
    """Let a predictor write so many sentences at once."""
    before, writer.batch_size = writer.batch_size, size
    try:
        yield
    finally:
        writer.batch_size = before
