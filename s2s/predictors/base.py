"""What every opened run can do: answer, and say how likely a given answer is.

    kind             class
    seq2seq          Seq2SeqPredictor         writes an answer, token by token: translation, captions, chat
    classifier       ClassifierPredictor      chooses: a label, several, or a tag a position
    language-model   LanguageModelPredictor   goes on with a text
    task             TaskPredictor            the task has an answer() of its own

A task names the kind that answers for it, and validation, evaluation, every verb and every program ask that one.
A user's own is a class of this family in a file that `uses` names.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch

from s2s.data.batches import make_batch
from s2s.data.readers.base import Row, Source
from s2s.data.values import as_text, is_blank
from s2s.devices import Precision
from s2s.errors import several
from s2s.execution import ExecutionPath
from s2s.inference.compile import InferenceModel, compile_for_inference
from s2s.nn.heads.base import HeadOutput
from s2s.nn.model import Model
from s2s.recipe import Recipe
from s2s.registry import Registrable
from s2s.tasks.losses import Likelihood
from s2s.tasks.task import Task
from s2s.tensors import Batch, Padded, move


class Predictor(Registrable):
    """predictor.predict(["Ein Hund läuft."]) -> ["A dog is running."]

    Sources are sorted by length, batched, and their answers given back in order; a blank text gets a blank answer.
    A member has answer(), which says what the model makes of encoded sources.

    recipe, task, model  what a run is made of; recipe.decoding says how to search
    precision            where to compute, and in how many bits
    writes               True where an answer is written token by token, by the prepared model
    """

    writes: ClassVar[bool] = False

    def __init__(self, recipe: Recipe, task: Task, model: Model, precision: Precision, batch_size: int = 64) -> None:
        self.recipe, self.task, self.precision, self.batch_size = recipe, task, precision, batch_size
        self.model = model.to(precision.device).eval()

    @cached_property
    def prepared(self) -> InferenceModel:
        """The model as decoding uses it: compiled for it, where it can be."""
        return compile_for_inference(self.model, self.precision.name)

    def execution_paths(self) -> list[ExecutionPath]:
        """Which way each part goes as this run answers."""
        return self.prepared.paths

    def paths(self) -> list[str]:
        """The same for people, in how many bits, and why not the fast way where it is not."""
        return [
            *map(str, self.execution_paths()),
            f"{self.precision.device}, {self.precision.name} ({self.precision.why})",
        ]

    def predict(self, sources: Sequence[Source], encoded: Sequence[np.ndarray] | None = None) -> list[Any]:
        """The best answer to each: a text, or what else the targets of its task are.

        encoded  the same as the source field encodes them, where that was done before
        """
        rows, encoded = self.encoded(sources, encoded)
        answers: list[Any] = [""] * len(sources)
        for row, text in zip(rows, self.answer(encoded), strict=True):
            answers[row] = text
        return answers

    def answer(self, encoded: Sequence[np.ndarray]) -> list[Any]:
        """The best answer to each encoded source."""
        raise NotImplementedError(f"{type(self).__name__} has no answer()")

    def sample(self) -> str:
        """A text from nothing that shows what the model has learned; only language models write one."""
        return ""

    def encoded(
        self, sources: Sequence[Source], encoded: Sequence[np.ndarray] | None = None
    ) -> tuple[list[int], list[np.ndarray]]:
        """Numbers of the sources that are no blank texts, and what the source field makes of each."""
        rows = real(several(sources, "sources"))
        if encoded is None:
            return rows, self.task.source.encode_all([sources[i] for i in rows])
        return rows, [encoded[i] for i in rows]

    def likelihood(self, rows: Sequence[Row]) -> Likelihood:
        """What the model makes of the (first) answer of each row."""
        sources = self.task.source.encode_all([row.source for row in several(rows, "rows")])
        targets = self.task.target.encode_all([row.references[0] for row in rows])
        nats, tokens = np.zeros(len(rows)), np.zeros(len(rows), dtype=np.int64)
        for numbers, batch, output in self.forced(sources, targets):
            counts = answers_of(batch)
            found = self.task.nats(output, batch).split(counts)
            nats[numbers] = [float(each.sum()) for each in found]
            tokens[numbers] = counts
        texts = [as_text(row.references[0]) for row in rows]
        sizes = np.array([[len(text), len(text.encode())] for text in texts]).reshape(-1, 2)
        return Likelihood(nats, tokens, *sizes.T)

    def details(self, rows: Sequence[Row], answers: Sequence[str]) -> dict[str, Any]:
        """What else there is to say of answers to these rows: plain values, for an evaluation."""
        return self.task.details(several(rows, "rows"), several(answers, "answers"))

    @torch.no_grad()  # inference mode would have autocast cast weights at every step of a decoder that loops
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


class TaskPredictor(Predictor, kind="task"):
    """A task that answers in its own way: its answer() says how, such as the best path of a CTC head."""

    def answer(self, encoded: Sequence[np.ndarray]) -> list[Any]:
        with self.precision.autocast():
            return self.task.answer(
                self.model,
                encoded,
                self.recipe.decoding,
                device=self.precision.device,
                batch_size=self.batch_size,
            )


def real(sources: Sequence[Source]) -> list[int]:
    """Numbers of the sources that are not blank texts."""
    return [i for i, source in enumerate(sources) if not is_blank(source)]


def answers_of(batch: Batch) -> list[int]:
    """How many answers each row of a batch owes."""
    padded = isinstance(batch.target, Padded)
    rows, width = batch.target.data.shape[:2] if padded else (len(batch.target), 1)
    return torch.bincount(batch.label_positions // max(1, width), minlength=rows).tolist()
