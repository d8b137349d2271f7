"""How training scales: with the length of sentences, the batch, the vocabulary, and the size of the corpus."""

import dataclasses
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from s2s.api.prepare import prepare_data
from s2s.tensors import Batch, Padded
from tools.bench import corpora, exchange, flops, memory, ours, recipes
from tools.bench.measure.training import rival
from tools.bench.setting import Setting
from tools.bench.tables import Table
from tools.bench.timing import Call, interleave

LENGTHS = (7, 14, 28, 56)
TOKENS = (450, 900, 1800, 3600)
VOCABULARIES = (2_000, 8_000, 32_000)
USUAL = (14, 1800, 8_000)  # length, target tokens, pieces: what stays where another changes
STEPS = 12  # of training on a corpus whose size is looked at


def measure(setting: Setting) -> Iterator[Table]:
    tiny = setting.scale.name == "tiny"
    shrink = 100 if tiny else 1
    length, tokens, vocabulary = USUAL
    yield compared(
        setting, "sentences of so many pieces", {n: (n, tokens // shrink, vocabulary // shrink) for n in LENGTHS}
    )
    yield compared(setting, "target tokens a batch", {n: (length, n // shrink, vocabulary // shrink) for n in TOKENS})
    yield compared(
        setting, "pieces in the vocabulary", {n: (length, tokens // shrink, n // shrink) for n in VOCABULARIES}
    )
    yield corpus_size(setting)


def compared(setting: Setting, what: str, cases: dict[int, tuple[int, int, int]]) -> Table:
    """s2s and plain torch on random pieces: no padding, and nothing to learn."""
    table = Table(
        f"Training by {what}, in target tokens a second",
        (what, "s2s", "plain torch", "s2s is so many times as fast", "GFLOP/s of s2s"),
    )
    for case, (length, tokens, vocabulary) in cases.items():
        sizes = dataclasses.replace(setting.scale.translation, vocabulary=vocabulary)
        calls = of_shape(setting, sizes, max(1, tokens // length), length)
        timed = interleave(calls, seconds=setting.seconds / 6, warm=2)
        own, other = timed["s2s"], timed["plain torch"]
        operations = flops.translation_training(sizes, length, length)
        table.add(case, own.rate, other.rate, str(own.ratio(other)), own.rate * operations / 1e9)
    table.notes.append(
        f"Where it is not what changes: {USUAL[0]} pieces a sentence on both sides, {USUAL[1]:,} tokens a batch, "
        f"{USUAL[2]:,} pieces in the vocabulary; {setting.precisions[0]}; no padding."
    )
    return table


def of_shape(setting: Setting, sizes: flops.TranslationSizes, rows: int, length: int) -> dict[str, Call]:
    """Both systems at batches of one shape."""
    precision = setting.precisions[0]
    batch = random_batch(rows, length, sizes.vocabulary)
    learner = rival(setting, sizes.vocabulary, False, precision)
    trainer = ours.untaught(setting, sizes, precision)
    return {
        "s2s": ours.learning(trainer, [batch]),
        "plain torch": exchange.plain_learning(learner, [batch], exchange.plain_pair),
    }


def random_batch(rows: int, length: int, vocabulary: int) -> Batch:
    """Sentences of one length on both sides, EOS at their ends."""
    ids = torch.randint(4, vocabulary, (2, rows, length), generator=torch.Generator().manual_seed(1))
    ids[:, :, -1] = 2
    source, target = (Padded(side, torch.full((rows,), length)) for side in ids)
    return Batch(source, target, torch.arange(rows * length))


def corpus_size(setting: Setting) -> Table:
    table = Table(
        "Memory and time by the size of the corpus",
        ("pairs", "preparation, MiB", "training, MiB", "pairs/s prepared", "tokens/s in training"),
    )
    for count in setting.scale.corpora:
        with tempfile.TemporaryDirectory(dir=setting.work) as name:
            folder = Path(name)
            (folder / "pieces").mkdir()
            words = (setting.scale.translation.vocabulary - 4) // 2
            for number, (split, rows) in enumerate({"train": count, "valid": 100, "test": 100}.items()):
                corpora.write_pairs(folder / "pieces", split, rows, words, seed=number)
            there = dataclasses.replace(setting, work=folder)
            first = memory.in_child(prepare_there, there, folder)
            second = memory.in_child(train_there, there, folder)  # from the cache, as the second of two runs does
            table.add(count, first.grown / 2**20, second.grown / 2**20, count / first.result, second.result)
    table.notes.append(
        f"Generated pairs of {corpora.MEAN:.0f} words on average; preparation from nothing, and {STEPS} updates in "
        "another process. Memory: what each adds to a process with everything imported, mapped files not counted."
    )
    return table


def prepare_there(setting: Setting, folder: Path) -> float:
    """Seconds that it took."""
    torch.set_num_threads(setting.threads)
    ours.use_cache(setting)
    start = time.perf_counter()
    prepare_data(recipes.translation(setting, folder))
    return time.perf_counter() - start


def train_there(setting: Setting, folder: Path) -> float:
    """Target tokens a second, the first batches of a pass, planning and reading left out."""
    torch.set_num_threads(setting.threads)
    recipe = recipes.translation(setting, folder)
    own = ours.open_trainer(recipe, setting, "fp32")
    learn = ours.learning(own.trainer, own.first_batches(STEPS + 1))
    learn(0)
    start = time.perf_counter()
    tokens = sum(learn(i) for i in range(1, STEPS + 1))
    return tokens / (time.perf_counter() - start)
