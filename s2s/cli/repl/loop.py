"""What every REPL does: a line in, an answer out; commands begin with a colon, and no mistake ends it.

    class Classify(Loop): ...            # an answer to a text, and commands
    Classify(predictor, read, console).run()

Nothing here knows a terminal, so tests drive `handle`; the line editor is in terminal.py.
"""

import inspect
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from s2s.cli.lines import tidy
from s2s.cli.repl.live import Live
from s2s.cli.show import visible_text
from s2s.errors import RecipeError, S2SError, suggest
from s2s.registry import tree

if TYPE_CHECKING:
    from s2s.predictors.seq2seq import Prediction

COMMAND = re.compile(r":([A-Za-z]+)(?:\s+(.*))?$")  # so `:-)` is a text
ON_OFF = {True: "on", False: "off"}
Tell = Callable[[str], None]  # is given a text that grows


class Loop:
    """Loop(predictor, read, console).run()

    read     gives the next line; raises EOFError when there are no more, KeyboardInterrupt to drop one
    console  where answers go
    live     answers what is being typed, where the line editor can show it

    A member has answer(text), described(), preview(text, tell), and commands: methods in `commands`, whose docstring is
    the help: an example, two blanks, and what it does.
    """

    exact = False  # True where blanks at the ends of a text mean something
    invitation = "write a text and press Enter; :help lists the commands, :quit or Ctrl-D leaves"

    def __init__(self, predictor: Any, read: Callable[[], str], console: Console, live: Live | None = None) -> None:
        self.predictor, self.read, self.console, self.live = predictor, read, console, live
        self.open = True
        self.commands: dict[str, Callable[[str], None]] = {"help": self.help, "quit": self.quit}

    def answer(self, text: str) -> None:
        """Answer a text, which is not blank."""
        raise NotImplementedError

    def described(self) -> str:
        """How it answers, in a few words."""
        return ""

    def preview(self, text: str, tell: Tell) -> None:
        """Tell the answer to a text that is being typed, as it grows; nothing where that makes no sense."""

    def complete(self, text: str) -> list[tuple[str, int]]:
        """What Tab offers after a text: words, and how many of their characters are there already."""
        return []

    def run(self) -> None:
        """Read and answer until the reader leaves."""
        while self.open:
            try:
                line = self.read()
            except KeyboardInterrupt:  # drops the line that was begun
                continue
            except EOFError:
                break
            self.handle(line)

    def handle(self, text: str) -> None:
        """Answer one line, or each of several that were pasted together. Raises nothing."""
        try:
            for line in tidy(text).replace("\r\n", "\n").split("\n"):
                if found := COMMAND.match(line.strip()):
                    self.command(found[1].lower(), (found[2] or "").strip())
                elif line.strip():
                    self.answer(line)
        except KeyboardInterrupt:
            self.say("\nstopped", "yellow")
        except S2SError as error:
            problems = (f"{p.where}: {p.what}; {p.hint}".strip("; ") for p in error.problems)
            self.say("error: " + " | ".join(problems), "red")
        except Exception as error:  # whatever a part may raise, the next line can still be answered
            words = (str(error).strip() or "no reason given").splitlines()[0]
            self.say(f"error: {type(error).__name__}: {words}", "red")

    def command(self, name: str, argument: str) -> None:
        if name not in self.commands:
            raise RecipeError(f":{name}", "there is no such command", suggest(name, self.commands))
        self.commands[name](argument)

    def aloud(self, write: "Callable[[Tell], Prediction | None]") -> None:
        """On the screen as it is written. What breaks off stays there, on a line of its own."""
        shown = ""

        def tell(text: str) -> None:
            nonlocal shown
            whole = visible_text(text)
            if whole.startswith(shown):  # half a character may yet become another
                self.console.print(Text(whole[len(shown) :]), end="", soft_wrap=True)
                shown = whole

        try:
            found = write(tell)
        except Exception:
            if shown:
                self.say("")
            raise
        last = visible_text(found.text) if found else ""
        self.say(last[len(shown) :] if last.startswith(shown) else f"\n{last}")

    def show(self, lines: Iterable[Text]) -> None:
        for line in lines:
            self.console.print(line, soft_wrap=True)

    def say(self, words: str, style: str = "") -> None:
        """One line, as it is: no markup, no emoji."""
        self.show([Text(words, style)])

    def banner(self, run: str) -> None:
        """What is open, and how to get on."""
        recipe = self.predictor.recipe
        data = tree(recipe.data)
        sides = [data.get(side) for side in ("source", "target")]
        languages = " → ".join(side for side in sides if isinstance(side, str))
        facts = [run, recipe.name, languages, self.described()]
        self.say(" · ".join(dict.fromkeys(fact for fact in facts if fact)), "bold")
        self.say(self.invitation, "dim")

    def help(self, argument: str) -> None:
        """:help  this list"""
        table = Table.grid(padding=(0, 2, 0, 0))
        for method in self.commands.values():
            example, _, meaning = (inspect.getdoc(method) or "").partition("  ")
            table.add_row(Text(example, "cyan", no_wrap=True), Text(meaning))
        self.console.print(table, soft_wrap=False)

    def quit(self, argument: str) -> None:
        """:quit  leave, as does Ctrl-D"""
        self.open = False


def whole_number(example: str, argument: str) -> int:
    if not argument.isdecimal():
        raise RecipeError(example.split()[0], f"needs a number, found {argument!r}", f"such as {example}")
    return int(argument)
