import json
import os
import subprocess
import sys
import time

import pytest
import typer
from typer.testing import CliRunner

import s2s.cli.generate as module
from s2s.cli.generate import generate_command, in_turn
from s2s.cli.repl.generate import GenerateRepl
from s2s.errors import RunError, S2SError
from tests.helpers.language_models import generator_for, known

app = typer.Typer()
app.command()(generate_command)


@pytest.fixture
def model():
    return known("char")


@pytest.fixture
def run(model, monkeypatch):
    """run("a seed", "--json", stdin=b"...") -> the result of `s2s generate RUN "a seed" --json`."""
    monkeypatch.setattr("s2s.cli.generate.open_run", lambda name, *_, **__: (name, model))

    def call(*arguments: str, stdin: bytes = b""):
        result = CliRunner().invoke(app, ["runs/toy", *map(str, arguments)], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


GREEDY = ("--temperature", "0")


def test_a_seed_goes_on(run):
    assert run("the cat", "--length", 16, *GREEDY).stdout == "the cat sat on the mat.\n"


def test_the_seed_comes_from_a_pipe(run):
    assert run("--length", 4, *GREEDY, stdin=b"the cat\n").stdout == "the cat sat\n"
    assert run("-", "--length", 4, *GREEDY, stdin=b"the cat").stdout == "the cat sat\n"
    assert run("--length", 7, *GREEDY, stdin=b"the dog ran to the door!\r\n\n").stdout.startswith(
        "the dog ran to the door!\n"
    )


def test_json_has_the_text_and_why_it_ended(run):
    found = run("the cat", "--length", 50, "--stop", "mat", "--json", *GREEDY).stdout
    assert json.loads(found) == {"seed": "the cat", "text": " sat on the ", "stopped": True}
    records = [json.loads(line) for line in run("a", "--count", 3, "--json", "--length", 5).stdout.splitlines()]
    assert [len(r["text"]) for r in records] == [5, 5, 5]
    assert not any(r["stopped"] for r in records)


def test_stop_strings_are_written_with_escapes(run):
    assert run("the dog", "--stop", r"\n", *GREEDY).stdout == "the dog ran to the door!\n"


def test_the_same_random_seed_is_the_same_text(run):
    arguments = ("a", "--random-seed", 3, "--length", 30, "--temperature", 2)
    assert run(*arguments).stdout == run(*arguments).stdout
    assert run(*arguments).stdout != run("a", "--random-seed", 4, *arguments[3:]).stdout


def test_several_texts_come_one_after_the_other(run):
    both = run("a", "--count", 2, "--random-seed", 3, "--length", 20, "--temperature", 2).stdout
    first, second = both.removeprefix("--- 1 ---\n").split("--- 2 ---\n")
    alone = run("a", "--random-seed", 3, "--length", 20, "--temperature", 2).stdout
    assert first == alone
    assert second.startswith("a")
    assert second != first


def test_parts_wait_for_their_turn():
    events = [(0, "a"), (1, "x"), (0, "b"), (2, "p"), (1, "y")]
    assert [(n, "".join(parts)) for n, parts in in_turn(events, 3)] == [(0, "ab"), (1, "xy"), (2, "p")]


def test_the_first_text_does_not_wait_for_the_others():
    def events():
        yield 0, "a"
        raise AssertionError("asked for too much")

    number, parts = next(in_turn(events(), 2))
    assert (number, next(parts)) == (0, "a")


def test_state_goes_on_where_it_stopped(run, tmp_path):
    options = ("--temperature", 1.5, "--json")
    whole = json.loads(run("the", "--length", 40, "--random-seed", 5, *options).stdout)["text"]
    state = ("--state", tmp_path / "text.state")
    first = json.loads(run("the", "--length", 15, "--random-seed", 5, *state, *options).stdout)["text"]
    second = json.loads(run("--length", 25, *state, *options).stdout)["text"]
    assert first + second == whole


def test_a_seed_after_a_state_is_read_on(run, tmp_path):
    state = ("--state", tmp_path / "text.state")
    assert run("the dog", "--length", 17, *state, *GREEDY).stdout == "the dog ran to the door!\n"
    whole = run("the dog ran to the door!\n\na cat", "--length", 7, *GREEDY).stdout
    assert "the dog ran to the door!" + run("\n\na cat", "--length", 7, *state, *GREEDY).stdout == whole


def test_a_state_is_refused_where_it_does_not_fit(run, tmp_path, monkeypatch):
    path = tmp_path / "text.state"
    run("a", "--state", path, "--length", 3, "--count", 2)
    with pytest.raises(RunError, match="holds 2 texts, and --count asks for 3"):
        run("a", "--state", path, "--count", 3)
    monkeypatch.setattr(module, "open_run", lambda name, *_, **__: (name, generator_for(seed=4)))
    with pytest.raises(RunError, match="another run"):
        run("a", "--state", path)


def test_what_training_never_saw_is_named(run):
    result = run("the☃ cat", "--length", 4, *GREEDY)
    assert "never saw '☃'" in result.stderr
    assert result.stdout == "the☃ cat sat\n"


def test_steps_show_what_is_expected(run):
    lines = run("the", "--steps").stdout.splitlines()
    assert len(lines) == 5
    assert lines[1].startswith("⏎ ")
    assert lines[2].startswith("t ")
    assert "h " in lines[2]
    records = [json.loads(line) for line in run("the", "--steps", "--json").stdout.splitlines()]
    assert [r["read"] for r in records] == ["</s>", "t", "h", "e"]
    assert records[1]["likeliest"][0]["piece"] == records[1]["next"] == "h"


def test_words_are_suggested(run):
    first = run("the cat s", "--suggest", 2).stdout.splitlines()[0]
    assert first.split("\t")[1] == "sat"
    record = json.loads(run("the cat s", "--suggest", 1, "--json").stdout)
    assert (record["word"], record["ending"]) == ("sat", "at")


def test_an_empty_stop_string_is_a_mistake(run):
    with pytest.raises(S2SError, match="--stop: is empty"):
        run("a", "--stop", "")


@pytest.mark.parametrize(
    "wrong",
    [("--length", "0"), ("--temperature", "-1"), ("--top-p", "2"), ("--count", "0"), ("--repetition-penalty", "0.5")],
    ids=lambda wrong: wrong[0],
)
def test_impossible_options_are_refused(run, wrong):
    assert run("a", *wrong).exit_code == 2


# -- the REPL --


@pytest.fixture
def repl(model, screen):
    return GenerateRepl(model, lambda: "", screen, {"length": 16, "temperature": 0.0})


def said(repl, *lines: str) -> str:
    repl.console.export_text(clear=True)
    for line in lines:
        repl.handle(line)
    return repl.console.export_text(clear=True)


def test_the_repl_goes_on_and_on(repl):
    assert said(repl, "the cat") == "the cat sat on the mat.\n"
    assert said(repl, ":length 2", ":more").startswith("length=2, temperature=0.0\n")


def test_the_repl_takes_options_and_refuses_wrong_ones(repl):
    said(repl, ":temperature 0.5", ":topk 4", ":topp 0.9", ":penalty 1.2", ":seed 7")
    assert repl.kwargs == {"length": 16, "temperature": 0.5, "top_k": 4, "top_p": 0.9, "repetition_penalty": 1.2}
    assert repl.random_seed == 7
    assert "needs a number from 0 to 1" in said(repl, ":topp 3")
    assert "needs a number" in said(repl, ":length x")
    assert "there is no text to go on with" in said(repl, ":more")
    assert said(repl, "a") == said(repl, "a")


def test_the_repl_shows_steps_and_help(repl):
    assert len(said(repl, ":steps hat").splitlines()) == 4
    shown = said(repl, ":help")
    for name in repl.commands:
        assert f":{name}" in shown


def test_the_repl_guesses_and_completes(repl):
    told = []
    repl.preview("the cat s", told.append)
    assert told[0].startswith("sat ")
    assert repl.complete("the cat s")[0] == ("sat", 1)


# -- pipes --


@pytest.mark.parametrize("reader", ["head -n 1", "true"])
def test_a_reader_who_leaves_is_no_mistake(reader):
    """What typer and rich make of a broken pipe must not reach the shell."""
    code = (
        "import sys, typer\n"
        "import s2s.cli.app as verbs\n"
        "@verbs.app.command('flood')\n"
        "def flood():\n"
        "    for i in range(200000): typer.echo(b'x' * 50)\n"
        "sys.argv = ['s2s', 'flood']\n"
        "from s2s.cli import main\n"
        "main()\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ}
    )
    subprocess.run(reader.split(), stdin=writer.stdout, stdout=subprocess.DEVNULL, check=False)
    writer.stdout.close()
    time.sleep(0)
    assert (writer.wait(timeout=60), writer.stderr.read()) == (0, b"")
