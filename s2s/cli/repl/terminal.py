"""A REPL at a terminal: line editing, history, and an answer below the line while it is typed, by prompt_toolkit."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console

from s2s.cli.repl.live import Live
from s2s.cli.repl.loop import Loop
from s2s.cli.show import visible_text

PROMPT = "» "


def terminal() -> Console:
    return Console(highlight=False, emoji=False)


def converse(repl: Loop, run: str) -> None:
    """Answer what is typed until the reader leaves."""
    repl.read = reader(repl)
    repl.banner(run)
    try:
        repl.run()
    finally:
        if repl.live is not None:
            repl.live.close()


def reader(repl: Loop) -> Callable[[], str]:
    """Gives a line at each call, with the live answer in the bar below while it is typed."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion, WordCompleter
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory

    class Kept(FileHistory):
        def store_string(self, string: str) -> None:
            with suppress(OSError, UnicodeError):  # a full disk is no reason to stop
                super().store_string(string)

    class Words(Completer):
        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
            text = document.text_before_cursor
            if text.startswith(":"):
                yield from commands.get_completions(document, complete_event)
            else:
                yield from (Completion(word, start_position=-begun) for word, begun in repl.complete(text))

    path = history_file()
    history: History = Kept(str(path)) if path else InMemoryHistory()
    commands = WordCompleter([f":{name}" for name in repl.commands], sentence=True)
    session: PromptSession[str] = PromptSession(
        history=history, completer=Words(), complete_while_typing=False, enable_history_search=True
    )
    live = repl.live = Live(repl.preview, session.app.invalidate, exact=repl.exact)
    session.default_buffer.on_text_changed += lambda buffer: live.type(buffer.text)

    def bar() -> StyleAndTextTuples:
        return [("", tail(live.shown or repl.described(), session.output.get_size().columns - 1))]

    def read() -> str:
        session.bottom_toolbar = bar if live.on else None
        try:
            return session.prompt(PROMPT)
        finally:
            live.type("")  # the answer needs the processor now

    return read


def history_file() -> Path | None:
    """Where lines are remembered, readable by their writer only; None where nothing can be written."""
    try:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
        folder = base.expanduser() / "s2s"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "history"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        return path
    except (OSError, RuntimeError):  # no home, or not ours
        return None


def tail(text: str, width: int) -> str:
    """The end of a text, in so many cells: what is being written is there."""
    text = visible_text(text)
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[max(1, (cell_len(text) - width) // 2) :]
    return f"…{text}"
