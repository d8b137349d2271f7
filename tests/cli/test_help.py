"""What --help says: a whole sentence for every verb, and examples that can be copied."""

import pytest
import typer
from typer.testing import CliRunner

from s2s.cli.app import app
from s2s.cli.help import examples_apart

GROUP = typer.main.get_command(app)
VERBS = [(name,) for name in GROUP.commands] + [("recipes", name) for name in GROUP.commands["recipes"].commands]


def help_of(*words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80"}, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_every_verb_has_its_line_and_none_is_cut_short():
    lines = help_of().split("Commands:\n")[1].splitlines()
    assert {line.split()[0] for line in lines} == {name for name, verb in GROUP.commands.items() if not verb.hidden}
    for line in [*lines, *help_of("recipes").split("Commands:\n")[1].splitlines()]:
        assert line.endswith("."), line
        assert "..." not in line, line


@pytest.mark.parametrize("words", VERBS, ids="-".join)
def test_every_verb_shows_how_it_is_called(words):
    said = help_of(*words)
    name = "evaluate" if words == ("eval",) else " ".join(words)
    examples = [line.strip() for line in said.splitlines() if line.startswith("  s2s ")]
    assert any(line.startswith(f"s2s {name}") for line in examples), said
    assert "]]" not in said.splitlines()[0]  # [[TEXT]...]...


def test_only_commands_keep_their_lines():
    text = "Do it.\n\nA paragraph\nof two lines.\n\ns2s do it\ns2s do it again"
    assert examples_apart(text) == "Do it.\n\nA paragraph\nof two lines.\n\n\b\ns2s do it\ns2s do it again"
    assert examples_apart(None) is None
