"""The REPL of s2s generate: a text in, how it goes on out; the likeliest words are shown while it is typed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from s2s.cli.repl.live import Live
from s2s.cli.repl.loop import ON_OFF, Loop, Tell, whole_number
from s2s.cli.show import visible_lines, visible_text
from s2s.cli.unknown import warn_unseen
from s2s.errors import RecipeError

if TYPE_CHECKING:
    from s2s.predictors.continuation import GenerationSession
    from s2s.predictors.language_model import LanguageModelPredictor

COMMAND_WORDS = 5  # that are suggested


class GenerateRepl(Loop):
    """GenerateRepl(generator, read, console, options).run()

    options      of LanguageModelPredictor.write: length, temperature, top_k, top_p, repetition_penalty, stop
    random_seed  None for another text at every answer
    """

    exact = True
    invitation = "write a text to go on with, Tab completes a word; :help lists the commands, :quit or Ctrl-D leaves"

    def __init__(
        self,
        generator: "LanguageModelPredictor",
        read: Callable[[], str],
        console: Console,
        options: dict[str, Any],
        random_seed: int | None = None,
        live: Live | None = None,
    ) -> None:
        super().__init__(generator, read, console, live)
        self.kwargs, self.random_seed = options, random_seed
        self.texts: GenerationSession | None = None  # what was written last
        self.commands = {
            "help": self.help,
            "more": self.more,
            "length": self.length,
            "temperature": self.temperature,
            "topk": self.top_k,
            "topp": self.top_p,
            "penalty": self.penalty,
            "seed": self.seed,
            "steps": self.steps,
            "live": self.toggle_live,
            "quit": self.quit,
        }

    def answer(self, text: str) -> None:
        """Go on with a text, on the screen as it is written."""
        warn_unseen(self.predictor, text)
        self.texts = self.predictor.begin(text, random_seed=self.random_seed)
        self.console.print(Text(visible_text(text), "bold"), end="", soft_wrap=True)
        self.write()

    def write(self) -> None:
        if self.texts is None:
            raise RecipeError(":more", "there is no text to go on with", "write one first")
        for _, part in self.predictor.write(self.texts, **self.kwargs):
            self.console.print(Text(visible_lines(part)), end="", soft_wrap=True)
        self.say("")

    def preview(self, text: str, tell: Tell) -> None:
        """For the bar below the line that is being typed."""
        found = self.predictor.suggest(text, COMMAND_WORDS)
        tell("   ".join(f"{visible_text(each.word)} {each.probability:.0%}" for each in found))

    def complete(self, text: str) -> list[tuple[str, int]]:
        """What Tab offers: a word, and how many characters of it are typed already."""
        return [(each.word, len(each.word) - len(each.ending)) for each in self.predictor.suggest(text, COMMAND_WORDS)]

    def described(self) -> str:
        """How texts are drawn, in a few words."""
        names = ("length", "temperature", "top_k", "top_p", "repetition_penalty")
        facts = [f"{name}={self.kwargs[name]}" for name in names if name in self.kwargs]
        return ", ".join(facts)

    # -- commands --

    def more(self, argument: str) -> None:
        """:more  go on with the last text"""
        self.write()

    def length(self, argument: str) -> None:
        """:length 300  characters to write"""
        self.use_option("length", max(1, whole_number(":length 300", argument)))

    def temperature(self, argument: str) -> None:
        """:temperature 0.8  lower is likelier, 0 takes the likeliest piece"""
        self.use_option("temperature", parsed_number(":temperature 0.8", argument, 0, 100))

    def top_k(self, argument: str) -> None:
        """:topk 40  draw from so many of the likeliest tokens; 0 from all"""
        self.use_option("top_k", whole_number(":topk 40", argument))

    def top_p(self, argument: str) -> None:
        """:topp 0.9  draw from the fewest tokens that have so much of the probability; 1 from all"""
        self.use_option("top_p", parsed_number(":topp 0.9", argument, 0, 1))

    def penalty(self, argument: str) -> None:
        """:penalty 1.2  make what was just written less likely; 1 is none"""
        self.use_option("repetition_penalty", parsed_number(":penalty 1.2", argument, 1, 100))

    def seed(self, argument: str) -> None:
        """:seed 7  the same text again for the same words; alone, another one each time"""
        self.random_seed = whole_number(":seed 7", argument) if argument else None

    def steps(self, argument: str) -> None:
        """:steps hello  what is expected after every token of a text"""
        for step in self.predictor.walk(argument):
            line = Text(f"{step.read:>6}  ", "bold")
            for name, odds in step.likeliest:
                line.append(f"{name} ", "bold" if name == step.next else "").append(f"{odds:.0%}   ", "dim")
            self.show([line])

    def toggle_live(self, argument: str) -> None:
        """:live  show, or no longer show, the likeliest words below the line"""
        if self.live is None:
            raise RecipeError(":live", "there is no line that is being typed", "start the program at a terminal")
        self.live.on = not self.live.on
        self.say(f"suggestions are {ON_OFF[self.live.on]}", "dim")

    def use_option(self, name: str, value: Any) -> None:
        self.kwargs[name] = value
        self.say(self.described(), "dim")


def parsed_number(example: str, argument: str, low: float, high: float) -> float:
    try:
        value = float(argument)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        what = f"needs a number from {low:g} to {high:g}, found {argument!r}"
        raise RecipeError(example.split()[0], what, f"such as {example}")
    return value
