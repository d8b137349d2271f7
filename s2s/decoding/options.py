"""Another search out of one that was checked: options changed, in a recipe's own words, or more answers asked for.

change_search(search, ["beam_size=10", "length_penalty=0.8"])
with_nbest(search, 5)
"""

from collections.abc import Sequence
from typing import Any

import yaml

from s2s.config import choose
from s2s.decoding.search import Search
from s2s.errors import RecipeError
from s2s.parts import Choice, options_of, tree


def change_search(search: Choice[Search], changes: Sequence[str]) -> Choice[Search]:
    """The search with KEY=VALUE changes, checked as a recipe's `decoding` is.

    After a new kind, what both kinds know is kept. Raises RecipeError.
    """
    node = tree(search, full=False)
    for change in changes:
        key, value = parsed(change)
        node[key] = value
        if key == "kind" and value in Search.kinds:
            known = options_of(Search.kinds[value])
            node = {name: option for name, option in node.items() if name in known or name == "kind"}
    return choose(Search, node, "decoding")


def parsed(change: str) -> tuple[str, Any]:
    """`beam_size=10` as a name and a value. Raises RecipeError."""
    key, sign, value = change.partition("=")
    if not sign or not key:
        raise RecipeError("on the command line", f"{change!r} is not KEY=VALUE", "for example: beam_size=10")
    try:
        return key, yaml.safe_load(value) if value else ""
    except yaml.YAMLError:  # a text that YAML would misread
        return key, value


def with_nbest(search: Choice[Search], number: int) -> Choice[Search]:
    """The search with so many answers: a beam as wide, or as many samples; greedy search becomes beam search."""
    options = options_of(search.maker)
    if "count" in options:
        return change_search(search, [f"count={number}"])
    if "nbest" not in options:
        return search if number == 1 else with_nbest(change_search(search, ["kind=beam"]), number)
    changes = [f"nbest={number}"]
    if "beam_size" in options and search.options.get("beam_size", options["beam_size"].default) < number:
        changes.append(f"beam_size={number}")
    return change_search(search, changes)
