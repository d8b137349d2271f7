"""s2s recipes: list the recipes that ship, print one, or copy one to edit."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from s2s.cli.console import output
from s2s.cli.help import VerbCommand, Verbs
from s2s.errors import RecipeError, command
from s2s.recipe_index import find_recipe, shipped

recipes = typer.Typer(cls=Verbs, rich_markup_mode=None)


class Summary(NamedTuple):
    """What a listing says about a recipe, all of it read from the file: nothing is imported or built."""

    name: str
    task: str
    data: str
    model: str
    reaches: str  # its first comment


def complete_recipe(incomplete: str) -> list[str]:
    """For the shell: names that begin so."""
    return [name for name, _ in shipped() if name.startswith(incomplete)]


RecipeArgument = Annotated[  # what every verb that reads one asks for
    str,
    typer.Argument(
        metavar="RECIPE", help="A shipped recipe (see: s2s recipes) or a YAML file.", autocompletion=complete_recipe
    ),
]
RecipeName = Annotated[str, typer.Argument(metavar="NAME", help="One of: s2s recipes.", autocompletion=complete_recipe)]


@recipes.callback(invoke_without_command=True)
def list_recipes(context: typer.Context) -> None:
    """List the recipes that ship. Show one, or copy one to edit.

    s2s recipes
    s2s recipes show demo
    s2s recipes copy demo mine.yaml
    """
    if context.invoked_subcommand is not None:
        return
    found = [summarize(name, path) for name, path in shipped()]
    if not output().is_terminal:  # for programs: a recipe a line, tabs between
        typer.echo("".join("\t".join(summary) + "\n" for summary in found), nl=False)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 1, 0))
    for name, task, data, model, reaches in found:
        facts = " · ".join(part for part in (task, data, model) if part)
        table.add_row(Text(name, "bold"), Text(reaches).append(f"\n{facts}", "dim"))
    output().print(table, soft_wrap=False)
    output().print("s2s recipes show NAME, s2s recipes copy NAME, s2s train NAME", style="dim")


@recipes.command("show", cls=VerbCommand)
def show_recipe(name: RecipeName) -> None:
    """Print a recipe.

    s2s recipes show demo
    """
    print_yaml(read_text(find_recipe(name)))


@recipes.command(cls=VerbCommand)
def copy(
    name: RecipeName,
    path: Annotated[Path | None, typer.Argument(help="A file or a folder; ./NAME.yaml if not given.")] = None,
) -> None:
    """Copy a recipe, to edit; a file that is there is not touched.

    s2s recipes copy multi30k my_recipe.yaml
    """
    source = find_recipe(name)
    text = read_text(source)
    target = path or Path(source.name)
    target = target / source.name if target.is_dir() else target
    try:
        with open(target, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise RecipeError(
            str(target), "is there already", f"name another: {command('s2s', 'recipes', 'copy', name)} PATH"
        ) from None
    except OSError as error:
        raise RecipeError(str(target), f"cannot be written: {error.strerror}", "name another file") from None
    typer.echo(f"copied to {target}; edit it, then: {command('s2s', 'train', target)}")


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RecipeError(str(path), f"cannot be read: {reason}", "check the name: s2s recipes") from None


def print_yaml(text: str) -> None:
    """Colored at a terminal; the very same text where it is piped."""
    if not output().is_terminal:
        typer.echo(text, nl=not text.endswith("\n"))
        return
    from rich.syntax import Syntax

    colored = Syntax("", "yaml", theme="ansi_dark", background_color="default").highlight(text.rstrip("\n"))
    colored.rstrip()
    output().print(colored, soft_wrap=True)  # the terminal breaks long lines, so that a copy of them is whole


def summarize(name: str, path: Path) -> Summary:
    """Read the facts off a recipe; one that cannot be read says so in its line."""
    import yaml

    try:
        text = read_text(path)
        tree = yaml.safe_load(text)
    except (RecipeError, yaml.YAMLError):
        return Summary(name, "", "", "", f"cannot be read: {command('s2s', 'check', path)}")
    tree = tree if isinstance(tree, dict) else {}
    model = tree.get("model")
    sides = [part(model.get(side), "hidden") for side in ("encoder", "head")] if isinstance(model, dict) else []
    return Summary(
        name,
        part(tree.get("task")),
        part(tree.get("data"), "path"),
        " → ".join(filter(None, sides)),
        first_comment(text),
    )


def part(node: Any, key: str = "") -> str:
    """`rnn 256`: the kind of a part, and one of its options where it is written."""
    if not isinstance(node, dict):
        return str(node or "")
    return " ".join(str(word) for word in (node.get("kind"), node.get(key)) if word is not None)


def first_comment(text: str) -> str:
    """The comment lines that a recipe opens with, as one line."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#") or not line.strip("# "):
            break
        lines.append(line.strip("# "))
    return " ".join(lines)
