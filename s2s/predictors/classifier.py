"""A run that chooses: a label for each text, or a tag for each of its words.

labeler.classify(["a film to forget"])[0].probabilities     # {"negative": 0.98, "positive": 0.02}
labeler.tag(["we paid five dollars"])[0].tags               # ["O", "O", "B-PRICE", "I-PRICE"]
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from s2s.data.encoded import EncodedCorpus, Ids
from s2s.data.readers.base import Row, Source
from s2s.data.tokenizers.simple import JOINER
from s2s.decoding.decisions import decide_all
from s2s.errors import RunError, several
from s2s.execution import ExecutionPath
from s2s.metrics.report import label_report, several_report
from s2s.predictors.base import Predictor
from s2s.tasks.classification import Labeling
from s2s.tasks.losses import Likelihood


class LabelPrediction(NamedTuple):
    """What one text is. A blank text has no label and no probabilities."""

    label: str  # as predict() has it: where there may be several, all that are likelier than not
    probabilities: dict[str, float]  # of every class, likeliest first
    pieces: list[str]  # of the text
    weights: list[float] | None  # [pieces], how much each counted; None for a head that does not say


class TagPrediction(NamedTuple):
    """What each word of one text is."""

    words: list[str]
    tags: list[str]
    probabilities: list[float]  # of each tag


class ClassifierPredictor(Predictor, kind="classifier"):
    """labeler.predict(["a film to forget"]) -> ["negative"]"""

    task: Labeling

    def execution_paths(self) -> list[ExecutionPath]:
        return self.model.paths()

    def answer(self, encoded: Sequence[np.ndarray]) -> list[str]:
        """The likeliest name, or tags; of several labels those that are likelier than not."""
        return [self.task.said(logits) for logits, _ in self.logits(encoded)]

    @property
    def names(self) -> Sequence[str]:
        """The classes, or the tags."""
        return self.task.target.names

    def need(self, *shapes: str) -> None:
        """Raises RunError where targets have another shape: a run of tags has no label for a whole text."""
        if self.task.target.space.modality not in shapes:
            shape = self.task.target.space.modality
            right = f"it has {'tag()' if shape == 'tags' else 'classify()'}; predict() is for all"
            raise RunError(self.recipe.name, f"is a run of {self.recipe.task.kind}, which answers with {shape}", right)

    def classify(self, texts: Sequence[Source]) -> list[LabelPrediction]:
        """The label of each text, and the probability of every class. Raises RunError for a run that tags."""
        several(texts, "texts")
        self.need("label", "labels")
        many = self.task.target.space.modality == "labels"
        answers = [LabelPrediction("", {}, [], None)] * len(texts)
        for row, source, logits, weights in self.decided(texts):
            chances = sigmoid(logits) if many else softmax(logits)
            likeliest = np.argsort(-chances, kind="stable")
            named = {self.names[i]: float(chances[i]) for i in likeliest}
            pieces = self.pieces(texts[row], self.task.source.length(source))
            shares = None if weights is None or not pieces else weights[: len(pieces)].tolist()
            answers[row] = LabelPrediction(self.task.said(logits), named, pieces, shares)
        return answers

    def tag(self, texts: Sequence[Source]) -> list[TagPrediction]:
        """The tag of every word of each text. Raises RunError for a run that labels whole texts."""
        several(texts, "texts")
        self.need("tags")
        answers = [TagPrediction([], [], [])] * len(texts)
        for row, source, logits, _ in self.decided(texts):
            words = self.pieces(texts[row], self.task.source.length(source))
            chances = softmax(logits[: len(words)])
            tags = [self.names[i] for i in chances.argmax(-1)]
            answers[row] = TagPrediction(words, tags, chances.max(-1).tolist())
        return answers

    def likelihood(self, rows: Sequence[Row]) -> Likelihood:
        """What the model makes of the label, or tags, of each row. Raises DataError where tags do not fit the words."""
        sources = self.task.source.encode_all([row.source for row in several(rows, "rows")])
        targets = self.task.target.encode_all([row.references[0] for row in rows])
        self.task.check("these rows", EncodedCorpus(Ids.of(sources, self.task.source.unit), Ids.of(targets)))
        return super().likelihood(rows)

    def details(self, rows: Sequence[Row], answers: Sequence[str]) -> dict[str, Any]:
        """Precision, recall and F1 of each class, what is taken for what, and calibration; see label_report.

        unseen  {rows, names: {name: rows}}, where some have names that training does not have: no answer is right
        """
        several(rows, "rows")
        several(answers, "answers")
        shape = self.task.target.space.modality
        right = [row.references[0] for row in rows]
        count, names = self.unseen(rows)
        more: dict[str, Any] = {"unseen": {"rows": count, "names": names}} if count else {}
        if shape == "labels":
            split = self.task.target.split
            return several_report(list(map(split, right)), list(map(split, answers)), self.names) | more
        if shape == "tags":
            pairs = [(a.split(), b.split()) for a, b in zip(right, answers, strict=True)]
            both = [pair for a, b in pairs for pair in zip(a, b, strict=False)]
            return label_report([a for a, _ in both], [b for _, b in both], self.names) | more
        known = [i for i, answer in enumerate(answers) if answer and right[i].strip()]  # a blank text has no answer
        found = self.classify([rows[i].source for i in known])
        chances = np.array([[each.probabilities[name] for name in self.names] for each in found])
        right = [self.task.target.split(right[i])[0] for i in known]
        return label_report(right, [answers[i] for i in known], self.names, chances) | more

    def unseen(self, rows: Sequence[Row]) -> tuple[int, dict[str, int]]:
        """How many of these rows have a label or tag that training does not have, and in how many each is."""
        answers = [row.references[0] for row in several(rows, "rows")]
        found = [set(names) for names in self.task.target.unseen(answers) if names]
        return len(found), dict(Counter(sorted(name for names in found for name in names)).most_common())

    def decided(self, texts: Sequence[Source]) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray | None]]:
        """(number of the text, its ids, logits, weights) of those that are not blank."""
        rows, encoded = self.encoded(texts)
        for row, source, (logits, weights) in zip(rows, encoded, self.logits(encoded), strict=True):
            yield row, source, logits, weights

    def logits(self, encoded: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Of each encoded source what the head says, [C] or [S, C], and where it looked, [S]."""
        with self.precision.autocast():
            logits, weights = decide_all(
                self.model, self.task.source, encoded, device=self.precision.device, batch_size=self.batch_size
            )
        return [(each, None if weights is None else weights[i]) for i, each in enumerate(logits)]

    def pieces(self, text: Source, positions: int) -> list[str]:
        """A name for each position that is a piece of the text: what was typed there, without the joiners of marks."""
        count = positions - self.task.source.ends
        found = self.task.source.typed(text)
        assert len(found) in (0, count)  # pictures and numbers have no names
        return [piece.replace(JOINER, "") or piece for piece in found]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities [..., C], in double precision: they add up to one."""
    odds = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    shares: np.ndarray = odds / odds.sum(-1, keepdims=True)
    return shares


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Probabilities [C], each on its own."""
    return 0.5 + 0.5 * np.tanh(logits.astype(np.float64) / 2)  # never overflows
