"""The REPL of s2s translate: a text in, its translation out; commands begin with a colon.

    Repl(predictor, read, console).run()        # read() gives a line, or raises EOFError at the end

What it shares with other REPLs is in loop.py; the line editor is in terminal.py.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console

from s2s.cli.describe import plain_value
from s2s.cli.repl.live import Live
from s2s.cli.repl.loop import ON_OFF, Loop, Tell, whole_number
from s2s.cli.show import attention_map, hypothesis_lines, score_line
from s2s.decoding.options import change_search, with_nbest
from s2s.errors import RecipeError
from s2s.registry import tree

if TYPE_CHECKING:
    from s2s.decoding.search import Search
    from s2s.predictors.seq2seq import Prediction, Seq2SeqPredictor
    from s2s.registry import ComponentConfig


class Repl(Loop):
    """Repl(predictor, read, console).run()

    search   how to look for answers; the recipe's `decoding` if not given
    """

    def __init__(
        self,
        predictor: "Seq2SeqPredictor",
        read: Callable[[], str],
        console: Console,
        search: "ComponentConfig[Search] | None" = None,
        live: Live | None = None,
    ) -> None:
        super().__init__(predictor, read, console, live)
        self.first = self.search = search or predictor.recipe.decoding
        self.scores = self.attention = False
        self.last: str | None = None  # the last text, and what was found for it
        self.found: list[Prediction] = []
        self.commands = {
            "help": self.help,
            "beam": self.beam,
            "nbest": self.nbest,
            "greedy": self.greedy,
            "set": self.set,
            "reset": self.reset,
            "attention": self.toggle_attention,
            "score": self.score,
            "live": self.toggle_live,
            "quit": self.quit,
        }

    def answer(self, text: str) -> None:
        """Translate, and show what was asked for."""
        self.last, self.found = text, []
        if self.search.kind == "greedy":
            self.aloud(self.write)
            if self.scores:
                self.say(score_line(self.found[0]), "dim")
        else:
            self.show(hypothesis_lines(self.look(), self.scores))
        if self.attention:
            self.show_attention()

    def write(self, tell: Tell) -> "Prediction":
        """Greedy search shows its answer while it writes it."""
        assert self.last is not None
        self.found = [self.predictor.write_aloud(self.last, self.search, tell)]
        return self.found[0]

    def look(self) -> "list[Prediction]":
        """The n-best list for the last text, searched for once."""
        if self.last is not None and not self.found:
            self.found = self.predictor.search([self.last], self.search)[0]
        return self.found

    def show_attention(self) -> None:
        if self.last is None or not self.look():
            return
        alignment = self.predictor.align(self.last, self.found[0].ids)
        if alignment is None:
            self.say("this model has no attention to show", "yellow")
        else:
            self.show(attention_map(alignment, self.console.width))

    def described(self) -> str:
        """The search in a few words."""
        options = ", ".join(
            f"{key}={plain_value(value)}" for key, value in tree(self.search, full=False).items() if key != "kind"
        )
        return f"{self.search.kind} search" + (f" ({options})" if options else "")

    def preview(self, text: str, tell: Tell) -> None:
        self.predictor.write_aloud(text, None, tell)

    # -- commands --

    def beam(self, argument: str) -> None:
        """:beam 8  beam search with so many hypotheses side by side"""
        beams = whole_number(":beam 8", argument)
        changed = change_search(self.search, ["kind=beam", f"beam_size={beams}"])
        self.use(with_nbest(changed, beams) if changed.kwargs.get("nbest", 1) > beams else changed)

    def nbest(self, argument: str) -> None:
        """:nbest 5  show the five best, with their scores"""
        self.use(with_nbest(self.search, whole_number(":nbest 5", argument)))

    def greedy(self, argument: str) -> None:
        """:greedy  take the likeliest token at every step; the answer appears as it is written"""
        self.use(change_search(self.search, ["kind=greedy"]))

    def set(self, argument: str) -> None:
        """:set length_penalty=0.8  change any option of the search; alone, show them all"""
        if argument:
            self.use(change_search(self.search, [argument]))
        else:
            for key, value in tree(self.search).items():
                self.say(f"{key}={plain_value(value)}")

    def reset(self, argument: str) -> None:
        """:reset  search as at the start"""
        self.use(self.first)

    def use(self, search: "ComponentConfig[Search]") -> None:
        self.search, self.found = search, []
        self.say(self.described(), "dim")

    def toggle_attention(self, argument: str) -> None:
        """:attention  show, or no longer show, where each token of an answer came from"""
        self.attention = not self.attention
        self.say(f"attention is {ON_OFF[self.attention]}", "dim")
        if self.attention:
            self.show_attention()

    def score(self, argument: str) -> None:
        """:score  show, or no longer show, scores; `:score a ||| b` says how likely b is as an answer to a"""
        if not argument:
            self.scores = not self.scores
            self.say(f"scores are {ON_OFF[self.scores]}", "dim")
            for best in self.look()[:1] if self.scores else ():
                self.say(score_line(best), "dim")
            return
        source, bars, target = (part.strip() for part in argument.partition("|||"))
        if not (source and bars and target):
            raise RecipeError(":score", "needs two texts", "such as: :score Guten Tag! ||| Good day!")
        [(total, pieces)] = self.predictor.score([source], [target])
        each = total / max(pieces, 1)
        self.say(f"log-probability {total:.3f}, {each:.3f} a token, perplexity {math.exp(min(-each, 700)):.2f}")

    def toggle_live(self, argument: str) -> None:
        """:live  translate, or no longer translate, what is being typed, in the line below it"""
        if self.live is None:
            raise RecipeError(":live", "there is no line that is being typed", "start the program at a terminal")
        self.live.on = not self.live.on
        self.say(f"live translation is {ON_OFF[self.live.on]}", "dim")
