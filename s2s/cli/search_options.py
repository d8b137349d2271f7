"""Changes to a search as they are typed: `--search beam_size=10`, or `:set beam_size=10` in a conversation."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2s.decoding.search import Search
    from s2s.parts import Choice


def change_search(search: "Choice[Search]", changes: Sequence[str]) -> "Choice[Search]":
    """The search with KEY=VALUE changes, checked as a recipe's `decoding` is.

    After a new kind, what both kinds know is kept. Raises RecipeError.
    """
    from s2s.config import choose
    from s2s.decoding.options import of_its_kind
    from s2s.decoding.search import Search
    from s2s.parts import tree
    from s2s.recipe import set_key

    root: dict[str, Any] = {"decoding": tree(search, full=False)}
    for change in changes:
        set_key(root, f"decoding.{change}")
        if change.startswith("kind="):
            root["decoding"] = of_its_kind(root["decoding"])
    return choose(Search, root["decoding"], "decoding")
