"""Data preparation: reading, learning a vocabulary, encoding, beside sentencepiece called by hand."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import sentencepiece

from s2s.api.prepare import fitted, prepare_data
from s2s.data.corpus import encode_corpus
from s2s.data.ingest import open_corpus
from s2s.recipe import parse_recipe
from tools.bench import corpora, ours
from tools.bench.setting import Setting
from tools.bench.tables import Table
from tools.bench.timing import interleave

RECIPE = """
name: bench-preparation
task: {{kind: translation, tokenizer: {tokenizer}, metrics: [bleu]}}
data: {{kind: text, path: "{folder}", source: src, target: trg, hold_out: 0.01}}
"""
KINDS = ("unigram", "bpe", "word")


def measure(setting: Setting) -> Iterator[Table]:
    text = corpora.pairs(setting) / "text"
    count = setting.scale.prepared // 2
    table = Table(
        "Preparation, in sentences a second",
        (
            "tokenizer",
            "reading",
            "learning the vocabulary, s",
            "encoding",
            "all of it",
            "sentencepiece by hand",
            "ratio",
        ),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for side in corpora.SIDES:
            corpora.write_lines(folder / f"train.{side}", corpora.head(text / f"train.{side}", count))
        for kind in KINDS:
            table.add(kind, *prepared(setting, folder, kind, 2 * count))
    table.notes.append(
        f"{2 * count:,} sentences, both sides counted, into an empty cache each time; `all of it` is what `s2s train` "
        f"does before its first step. By hand: sentencepiece encodes the same texts with {setting.threads} threads; "
        "ratio: encoding of s2s, which also writes to the disk, to that, in turns."
    )
    yield table


def prepared(setting: Setting, folder: Path, kind: str, sentences: int) -> list[float | str | None]:
    size = 100 if setting.scale.name == "tiny" else 8000
    learned = "" if kind == "word" else f", size: {size}"
    recipe = parse_recipe(RECIPE.format(tokenizer=f"{{kind: {kind}{learned}}}", folder=folder))
    with tempfile.TemporaryDirectory() as name, ours.cache(Path(name)):
        start = time.perf_counter()
        corpus = open_corpus(recipe.data(), "train")
        read = time.perf_counter()
        task = fitted(recipe, corpus)
        fit = time.perf_counter()
        encodings = iter(range(1_000_000))

        def encode(i: int) -> int:
            folder = Path(name) / f"encoded-{next(encodings)}"
            encode_corpus(corpus, task.source, task.target, folder)
            shutil.rmtree(folder)
            return sentences

        calls = {"s2s": encode}
        model = getattr(task.source.tokenizer, "processor", None)  # type: ignore[attr-defined]
        if isinstance(model, sentencepiece.SentencePieceProcessor):
            texts = [text for side in corpora.SIDES for text in corpora.read_lines(folder / f"train.{side}")]

            def by_hand(i: int) -> int:
                for at in range(0, len(texts), 10_000):
                    model.encode(texts[at : at + 10_000], num_threads=setting.threads)
                return sentences

            calls["sentencepiece"] = by_hand
        timed = interleave(calls, seconds=setting.seconds / 6, least=2, warm=1)
    with tempfile.TemporaryDirectory() as name, ours.cache(Path(name)):
        begun = time.perf_counter()
        prepare_data(recipe)
        whole = time.perf_counter() - begun
    hand = timed.get("sentencepiece")
    return [
        sentences / (read - start),
        fit - read,
        timed["s2s"].rate,
        sentences / whole,
        hand.rate if hand else None,
        str(timed["s2s"].ratio(hand)) if hand else "",
    ]
