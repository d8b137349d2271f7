"""s2s list: every part a recipe may name, with its options and its paper, read from the code itself."""

from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer

from s2s.cli.console import output
from s2s.errors import RecipeError, suggest


class Listed(NamedTuple):
    """Where a family lives, and what it is for."""

    module: str
    name: str
    purpose: str


FAMILIES = {
    "tasks": Listed("s2s.tasks.task", "Task", "what is learned: two fields and their metrics"),
    "values": Listed("s2s.data.values", "ValueType", "what stands in a row; a reader names it, not a recipe"),
    "readers": Listed("s2s.data.readers.base", "Reader", "where examples come from; the section `data`"),
    "fields": Listed("s2s.data.fields.base", "Field", "one side of an example"),
    "tokenizers": Listed("s2s.data.tokenizers.base", "Tokenizer", "text to numbers and back"),
    "encoders": Listed("s2s.nn.encoders.base", "Encoder", "what reads the source"),
    "heads": Listed("s2s.nn.heads.base", "Head", "what writes the target"),
    "cells": Listed("s2s.nn.cells", "Cell", "one layer of recurrence, in one direction"),
    "attentions": Listed("s2s.nn.attention", "Attention", "where a decoder looks"),
    "poolings": Listed("s2s.nn.pooling", "Pooling", "from many vectors to one"),
    "bridges": Listed("s2s.nn.bridge", "Bridge", "how a decoder starts"),
    "initializers": Listed("s2s.nn.initialization", "Initializer", "the weights before training"),
    "optimizers": Listed("s2s.training.optimizers", "Optimizer", "how weights follow gradients"),
    "schedules": Listed("s2s.training.schedules", "Schedule", "the learning rate over time"),
    "averagings": Listed("s2s.training.averaging", "Averaging", "averages of weights, for validation and keeping"),
    "searches": Listed("s2s.decoding.search", "Search", "how an answer is found; the section `decoding`"),
    "filters": Listed("s2s.decoding.filters", "Filter", "what a search may not write"),
    "predictors": Listed("s2s.predictors.base", "Predictor", "what answers for a run; a task names it, not a recipe"),
    "metrics": Listed("s2s.metrics.base", "Metric", "scores of what was written"),
}
SECTIONS = {"training": Listed("s2s.training.config", "TrainingConfig", "options of the training loop")}


def complete_family(incomplete: str) -> list[str]:
    """For the shell: names that begin so."""
    return [name for name in [*FAMILIES, *SECTIONS] if name.startswith(incomplete)]


def list_parts(
    family: Annotated[
        str | None, typer.Argument(help="Such as cells or attentions.", autocompletion=complete_family)
    ] = None,
    kind: Annotated[str | None, typer.Argument(help="One of the family, to read all about it.")] = None,
) -> None:
    """Show the components that a recipe may name. Of a family: each with its options, their defaults, and its paper.

    s2s list
    s2s list attentions
    s2s list searches beam
    """
    from s2s.cli.describe import described_component

    import_module("s2s.builtin")  # being imported is what registers the components
    import_module("s2s.predictors.load")  # and predictors stand above those
    import_module("s2s.plugins").load_all()
    if family is None:
        show_families()
        return
    found = members(family)
    if kind is not None and kind not in found:
        raise RecipeError("s2s list", f"{family} has no kind {kind!r}", suggest(kind, found))
    for name, maker in found.items():
        if kind in (None, name):
            for line in described_component(name, maker, whole=len(found) == 1 or kind is not None):
                output().print(line)


def show_families() -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    for name, listed in FAMILIES.items():
        table.add_row(Text(name, "bold"), ", ".join(kinds_listed(listed)), Text(listed.purpose, "dim"))
    for name, listed in SECTIONS.items():
        table.add_row(Text(name, "bold"), "", Text(listed.purpose, "dim"))
    output().print(table, soft_wrap=False)
    output().print("the options of each: s2s list FAMILY", style="dim")


def members(family: str) -> dict[str, Callable[..., Any]]:
    """What makes each kind of a family; singular and plural are one name. Raises RecipeError for an unknown one."""
    word = family.lower()
    for name in (word, f"{word}s", f"{word}es"):  # search, searches
        if name in FAMILIES:
            return kinds_listed(FAMILIES[name])
        if name in SECTIONS:
            listed = SECTIONS[name]
            return {name: getattr(import_module(listed.module), listed.name)}
    raise RecipeError("s2s list", f"there is no family called {family!r}", suggest(word, [*FAMILIES, *SECTIONS]))


def kinds_listed(listed: Listed) -> dict[str, Callable[..., Any]]:
    registry: dict[str, Callable[..., Any]] = getattr(import_module(listed.module), listed.name).registry
    return registry
