"""The reader of generated rows: s2s's own grammars, so nothing is downloaded."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

from s2s.data.readers.base import Reader, Row
from s2s.data.source_files import digest, digest_files
from s2s.registry import NonNegativeInt, PositiveInt

GENERATORS = {  # what is generated: modules of data/synthetic, of which the first has generate(split, seed=, size=)
    "translation": ("translation.py", "sampling.py", "spanish/*.py"),
    "sentiment": ("sentiment.py", "sampling.py"),
    "tags": ("tags.py", "sampling.py"),
    "drawings": ("shapes.py",),
    "dialogue": ("dialogue.py", "../readers/context.py", "sampling.py"),
}


@dataclass(kw_only=True)
class Generated(Reader, kind="generated"):
    """Rows made by s2s's own grammars (s2s.data.synthetic.translation and its like): nothing to download.

    what  translation: English and Spanish; sentiment: reviews, positive or negative; tags: words, and which of
          them are dates, times, prices, amounts and spans; drawings: pictures of shapes, and what they show;
          dialogue: small talk, and what to answer
    size  training rows; null is as many as the demo needs
    seed  which ones
    """

    what: Literal["translation", "sentiment", "tags", "drawings", "dialogue"] = "translation"
    size: PositiveInt | None = None
    seed: NonNegativeInt = 1

    @property
    def source_type(self) -> str:
        return "picture" if self.what == "drawings" else "text"

    @property
    def turns_seen(self) -> int:
        return 3 if self.what == "dialogue" else 1

    def offers(self, name: str) -> bool:
        return name in ("train", "validation", "test")

    def rows(self, name: str) -> Iterator[Row]:
        module = import_module(f"s2s.data.synthetic.{Path(GENERATORS[self.what][0]).stem}")
        pairs = module.generate(name, seed=self.seed, size=self.size if name == "train" else None)
        return (Row(source, target) for source, target in pairs)

    def contents(self, name: str) -> str:
        here = Path(__file__).parents[1] / "synthetic"
        code = [path for pattern in GENERATORS[self.what] for path in sorted(here.glob(pattern))]
        return digest(self.what, name, self.seed, self.size, digest_files(code))  # the data is what the code makes
