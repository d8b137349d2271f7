"""Conversations: every reply with what was said before it, and no conversation on both sides of a split."""

import gzip
import json

import pytest

from s2s.config import configure
from s2s.data.ingest import has_split, open_corpus
from s2s.data.readers.base import Reader
from s2s.data.readers.context import context_of
from s2s.data.readers.dialogues import HELD_OUT, Dialogues
from s2s.data.synthetic.dialogue import NUMBERS, SIZES, generate
from s2s.errors import DataError


def write(folder, name, records):
    (folder / name).write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def reader(path, **options):
    return Dialogues(path=path, **options)


def test_every_turn_but_the_first_is_a_reply(tmp_path):
    write(
        tmp_path, "train.jsonl", [{"turns": ["a", "b ", "c\nd", "e", "f"]}, {"turns": ["alone"]}, {"turns": ["x", "y"]}]
    )
    found = list(reader(tmp_path, context=2, hold_out=0).read("train"))
    assert found == [("a", "b "), ("a ¶ b", "c\nd"), ("b ¶ c d", "e"), ("c d ¶ e", "f"), ("x", "y")]
    assert context_of(["a", "b ", "c\nd"], 2) == "b ¶ c d"
    other = list(reader(tmp_path, context=1, separator=" | ", hold_out=0).read("train"))
    assert [row.source for row in other] == ["a", "b", "c d", "e", "x"]
    late = list(reader(tmp_path, context=2, skip_first=3, hold_out=0).read("train"))
    assert late == [("e", "f")]


def test_a_context_is_whole_turns_that_fit():
    turns = ["one two", "three", "  ", "four five six"]
    assert context_of(turns, 3) == "one two ¶ three ¶ four five six"  # a blank turn was not said
    for most, said in ((31, "one two ¶ three ¶ four five six"), (30, "three ¶ four five six"), (5, "four five six")):
        assert context_of(turns, 3, most_characters=most) == said
    found = reader(".", context=3, context_characters=21)
    assert found.source_of(turns) == "three ¶ four five six"


def test_a_context_is_the_source_of_a_row(tmp_path):
    write(tmp_path, "train.jsonl", [{"turns": ["a b", "c", "d e f", "g"]}])
    found = reader(tmp_path, context=2, separator=" / ", context_characters=7, hold_out=0)
    assert [row.source for row in found.read("train")] == ["a b", "a b / c", "d e f"]
    assert found.source_of(["a b", "c", "d e f"]) == "d e f"


def test_turns_may_be_objects_in_a_packed_file(tmp_path):
    lines = json.dumps({"talk": [{"who": "a", "say": "hi"}, {"who": "b", "say": "ho"}]}) + "\n"
    (tmp_path / "train.jsonl.gz").write_bytes(gzip.compress(lines.encode(), mtime=0))
    found = reader(tmp_path, turns="talk", text_key="say", hold_out=0)
    assert list(found.read("train")) == [("hi", "ho")]
    assert list(reader(tmp_path / "train.jsonl.gz", turns="talk", text_key="say", hold_out=0).read("train")) == [
        ("hi", "ho")
    ]


def conversations_of(corpus):
    return {row.source.split()[0] for row in corpus}


@pytest.mark.parametrize(("hold_out", "count"), [(0.3, 30), (30, 30), (0.001, 1), (90, 50)])
def test_whole_conversations_are_held_out(tmp_path, hold_out, count):
    talks = [{"turns": [f"{i} a", f"{i} b", f"{i} c"]} for i in range(100)]
    write(tmp_path, "train.jsonl", talks)
    found = reader(tmp_path, hold_out=hold_out)
    train, held = (conversations_of(open_corpus(found, split)) for split in ("train", "validation"))
    assert not train & held
    assert len(train | held) == 100
    assert len(held) == count
    assert found.fingerprint("train") != found.fingerprint("validation") != reader(tmp_path).fingerprint("validation")
    write(tmp_path, "train.jsonl", talks[::-1])
    assert conversations_of(open_corpus(reader(tmp_path, hold_out=hold_out), "validation")) == held


def test_validation_of_its_own_leaves_train_whole(tmp_path):
    write(tmp_path, "train.jsonl", [{"turns": [f"{i} a", f"{i} b", f"{i} c"]} for i in range(100)])
    write(tmp_path, "valid.jsonl", [{"turns": ["a", "b"]}])
    assert len(open_corpus(reader(tmp_path), "train")) == 200
    assert len(open_corpus(reader(tmp_path), "validation")) == 1
    # null: as if it were not there
    found = reader(tmp_path, validation=None)
    train, held = (conversations_of(open_corpus(found, split)) for split in ("train", "validation"))
    assert (len(train), len(held), train & held) == (95, 5, set())
    assert not has_split(reader(tmp_path, hold_out=0, validation=None), "validation")
    assert len(open_corpus(reader(tmp_path, hold_out=0, validation=None), "train")) == 200
    assert len(open_corpus(reader(tmp_path, train="valid", validation="valid"), "train")) == 1


def test_one_conversation_cannot_be_on_two_sides(tmp_path):
    write(tmp_path, "train.jsonl", [{"turns": ["a", "b", "c"]}] * 20)
    with pytest.raises(DataError, match="has 1 different conversation"):
        open_corpus(reader(tmp_path), "train")
    write(tmp_path, "train.jsonl", [{"turns": ["a", "b", "c"]}] * 20 + [{"turns": ["d", "e"]}])
    sizes = [len(open_corpus(reader(tmp_path), split)) for split in ("train", "validation")]
    assert sorted(sizes) == [1, 40]
    assert reader(tmp_path).named("validation") == HELD_OUT


def test_mistakes_have_a_sentence(tmp_path):
    for record, said in (
        ({"talk": ["a"]}, r"train.jsonl:1: has no list called 'turns'\n  name it: data.turns=NAME; the line has: talk"),
        ({"turns": ["a", 3]}, "turn 2 is the number 3"),
        ({"turns": [{"say": "a"}]}, "turn 1 is null"),
        ([{"turns": ["a", "b"]}, {"turns": ["c", "d"]}], r"train.jsonl:1: holds a list of conversations.*\n.*jq -c"),
        ([["a", "b"], ["c", "d"]], r"train.jsonl:1: holds a list of conversations"),
        (["a", "b"], None),
    ):
        write(tmp_path, "train.jsonl", [record])
        if said is None:
            assert list(reader(tmp_path, hold_out=0).read("train")) == [("a", "b")]
        else:
            with pytest.raises(DataError, match=said):
                list(reader(tmp_path, hold_out=0).read("train"))
    (tmp_path / "train.jsonl").write_text("{not json\n")
    with pytest.raises(DataError, match="is not JSON"):
        list(reader(tmp_path, hold_out=0).read("train"))
    with pytest.raises(DataError, match="there is no such file or folder"):
        list(reader(tmp_path / "nowhere").read("train"))


def test_small_talk_remembers_what_was_said():
    rows = {split: list(generate(split, size=300)) for split in SIZES}
    assert rows == {split: list(generate(split, size=300)) for split in SIZES}
    sources = [{source for source, _ in pairs} for pairs in rows.values()]
    assert not sources[0] & sources[1]
    assert not sources[0] & sources[2]
    for source, reply in rows["train"]:
        turns = source.split(" ¶ ")
        assert len(turns) <= 3
        if "What is my name?" in turns[-1]:
            assert reply.removeprefix("Your name is ").rstrip(".") in turns[0]
        if "How many are left?" in turns[-1]:
            bought = NUMBERS.index(turns[0].split()[2])
            eaten = NUMBERS.index(turns[-1].split("I ate ")[1].split(".")[0])
            assert reply == f"You have {NUMBERS[bought - eaten]} left."
    found = configure(Reader, {"kind": "generated", "what": "dialogue"})()
    assert found.turns_seen == 3
    assert next(found.read("train")) == rows["train"][0]
