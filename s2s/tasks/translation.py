"""Translation: text to text, with a tokenizer that both sides may share."""

from collections.abc import Iterable
from itertools import chain

from s2s.config import configure
from s2s.data.fields.base import Field
from s2s.data.fields.text import TextField
from s2s.data.readers.base import Row
from s2s.data.tokenizers.base import Tokenizer
from s2s.data.tokenizers.subword import Unigram
from s2s.errors import mounted
from s2s.metrics.base import Bleu, Chrf, Metric
from s2s.registry import ComponentConfig
from s2s.tasks.task import Task, sources, targets


class Translation(Task, kind="translation"):
    """Text to text: translation, transliteration, summaries, spelling.

    tokenizer  shared by both sides; a side whose field names a tokenizer of its own does not use it
    """

    target_shapes = ("ids",)
    verb = "translate"

    def __init__(
        self,
        *,
        source: ComponentConfig[Field] = configure(Field, TextField),
        target: ComponentConfig[Field] = configure(Field, TextField),
        tokenizer: ComponentConfig[Tokenizer] = configure(Tokenizer, Unigram),
        metrics: tuple[ComponentConfig[Metric], ...] = (configure(Metric, Bleu), configure(Metric, Chrf)),
    ) -> None:
        self.shared = tokenizer()
        self.metrics = metrics
        self.bind(source, target, self.shared)

    def fit(self, rows: Iterable[Row]) -> None:
        """Learn the vocabularies from training rows; `rows` is read once for each that is to be learned."""
        columns = (sources(rows), targets(rows))
        sides = (self.source, self.target)
        sharing = [i for i, side in enumerate(sides) if side.shares(self.shared)]
        if sharing:
            with mounted("tokenizer"):
                self.shared.fit(chain.from_iterable(columns[i] for i in sharing))
        for i, name in enumerate(("source", "target")):
            if i not in sharing:
                with mounted(name):
                    sides[i].fit(columns[i])
