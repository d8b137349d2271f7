import threading
import time
from types import SimpleNamespace

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.cells import cell_len

from s2s.cli.repl.live import Live
from s2s.cli.repl.terminal import converse, history_file, tail
from s2s.cli.repl.translate import Repl
from s2s.cli.show import attention_map, blocks, column_widths
from s2s.registry import options_of


@pytest.fixture
def repl(predictor, screen):
    return Repl(predictor, lambda: "", screen)


def said(repl, *lines: str) -> str:
    """What it prints for these lines."""
    repl.console.export_text(clear=True)
    for line in lines:
        repl.handle(line)
    return repl.console.export_text(clear=True)


def test_a_text_is_answered_as_it_is(repl):
    assert said(repl, "un [bold]perro[/bold] :smile:") == ":smile: [bold]perro[/bold] un\n"


def test_blank_lines_are_not_asked(repl, predictor):
    assert said(repl, "", "   ") == ""
    assert predictor.asked == []


def test_lines_pasted_together_are_answered_one_by_one(repl):
    assert said(repl, "a b\n\nc d\n:nope").startswith("b a\nd c\nerror: :nope")


def test_run_reads_until_it_is_told_to_stop(predictor, screen):
    lines = iter(["a b", KeyboardInterrupt, ":quit", "never read"])

    def read():
        line = next(lines)
        if line is KeyboardInterrupt:
            raise line
        return line

    Repl(predictor, read, screen).run()
    assert screen.export_text() == "b a\n"
    assert next(lines) == "never read"


def test_end_of_input_ends_it(predictor, screen):
    def read():
        raise EOFError

    Repl(predictor, read, screen).run()


@pytest.mark.parametrize(
    "text",
    ["broken", ":score broken", ":beam many", ":beam 0", ":set nonsense=1", ":set x", ":live", ":halp", ":nbest"],
)
def test_an_error_is_one_line_and_leaves_it_alive(repl, text):
    error = said(repl, text)
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said(repl, "a b") == "b a\n"


def test_errors_are_shown_as_they_are(repl):
    assert said(repl, "broken") == "error: ZeroDivisionError: division [by] zero\n"


def test_an_unknown_command_gets_the_nearest_name(repl):
    assert "did you mean 'attention'" in said(repl, ":atention")


def test_a_smiley_is_a_text(repl):
    assert said(repl, ":-) hello") == "hello :-)\n"


def test_ctrl_c_stops_an_answer_and_not_the_repl(repl, predictor):
    def interrupted(texts, search=None):
        raise KeyboardInterrupt

    answer, predictor.search = predictor.search, interrupted
    assert "stopped" in said(repl, "a b")
    predictor.search = answer
    assert said(repl, "a b") == "b a\n"


def test_help_names_every_command_and_explains_it(repl):
    shown = said(repl, ":help")
    lines = [line for line in shown.splitlines() if line.startswith(":")]
    assert len(lines) == len(repl.commands)
    for name, line in zip(repl.commands, lines, strict=True):
        assert line.startswith(f":{name}")
        assert len(line.split()) > 2


def test_beam_nbest_greedy_set_and_reset_change_the_search(repl):
    said(repl, ":set length_penalty=0.5", ":beam 8")
    assert repl.search.kind == "beam"
    assert dict(repl.search.kwargs) == {"beam_size": 8, "length_penalty": 0.5}
    said(repl, ":nbest 9")
    assert (repl.search.kwargs["nbest"], repl.search.kwargs["beam_size"]) == (9, 9)
    said(repl, ":beam 3")  # no more answers than beams
    assert (repl.search.kwargs["nbest"], repl.search.kwargs["beam_size"]) == (3, 3)
    said(repl, ":greedy")
    assert (repl.search.kind, dict(repl.search.kwargs)) == ("greedy", {})
    said(repl, ":nbest 2")
    assert (repl.search.kind, repl.search.kwargs["nbest"]) == ("beam", 2)
    said(repl, ":reset")
    assert repl.search == repl.predictor.recipe.decoding
    said(repl, ":set kind=sample", ":nbest 3")
    assert (repl.search.kind, dict(repl.search.kwargs)) == ("sample", {"count": 3})


def test_a_changed_search_looks_again(repl, predictor):
    said(repl, "a b", ":nbest 2", ":attention", ":attention", ":attention")
    assert [search.kwargs.get("nbest") for _, search in predictor.asked] == [None, 2]  # once each


def test_set_alone_shows_every_option(repl):
    shown = said(repl, ":set")
    for name in options_of(repl.search.factory):
        assert f"{name}=" in shown
    assert "beam_size=4" in shown


def test_nbest_answers_have_numbers_and_scores(repl):
    lines = said(repl, ":nbest 2", "a b").splitlines()
    assert lines[-2].split() == ["1", "-1.000", "b", "a"]
    assert lines[-1].split() == ["2", "-2.000", "b", "a!"]


def test_greedy_answers_stream_and_equal_the_search(repl, predictor):
    said(repl, ":greedy")
    assert said(repl, "a b c") == "c b a\n"
    assert predictor.asked == []  # no search was needed
    said(repl, ":set max_length=2", ":set min_length=1")
    assert said(repl, "a b c") == "c b a\n"
    assert predictor.asked == []
    assert [search.kwargs for search in predictor.aloud] == [{}, {"max_length": 2, "min_length": 1}]


def test_a_stream_that_takes_something_back_ends_with_the_whole_text(repl, predictor):
    def write_aloud(text, search, tell):
        for grown in ("a", "a\ufffd", "aé"):  # half a character, then all of it
            tell(grown)
        return predictor.answer("aé", 0)

    predictor.write_aloud = write_aloud
    said(repl, ":greedy")
    assert said(repl, "x").endswith("aé\n")


def test_control_characters_do_not_reach_the_terminal(repl):
    assert "\x1b" not in said(repl, "a\x1b[31m b\x07")


def test_scores_show_and_hide(repl):
    assert "score" not in said(repl, "a b")
    assert "score -1.000, log-probability -2.000" in said(repl, ":score")  # of the last answer
    assert "score -1.000, log-probability -2.000" in said(repl, "a b")
    said(repl, ":greedy")
    assert said(repl, "a b").splitlines() == ["b a", "score -1.000, log-probability -2.000"]
    said(repl, ":score")
    assert said(repl, "a b") == "b a\n"


def test_score_of_a_pair(repl):
    line = said(repl, ":score one two ||| uno dos tres")
    assert "log-probability -1.500, -0.500 a token, perplexity 1.65" in line


def test_attention_shows_the_last_answer_and_every_one_after(repl):
    said(repl, "el perro")
    assert "90" in said(repl, ":attention")
    assert "90" in said(repl, "la casa")
    assert "90" not in said(repl, ":attention", "la casa")
    said(repl, ":greedy", ":attention")
    assert "90" in said(repl, "la casa roja")


def test_a_model_without_attention_says_so(repl, predictor):
    predictor.attention = False
    assert "no attention" in said(repl, "el perro", ":attention")


def test_banner_says_what_is_open_and_how_to_leave(repl):
    repl.banner("runs/toy")
    lines = repl.console.export_text().splitlines()
    assert len(lines) == 2
    for word in ("runs/toy", "toy", "en → es", "beam", ":help", ":quit"):
        assert word in "\n".join(lines)


# -- the attention map --


def drawn(source, target, weights, width):
    return [line.plain for line in attention_map(SimpleNamespace(source=source, target=target, weights=weights), width)]


@pytest.mark.parametrize("length", [1, 5, 14, 15, 40])
@pytest.mark.parametrize("piece", ["▁a", "▁incomprehensibly", "語学", "\n", " "])
def test_attention_fits_the_screen_and_leaves_nothing_out(length, piece):
    weights = [[0.99 if s == t else 0.01 for s in range(length)] for t in range(length)]
    lines = drawn([piece] * length, [piece] * length, weights, 80)
    assert all(cell_len(line.rstrip()) <= 80 for line in lines)
    rows = [line for line in lines if line and not line.startswith("    ")]
    tables = [rows[start : start + length] for start in range(0, len(rows), length)]
    for t in range(length):  # each weight once, on its row
        assert sum(table[t].count("99") for table in tables) == 1


def test_blocks_side_by_side_are_the_wide_table():
    weights = [[(t * 20 + s) / 200 for s in range(20)] for t in range(10)]
    names = [f"s{s}" for s in range(20)], [f"t{t}" for t in range(10)]
    (_, *wide), narrow = drawn(*names, weights, 500), drawn(*names, weights, 40)
    tables = [narrow[start + 1 : start + 11] for start in range(0, len(narrow), 12)]
    assert len(tables) > 1
    for t, line in enumerate(wide):
        assert line == f"t{t} " + "".join(table[t][3:] for table in tables)


def test_every_column_is_in_one_block():
    widths = column_widths(["piece"] * 33, 50)
    found = list(blocks(widths, 50))
    assert [i for start, end in found for i in range(start, end)] == list(range(33))
    assert all(sum(widths[start:end]) <= 50 for start, end in found)


def test_a_brighter_background_is_more_attention():
    from s2s.cli.show import SHADES, shaded

    shades = [SHADES.index(shaded(w / 100, 4)[1]) for w in range(101)]
    assert shades == sorted(shades)
    assert set(shades) == set(range(len(SHADES)))
    assert shaded(float("nan"), 4) == shaded(0.0, 4)
    assert shaded(1.0, 4)[0] == "100 "


# -- while it is typed --


def wait_until(true):
    for _ in range(400):
        if true():
            return True
        time.sleep(0.005)
    return False


@pytest.fixture
def live(predictor):
    live = Live(lambda text, tell: predictor.write_aloud(text, None, tell), lambda: None, wait=0.01)
    yield live
    live.close()


def test_what_is_typed_is_translated(live):
    live.type("a b")
    assert wait_until(lambda: live.shown == "b a")
    live.type("")
    assert live.shown == ""
    live.type("a b")  # the same again
    assert wait_until(lambda: live.shown == "b a")


def test_the_newest_text_wins():
    begun, go = threading.Event(), threading.Event()

    def preview(text, tell):
        tell(f"{text} 1")
        begun.set()
        go.wait(2)
        tell(f"{text} 2")

    shown = []
    live = Live(preview, lambda: shown.append(live.shown), wait=0.001)
    live.type("old")
    assert begun.wait(2)
    live.type("new")
    go.set()
    assert wait_until(lambda: live.shown == "new 2")
    assert "old 2" not in shown
    live.close()


def test_only_a_pause_in_typing_begins_a_translation():
    asked = []
    live = Live(lambda text, tell: (asked.append(text), tell(text)), lambda: None, wait=0.2)
    for i in range(1, 6):
        live.type("abcde"[:i])
    assert wait_until(lambda: live.shown == "abcde")
    assert asked == ["abcde"]
    live.close()


def test_errors_commands_and_long_texts_show_nothing(live, predictor):
    asked, preview = [], live.preview
    live.preview = lambda text, tell: (asked.append(text), preview(text, tell))
    live.type("broken")
    assert wait_until(lambda: asked == ["broken"])
    for text in (":beam 8", "x " * 600):
        live.type(text)
        assert live.shown == ""
    live.on = False
    live.type("a b")
    live.on = True
    live.type("a b c")  # it survived
    assert wait_until(lambda: live.shown == "c b a")
    assert asked == ["broken", "a b c"]  # the others were not looked at


def test_live_is_toggled(repl, live):
    repl.live = live
    assert "off" in said(repl, ":live")
    assert not live.on
    assert "on" in said(repl, ":live")


def test_tail_keeps_the_end():
    assert tail("abc", 3) == "abc"
    assert tail("abcdef", 4) == "…def"
    for width in (5, 6, 7):
        assert cell_len(tail("語学の本を読む", width)) <= width


def test_history_is_private_and_optional(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = history_file()
    assert path is not None
    assert path.stat().st_mode & 0o077 == 0
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert history_file() is None


def typed(repl, keys: str) -> str:
    """What it prints while these keys are pressed at a terminal."""
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(keys)
        converse(repl, "runs/toy")
    return repl.console.export_text()


def test_lines_are_typed_with_an_editor_and_kept(repl, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    shown = typed(repl, "un perrx\x7fo\r:greedy\rdos\r\x04")  # Backspace, Ctrl-D
    assert "\nperro un\n" in shown
    assert "\ndos\n" in shown
    assert repl.search.kind == "greedy"
    lines = [line[1:] for line in history_file().read_text().splitlines() if line.startswith("+")]
    assert lines == ["un perro", ":greedy", "dos"]


def test_an_editor_without_a_home_keeps_nothing_and_works(repl, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert "\nperro un\n" in typed(repl, "un perro\r:quit\r")


def test_what_is_typed_is_answered_below_by_a_thread_that_ends_with_the_conversation(repl, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    typed(repl, ":quit\r")
    assert repl.live is not None
    assert not repl.live._thread.is_alive()
