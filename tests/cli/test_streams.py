"""Standard streams that are closed, full, gone, or narrow: a line or nothing, an exit code, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from s2s.api.evaluate import Evaluation
from s2s.cli.evaluate import keep
from s2s.errors import RunError

# Two verbs that need no run: one answers lines, one says the same on both streams.
PROGRAM = """
import sys
import typer
import s2s.cli.app as verbs
from s2s.cli.console import errors, output
from s2s.cli.lines import answer_lines, at_terminal

@verbs.app.command("answer")
def answer(text: list[str] = typer.Argument(None)):
    if text or not at_terminal():
        answer_lines(text, lambda lines, _: "".join(f"{line}!\\n" for line in lines))

@verbs.app.command("say")
def say(text: str):
    errors().print(text)
    typer.echo(text)
    output().print(text)

@verbs.app.command("refuse")
def refuse(path: str):
    open(path, "w")

from s2s.cli import main
main()
"""
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def shell(words: str, redirection: str = "", **environment: str) -> tuple[int, str, str]:
    """Run a verb with this redirection: (exit code, standard output, standard error)."""
    command = f'exec "$0" -c "$1" {words} {redirection}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, PROGRAM],
        capture_output=True,
        env=os.environ | {"NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"} | environment,
        check=False,
    )
    said, error = done.stdout.decode("latin-1"), done.stderr.decode("latin-1")
    assert "Traceback" not in error, error
    assert "Exception ignored" not in error, error
    return done.returncode, said, error


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-", "<&- 2>&-"])
def test_a_closed_stream_leads_nowhere(closed):
    assert shell("answer a b", closed) == (0, "" if ">&-" in closed.replace("2>&-", "") else "a!\nb!\n", "")
    assert shell("answer", f"{closed} </dev/null") == (0, "", "")


def test_a_closed_stdin_has_no_lines():
    assert shell("answer", "<&-") == (0, "", "")


def test_a_file_that_is_opened_does_not_take_the_place_of_a_closed_stream(tmp_path):
    """Else what is printed would end up in the first file that is opened: a checkpoint, say."""
    code = (
        "import os; from s2s.cli.streams import prepare_streams; prepare_streams()\n"
        f"file = open({str(tmp_path / 'file')!r}, 'w'); print('gone'); os.write(1, b'gone'); file.close()\n"
    )
    subprocess.run(["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, code], check=True)
    assert (tmp_path / "file").read_text() == ""


@needs_full
@pytest.mark.parametrize("words", ["answer x", "say x", "--help", "recipes show demo"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_said_in_a_line(words, unbuffered):
    code, _, error = shell(words, f">{FULL}", PYTHONUNBUFFERED=unbuffered)
    assert code == 2
    assert [line for line in error.splitlines() if line != "x"] == [
        "error: standard output: the disk is full",
        "  what was written is not whole: run the same command again",
    ]


@needs_full
def test_what_nobody_can_read_on_standard_error_stops_nothing():
    assert shell("say x", f"2>{FULL}") == (0, "x\nx\n", "")


@needs_full
def test_where_nothing_can_be_said_the_exit_code_says_it():
    assert shell("answer x", f">{FULL} 2>{FULL}") == (2, "", "")


def test_a_stdin_that_cannot_be_read_is_said_in_a_line(tmp_path):
    code, said, error = shell("answer", f"0>{tmp_path / 'file'}")
    assert (code, said) == (2, "")
    assert error.startswith("error: standard input: cannot be read")


@pytest.mark.parametrize("stream", ["", "2>&1"])
def test_a_reader_who_has_left_is_no_mistake(stream):
    command = f'(for i in 1 2 3; do "$0" -c "$1" say x; done {stream}; echo $? >&3) | true'
    done = subprocess.run(
        ["sh", "-c", f"{{ {command}; }} 3>&1", sys.executable, PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout == "0\n"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("encoding", "shown"), [("cp1252", "a ? \xe9"), ("cp437", "a ? \x82"), ("utf-8", "a \xe2\x86\x92 \xc3\xa9")]
)
def test_what_a_stream_cannot_write_becomes_a_question_mark(encoding, shown):
    code, said, error = shell('say "a → é"', PYTHONIOENCODING=encoding)
    assert (code, said, error) == (0, f"{shown}\n{shown}\n", f"{shown}\n")


@pytest.mark.parametrize("words", ["recipes", "recipes show demo", "train nowhere→", "nosuch→"])
def test_no_verb_minds_a_narrow_stream(words):
    code, said, error = shell(words, PYTHONIOENCODING="cp1252")
    assert code == (2 if "→" in words else 0)
    assert "?" in said + error
    assert "\xe2\x86\x92" not in said + error


def test_a_name_that_is_no_text_can_be_said():
    code, _, error = shell("train \"$(printf 'no\\377where')\"")
    assert code == 2
    assert error.startswith("error: no?where: ")


def test_a_file_that_cannot_be_written_is_said_in_a_line(tmp_path):
    code, _, error = shell(f"refuse {tmp_path}/no/such")
    assert (code, error.splitlines()[0]) == (2, f"error: {tmp_path}/no/such: there is no such file")


# -- a run in a folder that cannot be written --


def evaluation() -> Evaluation:
    return Evaluation("test", [], 2.0, 0.7, [], 1, 0.1, {}, {}, ["a"], ["b"], [["c"]])


def test_scores_that_cannot_be_kept_are_a_warning(tmp_path, capsys):
    (tmp_path / "predictions").touch()  # as root, one may write into any folder
    assert keep(evaluation(), tmp_path / "predictions") is None
    said = capsys.readouterr().err.replace("\n", " ")
    assert said.startswith("warning: not kept: ")
    assert "and a folder is needed" in said
    with pytest.raises(RunError):  # a program is told
        evaluation().save(tmp_path / "predictions")


def test_scores_are_kept_where_they_can_be(tmp_path):
    path = keep(evaluation(), tmp_path / "new" / "predictions")
    assert path == tmp_path / "new" / "predictions" / "test.json"
    assert path.with_name("test.hyp.txt").read_text() == "b\n"


CLASSES = """\
name: cls
task: classification
data: {kind: csv, path: data, source: text, target: label}
model:
  encoder: {kind: rnn, cell: gru, embedding: 4, hidden: 4}
  head: classifier
training: {steps: 2, batch_size: 16, batch_unit: sentences, precision: fp32}
"""


def test_a_training_ends_well_on_a_narrow_stream_and_its_scores_are_shown_where_they_cannot_be_kept(tmp_path):
    (tmp_path / "data").mkdir()
    for split in ("train", "valid"):
        rows = "".join(f"été {i} → hiver,{'oui' if i % 2 else 'non'}\n" for i in range(8))
        (tmp_path / "data" / f"{split}.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    (tmp_path / "cls.yaml").write_text(CLASSES)
    place = f'"{tmp_path}/run"'
    code, said, error = shell(
        f'train "{tmp_path}/cls.yaml" data.path="{tmp_path}/data" --out {place}', PYTHONIOENCODING="cp1252"
    )
    assert code == 0, error
    assert "it says: \xe9t\xe9 " in said
    assert " ? hiver ? " in said
    (tmp_path / "run" / "predictions").touch()
    code, said, error = shell(f"evaluate {place} --split validation", PYTHONIOENCODING="cp1252")
    assert code == 0, error
    assert "accuracy" in said
    assert next(line for line in error.splitlines() if "warning" in line).startswith("warning: not kept: ")
