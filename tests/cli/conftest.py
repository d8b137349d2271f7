"""A predictor that needs no model: what it answers can be told from what it is asked."""

from types import SimpleNamespace

import pytest
from rich.console import Console

from s2s.config import configure
from s2s.decoding.search import Search
from s2s.registry import options_of


class FakePrediction(SimpleNamespace):
    text: str


class FakePredictor:
    """Writes the words backwards; the n-th best answer has n signs after it. Texts with `broken` break it."""

    def __init__(self, attention: bool = True) -> None:
        self.recipe = SimpleNamespace(
            name="toy",
            data={"source": "en", "target": "es"},
            decoding=configure(Search, {"kind": "beam", "beam_size": 4}),
        )
        self.attention = attention
        self.asked: list[tuple[list[str], object]] = []
        self.aloud: list[object] = []  # the search of each answer that was written aloud
        self.aligned: list[int] = []  # how many at a time

    def search(self, texts, search=None):
        search = search or self.recipe.decoding
        self.asked.append((list(texts), search))
        known = options_of(search.factory)
        count = next((search.kwargs.get(k, known[k].default) for k in ("nbest", "count") if k in known), 1)
        return [[self.answer(text, n) for n in range(count)] if text.strip() else [] for text in texts]

    def answer(self, text: str, n: int) -> FakePrediction:
        if "broken" in text:
            raise ZeroDivisionError("division [by] zero")
        words = text.split()[::-1]
        return FakePrediction(
            text=" ".join(words) + "!" * n, score=-1.0 - n, log_probability=-2.0 - n, ids=list(range(4, 4 + len(words)))
        )

    def write_aloud(self, text, search, tell):
        found = self.answer(text, 0)
        self.aloud.append(search)
        words = found.text.split()
        for i in range(len(words)):
            tell(" ".join(words[: i + 1]))
        return found

    def score(self, sources, targets):
        return [(-0.5 * len(t.split()), len(t.split())) for t in targets]

    def align_all(self, sources, written):
        self.aligned.append(len(sources))
        return [self.align(source, ids) for source, ids in zip(sources, written, strict=True)]

    def align(self, source, ids):
        if not self.attention:
            return None
        pieces = [*source.split(), "</s>"]
        rows = [
            [0.9 if s == len(pieces) - 2 - t else 0.1 / (len(pieces) - 1) for s in range(len(pieces))]
            for t in range(len(pieces))
        ]
        return SimpleNamespace(source=pieces, target=[*pieces[-2::-1], "</s>"], weights=rows)


@pytest.fixture
def predictor() -> FakePredictor:
    return FakePredictor()


@pytest.fixture
def screen() -> Console:
    """A console whose text a test can read: screen.export_text()."""
    import io

    return Console(file=io.StringIO(), width=80, record=True, highlight=False)
