"""A conversation with a run: its turns, and how the next reply is found.

talk = Conversation(writer, writer.recipe.decoding)
talk.reply("Do you like films?").text
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from s2s.cli.translate import change_search
from s2s.data.dialogues import SEPARATOR, context_of
from s2s.decoding.search import Search
from s2s.errors import RunError
from s2s.parts import Choice
from s2s.predicting.choosing import best_first
from s2s.predicting.writer import Alignment, Prediction, Writer
from s2s.safefiles import atomic_write

CANDIDATES = 16  # answers to choose from, where that is asked for


class Conversation:
    """turns are those of both sides; a run sees the last ones, joined as in its training data.

    choose       search: the best by the search; mmi or mbr: the best of CANDIDATES, see predicting/choosing.py
    random_seed  makes sampled replies repeatable; None draws others each time
    """

    def __init__(
        self, writer: Writer, search: Choice[Search], choose: str = "search", random_seed: int | None = None
    ) -> None:
        self.writer, self.search, self.choose, self.random_seed = writer, search, choose, random_seed
        self.turns: list[str] = []
        self.last: Prediction | None = None
        reader = writer.recipe.data()
        self.most = reader.turns_seen
        self.separator = getattr(reader, "separator", SEPARATOR)

    def reply(self, text: str, tell: Callable[[str], None] | None = None) -> Prediction:
        """The answer to a turn; both are remembered. tell(text) hears it grow, where it is written in one go."""
        self.turns.append(text)
        try:
            self.last = self._answer(tell)
        except BaseException:
            self.turns.pop()  # what was not answered was not said
            raise
        self.turns.append(self.last.text)
        return self.last

    def again(self, tell: Callable[[str], None] | None = None) -> Prediction | None:
        """Another answer to the last turn."""
        said = self.undo()
        return None if said is None else self.reply(said, tell)

    def undo(self) -> str | None:
        """Forget the last turn and its answer; gives the turn."""
        if len(self.turns) < 2:
            return None
        self.turns.pop()
        return self.turns.pop()

    def alternatives(self, count: int) -> list[Prediction]:
        """What else could have been answered, best first."""
        if len(self.turns) < 2:
            return []
        return self._several(context_of(self.turns[:-1], self.most, self.separator), count)

    def alignment(self) -> Alignment | None:
        """Where the last answer looked in what was said."""
        if self.last is None or len(self.turns) < 2:
            return None
        return self.writer.align(context_of(self.turns[:-1], self.most, self.separator), self.last.ids)

    def save(self, path: Path) -> None:
        """Add the conversation to a file of JSON lines, which the reader `dialogues` takes."""
        try:
            before = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise RunError(str(path), f"cannot be read: {error.strerror}", "name another file") from None
        line = json.dumps({"turns": self.turns}, ensure_ascii=False)
        atomic_write(path, before + line.encode() + b"\n")

    # -- how an answer is found --

    def _answer(self, tell: Callable[[str], None] | None) -> Prediction:
        source = context_of(self.turns, self.most, self.separator)
        if self.choose != "search":
            return self._several(source, CANDIDATES)[0]
        search = self._seeded(self.search)
        single = search.kind == "greedy" or (search.kind == "sample" and search.options.get("count", 1) == 1)
        if single:
            return self.writer.write_aloud(source, search, tell or (lambda text: None))
        return self.writer.search([source], search)[0][0]

    def _several(self, source: str, count: int) -> list[Prediction]:
        """So many answers, by the choice that is made."""
        if self.search.kind == "sample":
            search = self._seeded(with_options(self.search, count=count))
        else:
            search = change_search(self.search, ["kind=beam", f"beam_size={count}", f"nbest={count}"])
        found = self.writer.search([source], search)[0]
        return best_first(self.writer, source, found, self.choose) if self.choose != "search" else found

    def _seeded(self, search: Choice[Search]) -> Choice[Search]:
        """A sampling search with random numbers of its own for every turn."""
        if search.kind != "sample":
            return search
        seed = None if self.random_seed is None else self.random_seed + len(self.turns)
        return with_options(search, seed=seed)


def with_options(search: Choice[Search], **options: Any) -> Choice[Search]:
    """The same search with some options set to what a recipe could have said."""
    return replace(search, options={**search.options, **options})
