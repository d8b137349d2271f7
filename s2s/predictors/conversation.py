"""A conversation with a run: its turns, and how the next reply is found.

talk = Conversation(load("runs/chat", kind=Seq2SeqPredictor))
talk.reply("Do you like films?").text
"""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from s2s.data.readers.dialogues import Dialogues
from s2s.decoding.options import with_nbest
from s2s.decoding.search import Search
from s2s.errors import DataError, several
from s2s.files import atomic_write, explained_errno
from s2s.predictors.reranking import distinct_texts, rerank
from s2s.predictors.seq2seq import Alignment, Prediction, Seq2SeqPredictor
from s2s.registry import ComponentConfig

CANDIDATES = 16  # answers to choose from, where that is asked for
MORE = 3  # times as many samples as are asked for: some are equal


class Conversation:
    """turns are those of both sides; a run sees the last ones, joined as in its training data.

    search       how to look for replies; the recipe's `decoding` if not given
    choose       search: the best by the search; mmi or mbr: the best of CANDIDATES, see predictors/reranking.py
    random_seed  makes sampled replies repeatable; None draws others each time
    """

    def __init__(
        self,
        writer: Seq2SeqPredictor,
        search: ComponentConfig[Search] | None = None,
        choose: str = "search",
        random_seed: int | None = None,
    ) -> None:
        self.writer, self.search, self.choose = writer, search or writer.recipe.decoding, choose
        self.random_seed = random_seed
        self.reader = writer.recipe.data()
        self.turns: list[str] = []
        self.last: Prediction | None = None  # the last turn, where it is an answer that was just given
        self.repeats = 0  # how often another answer to the same turn was asked for

    def reply(self, text: str, tell: Callable[[str], None] | None = None) -> Prediction:
        """The answer to a turn; both are remembered. tell(text) hears it grow, where it is written in one go."""
        self.repeats = 0
        return self._remember([*self.turns, text], tell)

    def again(self, tell: Callable[[str], None] | None = None) -> Prediction | None:
        """Another answer to the last turn, instead of the one that was given."""
        if len(self.turns) < 2:
            return None
        self.repeats += 1
        return self._remember(self.turns[:-1], tell)

    def undo(self) -> str | None:
        """Forget the last turn and its answer; gives the turn."""
        if len(self.turns) < 2:
            return None
        *kept, said, _ = self.turns
        self.start(kept)
        return said

    def start(self, turns: Sequence[str] = ()) -> None:
        """Begin a new conversation, or go on with another one."""
        self.turns, self.last, self.repeats = list(several(turns, "turns")), None, 0

    def alternatives(self, count: int) -> list[Prediction]:
        """What else could have been answered to the last turn, best first, each text once."""
        if len(self.turns) < 2:
            return []
        return self._several(self.turns[:-1], count)[:count]

    def alignment(self) -> Alignment | None:
        """Where the last answer looked in what was said."""
        if self.last is None:
            return None
        return self.writer.align(self.reader.source_of(self.turns[:-1]), self.last.ids)

    def save(self, path: Path) -> None:
        """Add the conversation to a file of JSON lines, or .gz of them, which the reader `dialogues` takes."""
        line = (json.dumps({"turns": self.turns}, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        with explained_errno(path):
            before = path.read_bytes() if path.exists() else b""
        if before[:2] == b"\x1f\x8b" or (not before and path.suffix == ".gz"):
            line = gzip.compress(line, mtime=0)  # gzip after gzip is one file
        elif before and not before.endswith(b"\n"):
            before += b"\n"
        atomic_write(path, before + line)

    def load(self, path: Path) -> None:
        """Go on with the last conversation of a file. Raises DataError."""
        *_, turns = [[], *Dialogues(path=path, validation=None, hold_out=0).conversations("train")]
        if not turns:
            raise DataError(str(path), "has no conversation in it", "save one there: :save FILE")
        self.start(turns)

    # -- how an answer is found --

    def _remember(self, turns: list[str], tell: Callable[[str], None] | None) -> Prediction:
        """Answer the last of these turns; what could not be answered was not said."""
        found = self._answer(turns, tell)
        self.turns, self.last = [*turns, found.text], found
        return found

    def _answer(self, turns: list[str], tell: Callable[[str], None] | None) -> Prediction:
        if self.choose != "search":
            return self._several(turns, CANDIDATES)[0]
        source, search = self.reader.source_of(turns), self._seeded(self.search, turns)
        single = search.kind == "greedy" or (search.kind == "sample" and search.kwargs.get("count", 1) == 1)
        if single:
            return self.writer.write_aloud(source, search, tell or (lambda text: None))
        return self.writer.search([source], search)[0][0]

    def _several(self, turns: list[str], count: int) -> list[Prediction]:
        """About so many answers, each text once, by the choice that is made."""
        wanted = max(count, CANDIDATES) if self.choose != "search" else count
        search = with_nbest(self.search, wanted * MORE if self.search.kind == "sample" else wanted)
        source = self.reader.source_of(turns)
        found = self.writer.search([source], self._seeded(search, turns))[0]
        if self.choose != "search":
            return rerank(self.writer, source, found, self.choose)
        return distinct_texts(found)

    def _seeded(self, search: ComponentConfig[Search], turns: list[str]) -> ComponentConfig[Search]:
        """A sampling search with random numbers of its own for every turn, and every answer to it."""
        if search.kind != "sample":
            return search
        seed = None if self.random_seed is None else self.random_seed + len(turns) + 1_000_003 * self.repeats
        return replace(search, kwargs={**search.kwargs, "seed": seed})
