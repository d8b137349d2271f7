"""Tasks that choose out of a few names: for a whole text, or for each of its words.

classification   text to label, or to several labels at once     sentiment, topics
tagging          a tag for every word                            parts of speech, names of things
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from s2s.config import configure
from s2s.data.encoded import EncodedCorpus
from s2s.data.fields.base import Field
from s2s.data.fields.categorical import Categorical, Label, Tags
from s2s.data.fields.text import TextField
from s2s.data.readers.base import Row
from s2s.data.tokenizers.simple import Words
from s2s.errors import OptionError, RecipeError, RowError, RunError, suggest
from s2s.files import atomic_write
from s2s.metrics.base import Metric
from s2s.metrics.classification import Accuracy, MacroF1, TagF1, TokenAccuracy
from s2s.nn.heads.base import HeadOutput
from s2s.registry import ComponentConfig, NonNegativeFloat, options_of
from s2s.tasks.losses import Loss, binary_cross_entropy, cross_entropy
from s2s.tasks.task import Task, targets
from s2s.tensors import Batch

WORD_PATTERN = {"kind": TextField, "tokenizer": Words}
BY_BLANKS = {"kind": TextField, "tokenizer": {"kind": Words, "punctuation": "keep"}}


class Labeling(Task):
    """What both have in common: no search, and classes that may weigh more than others.

    Metrics that can tell apart several labels of a row are told what stands between them.

    class_weights  balanced: classes weigh alike, however rare (n / (classes x rows of the class)); or a weight for
                   each by name, 1 for those left out; null: rows weigh alike
    """

    predictor: ClassVar[str] = "classifier"
    searches: ClassVar[bool] = False
    target: Categorical

    def __init__(
        self,
        source: ComponentConfig[Field],
        target: ComponentConfig[Field],
        metrics: tuple[ComponentConfig[Metric], ...],
        class_weights: Literal["balanced"] | dict[str, NonNegativeFloat] | None = None,
    ) -> None:
        self.bind(source, target)
        if not isinstance(self.target, Categorical):
            raise RecipeError("target", f"{target.kind} is not a field of names", "use label, labels or tags")
        self.metrics = tuple(separating(metric, self.target.separator) for metric in metrics)
        self.class_weights = class_weights
        self.weights: Tensor | None = None  # [C], once the names are known

    def fit(self, rows: Iterable[Row]) -> None:
        super().fit(rows)
        self.weights = self._weigh(rows)

    def _weigh(self, rows: Iterable[Row]) -> Tensor | None:
        names, chosen = self.target.names, self.class_weights
        if chosen is None:
            return None
        if isinstance(chosen, dict):
            for name in chosen:
                if name not in names:
                    hint = suggest(name, names).replace("options", "classes")
                    raise OptionError("class_weights", f"there is no class {name!r}", hint)
            return torch.tensor([float(chosen.get(name, 1.0)) for name in names])
        counts = Counter(name for text in targets(rows) for name in self.target.split(text))
        return torch.tensor([counts.total() / (len(names) * counts[name]) for name in names])

    def loss(self, output: HeadOutput, batch: Batch, smoothing: float = 0.0) -> Loss:
        if self.weights is not None:  # and there they stay: sending them at every step would be waiting
            self.weights = self.weights.to(output.logits.device)
        entropy = binary_cross_entropy if self.target.modality == "labels" else cross_entropy
        found = entropy(output, batch, smoothing, self.weights)
        return found if output.penalty is None else found._replace(total=found.total + output.penalty)

    def nats(self, output: HeadOutput, batch: Batch) -> Tensor:
        if self.target.modality != "labels":
            return super().nats(output, batch)
        sign = 1 - 2 * batch.labels  # log(1 + e^-x) where it is true, log(1 + e^x) where not
        return torch.nn.functional.softplus(sign * output.logits.float()).sum(-1)

    def said(self, logits: np.ndarray) -> str:
        """Logits of one text, [C] or [S, C], as the data would have it."""
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        super().save(folder)
        if self.weights is not None:
            weights = dict(zip(self.target.names, self.weights.tolist(), strict=True))
            atomic_write(folder / "class_weights.json", json.dumps(weights, indent=1, ensure_ascii=False).encode())

    def load(self, folder: Path) -> None:
        super().load(folder)
        if self.class_weights is None:
            return
        path = folder / "class_weights.json"
        try:
            weights = json.loads(path.read_text(encoding="utf-8"))
            self.weights = torch.tensor([float(weights[name]) for name in self.target.names])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(str(path), f"cannot be read: {error}", "copy the whole run folder again") from None


def separating(metric: ComponentConfig[Metric], separator: str | None) -> ComponentConfig[Metric]:
    """A metric that knows what stands between the labels of a row, if it can and the recipe does not say."""
    if separator is None or "separator" in metric.kwargs or "separator" not in options_of(metric.factory):
        return metric
    return dataclasses.replace(metric, kwargs={**metric.kwargs, "separator": separator})


class Classification(Labeling, kind="classification"):
    """Text to a label (`target: label`), or to several at once (`target: labels`)."""

    target_shapes = ("label", "labels")
    verb = "classify"

    def __init__(
        self,
        *,
        source: ComponentConfig[Field] = configure(Field, WORD_PATTERN),
        target: ComponentConfig[Field] = configure(Field, Label),
        metrics: tuple[ComponentConfig[Metric], ...] = (configure(Metric, Accuracy), configure(Metric, MacroF1)),
        class_weights: Literal["balanced"] | dict[str, NonNegativeFloat] | None = None,
    ) -> None:
        super().__init__(source, target, metrics, class_weights)

    def said(self, logits: np.ndarray) -> str:
        if self.target.modality == "label":
            return self.target.decode(logits.argmax())
        return self.target.decode(np.flatnonzero(logits > 0))


class Tagging(Labeling, kind="tagging"):
    """A tag for every word: source and target have equally many, with blanks between."""

    source_shapes, target_shapes = ("ids", "vectors"), ("tags",)
    verb = "tag"

    def __init__(
        self,
        *,
        source: ComponentConfig[Field] = configure(Field, BY_BLANKS),
        target: ComponentConfig[Field] = configure(Field, Tags),
        metrics: tuple[ComponentConfig[Metric], ...] = (configure(Metric, TokenAccuracy), configure(Metric, TagF1)),
        class_weights: Literal["balanced"] | dict[str, NonNegativeFloat] | None = None,
    ) -> None:
        super().__init__(source, target, metrics, class_weights)

    def check(self, split: str, encoded: EncodedCorpus) -> None:
        words, tags = encoded.source_lengths - self.source.ends, encoded.target_lengths
        wrong = np.flatnonzero(words != tags)
        if len(wrong):
            first = int(wrong[0])
            hint = "every word needs one tag; tokenizer: {kind: word, punctuation: keep} cuts at blanks only"
            what = f"has {words[first]} tokens and {tags[first]} tags"
            raise RowError(encoded.row(first), what, hint)

    def said(self, logits: np.ndarray) -> str:
        return self.target.decode(logits[: len(logits) - self.source.ends].argmax(-1))
