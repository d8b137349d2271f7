"""The REPL of s2s chat: what you say, what it answers, and commands about the conversation."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from s2s.cli.describe import plain_value
from s2s.cli.repl.loop import Loop, whole_number
from s2s.cli.show import attention_map, hypothesis_lines, shaded_words, visible_text
from s2s.decoding.options import change_search
from s2s.errors import RecipeError
from s2s.predictors.conversation import Conversation
from s2s.registry import tree


class ChatLoop(Loop):
    """ChatLoop(conversation, read, console).run()"""

    invitation = "say something and press Enter; :help lists the commands, :quit or Ctrl-D leaves"

    def __init__(self, talk: Conversation, read: Callable[[], str], console: Console) -> None:
        super().__init__(talk.writer, read, console)
        self.talk = talk
        self.commands = {
            "help": self.help,
            "reset": self.reset,
            "undo": self.undo,
            "again": self.again,
            "nbest": self.nbest,
            "why": self.why,
            "temperature": self.temperature,
            "choose": self.choose,
            "set": self.set,
            "save": self.save,
            "load": self.load,
            "quit": self.quit,
        }

    def answer(self, text: str) -> None:
        self.aloud(lambda tell: self.talk.reply(text, tell))

    def described(self) -> str:
        """The search, and how much of the conversation it sees."""
        search = self.talk.search
        options = ", ".join(f"{k}={plain_value(v)}" for k, v in tree(search, full=False).items() if k != "kind")
        chosen = "" if self.talk.choose == "search" else f", chosen by {self.talk.choose}"
        seen = self.talk.reader.turns_seen
        turns = "the last turn" if seen == 1 else f"the last {seen} turns"
        return f"{search.kind}{f' ({options})' if options else ''}{chosen}, sees {turns}"

    # -- commands --

    def reset(self, argument: str) -> None:
        """:reset  begin a new conversation"""
        self.talk.start()
        self.say("a new conversation", "dim")

    def undo(self, argument: str) -> None:
        """:undo  forget what was said last, and its answer"""
        said = self.talk.undo()
        self.say("nothing was said yet" if said is None else f"forgotten: {said}", "dim")

    def again(self, argument: str) -> None:
        """:again  another answer to the same words"""
        if len(self.talk.turns) < 2:
            raise RecipeError(":again", "nothing was said yet", "say something first")
        self.aloud(self.talk.again)

    def nbest(self, argument: str) -> None:
        """:nbest 5  what else could have been answered"""
        count = whole_number(":nbest 5", argument or "5")
        if len(self.talk.turns) < 2:
            raise RecipeError(":nbest", "nothing was said yet", "say something first")
        self.show(hypothesis_lines(self.talk.alternatives(max(1, count)), True))

    def why(self, argument: str) -> None:
        """:why  where the last answer looked, and what else was near"""
        alignment = self.talk.alignment()
        if alignment is None:
            self.say("there is no new answer, or this model has no attention to show", "yellow")
            return
        # The end is of no turn, and an answer's own end looks wherever it likes.
        columns = list(zip(*alignment.weights[:-1] or alignment.weights, strict=True))
        looked = [sum(column) / len(column) for column in columns]
        self.show([shaded_words(alignment.source, looked), Text("")])
        self.show(attention_map(alignment, self.console.width))
        self.nbest("3")

    def temperature(self, argument: str) -> None:
        """:temperature 0.7  draw answers: low is safe, high is lively; 0 always takes the likeliest"""
        self.use("kind=sample", f"temperature={argument or '1.0'}")

    def choose(self, argument: str) -> None:
        """:choose mbr  of several answers: mmi the most telling, mbr the one most agree with, search the first"""
        if argument not in ("search", "mmi", "mbr"):
            raise RecipeError(":choose", f"there is no choice {argument!r}", "there are: search, mmi, mbr")
        self.talk.choose = argument
        self.say(self.described(), "dim")

    def set(self, argument: str) -> None:
        """:set top_p=0.9  change any option of the search; alone, show them all"""
        if argument:
            self.use(argument)
        else:
            for key, value in tree(self.talk.search).items():
                self.say(f"{key}={plain_value(value)}")

    def use(self, *changes: str) -> None:
        self.talk.search = change_search(self.talk.search, list(changes))
        self.say(self.described(), "dim")

    def save(self, argument: str) -> None:
        """:save talk.jsonl  add the conversation to a file, as data to train on"""
        path = file_named(":save talk.jsonl", argument)
        if not self.talk.turns:
            raise RecipeError(":save", "nothing was said yet", "say something first")
        self.talk.save(path)
        self.say(f"saved to {path}", "dim")

    def load(self, argument: str) -> None:
        """:load talk.jsonl  go on with the last conversation of a file"""
        self.talk.load(file_named(":load talk.jsonl", argument))
        for turn in self.talk.turns[-self.talk.reader.turns_seen :]:
            self.say(visible_text(" ".join(turn.split())), "dim")


def file_named(example: str, argument: str) -> Path:
    if not argument:
        raise RecipeError(example.split()[0], "needs a file", f"such as: {example}")
    return Path(argument).expanduser()
