"""s2s classify and s2s tag: lines in, lines out, JSON, and REPLs that no mistake ends."""

import json
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

import s2s.cli.classify
import s2s.cli.tag
from s2s.cli.repl.labels import ClassifyLoop, TagLoop
from s2s.cli.show import SHADES, class_lines, shaded_words, tagged_words
from s2s.errors import RunError


class FakeLabeler:
    """`good` is positive; a word is a number or not. `broken` breaks it."""

    names = ("negative", "positive")

    def __init__(self, attention: bool = True) -> None:
        self.attention, self.shape = attention, "label"
        self.recipe = SimpleNamespace(name="toy", data={"source": 0}, task={"kind": "tagging"})
        self.task = SimpleNamespace(source=SimpleNamespace(takes=(), space=SimpleNamespace(modality="ids")))

    def need(self, *shapes):
        if self.shape not in shapes:
            raise RunError("runs/toy", "is another run", "use another verb")

    def classify(self, texts):
        return [self.one(text) for text in texts]

    def one(self, text):
        if "broken" in text:
            raise ZeroDivisionError("division [by] zero")
        if not text.strip():
            return SimpleNamespace(label="", probabilities={}, pieces=[], weights=None)
        p = 0.9 if "good" in text else 0.25
        found = dict(sorted({"positive": p, "negative": 1 - p}.items(), key=lambda item: -item[1]))
        words = text.split()
        weights = [0.7 if word == "good" else 0.1 for word in words] if self.attention else None
        return SimpleNamespace(label=next(iter(found)), probabilities=found, pieces=words, weights=weights)

    def tag(self, texts):
        if any("broken" in text for text in texts):
            raise ZeroDivisionError("division [by] zero")
        kinds = [["B-N" if word.isdecimal() else "O" for word in text.split()] for text in texts]
        return [
            SimpleNamespace(words=text.split(), tags=tags, probabilities=[0.5] * len(tags))
            for text, tags in zip(texts, kinds, strict=True)
        ]


@pytest.fixture
def labeler():
    return FakeLabeler()


def command(verb, labeler, monkeypatch):
    module = getattr(s2s.cli, verb)
    monkeypatch.setattr(module, "open_run", lambda run, *_, **__: (run, labeler))
    app = typer.Typer()
    app.command()(getattr(module, verb))

    def call(*arguments: str, stdin: bytes = b""):
        result = CliRunner().invoke(app, ["runs/toy", *arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    return call


@pytest.fixture
def classify(labeler, monkeypatch):
    return command("classify", labeler, monkeypatch)


@pytest.fixture
def tag(labeler, monkeypatch):
    labeler.shape = "tags"
    return command("tag", labeler, monkeypatch)


GOOD, BAD = "positive\tpositive\t0.9000\tnegative\t0.1000\n", "negative\tnegative\t0.7500\tpositive\t0.2500\n"


def test_texts_are_classified_in_order(classify):
    assert classify("a good one", "", "a bad one") == GOOD + "\n" + BAD


def test_a_line_in_is_a_line_out(classify):
    assert classify(stdin=b"bad\n\n  \ngood\r\nso good") == BAD + "\n\n" + GOOD + GOOD
    assert classify(stdin=b"") == ""


def test_long_input_keeps_its_order(classify):
    lines = ["good" if i % 3 else "" for i in range(1200)]
    said = classify(stdin="\n".join(lines).encode() + b"\n").splitlines()
    assert [line.partition("\t")[0] for line in said] == ["positive" if i % 3 else "" for i in range(1200)]


def test_json_has_everything(classify, labeler):
    first, blank = map(json.loads, classify("--json", stdin="so good é\n\n".encode()).splitlines())
    assert first == {
        "text": "so good é",
        "label": "positive",
        "probabilities": {"positive": 0.9, "negative": 0.1},
        "attention": {"pieces": ["so", "good", "é"], "weights": [0.1, 0.7, 0.1]},
    }
    assert blank == {"text": "", "label": None, "probabilities": {}, "attention": None}
    labeler.attention = False
    assert json.loads(classify("--json", "good"))["attention"] is None


def test_a_label_cannot_break_the_line(classify, labeler):
    labeler.one = lambda text: SimpleNamespace(label="a\tb\nc", probabilities={"a\tb\nc": 1.0}, pieces=[], weights=None)
    assert classify("x") == "a b c\ta b c\t1.0000\n"


def test_words_and_tags(tag):
    assert tag("pay 5 euros", "", "no") == "pay/O 5/B-N euros/O\n\nno/O\n"
    assert tag(stdin=b"a 1\n\n2") == "a/O 1/B-N\n\n2/B-N\n"
    found = json.loads(tag("--json", "a 1"))
    assert found == {"text": "a 1", "words": ["a", "1"], "tags": ["O", "B-N"], "probabilities": [0.5, 0.5]}


def test_the_other_verb_is_refused(classify, labeler):
    labeler.shape = "tags"
    with pytest.raises(RunError, match="use another verb"):
        classify("x")


@pytest.mark.parametrize("verb", ["classify", "tag"])
def test_a_terminal_opens_the_repl(verb, labeler, monkeypatch):
    labeler.shape = {"classify": "label", "tag": "tags"}[verb]
    call, opened = command(verb, labeler, monkeypatch), []
    monkeypatch.setattr("s2s.cli.repl.terminal.converse", lambda loop, run: opened.append((type(loop).__name__, run)))
    module = getattr(s2s.cli, verb)
    monkeypatch.setattr(module, "at_terminal", lambda: True)
    call()
    assert opened == [({"classify": "ClassifyLoop", "tag": "TagLoop"}[verb], "runs/toy")]


def said(loop, *lines: str) -> str:
    loop.console.export_text(clear=True)
    for line in lines:
        loop.handle(line)
    return loop.console.export_text(clear=True)


@pytest.fixture
def repl(labeler, screen):
    return ClassifyLoop(labeler, lambda: "", screen)


def test_the_repl_shows_every_class(repl):
    first, second = said(repl, "a good one").splitlines()
    assert first.split()[:2] == ["positive", "90.0%"]
    assert second.split()[:2] == ["negative", "10.0%"]
    assert first.count("█") == 27


def test_the_repl_shades_words(repl, labeler):
    assert "good" not in said(repl, "so good")
    assert said(repl, ":attention").splitlines() == ["attention is on", " so  good "]
    assert " good " in said(repl, "good one").splitlines()[-1]
    labeler.attention = False
    assert "no attention to show" in said(repl, "good")
    assert said(repl, ":attention") == "attention is off\n"


@pytest.mark.parametrize(("kind", "answer"), [(ClassifyLoop, "positive"), (TagLoop, "good/O")], ids=["classify", "tag"])
def test_mistakes_leave_the_repl_alive(kind, answer, labeler, screen):
    loop = kind(labeler, lambda: "", screen)
    for line in ("broken", ":nope", ":atention"):
        error = said(loop, line)
        assert error.startswith("error: ")
        assert error.count("\n") == 1
    assert said(loop, "", "  ") == ""
    assert said(loop, "good").split()[0] == answer
    assert ":quit" in said(loop, ":help")
    loop.banner("runs/toy")
    assert "runs/toy · toy" in loop.console.export_text()
    loop.handle(":quit")
    assert not loop.open


def test_what_is_being_typed_is_labeled(repl, labeler, screen):
    told = []
    repl.preview("so good", told.append)
    repl.preview("", told.append)
    TagLoop(labeler, lambda: "", screen).preview("a 1", told.append)
    assert told == ["positive 90%", "a/O 1/B-N"]


def test_shades_follow_the_weights():
    line = shaded_words(["a", "b\n", "c"], [0.02, 0.04, float("nan")])
    assert line.plain == " a  b\\n  c "
    assert [span.style for span in line.spans] == [SHADES[3], SHADES[-1], SHADES[0]]
    assert shaded_words([], []).plain == ""
    assert shaded_words(["a"], [0.0]).plain == " a "


def test_class_names_are_shown_as_they_are():
    lines = [line.plain for line in class_lines({"[bold]x": 0.6, "表": 0.4}, width=10)]
    assert lines[0] == "[bold]x   60.0%  ██████"
    assert lines[1].startswith("表")
    assert len(lines[1].split("40.0%")[0].encode("utf-16-le")) // 2 + 1 == lines[0].index("60.0%")


def test_tags_of_one_kind_have_one_color():
    line = tagged_words(["a", "b", "c", "d"], ["O", "B-X", "I-X", "B-Y"])
    assert line.plain == "a/O b/B-X c/I-X d/B-Y"
    colors = {line.plain[span.start : span.end]: str(span.style) for span in line.spans}
    assert colors["b"] == colors["c"] != colors["d"]
