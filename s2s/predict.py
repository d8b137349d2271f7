"""load("runs/x").predict([...]): what every command, and every program that ships a model, calls."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from s2s.config import Choice, suggest
from s2s.data.batches import make_batch
from s2s.decoding.batched import write_batches
from s2s.decoding.search import Hypothesis, Search
from s2s.errors import RunError
from s2s.nn.model import Model
from s2s.recipe import Recipe, parse_recipe, parse_yaml
from s2s.tasks.task import Task
from s2s.tensors import BOS, EOS, PAD, UNK, move
from s2s.training.precision import Precision, choose_precision, find_device
from s2s.training.runs import Run


class Prediction(NamedTuple):
    """One thing the model would write. Scores are natural logarithms."""

    text: str
    score: float  # what it was ranked by: the log-probability with the search's penalties
    log_probability: float
    ids: list[int]  # without BOS and EOS


class Alignment(NamedTuple):
    """Where the model looked: weights[t][s] for target piece t and source piece s; a row sums to one."""

    source: list[str]
    target: list[str]
    weights: list[list[float]]


class Predictor:
    """predictor.predict(["Ein Hund läuft."]) -> ["A dog is running."]

    Sentences are sorted by length, batched, and given back in order; a blank one stays blank.
    """

    def __init__(self, recipe: Recipe, task: Task, model: Model, precision: Precision, batch_size: int = 64) -> None:
        self.recipe, self.task, self.precision, self.batch_size = recipe, task, precision, batch_size
        self.model = model.to(precision.device).eval()

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The best text for each."""
        return [found[0].text if found else "" for found in self.search(texts)]

    def search(self, texts: Sequence[str], search: Choice[Search] | None = None) -> list[list[Prediction]]:
        """The n-best list for each, best first; an empty list for a blank text.

        search  how to look for them; the recipe's `decoding` if not given
        """
        answers: list[list[Prediction]] = [[] for _ in texts]
        for row, found in self.search_as_written(texts, search):
            answers[row] = found
        return answers

    def search_as_written(
        self, texts: Sequence[str], search: Choice[Search] | None = None
    ) -> Iterator[tuple[int, list[Prediction]]]:
        """(number of the text, its n-best list), in the order that batches are finished; blank ones are left out."""
        rows = [i for i, text in enumerate(texts) if text.strip()]
        sources = self.task.source.encode_all([texts[i] for i in rows])
        with self.precision.autocast():
            for numbers, found in write_batches(
                self.model,
                self.task.source,
                sources,
                search or self.recipe.decoding,
                device=self.precision.device,
                batch_size=self.batch_size,
            ):
                for number, hypotheses in zip(numbers, found, strict=True):
                    yield rows[number], [self._read(h) for h in hypotheses]

    def _read(self, hypothesis: Hypothesis) -> Prediction:
        text = self.task.target.decode(hypothesis.ids)
        return Prediction(text, hypothesis.score, hypothesis.log_probability, hypothesis.ids)

    @torch.inference_mode()
    def stream(self, text: str, max_length: int = 200) -> Iterator[str]:
        """The likeliest continuation, growing: every text it gives extends the one before."""
        ids: list[int] = []
        (source,) = self.task.source.encode_all([text])
        with self.precision.autocast():
            encoded = self.model.encode(move(self.task.source.collate([source]), self.precision.device))
            memory, state = self.model.head.start(encoded)
            last = torch.full((1,), BOS, device=self.precision.device)
            for _ in range(max_length):
                output = self.model.head.step(last, memory, state)
                output.logits[:, [PAD, BOS, UNK]] = float("-inf")  # as greedy search has it
                last, state = output.logits.argmax(-1), output.state
                if int(last) == EOS:
                    return
                ids.append(int(last))
                yield self.task.target.decode(ids)

    def score(self, sources: Sequence[str], targets: Sequence[str]) -> list[tuple[float, int]]:
        """(log-probability of the target given the source, its number of pieces with the end) for each pair."""
        a, b = self.task.source.encode_all(list(sources)), self.task.target.encode_all(list(targets))
        scores: list[tuple[float, int]] = [(0.0, 0)] * len(a)
        order = sorted(range(len(a)), key=lambda i: (len(a[i]), i))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            _, logp = self._force([a[i] for i in rows], [b[i] for i in rows])
            pieces = logp.split([len(b[i]) for i in rows])
            for row, piece in zip(rows, pieces, strict=True):
                scores[row] = (float(piece.sum()), len(piece))
        return scores

    def align(self, source: str, ids: Sequence[int]) -> Alignment | None:
        """Where each written piece, the end included, came from; None for a model without attention."""
        arrays = self.task.source.encode_all([source])
        target = np.array([*ids, EOS])
        weights, _ = self._force(arrays, [target])
        if weights is None:
            return None
        return Alignment(
            self.task.source.pieces(arrays[0].tolist()), self.task.target.pieces(target.tolist()), weights[0].tolist()
        )

    @torch.inference_mode()
    def _force(self, sources: list[np.ndarray], targets: list[np.ndarray]) -> tuple[Tensor | None, Tensor]:
        """Attention [B, T, S], and the log-probability [N] of every real target piece, row after row."""
        batch = move(make_batch(self.task.source, self.task.target, sources, targets), self.precision.device)
        with self.precision.autocast():
            output = self.model(batch)
        logp = output.logits.float().log_softmax(-1).gather(1, batch.gold[:, None]).squeeze(1)
        return output.weights, logp


def load(
    path: str | Path,
    *,
    device: str = "auto",
    trust: bool = False,
    weights: str = "best",
    changes: Sequence[str] = (),
) -> Predictor:
    """Open a run folder for prediction. Executes no code from it.

    device   auto, cpu, cuda, cuda:1
    trust    import the run's own parts (Python files in its folder `parts`), where its recipe uses any
    changes  to its recipe, such as ["decoding.beam_size=10"]
    weights  "best" by the recipe's measure, or "last"

    Raises RunError where the folder is no run, is damaged, or uses parts and `trust` is not given.
    """
    run = Run.open(path)
    recipe = open_recipe(run, trust, changes)
    task = recipe.task()
    task.load(run.fields)
    model = recipe.build_model(task.source.space, task.target.space)
    fill(model, run, weights)
    return Predictor(recipe, task, model, choose_precision("auto", find_device(device, "device")))


def fill(model: Model, run: Run, weights: str) -> None:
    """Put the run's weights into a model. Raises RunError where they are another model's."""
    try:
        model.load_state_dict(run.load_weights(weights))
    except RuntimeError as error:  # torch lists every name and shape
        first = str(error).split("\n")[1].strip() if "\n" in str(error) else str(error)
        raise RunError(
            str(run.path / f"{weights}.safetensors"),
            f"the weights do not fit the model of recipe.yaml: {first}",
            "recipe.yaml was changed, or the files are of two runs: copy the whole folder again",
        ) from None


def open_recipe(run: Run, trust: bool, changes: Sequence[str] = ()) -> Recipe:
    """The recipe of a run, whose own parts are imported only where they are trusted."""
    text = run.recipe_text()
    node, _ = parse_yaml(text, str(run.recipe))
    if node.get("uses") and not trust:
        raise RunError(
            str(run.path),
            "its recipe uses parts of its own, and importing them executes their code",
            f"read {run.path / 'parts'}; if you trust it, add --trust, or load(..., trust=True)",
        )
    return parse_recipe(text, str(run.path / "recipe.yaml"), changes, folder=run.path)


def find_run(name: str | Path) -> Path:
    """A run folder by its path, or by its name in `runs`."""
    for path in (Path(name).expanduser(), Path("runs") / name):
        if path.is_dir():
            return path
    here = sorted(p.name for p in Path("runs").glob("*/")) if Path("runs").is_dir() else []
    raise RunError(
        str(name), "there is no run folder here", suggest(str(name), here) if here else "train one: s2s train"
    )
