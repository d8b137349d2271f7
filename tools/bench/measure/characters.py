"""Characters: training an LSTM language model on chunks of text, and writing with it, one text or many at once."""

import dataclasses
from collections.abc import Iterator
from functools import partial
from typing import cast

import torch

from s2s.predictors.language_model import LanguageModelPredictor
from tools.bench import corpora, exchange, flops, machine, ours, plain, plain_search, recipes
from tools.bench.setting import Setting
from tools.bench.tables import Table
from tools.bench.timing import Call, interleave

UPDATES = 20  # before writing: enough that not all characters are equally likely


def measure(setting: Setting) -> Iterator[Table]:
    yield training(setting)
    yield generation(setting)


def training(setting: Setting) -> Table:
    path, scale = corpora.running_text(setting), setting.scale
    calls: dict[str, Call] = {}
    for precision in setting.precisions:
        own = ours.open_trainer(recipes.characters(setting, path, precision), setting, precision)
        batches = own.first_batches(50)
        sizes = dataclasses.replace(scale.characters, vocabulary=own.data.task.target.space.size)
        torch.manual_seed(1)
        model = plain.CharacterModel(sizes)
        learner = plain.Learner(model, model.loss, precision)
        calls[f"s2s, {precision}"] = ours.learning(own.trainer, batches)
        calls[f"plain torch, {precision}"] = exchange.plain_learning(learner, batches, exchange.plain_chunk)
    timed = interleave(calls, seconds=setting.seconds, warm=2)
    first = next(iter(timed))
    operations = flops.characters_training(sizes)
    peaks = machine.peaks(setting)
    table = Table(
        "Training, in characters a second",
        ("system", "characters/s", "of the peak, %", f"{first} is so many times as fast"),
    )
    for name, found in timed.items():
        share = 100 * found.rate * operations / peaks[name.rpartition(", ")[2]]
        table.add(name, found.rate, share, "" if name == first else str(timed[first].ratio(found)))
    table.notes.append(
        f"{sizes.layers} layers of {sizes.hidden} LSTM units, {sizes.vocabulary} pieces, {scale.rows} rows of "
        f"{scale.chunk} characters; {operations / 1e6:.1f} million operations a character."
    )
    return table


def generation(setting: Setting) -> Table:
    scale = setting.scale
    recipe = recipes.characters(setting, corpora.running_text(setting), "fp32", steps=UPDATES)
    writers = cast(dict[str, LanguageModelPredictor], ours.writers(recipe, setting))
    generator = writers[ours.OURS]
    sizes = dataclasses.replace(scale.characters, vocabulary=generator.task.target.space.size)
    model = plain.CharacterModel(sizes).eval()
    exchange.fill_characters(model, generator.model)
    by_cells = plain_search.sampler_of_cells(model)
    table = Table(
        "Writing, in characters a second",
        ("system", "texts at once", "characters/s", "s2s is so many times as fast"),
    )
    for rows in (1, scale.rows):

        def write(i: int, rows: int = rows, generator: LanguageModelPredictor = generator) -> int:
            # pieces, not characters: everyone then takes the same number of steps
            texts = generator.begin("", count=rows, random_seed=i)
            for _ in generator.write(texts, length=scale.written, unit="pieces"):
                pass
            return rows * scale.written

        def step(i: int, rows: int = rows) -> int:
            return plain_search.sample_stepping(model, scale.written, rows).numel()

        def step_cells(i: int, rows: int = rows) -> int:
            return by_cells(scale.written, rows).numel()

        calls: dict[str, Call] = {
            **{name: partial(write, generator=one) for name, one in writers.items()},
            "plain torch, nn.LSTM stepped": step,
            "plain torch, nn.LSTMCell": step_cells,
        }
        timed = interleave(calls, seconds=setting.seconds / 2)
        for name, found in timed.items():
            table.add(name, rows, found.rate, "" if name == ours.OURS else str(timed[ours.OURS].ratio(found)))
    table.notes.append(
        f"The same weights, {sizes.layers} layers of {sizes.hidden}; {scale.written} characters a text, drawn at "
        "temperature 1; s2s also turns them into text. All in fp32 but where int8 is said."
    )
    return table
