import io
import json

import pytest
import typer
from typer.testing import CliRunner

import s2s.cli.lines
import s2s.cli.translate as module
from s2s.cli.lines import chunks, decoded_line, one_line, tidy
from s2s.cli.opening import complete_run
from s2s.cli.translate import translate
from s2s.config import configure
from s2s.decoding.options import change_search, with_nbest
from s2s.decoding.search import Search
from s2s.errors import RecipeError, S2SError

app = typer.Typer()
app.command()(translate)


@pytest.fixture
def run(predictor, monkeypatch):
    """run("--json", stdin=b"...") -> the result of `s2s translate RUN --json`."""
    monkeypatch.setattr(module, "open_run", lambda run, *_, **__: (run, predictor))

    def call(*arguments: str, stdin: bytes = b""):
        result = CliRunner().invoke(app, ["runs/toy", *arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


def test_texts_are_translated_in_order(run):
    assert run("a b", "", "c d").stdout == "b a\n\nd c\n"


def test_a_line_in_is_a_line_out(run):
    assert run(stdin="a b\n\n  \nc d é\r\ne".encode()).stdout == "b a\n\n\né d c\ne\n"


def test_an_empty_input_has_no_lines(run, predictor):
    assert run(stdin=b"").stdout == ""
    assert predictor.asked == []


def test_json_has_source_hypotheses_and_alignment(run):
    first, blank = map(json.loads, run("--json", "--nbest", "2", stdin=b"a b\n\n").stdout.splitlines())
    assert first["source"] == "a b"
    assert [h["text"] for h in first["hypotheses"]] == ["b a", "b a!"]
    assert first["hypotheses"][1]["score"] == -2.0
    assert first["hypotheses"][1]["log_probability"] == -3.0
    assert first["alignment"]["source"] == ["a", "b", "</s>"]
    assert first["alignment"]["target"] == ["b", "a", "</s>"]
    assert [row.index(max(row)) for row in first["alignment"]["weights"]][:2] == [1, 0]
    assert blank == {"source": "", "hypotheses": [], "alignment": None}


def test_json_aligns_a_block_at_once_without_its_blank_lines(run, predictor):
    lines = [json.loads(line) for line in run("--json", stdin=b"a b\n\nc\nd e f\n").stdout.splitlines()]
    assert predictor.aligned == [3]
    assert [line["alignment"] and line["alignment"]["source"][0] for line in lines] == ["a", None, "c", "d"]


def test_json_is_json_whatever_the_score(run, predictor):
    predictor.attention = False
    answer = predictor.answer("a", 0)
    answer.score = float("-inf")
    predictor.answer = lambda text, n: answer
    line = json.loads(run("--json", "a").stdout, parse_constant=pytest.fail)
    assert line["hypotheses"][0]["score"] is None
    assert line["alignment"] is None


def test_nbest_lines_carry_the_number_of_their_source(run):
    lines = run("--nbest", "2", stdin=b"a b\n\nc\n").stdout.splitlines()
    assert lines == ["1\t-1.0000\tb a", "1\t-2.0000\tb a!", "2\t0.0000\t", "3\t-1.0000\tc", "3\t-2.0000\tc!"]


def test_numbers_go_on_from_block_to_block(run):
    lines = run("--nbest", "1", stdin=b"x\n" * (s2s.cli.lines.LINES_AT_ONCE + 3)).stdout.splitlines()
    assert [int(line.split("\t")[0]) for line in lines] == list(range(1, s2s.cli.lines.LINES_AT_ONCE + 4))


def test_the_line_ends_of_windows_are_no_text():
    assert list(decoded_line([[b"a b\r", b"\r", b"c\rd"]])) == [["a b", "", "c\rd"]]


def test_bytes_that_are_no_utf8_warn_and_go_on(run):
    result = run(stdin=b"good\n\xff\xfe bad\nalso \xe9\n")
    assert result.stdout == "good\nbad \ufffd\ufffd\n\ufffd also\n"
    assert "line 2, byte 1 is not UTF-8" in result.stderr
    assert "2 lines of 3" in result.stderr


def test_a_byte_order_mark_is_no_word():
    assert list(decoded_line([[b"\xef\xbb\xbfone", b"\xef\xbb\xbftwo"]])) == [["one", "\ufefftwo"]]


def test_long_input_comes_in_blocks_and_keeps_its_order(run, predictor):
    lines = [f"{i} x" if i % 7 else "" for i in range(1500)]
    expected = [f"x {i}" if i % 7 else "" for i in range(1500)]
    assert run(stdin="\n".join(lines).encode()).stdout.splitlines() == expected
    assert all(len(texts) <= s2s.cli.lines.LINES_AT_ONCE for texts, _ in predictor.asked)


class Drip(io.RawIOBase):
    """A pipe whose writer is slow: each read gives one part."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = list(parts)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        part = self.parts.pop(0) if self.parts else b""
        buffer[: len(part)] = part
        return len(part)


def test_a_slow_pipe_is_answered_as_it_comes():
    stream = Drip(b"one\n", b"tw", b"o\nthree\nfo", b"ur")
    found = chunks(io.BufferedReader(stream))
    assert next(found) == [b"one"]
    assert stream.parts == [b"tw", b"o\nthree\nfo", b"ur"]  # nothing more was waited for
    assert list(found) == [[b"two", b"three"], [b"four"]]


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_chunks_are_the_lines(most):
    for data in (b"", b"\n", b"a", b"a\n", b"a\nb", b"\n\na\n\n", b"a\nb\nc\nd\n", b"x" * 200_000 + b"\ny"):
        found = [line for block in chunks(io.BytesIO(data), most) for line in block]
        assert found == data.split(b"\n")[: -1 if data.endswith(b"\n") or not data else None]


def test_a_line_stays_a_line_whatever_is_written():
    assert one_line("a\nb\rc") == "a b c"
    assert one_line("a\u2028b") == "a\u2028b"  # not a line break to wc and paste


def test_half_characters_of_a_shell_are_replaced():
    assert tidy("caf\udce9") == "caf\ufffd"
    assert tidy("café") == "café"


def test_search_options_change_the_recipe_s_decoding(run, predictor):
    run("a", "--search", "beam_size=9", "--search", "length_penalty=0.5")
    assert dict(predictor.asked[-1][1].kwargs) == {"beam_size": 9, "length_penalty": 0.5}
    run("a", "--search", "kind=greedy")
    assert predictor.asked[-1][1].kind == "greedy"
    run("a")
    assert predictor.asked[-1][1] == predictor.recipe.decoding


@pytest.mark.parametrize("mistake", ["beam_sise=3", "beam_size=0", "beam_size=many", "beam_size", "kind=beem", "=3"])
def test_mistakes_in_the_search_are_recipe_errors(run, mistake):
    with pytest.raises(RecipeError):
        run("a", "--search", mistake)


def test_a_new_kind_keeps_what_both_know():
    beam = configure(Search, {"kind": "beam", "beam_size": 3, "max_length": 50, "filters": ["no-repeat"]})
    greedy = change_search(beam, ["kind=greedy"])
    assert greedy.kind == "greedy"
    assert greedy.kwargs.keys() == {"max_length", "filters"}
    again = change_search(greedy, ["kind=beam", "beam_size=3"])
    assert again.kwargs["filters"][0].kind == "no-repeat"
    assert change_search(beam, []) == beam


@pytest.mark.parametrize("kind", sorted(Search.registry))
@pytest.mark.parametrize("number", [1, 3, 20])
def test_every_search_gives_as_many_answers_as_asked(kind, number, predictor):
    search = with_nbest(configure(Search, kind), number)
    assert len(predictor.search(["a b"], search)[0]) == number
    assert search.kwargs.get("beam_size", 20) >= min(number, search.kwargs.get("nbest", 0))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_opens_the_repl(run, predictor, monkeypatch):
    opened = []
    monkeypatch.setattr("s2s.cli.repl.terminal.converse", lambda repl, run: opened.append((repl, run)))
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("sys.stdout", Terminal())
    translate("runs/toy", nbest=2)
    [(repl, name)] = opened
    assert (repl.predictor, repl.search, name) == (predictor, with_nbest(predictor.recipe.decoding, 2), "runs/toy")


# -- with a real run --

TINY = """\
name: tiny
task: {kind: translation, tokenizer: {kind: word}}
data: {kind: text, path: nowhere, source: en, target: es}
model:
  encoder: {kind: rnn, embedding: 8, hidden: 8}
  head: {kind: decoder, embedding: 8, hidden: 16, attention: general}
decoding: {kind: beam, beam_size: 3, max_length: 12}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run that has learned nothing, as training leaves it."""
    import torch

    from s2s.data.readers.base import Row
    from s2s.recipe import parse_recipe
    from s2s.runs.run import Run

    torch.manual_seed(1)
    recipe = parse_recipe(TINY)
    task = recipe.task()
    task.fit([Row("one two three four", "uno dos tres cuatro"), Row("two red houses", "dos casas rojas")])
    model = recipe.build_model(task.source.space, task.target.space)
    run = Run.create(tmp_path_factory.mktemp("runs") / "tiny", recipe.to_yaml(), {})
    task.save(run.fields)
    run.save_weights("best", model.state_dict())
    return run.path


def real(*arguments: str, stdin: str = "") -> str:
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_a_filter_writes_what_predict_says(folder):
    from s2s.predictors.load import load

    texts = ["two red houses", "", "one", "three two one four", " "]
    expected = load(folder).predict(texts)
    assert real(str(folder), stdin="\n".join(texts)).split("\n")[:-1] == expected
    assert real(str(folder), *texts).split("\n")[:-1] == expected
    assert [real(str(folder), stdin=f"{text}\n") for text in texts] == [f"{text}\n" for text in expected]


def test_json_of_a_real_model_is_whole(folder):
    record = json.loads(real(str(folder), "--json", "--nbest", "3", "two red houses"))
    scores = [h["score"] for h in record["hypotheses"]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    alignment = record["alignment"]
    assert alignment["source"][:-1] == ["two", "red", "houses"]
    assert len(alignment["weights"]) == len(alignment["target"])
    assert all(len(row) == 4 and abs(sum(row) - 1) < 0.01 for row in alignment["weights"])


def test_a_run_is_found_by_its_name(folder, monkeypatch):
    monkeypatch.chdir(folder.parent.parent)
    by_path = real(str(folder), "one two")
    monkeypatch.chdir(folder.parent)
    assert real("tiny", "one two") == by_path
    (folder.parent / "elsewhere").mkdir()
    monkeypatch.chdir(folder.parent / "elsewhere")
    (folder.parent / "elsewhere" / "runs").symlink_to(folder.parent)
    assert real("tiny", "one two") == by_path
    assert "tiny" in complete_run("ti")


@pytest.mark.parametrize("mistake", [["nowhere"], ["{}", "--device", "qpu"], ["{}", "--weights", "last"]])
def test_a_run_that_cannot_be_opened_says_why(folder, mistake):
    with pytest.raises(S2SError):
        real(*(word.format(folder) for word in mistake), "one")


def test_the_repl_talks_to_a_real_model(folder, screen):
    from s2s.cli.repl.translate import Repl
    from s2s.predictors.load import load

    predictor = load(folder)
    lines = iter(["one two", ":greedy", "one two", ":attention", ":score one ||| uno", ":nbest 2", "one two", ":quit"])
    Repl(predictor, lambda: next(lines), screen).run()
    text = screen.export_text()
    assert "error" not in text
    assert predictor.predict(["one two"])[0] in text
    assert "</s>" in text
    assert "perplexity" in text


def test_attention_names_the_words_that_were_typed(tmp_path):
    """An unknown word of the source has its own column, not <unk>."""
    from s2s.config import configure
    from s2s.data.fields.base import Field
    from s2s.predictors.seq2seq import Seq2SeqPredictor

    field = configure(Field, {"kind": "text", "tokenizer": {"kind": "word", "lowercase": True}})()
    field.fit(["one red house"])
    writer = Seq2SeqPredictor.__new__(Seq2SeqPredictor)
    writer.task = type("Task", (), {"source": field})
    (encoded,) = field.encode_all(["One ZEBRA"])
    assert writer.named("One ZEBRA", encoded) == ["One", "ZEBRA", field.pieces([2])[0]]
