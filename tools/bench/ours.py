"""s2s itself at the measured work, through its own recipes, trainer and searches, and with its weights in plain torch.

    ours = open_trainer(translation(setting, folder), setting, "fp32")
    ours.trainer.learn([batch])              # one update

Everything that knows how s2s is built inside is here: when that changes, this file does.
"""

import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import s2s
from s2s.config import choose
from s2s.decoding.search import Search
from s2s.nn.model import Model
from s2s.predicting.base import Predictor
from s2s.prepare import Prepared, prepare
from s2s.recipe import Recipe, parse_recipe
from s2s.tasks.task import Task
from s2s.tensors import BOS, Batch, Padded, Space
from s2s.training.memory import keep_freed_memory
from s2s.training.precision import choose_precision, find_device
from s2s.training.runs import Run
from s2s.training.seeds import set_seed
from s2s.training.trainer import Trainer
from tools.bench import plain
from tools.bench.flops import TranslationSizes
from tools.bench.setting import Setting
from tools.bench.timing import Call

DROPOUT = 0.2

TRANSLATION = """
name: bench-translation
task: {{kind: translation, tokenizer: {{kind: word, punctuation: keep}}, metrics: [bleu]}}
data: {{kind: text, path: "{folder}/pieces", source: src, target: trg, validation: valid, test: test}}
model:
  encoder: {{kind: rnn, cell: lstm, embedding: {embedding}, hidden: {encoder}, dropout: {dropout}}}
  head: {{kind: decoder, cell: lstm, embedding: {embedding}, hidden: {hidden}, attention: general, dropout: {dropout}}}
training:
  epochs: null
  steps: {steps}
  batch_size: {sentences}
  batch_unit: sentences
  optimizer: {{kind: adam, learning_rate: 1e-3}}
  precision: {precision}
  device: cpu
  validation_search: null
  validate_every: 1000000
  samples: 0
"""

CHARACTERS = """
name: bench-characters
task: {{kind: language-model, chunk: {chunk}, jitter: false}}
data: {{kind: lines, path: "{path}", hold_out: 0}}
model:
  encoder: none
  head: {{kind: language-model, cell: lstm, embedding: {embedding}, hidden: {hidden}, layers: {layers}}}
training:
  epochs: null
  steps: {steps}
  batch_size: {rows}
  batch_unit: sentences
  optimizer: {{kind: adam, learning_rate: 1e-3}}
  precision: {precision}
  device: cpu
"""

CLASSIFICATION = """
name: bench-classification
task: {{kind: classification, source: {{kind: text, tokenizer: {{kind: word, punctuation: keep}}}}}}
data: {{kind: tsv, path: "{folder}", header: false, source: 0, target: 1, hold_out: 0}}
model:
  encoder: {{kind: rnn, cell: lstm, embedding: {embedding}, hidden: {hidden}}}
  head: {{kind: classifier, pooling: max}}
training:
  epochs: null
  steps: {steps}
  batch_size: {texts}
  batch_unit: sentences
  optimizer: {{kind: adam, learning_rate: 1e-3}}
  precision: {precision}
  device: cpu
"""


def translation(setting: Setting, folder: Path, precision: str = "fp32", steps: int = 1) -> Recipe:
    """256 units in two directions and a decoder of 512 with attention, on the pieces of corpora.pairs()."""
    sizes = setting.scale.translation
    return parse_recipe(
        TRANSLATION.format(
            folder=folder,
            embedding=sizes.embedding,
            encoder=sizes.encoder,
            hidden=sizes.hidden,
            dropout=DROPOUT,
            steps=steps,
            sentences=setting.scale.sentences,
            precision=precision,
        )
    )


def characters(setting: Setting, path: Path, precision: str = "fp32", steps: int = 1) -> Recipe:
    sizes, scale = setting.scale.characters, setting.scale
    return parse_recipe(
        CHARACTERS.format(
            path=path,
            chunk=scale.chunk,
            rows=scale.rows,
            embedding=sizes.embedding,
            hidden=sizes.hidden,
            layers=sizes.layers,
            steps=steps,
            precision=precision,
        )
    )


def classification(setting: Setting, folder: Path, precision: str = "fp32", steps: int = 1) -> Recipe:
    sizes, scale = setting.scale.classifier, setting.scale
    return parse_recipe(
        CLASSIFICATION.format(
            folder=folder,
            embedding=sizes.embedding,
            hidden=sizes.hidden,
            texts=scale.texts,
            steps=steps,
            precision=precision,
        )
    )


class Ours(NamedTuple):
    """A trainer that is ready for its first update."""

    data: Prepared
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


def plain_learning(
    learner: plain.Learner, batches: Sequence[Batch], convert: Callable[[Batch], tuple[Tensor, ...]]
) -> Call:
    """The same of plain torch, on the same batches; `convert` is one of the three below."""

    def learn(i: int) -> float:
        batch = batches[i % len(batches)]
        learner(*convert(batch))
        return batch.tokens

    return learn


def open_trainer(recipe: Recipe, setting: Setting, precision: str, data: Prepared | None = None) -> Ours:
    """All that `s2s train` sets up before its first step, but for the messages."""
    use_cache(setting)
    keep_freed_memory()
    data = data or prepare(recipe)
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
    recipe = translation(dataclasses.replace(setting, scale=scale), setting.work, precision)
    keep_freed_memory()
    set_seed(recipe.seed)
    space = Space("ids", sizes.vocabulary, "bench")
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


def trained(recipe: Recipe, setting: Setting) -> Predictor:
    """A predictor after `training.steps` updates; trained once, and kept."""
    use_cache(setting)
    key = blake2b(recipe.to_yaml().encode(), digest_size=6).hexdigest()
    folder = setting.work / "runs" / f"{recipe.name}-{key}"
    if not (folder / "best.safetensors").exists():
        s2s.train(recipe, folder)  # goes on where it was interrupted
    return s2s.load(folder, device="cpu")


def run_of(recipe: Recipe, setting: Setting) -> Path:
    """The folder of what trained() opens."""
    trained(recipe, setting)
    key = blake2b(recipe.to_yaml().encode(), digest_size=6).hexdigest()
    return setting.work / "runs" / f"{recipe.name}-{key}"


def search(kind: str, **options: Any) -> Any:
    """A checked search, as `decoding` of a recipe."""
    return choose(Search, {"kind": kind, **options})


@contextmanager
def batches_of(writer: Predictor, size: int) -> Iterator[None]:
    """Let a predictor write so many sentences at once."""
    before, writer.batch_size = writer.batch_size, size
    try:
        yield
    finally:
        writer.batch_size = before


# -- the same in plain torch --


def plain_pair(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """source [B, S], target from BOS on [B, T], target up to EOS [B, T]: what plain.Translator.loss() takes."""
    assert isinstance(batch.source, Padded)
    assert isinstance(batch.target, Padded)
    after = batch.target.data
    return batch.source.data, torch.cat([torch.full_like(after[:, :1], BOS), after[:, :-1]], 1), after


def plain_chunk(batch: Batch) -> tuple[Tensor, Tensor]:
    """Characters before and after [B, T]."""
    assert isinstance(batch.target, Padded)
    assert batch.first is not None
    after = batch.target.data
    return torch.cat([batch.first[:, None], after[:, :-1]], 1), after


def plain_texts(batch: Batch) -> tuple[Tensor, Tensor]:
    """Texts [B, T] and labels [B]."""
    assert isinstance(batch.source, Padded)
    assert isinstance(batch.target, Tensor)
    return batch.source.data, batch.target


def fill(target: nn.Module, source: Model, names: Mapping[str, str]) -> None:
    """Copy weights; `names` says for each beginning of a name in the target where it is in the source."""
    weights = source.state_dict()
    found = {}
    for name in target.state_dict():
        begin = max((own for own in names if name.startswith(own)), key=len)
        found[name] = weights[names[begin] + name[len(begin) :]]
    target.load_state_dict(found)


def fill_translator(target: plain.Translator, source: Model) -> None:
    """Then both say the same of every sentence, which tests hold them to."""
    names = {
        "source.": "encoder.embed.",
        "target.": "head.embed.",
        "begin_h.": "head.bridge.maps.0.",
        "begin_c.": "head.bridge.maps.1.",
        "decoder.": "head.stack.cells.0.core.",
        "key.": "head.attention.to_query.",
        "combine.": "head.combine.",
        "out.": "head.out.",
    }
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        names[f"encoder.{name}"] = f"encoder.stack.cells.0.core.{name}"
        names[f"encoder.{name}_reverse"] = f"encoder.stack.cells.1.core.{name}"
    fill(target, source, names)


def fill_characters(target: plain.CharacterModel, source: Model) -> None:
    names = {"embed.": "head.embed.", "out.": "head.out."}
    for layer in range(target.core.num_layers):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            names[f"core.{name}_l{layer}"] = f"head.stack.cells.{layer}.core.{name}_l0"
    fill(target, source, names)
