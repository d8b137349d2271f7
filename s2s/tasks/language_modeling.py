"""Language models: a text goes on, at the level of characters, bytes, subwords or words."""

import math
from typing import Any

import numpy as np

from s2s.config import configure
from s2s.data.fields.base import Field, Nothing, bound
from s2s.data.fields.text import TextField
from s2s.data.tokenizers.simple import Characters
from s2s.errors import RecipeError
from s2s.metrics.base import SEED, Score, interval
from s2s.registry import ComponentConfig, PositiveInt
from s2s.tasks.losses import Likelihood
from s2s.tasks.task import Task

N_BOOTSTRAP = 1000


class LanguageModeling(Task, kind="language-model"):
    """A text that goes on. Rows of the data are its lines, in order, and a line break is a token like others (EOS).

    chunk   positions that are read at once in training: how far a gradient reaches back. States are carried over
    jitter  each pass begins elsewhere in the text
    """

    source_shapes, target_shapes = ("nothing",), ("ids",)
    predictor = "language-model"
    verb = "generate"
    searches = False
    streams = True

    def __init__(
        self,
        *,
        target: ComponentConfig[Field] = configure(Field, {"kind": TextField, "tokenizer": Characters}),
        chunk: PositiveInt = 128,
        jitter: bool = True,
    ) -> None:
        field = bound(target)
        if not isinstance(field, TextField):
            raise RecipeError("target", f"a language model writes text, and this is {target.kind}", "use: kind: text")
        field.max_length = 1 << 60  # lines of a stream are as long as they like
        self.source, self.target = Nothing(), field
        self.chunk, self.jitter = chunk, jitter

    def likelihood_scores(self, likelihood: Likelihood) -> list[Score]:
        """Bits a character and a byte, line breaks counted, with intervals from resampled lines."""
        bits = likelihood.nats / math.log(2)
        return [
            rate("bits per character", bits, likelihood.characters),
            rate("bits per byte", bits, likelihood.bytes),
            rate("nats per character", likelihood.nats, likelihood.characters),
        ]


class Rate:
    """One sum over another, which resampling sees as a metric."""

    def value(self, sums: list[float]) -> float:
        return sums[0] / max(1.0, sums[1])


def rate(name: str, amounts: np.ndarray, counts: np.ndarray) -> Score:
    """Amounts [N] by counts [N], over all rows."""
    statistics: Any = np.stack([amounts, counts], 1)
    measure = Rate()
    low, high = interval(measure, statistics, N_BOOTSTRAP)
    signature = f"lines:{len(amounts)}|bs:{N_BOOTSTRAP}|seed:{SEED}"
    value = measure.value(statistics.sum(0).tolist())
    return Score(name, value, signature, low, high, higher_is_better=False, kind=name.replace(" ", "-"))
