"""The options of every verb that opens a run are declared once, and mean the same everywhere."""

import inspect
from dataclasses import fields

import pytest
import typer
from typer.testing import CliRunner

from s2s.cli.app import app
from s2s.cli.opening import RunName, open_run
from s2s.cli.run_options import HowOpened, HowWritten, grouped

GROUP = typer.main.get_command(app)
OPENING = [verb for name, verb in GROUP.commands.items() if any(p.metavar == "RUN" for p in verb.params)]


@pytest.mark.parametrize("verb", OPENING, ids=lambda verb: verb.name)
def test_a_verb_that_opens_a_run_has_the_whole_group_and_its_words(verb):
    options = {parameter.name: parameter for parameter in verb.params}
    group = HowWritten if "precision" in options else HowOpened
    for field in fields(group):
        [declared] = field.type.__metadata__
        assert options[field.name].help == declared.help
        assert options[field.name].default == field.default
    assert "how" not in options


def test_there_are_such_verbs():
    assert {"translate", "chat", "caption", "generate", "evaluate", "score", "classify", "tag"} <= {
        verb.name for verb in OPENING
    }


def test_the_group_is_what_opens_a_run():
    assert {field.name for field in fields(HowWritten)} <= inspect.signature(open_run).parameters.keys()


def test_fields_arrive_as_one_parameter_from_the_command_line_and_from_python():
    seen = []

    @grouped
    def verb(run: RunName, how: HowWritten = HowWritten()) -> None:
        seen.append((run, how))

    one = typer.Typer()
    one.command()(verb)
    words = ["x", "--device", "cuda:1", "--trust", "--precision", "fp32"]
    assert CliRunner().invoke(one, words, catch_exceptions=False).exit_code == 0
    verb("x", device="cuda:1", trust=True, precision="fp32")
    verb("x", how=HowWritten("cuda:1", "best", True, "fp32"))
    assert seen == [("x", HowWritten("cuda:1", "best", True, "fp32", False))] * 3
    verb("y")
    assert seen[-1] == ("y", HowWritten())
