"""Another search out of one that was checked: options changed, in a recipe's own words, or more answers asked for.

change_search(search, ["beam_size=10", "length_penalty=0.8"])
with_nbest(search, 5)
"""

from collections.abc import Sequence

from s2s.config import configure, parse_change
from s2s.decoding.search import Search
from s2s.errors import several
from s2s.registry import ComponentConfig, options_of, written_options


def change_search(search: ComponentConfig[Search], changes: Sequence[str]) -> ComponentConfig[Search]:
    """The search with KEY=VALUE changes, checked as a recipe's `decoding` is.

    After a new kind, what both kinds know is kept. Raises RecipeError with every mistake.
    """
    kind, options = search.kind, written_options(search)
    for change in several(changes, "changes"):
        key, value = parse_change(change)
        if key != "kind":
            options[key] = value
            continue
        kind = value
        if kind in Search.registry:
            known = options_of(Search.registry[kind])
            options = {name: option for name, option in options.items() if name in known}
    return configure(Search, {"kind": kind, **options}, "decoding")


def with_nbest(search: ComponentConfig[Search], number: int) -> ComponentConfig[Search]:
    """The search with so many answers: a beam as wide, or as many samples; greedy search becomes beam search."""
    options = options_of(search.factory)
    if "count" in options:
        return change_search(search, [f"count={number}"])
    if "nbest" not in options:
        return search if number == 1 else with_nbest(change_search(search, ["kind=beam"]), number)
    changes = [f"nbest={number}"]
    if "beam_size" in options and search.kwargs.get("beam_size", options["beam_size"].default) < number:
        changes.append(f"beam_size={number}")
    return change_search(search, changes)
