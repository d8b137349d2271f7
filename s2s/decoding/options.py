"""A search with other options: what a command line, a conversation or a program changes about a chosen one.

changed(search, kind="beam", beam_size=8)      # a new choice, checked; what both kinds know is kept
with_nbest(search, 5)                          # five answers, in whatever way this search can give them
"""

from typing import Any

from s2s.config import choose
from s2s.decoding.search import Search
from s2s.parts import Choice, options_of, tree


def changed(search: Choice[Search], **options: Any) -> Choice[Search]:
    """The search with these options, checked as a recipe's `decoding` is. Raises RecipeError."""
    node = tree(search, full=False) | options
    return choose(Search, of_its_kind(node) if "kind" in options else node, "decoding")


def of_its_kind(node: dict[str, Any]) -> dict[str, Any]:
    """After a new kind: the options that it knows, too. A kind that is not there keeps all, for the error to show."""
    if node["kind"] not in Search.kinds:
        return node
    known = options_of(Search.kinds[node["kind"]])
    return {key: value for key, value in node.items() if key in known or key == "kind"}


def with_nbest(search: Choice[Search], number: int) -> Choice[Search]:
    """The search with so many answers: a beam as wide, or as many samples; greedy search becomes beam search."""
    options = options_of(search.maker)
    if "count" in options:
        return changed(search, count=number)
    if "nbest" not in options:
        return search if number == 1 else with_nbest(changed(search, kind="beam"), number)
    if "beam_size" in options and search.options.get("beam_size", options["beam_size"].default) < number:
        return changed(search, nbest=number, beam_size=number)
    return changed(search, nbest=number)
