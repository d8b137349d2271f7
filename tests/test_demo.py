"""The embedded demos reach their bars: what they promise a newcomer."""

import json
import re
import subprocess
import sys

import pytest

from s2s.data.synthetic.shapes import generate as drawings
from s2s.data.synthetic.translation import generate


@pytest.fixture
def s2s(tmp_path):
    """Run a command in a folder of its own; gives what it printed."""

    def run(*arguments, stdin=None):
        command = [sys.executable, "-m", "s2s", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, input=stdin, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def learned(s2s, tmp_path):
    """Train a demo, which must name the command that uses it, and evaluate it; gives scores by name, and details."""

    def run(name, verb, split="test"):
        assert f"s2s {verb} runs/{name}" in s2s("train", name)
        s2s("evaluate", f"runs/{name}", "--split", split)
        found = json.loads((tmp_path / f"runs/{name}/predictions/{split}.json").read_text())
        return {score["name"]: score for score in found["scores"]}, found.get("details", {})

    return run


@pytest.mark.slow
def test_the_demo_translates_sentences_it_has_never_seen(s2s, learned):
    scores, _ = learned("demo", "translate")
    assert scores["BLEU"]["value"] > 90
    assert scores["BLEU"]["low"] > 85
    train, test = dict(generate("train")), list(generate("test"))
    assert not any(source in train for source, _ in test)
    written = s2s("translate", "runs/demo", stdin="".join(f"{source}\n" for source, _ in test)).splitlines()
    right = sum(line == target for line, (_, target) in zip(written, test, strict=True))
    assert right / len(test) > 0.7


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "metric", "bar", "verb", "text", "answer"),
    [
        ("demo-sentiment", "accuracy", 95, "classify", "The soup was not bad at all.", "positive\t"),
        ("demo-tags", "token accuracy", 97, "tag", "we may pay five dollars", "we/O may/O pay/O five/B-PRICE"),
    ],
    ids=["sentiment", "tags"],
)
def test_the_demos_that_choose_reach_their_bars(s2s, learned, name, metric, bar, verb, text, answer):
    scores, details = learned(name, verb)
    assert scores[metric]["value"] > bar
    assert set(details) >= {"classes", "confusion"}
    assert s2s(verb, f"runs/{name}", text).startswith(answer)


@pytest.mark.slow
def test_the_demo_of_characters_reaches_its_bar(s2s, learned):
    scores, _ = learned("demo-chars", "generate", "validation")
    assert scores["bits per character"]["value"] < 2.2
    written = s2s("generate", "runs/demo-chars", "The lambda", "--length", "200", "--random-seed", "1")
    assert written.startswith("The lambda")
    words = set(re.findall("[a-z]+", written[len("The lambda") :]))
    assert words & {"the", "a", "is", "of", "to", "in", "and"}


@pytest.mark.slow
def test_the_demo_of_captions_reaches_its_bar(s2s, learned, tmp_path):
    scores, _ = learned("demo-caption", "caption")
    assert scores["exact"]["value"] > 80
    picture, caption = next(drawings("test"))
    (tmp_path / "drawing.png").write_bytes(picture.data)
    assert s2s("caption", "runs/demo-caption", "drawing.png").strip().endswith(caption)


@pytest.mark.slow
def test_the_demo_of_chat_reaches_its_bar(s2s, learned):
    scores, details = learned("demo-chat", "chat")
    assert scores["exact"]["value"] > 75
    assert details["diversity"]["answers"]["share"] < 0.2  # not always the same
    said = s2s("chat", "runs/demo-chat", stdin="Hello.\nHow are you?\n")
    assert len(said.splitlines()) == 2
