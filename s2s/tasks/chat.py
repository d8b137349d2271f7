"""Replies in a conversation: a translation from what was said to what is answered."""

from collections.abc import Sequence
from typing import Any

from s2s.config import configure
from s2s.data.fields.base import Field
from s2s.data.fields.text import TextField
from s2s.data.readers.base import Row
from s2s.data.tokenizers.base import Tokenizer
from s2s.data.tokenizers.subword import Unigram
from s2s.metrics.base import Chrf, Metric
from s2s.metrics.diversity import diversity
from s2s.registry import ComponentConfig
from s2s.tasks.translation import Translation


class Chat(Translation, kind="chat"):
    """The last turns of a conversation to the next one: Vinyals & Le 2015, https://arxiv.org/abs/1506.05869

    A good reply is rarely the one in the data, so perplexity says more than metrics of the text do; evaluation also
    says how diverse the replies are, beside those of the data.
    tokenizer  shared by both sides
    """

    verb = "chat"
    parallel = False

    def __init__(
        self,
        *,
        source: ComponentConfig[Field] = configure(Field, {"kind": TextField, "max_length": 120, "cut": "start"}),
        target: ComponentConfig[Field] = configure(Field, {"kind": TextField, "max_length": 60}),
        tokenizer: ComponentConfig[Tokenizer] = configure(Tokenizer, Unigram),
        metrics: tuple[ComponentConfig[Metric], ...] = (configure(Metric, Chrf),),
    ) -> None:
        super().__init__(source=source, target=target, tokenizer=tokenizer, metrics=metrics)

    def details(self, rows: Sequence[Row], answers: Sequence[str]) -> dict[str, Any]:
        """{"diversity": {"answers": {...}, "references": {...}}}: see diversity.py."""
        return {"diversity": diversity(answers, [row.references[0] for row in rows])} if answers else {}
