"""The verbs, put together. Nothing here imports torch: `s2s --help` must be instant.

Each verb is a function in the file of its name; what is heavy it imports when it is called.
"""

from typing import Annotated

import typer

from s2s.cli.cache import cache
from s2s.cli.caption import caption
from s2s.cli.chat import chat
from s2s.cli.check import check_command
from s2s.cli.classify import classify
from s2s.cli.evaluate import evaluate_command
from s2s.cli.generate import generate_command
from s2s.cli.help import VerbCommand
from s2s.cli.list import list_parts
from s2s.cli.predict import predict
from s2s.cli.recipes import recipes
from s2s.cli.schema import schema
from s2s.cli.score import score
from s2s.cli.tag import tag
from s2s.cli.train import train_command
from s2s.cli.translate import translate

app = typer.Typer(
    name="s2s",
    help="Sequence-to-sequence learning with recurrent networks: from raw text to BLEU, from recipes.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"s2s {version('s2s')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Sequence-to-sequence learning with recurrent networks: from raw text to BLEU, from recipes."""


for verb in (
    train_command,
    evaluate_command,
    predict,
    translate,
    chat,
    generate_command,
    score,
    classify,
    tag,
    caption,
    check_command,
    schema,
    cache,
):
    app.command(verb.__module__.rpartition(".")[2], cls=VerbCommand)(verb)
app.command("list", cls=VerbCommand)(list_parts)
app.command("eval", cls=VerbCommand, hidden=True)(evaluate_command)
app.add_typer(recipes, name="recipes")
