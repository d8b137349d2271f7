"""From a recipe to data that is ready to train on: read, learn vocabularies, encode, report.

    data = prepare_data(recipe)
    data.batches, data.validation, data.report

Everything lands in the cache folder under the hash of what it came from, so a second run on the same data
and tokenizer does nothing again, and no corpus has to fit in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s2s.data.batches import Batches
from s2s.data.cache import cached_folder
from s2s.data.changes import contents
from s2s.data.corpus import Corpus, encode_corpus
from s2s.data.fields.base import Field
from s2s.data.ingest import has_split, open_corpus
from s2s.data.readers.base import Reader
from s2s.data.report import Report, make_report
from s2s.data.source_files import digest
from s2s.data.streams import StreamBatches
from s2s.data.values import value_type
from s2s.errors import OptionError, RecipeError, RowError
from s2s.files import cache_folder
from s2s.recipe import Recipe
from s2s.registry import tree
from s2s.tasks.language_modeling import LanguageModeling
from s2s.tasks.task import Task

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class DataBundle:
    """What training needs of the data. `fingerprints` tell what each split held, and `contents` its rows."""

    task: Task
    batches: Batches | StreamBatches
    held_out: Corpus | None
    validation: Batches | StreamBatches | None
    report: Report
    fingerprints: dict[str, str]
    contents: dict[str, str]


def prepare_data(
    recipe: Recipe,
    say: Callable[[str], None] = lambda line: None,
    task: Task | None = None,
    corpora: dict[str, Corpus] | None = None,
) -> DataBundle:
    """Read and encode the training and validation splits of a recipe.

    say      is told what is being done, and what the data holds
    task     one whose fields are fitted already, as those of a run that is carried on; None learns them here
    corpora  what open_data() gave; None opens it

    Raises DataError with the place of what is wrong in the data.
    """
    options = recipe.training
    check_source(recipe, recipe.data(), task or recipe.build_task())
    corpora = open_data(recipe, task) if corpora is None else corpora
    train = corpora["train"]
    if task is None:
        say(f"data: {len(train):,} training rows; learning the vocabulary")
        task = fitted(recipe, train)
    source, target = task.source, task.target
    encoded = {split: encode_corpus(corpus, source, target) for split, corpus in corpora.items()}
    for split, ids in encoded.items():
        try:
            task.check(split, ids)
        except RowError as error:
            raise corpora[split].located(error, "target") from None
    keep = encoded["train"].short_enough(source, target)
    alike = task.parallel and value_type(recipe.data().source_type).is_text  # a picture has no length to compare
    report = make_report(corpora, encoded, source, target, parallel=alike)
    for line in report.lines():
        say(line)

    def batches(split: str, keep: np.ndarray | None = None) -> Batches | StreamBatches:
        size, unit = options.batch_size, options.batch_unit
        if isinstance(task, LanguageModeling):
            rows = size if unit == "sentences" else max(1, size // task.chunk)
            parts = (corpora[split], encoded[split], source, target)
            return StreamBatches(*parts, rows=rows, chunk=task.chunk, seed=recipe.seed, jitter=task.jitter)
        return Batches(
            corpora[split], encoded[split], source, target, size=size, unit=unit, seed=recipe.seed, keep=keep
        )

    return DataBundle(
        task=task,
        batches=batches("train", keep),
        held_out=corpora.get("validation"),
        validation=batches("validation") if "validation" in corpora else None,
        report=report,
        fingerprints={split: corpus.fingerprint for split, corpus in corpora.items()},
        contents=contents(corpora),
    )


def check_source(recipe: Recipe, reader: Reader, task: Task) -> None:
    """Are both sides that the data has values for their fields? Raises RecipeError before any of them is read."""
    for side, field, has in (
        ("source", task.source, reader.source_type),
        ("target", task.target, reader.target_type),
    ):
        if field.takes and has not in field.takes:
            able = [kind for kind, maker in Field.registry.items() if has in getattr(maker, "takes", ())]
            what = f"takes {' or '.join(field.takes)}, and the {side}s of data: {recipe.data.kind} are {has}"
            hint = f"use one of: {', '.join(able) or 'nothing'}; or other data"
            raise recipe.origin.located(RecipeError(f"task.{side}", what, hint))


def open_data(recipe: Recipe, task: Task | None = None) -> dict[str, Corpus]:
    """The splits that a training reads, as raw rows. Raises DataError."""
    with recipe.origin.mounting("data"):
        reader = recipe.data()
        reads = (task or recipe.build_task()).target
        return {split: open_corpus(reader, split, target=reads) for split in SPLITS if has_split(reader, split)}


def fitted(recipe: Recipe, train: Corpus) -> Task:
    """The task with vocabularies learned from these rows, or from the cache where they were learned before."""
    task = recipe.build_task()
    key = digest(train.fingerprint, recipe.task.kind, str(tree(recipe.task)))

    def learn(folder: Path) -> None:
        with recipe.origin.mounting("task"):
            task.fit(train)
        task.save(folder)

    with cached_folder(cache_folder() / "fields" / key, learn) as folder:
        task.load(folder)
    return task


def last_split(recipe: Recipe) -> str:
    """What a run is evaluated on: test, or validation where there is no test."""
    with recipe.origin.mounting("data"):
        reader = recipe.data()
        return "test" if has_split(reader, "test") or not has_split(reader, "validation") else "validation"


def open_split(recipe: Recipe, split: str) -> Corpus:
    """One split of a recipe's data, as raw rows."""
    with recipe.origin.mounting("data"):
        reader = recipe.data()
        if not has_split(reader, split) and split != "test":
            raise OptionError(split, f"there is no split {split!r}", "there may be: train, validation, test")
        return open_corpus(reader, split, target=recipe.build_task().target)
