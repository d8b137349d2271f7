"""s2s chat: what was said is remembered, mistakes end nothing, and a pipe gets a line a turn."""

import gzip
import io
import json
from types import SimpleNamespace

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

import s2s.cli.chat as module
import s2s.decoding.sampling  # noqa: F401  (registers the searches)
from s2s.cli.repl.chat import ChatLoop
from s2s.config import configure
from s2s.data.readers.dialogues import Dialogues
from s2s.decoding.search import Search
from s2s.errors import DataError
from s2s.predictors.conversation import CANDIDATES, MORE, Conversation
from s2s.predictors.seq2seq import Alignment, Prediction

app = typer.Typer()
app.command()(module.chat)


class Echo:
    """Answers with the words that it sees, last first; `broken` breaks it."""

    def __init__(self, context: int = 3) -> None:
        reader = Dialogues(path=".", context=context)
        self.recipe = SimpleNamespace(
            data=lambda: reader, decoding=configure(Search, {"kind": "sample", "temperature": 0.7}), name="toy"
        )
        self.asked: list[tuple[str, dict]] = []

    def made(self, source, search, number=0):
        if "broken" in source:
            raise ZeroDivisionError("division [by] zero")
        self.asked.append((source, dict(search.kwargs)))
        text = " ".join(reversed(source.split())) + "!" * number
        return Prediction(text, -1.0 - number, -1.0 - number, [4, 5])

    def write_aloud(self, source, search, tell):
        found = self.made(source, search)
        for end in range(1, len(found.text) + 1):
            tell(found.text[:end])
        return found

    def search(self, sources, search):
        count = search.kwargs.get("count", search.kwargs.get("nbest", 1))
        return [[self.made(source, search, i) for i in range(count)] for source in sources]

    def align(self, source, ids):
        return Alignment(source.split(), ["x"], [[1 / len(source.split())] * len(source.split())])


@pytest.fixture
def talk():
    writer = Echo()
    return Conversation(writer, writer.recipe.decoding)


def loop(talk, *lines):
    console = Console(file=io.StringIO(), width=80)
    repl = ChatLoop(talk, lambda: "", console)
    for line in lines:
        repl.handle(line)
    return console.file.getvalue()


def test_the_last_turns_are_the_source(talk):
    assert talk.reply("a b").text == "b a"
    assert talk.reply("c").text == "c ¶ a b ¶ b a"
    assert talk.writer.asked[-1][0] == "a b ¶ b a ¶ c"
    talk.reply("d")
    assert talk.writer.asked[-1][0] == "c ¶ c ¶ a b ¶ b a ¶ d"  # three turns, of which one holds the mark itself
    assert talk.turns[::2] == ["a b", "c", "d"]


def test_a_turn_without_an_answer_was_not_said(talk):
    talk.reply("a")
    with pytest.raises(ZeroDivisionError):
        talk.reply("broken")
    assert talk.turns == ["a", "a"]
    talk.turns[0] = "broken"
    with pytest.raises(ZeroDivisionError):
        talk.again()
    assert talk.turns == ["broken", "a"]


def test_commands(talk, tmp_path):
    text = loop(talk, "one two", ":undo", ":undo", "three", ":nbest 2", ":why", ":again", ":choose mbr", ":set")
    assert "two one" in text
    assert "forgotten: one two" in text
    assert "nothing was said yet" in text
    assert talk.turns == ["three", "three"]
    assert "chosen by mbr" in text
    assert "temperature=0.7" in text
    assert "saved to" in loop(talk, f":save {tmp_path / 't.jsonl'}", f":save {tmp_path / 't.jsonl'}")
    read = Dialogues(path=tmp_path / "t.jsonl", hold_out=0)
    assert list(read.read("train")) == [("three", "three")] * 2
    assert talk.turns
    loop(talk, ":reset", ":temperature 0.3")
    assert talk.turns == []
    assert talk.search.kwargs["temperature"] == 0.3


def test_mistakes_leave_it_alive(talk):
    text = loop(
        talk, "broken", ":save", ":again", ":choose best", ":temperature hot", ":nothing", ":nbest", ":load x.jsonl",
        "a b", ":nbest x"
    )  # fmt: skip
    assert "division [by] zero" in text
    assert "such as: :save talk.jsonl" in text
    assert "there are: search, mmi, mbr" in text
    assert text.count("nothing was said yet") == 2
    assert "x.jsonl: there is no such file or folder" in text
    assert "\nb a\n" in text


def test_what_breaks_off_is_not_an_answer(talk):
    talk.reply("before")
    text = loop(talk, "broken halfway")
    assert "before" not in text
    talk.writer.write_aloud = lambda source, search, tell: tell("half an ans") or 1 // 0
    text = loop(talk, "c")
    assert text.startswith("half an ans\nerror: ")
    assert talk.turns == ["before", "before"]


def test_a_conversation_goes_on_from_a_file(talk, tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"turns": ["x", "y"]}')  # whose last line does not end
    talk.reply("a ¶ b\nc")
    talk.save(path)
    assert [len(json.loads(line)["turns"]) for line in path.read_text().splitlines()] == [2, 2]
    other = Conversation(talk.writer, talk.search)
    text = loop(other, f":load {path}", "d", ":undo")
    assert other.turns == talk.turns
    assert "c b ¶ a" in text
    assert other.alignment() is None  # of an answer that is not its own
    packed = tmp_path / "t.jsonl.gz"
    talk.save(packed)
    other.save(packed)
    assert len(gzip.decompress(packed.read_bytes()).splitlines()) == 2
    other.start()
    other.load(packed)
    assert other.turns == talk.turns
    path.write_text("\n")
    with pytest.raises(DataError, match="has no conversation"):
        other.load(path)


def test_why_shows_the_words_that_counted(talk):
    assert "no new answer" in loop(talk, ":why")
    talk.reply("one two")
    lines = loop(talk, ":why").splitlines()
    assert lines[0].split() == ["one", "two"]
    assert any("50" in line for line in lines[1:])
    assert len([line for line in lines if "two one" in line]) == 3  # the alternatives
    talk.undo()
    assert "no new answer" in loop(talk, ":why")


def test_alternatives_are_different(talk):
    talk.reply("a")
    talk.writer.search = lambda sources, search: [[Prediction(text, 0.0, 0.0, []) for text in "aabbc"]]
    assert [one.text for one in talk.alternatives(2)] == ["a", "b"]
    assert [one.text for one in talk.alternatives(9)] == ["a", "b", "c"]


def test_several_are_drawn_to_choose_from(talk):
    talk.choose = "mbr"
    talk.reply("a")
    assert talk.writer.asked[-1][1]["count"] == CANDIDATES * MORE  # some are equal


def test_a_random_seed_makes_replies_repeatable(talk):
    talk.reply("a")
    assert talk.writer.asked[-1][1]["seed"] is None
    talk.random_seed = 7
    talk.reply("b")
    talk.again()
    talk.reply("c")
    seeds = [options["seed"] for _, options in talk.writer.asked[1:]]
    assert len(set(seeds)) == 3  # another answer is another one
    other = Conversation(talk.writer, talk.search, random_seed=7)
    other.reply("a")
    other.reply("b")
    other.again()
    other.reply("c")
    assert [options["seed"] for _, options in talk.writer.asked[-3:]] == seeds


def test_a_pipe_has_a_line_a_turn(monkeypatch):
    monkeypatch.setattr(module, "open_run", lambda run, *_, **__: (run, Echo(context=2)))
    result = CliRunner().invoke(app, ["runs/toy"], input="a b\nc\n\nd\n")
    assert result.stdout == "b a\nc ¶ a b\n\nd\n"
    result = CliRunner().invoke(app, ["runs/toy", "--json"], input="a\nb\n")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert records[0] == {"turns": ["a", "a"], "reply": "a", "log_probability": -1.0}
    assert records[1]["turns"] == ["a", "a", "b", "b ¶ a"]
    assert records[1]["reply"] == "b ¶ a"
    result = CliRunner().invoke(app, ["runs/toy", "--json"], input="a\n\nb\n")
    replies = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["reply"] for record in replies] == ["a", "", "b"]
    assert replies[2]["turns"] == ["b", "b"]
