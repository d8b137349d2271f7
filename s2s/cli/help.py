"""What `--help` prints: plain text, which costs no import of rich, with examples on lines of their own."""

from typing import Any

from typer.core import TyperCommand, TyperGroup


class VerbCommand(TyperCommand):
    """app.command(cls=Verb)(function): its help is the docstring of the function."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.help = examples_apart(self.help)


class Verbs(TyperGroup):
    """typer.Typer(cls=Verbs): the same for what has verbs of its own."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.help = examples_apart(self.help)


def examples_apart(text: str | None) -> str | None:
    """Paragraphs of commands, which begin with `s2s `, marked as click wants them, so that no line joins the next."""
    if text is None:
        return None
    paragraphs = text.split("\n\n")
    return "\n\n".join(f"\b\n{part}" if part.startswith("s2s ") else part for part in paragraphs)
