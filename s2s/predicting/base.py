"""What every opened run can do: answer, and say how likely a given answer is.

Writer     writes an answer: translation, captions, chat       writer.py
Generator  goes on with a text: language models                generator.py
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch

from s2s.data.batches import make_batch
from s2s.data.readers import Row, Source
from s2s.nn.heads import HeadOutput
from s2s.nn.model import Model, Prepared
from s2s.nn.products import fp32, int8
from s2s.recipe import Recipe
from s2s.tasks.losses import Likelihood
from s2s.tasks.task import Task
from s2s.tensors import Batch, Padded, move
from s2s.training.precision import Precision


class Predictor:
    """predictor.predict(["Ein Hund läuft."]) -> ["A dog is running."]

    Sources are sorted by length, batched, and their answers given back in order; a blank text gets a blank answer.
    """

    writes: ClassVar[bool] = True  # piece by piece

    def __init__(self, recipe: Recipe, task: Task, model: Model, precision: Precision, batch_size: int = 64) -> None:
        self.recipe, self.task, self.precision, self.batch_size = recipe, task, precision, batch_size
        self.model = model.to(precision.device).eval()

    @cached_property
    def prepared(self) -> Prepared:
        """The model as decoding uses it: prepared for it, where it can be."""
        with self.precision.autocast():
            return self.model.prepare(int8 if self.precision.name == "int8" else fp32)

    def paths(self) -> list[str]:
        """Which way answers are written, in how many bits, and why not the fast one where it is not."""
        return [*self.prepared.paths, f"{self.precision.device}, {self.precision.name} ({self.precision.why})"]

    def predict(self, sources: Sequence[Source]) -> list[str]:
        """The best answer to each, as text."""
        rows = real(sources)
        encoded = self.task.source.encode_all([sources[i] for i in rows])
        with self.precision.autocast():
            found = self.task.answer(
                self.model,
                encoded,
                self.recipe.decoding,
                device=self.precision.device,
                batch_size=self.batch_size,
            )
        answers = [""] * len(sources)
        for row, text in zip(rows, found, strict=True):
            answers[row] = text
        return answers

    def likelihood(self, rows: Sequence[Row]) -> Likelihood:
        """What the model makes of the (first) answer of each row."""
        sources = self.task.source.encode_all([row.source for row in rows])
        targets = self.task.target.encode_all([row.references[0] for row in rows])
        nats, tokens = np.zeros(len(rows)), np.zeros(len(rows), dtype=np.int64)
        for numbers, batch, output in self.forced(sources, targets):
            counts = answers_of(batch)
            found = self.task.nats(output, batch).split(counts)
            nats[numbers] = [float(each.sum()) for each in found]
            tokens[numbers] = counts
        texts = [row.references[0] for row in rows]
        sizes = np.array([[len(text), len(text.encode())] for text in texts]).reshape(-1, 2)
        return Likelihood(nats, tokens, *sizes.T)

    def details(self, rows: Sequence[Row], answers: Sequence[str]) -> dict[str, Any]:
        """What else there is to say of answers to these rows: plain values, for an evaluation."""
        return self.task.details(rows, answers)

    @torch.inference_mode()
    def forced(
        self, sources: Sequence[np.ndarray], targets: Sequence[np.ndarray]
    ) -> Iterator[tuple[list[int], Batch, HeadOutput]]:
        """(numbers of the examples, their batch, what the model says where the targets are given), by length."""
        order = sorted(range(len(sources)), key=lambda i: (len(sources[i]), len(targets[i]), i))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            batch = make_batch(
                self.task.source, self.task.target, [sources[i] for i in rows], [targets[i] for i in rows]
            )
            batch = move(batch, self.precision.device)
            with self.precision.autocast():
                output = self.model(batch)
            yield rows, batch, output


def real(sources: Sequence[Source]) -> list[int]:
    """Numbers of the sources that are not blank texts."""
    return [i for i, source in enumerate(sources) if not isinstance(source, str) or source.strip()]


def answers_of(batch: Batch) -> list[int]:
    """How many answers each row of a batch owes."""
    padded = isinstance(batch.target, Padded)
    rows, width = batch.target.data.shape[:2] if padded else (len(batch.target), 1)  # type: ignore[union-attr]
    return torch.bincount(batch.positions // max(1, width), minlength=rows).tolist()
