"""The REPLs of s2s classify and s2s tag: a text in, what it is out."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console

from s2s.cli.repl.loop import ON_OFF, Loop, Tell
from s2s.cli.show import class_lines, shaded_words, tagged_words
from s2s.registry import tree

if TYPE_CHECKING:
    from s2s.predictors.classifier import ClassifierPredictor, LabelPrediction


class ClassifyLoop(Loop):
    """ClassifyLoop(labeler, read, console).run(): the probability of each class, and which words counted."""

    def __init__(self, labeler: "ClassifierPredictor", read: Callable[[], str], console: Console) -> None:
        super().__init__(labeler, read, console)
        self.labeler = labeler
        self.attention = False
        self.last: LabelPrediction | None = None
        self.commands = {"help": self.help, "attention": self.toggle_attention, "quit": self.quit}

    def answer(self, text: str) -> None:
        [self.last] = self.labeler.classify([text])
        self.show(class_lines(self.last.probabilities, self.last.label))
        if self.attention:
            self.show_attention(self.last)

    def described(self) -> str:
        names = self.labeler.names
        return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")

    def preview(self, text: str, tell: Tell) -> None:
        [found] = self.labeler.classify([text])
        likeliest = next(iter(found.probabilities.items()), None)
        if likeliest:
            tell(f"{likeliest[0]} {likeliest[1]:.0%}")

    def toggle_attention(self, argument: str) -> None:
        """:attention  show, or no longer show, how much each word counted"""
        self.attention = not self.attention
        self.say(f"attention is {ON_OFF[self.attention]}", "dim")
        if self.attention and self.last is not None:
            self.show_attention(self.last)

    def show_attention(self, found: "LabelPrediction") -> None:
        if found.weights is None:
            self.say("this model has no attention to show: one with pooling: attention has", "yellow")
        else:
            self.show([shaded_words(found.pieces, found.weights)])


class TagLoop(Loop):
    """TagLoop(labeler, read, console).run(): each word with its tag."""

    def __init__(self, labeler: "ClassifierPredictor", read: Callable[[], str], console: Console) -> None:
        super().__init__(labeler, read, console)
        self.labeler = labeler

    def answer(self, text: str) -> None:
        [found] = self.labeler.tag([text])
        self.show([tagged_words(found.words, found.tags)])

    def described(self) -> str:
        return str(tree(self.labeler.recipe.task).get("kind", ""))

    def preview(self, text: str, tell: Tell) -> None:
        [found] = self.labeler.tag([text])
        tell(" ".join(f"{word}/{name}" for word, name in zip(found.words, found.tags, strict=True)))
