"""Pictures to text: a caption is written as a translation is, and scored against several references."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from s2s.config import configure
from s2s.data.fields.base import Field
from s2s.data.fields.text import TextField
from s2s.data.readers.base import Row
from s2s.data.tokenizers.simple import Words
from s2s.errors import RunError
from s2s.files import atomic_write
from s2s.metrics.base import Chrf, Exact, Metric
from s2s.metrics.baselines import constant_baseline, most_frequent
from s2s.metrics.captions import Bleu4, Cider
from s2s.registry import ComponentConfig
from s2s.tasks.task import Task, targets

FREQUENT = "most_frequent.txt"  # in the folder of the fields


class Captioning(Task, kind="captioning"):
    """What is to be seen in a picture: Vinyals et al. 2015, https://arxiv.org/abs/1411.4555

    source  image; or what another program made of pictures, such as numbers
    """

    target_shapes = ("ids",)
    verb: ClassVar[str] = "caption"

    def __init__(
        self,
        *,
        source: ComponentConfig[Field],
        target: ComponentConfig[Field] = configure(
            Field, {"kind": TextField, "tokenizer": {"kind": Words, "lowercase": True}}
        ),
        metrics: tuple[ComponentConfig[Metric], ...] = (
            configure(Metric, Bleu4),
            configure(Metric, Cider),
            configure(Metric, Chrf),
            configure(Metric, Exact),
        ),
    ) -> None:
        self.metrics = metrics
        self.bind(source, target)
        self.most_frequent = ""  # caption of the training rows

    def fit(self, rows: Iterable[Row]) -> None:
        """Learn the vocabulary from training rows, and their most frequent caption, the baseline of evaluation."""
        super().fit(rows)
        self.most_frequent = most_frequent(map(self.target.comparable, targets(rows)))

    def details(self, rows: Sequence[Row], answers: Sequence[str]) -> dict[str, Any]:
        """What the most frequent caption of training scores here: {"baselines": [{name, answer, scores}]}."""
        found = constant_baseline("most frequent caption", self.most_frequent, rows, [make() for make in self.metrics])
        return {"baselines": [asdict(found)]}

    def save(self, folder: Path) -> None:
        super().save(folder)
        atomic_write(folder / FREQUENT, self.most_frequent.encode())

    def load(self, folder: Path) -> None:
        super().load(folder)
        try:
            self.most_frequent = (folder / FREQUENT).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise RunError(
                str(folder / FREQUENT), f"cannot be read: {error}", "copy the whole run folder again"
            ) from None
