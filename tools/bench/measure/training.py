"""Training of the translator: s2s and plain torch in turns on the same batches, and the memory each takes."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import torch

from tools.bench import corpora, exchange, flops, machine, memory, ours, plain, recipes
from tools.bench.setting import Setting
from tools.bench.tables import Table
from tools.bench.timing import Call, interleave

UPDATES = 12  # in the process whose memory is looked at


def measure(setting: Setting) -> Iterator[Table]:
    folder = corpora.pairs(setting)
    calls: dict[str, Call] = {}
    precision_of: dict[str, str] = {}
    data = None
    for precision in setting.precisions:
        own = ours.open_trainer(recipes.translation(setting, folder, precision), setting, precision, data)
        data, batches = own.data, own.first_batches(200)
        vocabulary = data.task.source.space.size
        calls[f"s2s, {precision}"] = ours.learning(own.trainer, batches)
        for packed in (False, True):
            learner = rival(setting, vocabulary, packed, precision)
            name = f"plain torch{', packed encoder' if packed else ''}, {precision}"
            calls[name] = exchange.plain_learning(learner, batches, exchange.plain_pair)
        precision_of |= {name: precision for name in calls if name.endswith(precision)}
    timed = interleave(calls, seconds=setting.seconds, warm=2)

    sizes = dataclasses.replace(setting.scale.translation, vocabulary=vocabulary)
    source, target = corpora.lengths(folder, "train")
    operations = flops.translation_training(sizes, source, target)
    peaks = machine.peaks(setting)
    used = {name: look(setting, folder, name.startswith("s2s"), precision_of[name]) for name in calls if not odd(name)}
    first = next(iter(timed))
    table = Table(
        "Training, in target tokens a second",
        ("system", "tokens/s", "tokens/s in all", "of the peak, %", f"{first} is so many times as fast", "memory, MiB"),
    )
    for name, found in timed.items():
        share = 100 * found.rate * operations / peaks[precision_of[name]]
        ratio = "" if name == first else str(timed[first].ratio(found))
        table.add(name, found.rate, found.total, share, ratio, used.get(name))
    tokens = sum(batch.tokens for batch in batches) / len(batches)
    table.notes.append(
        f"{sizes.encoder} units in each of two directions, decoder of {sizes.hidden}, {sizes.vocabulary:,} pieces; "
        f"batches of {setting.scale.sentences} sentences, {tokens:,.0f} target tokens on average; "
        f"{len(timed[first].seconds)} rounds; {operations / 1e6:.1f} million operations a target token. Medians of "
        "rounds; ratios are medians of the ratios in each round, and in brackets their middle half. Memory: what "
        f"{UPDATES} updates add to a process of their own with everything imported."
    )
    yield table


def odd(name: str) -> bool:
    """Whose memory is no other's than that of the variant before."""
    return "packed" in name


def rival(setting: Setting, vocabulary: int, packed: bool, precision: str) -> plain.Learner:
    torch.manual_seed(1)
    sizes = dataclasses.replace(setting.scale.translation, vocabulary=vocabulary)
    model = plain.Translator(sizes, dropout=recipes.DROPOUT, packed=packed)
    return plain.Learner(model, model.loss, precision)


def look(setting: Setting, folder: Path, is_ours: bool, precision: str) -> float:
    """MiB that a few updates take."""
    return memory.in_child(few_updates, setting, folder, is_ours, precision).grown / 2**20


def few_updates(setting: Setting, folder: Path, is_ours: bool, precision: str) -> None:
    """In a process of its own: of s2s, or of plain torch on the same batches."""
    torch.set_num_threads(setting.threads)
    own = ours.open_trainer(recipes.translation(setting, folder, precision), setting, precision)
    learner = None if is_ours else rival(setting, own.data.task.source.space.size, False, precision)
    for batch in own.first_batches(UPDATES):
        if learner is None:
            own.trainer.learn([batch])
        else:
            learner(*exchange.plain_pair(batch))
