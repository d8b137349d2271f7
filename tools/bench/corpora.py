"""The data that everyone is measured on: real where there is some, else generated in the same shape.

    folder = pairs(setting)         # pieces/{train,valid,test}.{src,trg}, a sentence a line, blanks between pieces
    text = running_text(setting)    # one file of characters

Pieces are cut once, here, so that s2s and every peer read the very same ones and have the same vocabulary.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

import numpy as np

from tools.bench.setting import Setting

SPLITS = {"train": "train", "valid": "val", "test": "test_2016_flickr"}
SIDES = {"src": "de", "trg": "en"}
BPE = 8000  # pieces that are asked for; 7,738 of Multi30k's are in its training text
SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
MEAN, SPREAD, LONGEST = 13.0, 4.0, 40  # words of a generated sentence, as Multi30k's pieces are


def pairs(setting: Setting) -> Path:
    """The parallel corpus as pieces, made where it is not there yet; `vocabulary.txt` has them by frequency."""
    real = setting.corpus("multi30k")
    scale = setting.scale
    kind = "multi30k" if real else f"generated-{scale.pairs}-{scale.tests}-{scale.translation.vocabulary}"
    folder = setting.work / "data" / f"{kind}-{here()}"
    if not (folder / "vocabulary.txt").exists():
        (folder / "pieces").mkdir(parents=True, exist_ok=True)
        (folder / "text").mkdir(exist_ok=True)
        if real:
            cut_multi30k(real, folder)
        else:
            words = (scale.translation.vocabulary - 4) // 2
            for number, (split, count) in enumerate({"train": scale.pairs, "valid": 100, "test": scale.tests}.items()):
                write_pairs(folder / "pieces", split, count, words, seed=number)
                write_pairs(folder / "text", split, count, words, seed=number)
        write_vocabulary(folder)
    return folder


def here() -> str:
    """A few letters that change with this file: data of an older one is not taken for its own."""
    return blake2b(Path(__file__).read_bytes(), digest_size=3).hexdigest()


def cut_multi30k(real: Path, folder: Path) -> None:
    """Lowercase, split off punctuation, one joint BPE learned on the training text."""
    import sentencepiece

    for split, name in SPLITS.items():
        for side, language in SIDES.items():
            lines = (real / f"{name}.{language}").read_text(encoding="utf-8").splitlines()
            write_lines(folder / "text" / f"{split}.{side}", (" ".join(words_of(line)) for line in lines))
    sentencepiece.SentencePieceTrainer.train(
        input=[str(folder / "text" / f"train.{side}") for side in SIDES],
        model_prefix=str(folder / "bpe"),
        vocab_size=BPE,
        model_type="bpe",
        character_coverage=1.0,
        normalization_rule_name="identity",
        minloglevel=3,
    )
    bpe = sentencepiece.SentencePieceProcessor(model_file=str(folder / "bpe.model"))
    for split in SPLITS:
        for side in SIDES:
            lines = read_lines(folder / "text" / f"{split}.{side}")
            write_lines(folder / "pieces" / f"{split}.{side}", map(" ".join, bpe.encode(lines, out_type=str)))


def words_of(line: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", line.lower())


def write_pairs(folder: Path, split: str, count: int, words: int, seed: int = 0) -> None:
    """Sentences of made-up words, as frequent as Zipf has it, and a translation word by word, neighbors exchanged.

    A tenth of the words are left out of the translation, so that its length is no copy of the source's.
    """
    chance = np.random.default_rng([7, seed])
    odds = 1.0 / np.arange(1, words + 1)
    bounds = np.cumsum(odds / odds.sum())
    names = [word(i) for i in range(2 * words)]
    with open(folder / f"{split}.src", "w") as sources, open(folder / f"{split}.trg", "w") as targets:
        for start in range(0, count, 10_000):  # a block at a time: ten million pairs fit in no memory
            lengths = chance.normal(MEAN, SPREAD, min(10_000, count - start)).round().clip(3, LONGEST).astype(int)
            drawn = np.searchsorted(bounds, chance.random(lengths.sum())).clip(max=words - 1)
            for row in np.split(drawn, lengths.cumsum()[:-1]):
                ids = row.tolist()
                kept = [i for i in ids if i % 10 != 3] or ids
                swapped = [i for two in zip(kept[1::2], kept[::2]) for i in two] + kept[len(kept) & ~1 :]
                sources.write(" ".join([names[i] for i in ids]) + "\n")
                targets.write(" ".join([names[words + i] for i in swapped]) + "\n")


def word(number: int) -> str:
    """A word of its own for every number, longer for larger ones: ba, be, ..., baba, ..."""
    found = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, len(SYLLABLES))
        found = SYLLABLES[digit] + found
    return found


def write_vocabulary(folder: Path) -> None:
    counts: Counter[str] = Counter()
    for side in SIDES:
        for line in read_lines(folder / "pieces" / f"train.{side}"):
            counts.update(line.split())
    write_lines(folder / "vocabulary.txt", (piece for piece, _ in counts.most_common()))


def vocabulary(folder: Path) -> list[str]:
    """The pieces of the training text, both sides, the frequent ones first."""
    return read_lines(folder / "vocabulary.txt")


def running_text(setting: Setting) -> Path:
    """One text to learn characters from: tinyshakespeare, or a million made-up characters of as many kinds."""
    real = setting.corpus("tinyshakespeare")
    if real:
        return real / "input.txt"
    kinds = setting.scale.characters.vocabulary - 4
    path = setting.work / "data" / f"characters-{kinds}-{setting.scale.name}-{here()}.txt"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        letters = np.array([chr(33 + i) for i in range(kinds)])
        rows = 25_000 if setting.scale.name == "full" else 40
        drawn = np.random.default_rng(3).integers(len(letters), size=(rows, 44))
        drawn[0, : len(letters)] = np.arange(len(letters))[:44]
        write_lines(path, map("".join, letters[drawn].tolist()))
    return path


def labeled_texts(setting: Setting) -> Path:
    """train.tsv: made-up texts of one length and a label, as many of each."""
    sizes, length = setting.scale.classifier, setting.scale.length
    words, count = sizes.vocabulary - 4, 100 * setting.scale.texts
    folder = setting.work / "data" / f"labeled-{words}-{count}-{length}-{here()}"
    if not (folder / "train.tsv").exists():
        folder.mkdir(parents=True, exist_ok=True)
        drawn = np.random.default_rng(5).integers(words, size=(count, length - 1))
        drawn.flat[: min(words, drawn.size)] = np.arange(min(words, drawn.size))  # every word is there
        names = [word(i) for i in range(words)]
        labels = ("bad", "good")
        rows = (f"{' '.join(names[i] for i in row)}\t{labels[n % 2]}" for n, row in enumerate(drawn.tolist()))
        write_lines(folder / "train.tsv", rows)
    return folder


def lengths(folder: Path, split: str) -> tuple[float, float]:
    """Mean positions of a source and of a target, their ends counted."""
    means = [np.mean([len(line.split()) + 1 for line in read_lines(folder / "pieces" / f"{split}.{s}")]) for s in SIDES]
    return float(means[0]), float(means[1])


def read_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def head(path: Path, count: int) -> Iterator[str]:
    """The first lines of a file, over and over where it has fewer."""
    lines = read_lines(path)
    return (lines[i % len(lines)] for i in range(count))
