"""What is measured, how large, for how long, and where the files lie: one value that every part is given."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench.flops import CharacterSizes, ClassifierSizes, TranslationSizes

DATA = "S2S_BENCH_DATA"  # a folder with multi30k/ and tinyshakespeare/, as the recipes know them
WORK = "S2S_BENCH_WORK"  # where data, runs and the peers' environments are kept from one call to the next


@dataclass(frozen=True)
class Scale:
    """How large the models and the data are."""

    name: str = "full"
    translation: TranslationSizes = field(default_factory=TranslationSizes)
    characters: CharacterSizes = field(default_factory=CharacterSizes)
    classifier: ClassifierSizes = field(default_factory=ClassifierSizes)
    pairs: int = 29_000  # generated ones, where there is no real corpus
    tests: int = 1_000
    sentences: int = 128  # a batch of training: about 1,800 target tokens
    answer: int = 13  # pieces of every answer, as people write them: what a model has learned then changes nothing
    latencies: int = 100  # sentences that are translated one by one
    decoded: int = 64  # sentences a batch in decoding
    rows: int = 64  # of characters, side by side
    chunk: int = 128  # characters that are read at once in training
    written: int = 500  # characters of a text that is generated
    texts: int = 64  # a batch of classification
    length: int = 28  # of a text, its end counted
    prepared: int = 200_000  # sentences
    corpora: tuple[int, ...] = (10_000, 100_000, 1_000_000)  # generated pairs, to look at memory
    beam: int = 5
    square: int = 2048  # of the matrices whose product is called the peak
    megabytes: int = 256  # that are read, to see how fast memory is


TINY = Scale(
    name="tiny",
    translation=TranslationSizes(vocabulary=120, embedding=8, encoder=8, hidden=16),
    characters=CharacterSizes(embedding=16, hidden=16),
    classifier=ClassifierSizes(vocabulary=60, embedding=8, hidden=8),
    pairs=240,
    tests=12,
    answer=5,
    sentences=16,
    latencies=2,
    decoded=8,
    rows=4,
    chunk=16,
    written=20,
    texts=8,
    length=6,
    prepared=300,
    corpora=(200, 400),
    beam=2,
    square=64,
    megabytes=1,
)


@dataclass(frozen=True)
class Setting:
    """seconds     for one comparison, all of its variants together
    updates     of the model whose decoding is measured: untrained, it would never end a sentence
    precisions  in which s2s and plain torch are measured
    data        the folder of real corpora; None measures on generated data of the same shape
    work        what is kept from one call to the next
    """

    work: Path
    data: Path | None = None
    seconds: float = 30.0
    updates: int = 300
    threads: int = 1
    precisions: tuple[str, ...] = ("fp32",)
    peers: tuple[str, ...] = ()
    peer_updates: int = 100
    scale: Scale = field(default_factory=Scale)

    def corpus(self, name: str) -> Path | None:
        """The folder of a real corpus, where there is one."""
        folder = self.data / name if self.data else None
        return folder if folder is not None and folder.is_dir() else None

    @property
    def cache(self) -> Path:
        """Where s2s keeps what it prepares; every figure is taken with the same one."""
        return self.work / "cache"


def default_work() -> Path:
    """$S2S_BENCH_WORK, or a folder beside the cache of s2s."""
    return Path(os.environ.get(WORK) or "~/.cache/s2s-bench").expanduser()


def default_data() -> Path | None:
    return Path(os.environ[DATA]).expanduser() if os.environ.get(DATA) else None
