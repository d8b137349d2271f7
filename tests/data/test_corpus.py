"""Corpora on disk: what was read is what is there, once, whole, and the same for everybody."""

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import s2s.data.ingest as ingest_module
from s2s.config import configure
from s2s.data.corpus import encode_corpus, hold_out
from s2s.data.fields.base import Field
from s2s.data.fields.text import TextField
from s2s.data.ingest import has_split, open_corpus, read_corpus
from s2s.data.pictures import Picture
from s2s.data.readers.base import Reader, Row
from s2s.data.tokenizers.base import Tokenizer
from s2s.errors import DataError
from s2s.files import cache_folder
from s2s.tensors import EOS


@dataclass(kw_only=True)
class Fixed(Reader):
    """Rows that a test makes up, and how often they were read."""

    splits: dict[str, list[tuple]]
    input_modalities: int = 0
    kind_of_source: str = "text"

    @property
    def source_type(self) -> str:
        return self.kind_of_source

    def offers(self, name: str) -> bool:
        return name in self.splits

    def rows(self, name: str) -> Iterator[Row]:
        self.input_modalities += 1
        return (Row(*row) for row in self.splits[name])

    def contents(self, name: str) -> str:
        return repr(self.splits[name])


def numbered(count: int, start: int = 0) -> list[tuple[str, str]]:
    return [(f"source {i}", f"target {i}") for i in range(start, start + count)]


def byte_field(**options: object) -> TextField:
    return TextField(tokenizer=configure(Tokenizer, "byte"), **options)


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of seven rows, so that a few hundred rows are many chunks."""
    monkeypatch.setattr(ingest_module, "CHUNK_ROWS", 7)


@pytest.fixture(params=[7, 10_000])
def any_chunks(request, monkeypatch):
    monkeypatch.setattr(ingest_module, "CHUNK_ROWS", request.param)


def test_a_corpus_is_its_rows(any_chunks):
    pairs = numbered(100)
    corpus = open_corpus(Fixed(splits={"train": pairs, "validation": pairs[:1]}), "train")
    assert len(corpus) == 100
    assert list(corpus) == [corpus[i] for i in range(100)] == pairs
    assert corpus[-1] == pairs[-1]
    assert isinstance(corpus[3], Row)
    assert [text for chunk in corpus.values("source") for text in chunk] == [a for a, _ in pairs]
    assert [text for chunk in corpus.values("target") for text in chunk] == [b for _, b in pairs]
    for i in (100, -101):
        with pytest.raises(IndexError):
            corpus[i]


def test_several_references_are_kept(any_chunks):
    rows = [(f"s{i}", [f"a{i}", f"b{i}"][: 1 + i % 2]) for i in range(30)]
    corpus = open_corpus(Fixed(splits={"train": rows[:1], "test": rows, "validation": rows}), "test")
    assert list(corpus) == rows
    assert [text for chunk in corpus.values("target") for text in chunk] == [
        text for _, texts in rows for text in texts
    ]
    assert corpus.reference_counts().tolist() == [1, 2] * 15


def test_blank_references_are_no_references():
    rows = [("s", ["a", " ", "b"]), ("t", ["", "c"]), ("u", ["", " "])]
    corpus = open_corpus(Fixed(splits={"train": rows, "validation": rows}), "validation")
    assert list(corpus) == [("s", ["a", "b"]), ("t", ["c"]), ("u", [""])]


def test_pictures_and_numbers_come_back():
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    for kind, value in (("picture", Picture(b"\x89PNG", "a.png")), ("numbers", numbers), ("nothing", "")):
        reader = Fixed(
            splits={"train": [(value, "a"), (value, "b")], "validation": [(value, "c")]}, kind_of_source=kind
        )
        found = open_corpus(reader, "train")[1]
        assert type(found.source) is type(value)
        assert found.source == value if kind != "numbers" else np.array_equal(found.source, numbers)
        assert found.target == "b"


def test_without_a_source_blank_lines_are_kept():
    rows = [("", "a"), ("", ""), ("", "b")]
    assert (
        list(open_corpus(Fixed(splits={"train": rows, "validation": rows}, kind_of_source="nothing"), "train")) == rows
    )


def test_empty_rows_leave_training_and_stay_in_evaluation():
    rows = [("a", "b"), ("", "c"), ("d", " \t"), ("e", "f")]
    reader = Fixed(splits={"train": rows, "validation": rows})
    train, validation = open_corpus(reader, "train"), open_corpus(reader, "validation")
    assert list(train) == [rows[0], rows[3]]
    assert list(validation) == rows
    assert train.counts == validation.counts == (4, 2, 0)


def test_overlong_rows_leave_training_and_stop_evaluation():
    rows = [("a", "b"), ("x" * 1_000_000, "b"), ("a", "y" * 21)]
    reader = Fixed(splits={"train": rows, "validation": rows[:1], "test": rows}, max_characters=20)
    train = open_corpus(reader, "train")
    assert list(train) == rows[:1]
    assert train.counts == (3, 0, 2)
    with pytest.raises(DataError, match=r"test: row 2: has 1,000,000 characters, and 20 are allowed") as caught:
        open_corpus(reader, "test")
    assert "data.max_characters=1000000" in str(caught.value)
    assert len(open_corpus(Fixed(splits=reader.splits, max_characters=1_000_000), "test")) == 3


def test_reading_happens_once():
    reader = Fixed(splits={"train": numbered(30), "validation": numbered(3)})
    first, second = open_corpus(reader, "train"), open_corpus(reader, "train")
    assert reader.input_modalities == 1
    assert list(first) == list(second)
    assert first.fingerprint == second.fingerprint
    reader.splits["train"].append(("new", "row"))
    third = open_corpus(reader, "train")
    assert reader.input_modalities == 2
    assert len(third) == 31
    assert third.fingerprint != first.fingerprint
    longer = Fixed(splits=reader.splits, max_characters=12)
    assert open_corpus(longer, "train").fingerprint != third.fingerprint


def test_the_cache_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "here"))
    open_corpus(Fixed(splits={"train": numbered(30), "validation": numbered(3)}), "train")
    assert len(list((tmp_path / "here" / "rows").iterdir())) == 1
    monkeypatch.delenv("S2S_CACHE")
    assert cache_folder() == Path.home() / ".cache" / "s2s"
    open_corpus(Fixed(splits={"train": numbered(30), "validation": numbered(3)}), "train", tmp_path / "there")
    assert (tmp_path / "there" / "rows").is_dir()


# Holding out


def test_held_out_rows_and_the_rest_are_all_rows(any_chunks):
    pairs = numbered(300)
    reader = Fixed(splits={"train": pairs}, hold_out=20)
    train, validation = open_corpus(reader, "train"), open_corpus(reader, "validation")
    assert len(validation) == 20
    assert sorted([*train, *validation]) == sorted(pairs)
    assert list(train) == [train[i] for i in range(len(train))]
    assert [pairs.index(row) for row in train] == sorted(pairs.index(row) for row in train)
    assert list(open_corpus(reader, "validation")) == list(validation)
    assert reader.input_modalities == 1
    assert len({train.fingerprint, validation.fingerprint, read_corpus(reader, "train").fingerprint}) == 3
    assert train.counts == (300, 0, 0)
    assert validation.counts == (20, 0, 0)


def test_equal_sources_stay_on_one_side():
    chance = random.Random(1)
    pairs = [(f"source {chance.randrange(150)}", f"target {i}") for i in range(1000)]
    train, validation = hold_out(open_corpus(Fixed(splits={"train": pairs, "validation": pairs}), "train"), 60)
    assert 40 <= len(validation) <= 60
    assert not {row.source for row in train} & {row.source for row in validation}


def test_the_choice_stays_when_rows_move_or_are_added():
    pairs = numbered(1000)
    moved = random.Random(2).sample(pairs, 1000)
    first, second, third = (
        set(open_corpus(Fixed(splits={"train": rows}, hold_out=50), "validation"))
        for rows in (pairs, moved, [*pairs, *numbered(20, 1000)])
    )
    assert first == second
    assert len(first & third) >= 45


@pytest.mark.parametrize(
    ("rows", "amount", "expected"), [(1000, 30, 30), (1000, 0.05, 50), (1000, 500, 100), (1000, 0.5, 100), (5, 3, 1)]
)
def test_how_many_are_held_out(rows, amount, expected):
    reader = Fixed(splits={"train": numbered(rows)}, hold_out=amount)
    assert len(open_corpus(reader, "validation")) == expected
    assert len(open_corpus(reader, "train")) == rows - expected


def test_a_very_common_sentence_is_not_all_of_validation():
    for common in map(str, range(30)):  # some of them come first by hash
        pairs = [(common, f"target {i}") for i in range(100)] + numbered(100)
        train, validation = hold_out(open_corpus(Fixed(splits={"train": pairs, "validation": pairs}), "train"), 20)
        assert len(validation) == 20
        assert common not in {row.source for row in validation}
    twins = [(f"source {i // 2}", "t") for i in range(8)]
    train, validation = hold_out(open_corpus(Fixed(splits={"train": twins, "validation": twins}), "train"), 1)
    assert (len(train), len(validation)) == (6, 2)


def test_what_splits_there_are():
    both = Fixed(splits={"train": numbered(30), "val": numbered(3)})
    assert [has_split(both, name) for name in ("train", "validation", "test")] == [True, True, False]
    assert len(open_corpus(both, "train")) == 30
    assert has_split(Fixed(splits={"train": numbered(30)}), "validation")
    without = Fixed(splits={"train": numbered(30)}, hold_out=0)
    assert not has_split(without, "validation")
    assert len(open_corpus(without, "train")) == 30


# Ids


def test_ids_are_what_the_field_gives(small_chunks):
    pairs = numbered(50)
    corpus = open_corpus(Fixed(splits={"train": pairs, "test": pairs}, hold_out=5), "train")
    field = byte_field(max_length=10)
    encoded = encode_corpus(corpus, field, field)
    assert len(encoded) == len(corpus)
    for i, row in enumerate(corpus):
        for ids, text in ((encoded.source(i), row.source), (encoded.target(i), row.target)):
            assert ids.tolist() == field.encode_all([text])[0].tolist()
            assert ids[-1] == EOS
    assert encoded.source_lengths.tolist() == [len(encoded.source(i)) for i in range(len(corpus))]
    assert encoded.targets.flat.dtype == np.uint16
    assert encoded.short_enough(field, field).tolist() == [len(encoded.source(i)) <= 10 for i in range(len(corpus))]
    assert encoded.sources.count(EOS) == len(corpus)


def test_encoding_happens_once_for_each_tokenizer(monkeypatch):
    corpus = open_corpus(Fixed(splits={"train": numbered(50), "validation": numbered(5)}), "train")
    field, calls = byte_field(), []
    encode = field.encode_all
    monkeypatch.setattr(field, "encode_all", lambda values: calls.append(1) or encode(values))
    encode_corpus(corpus, field, field)
    assert len(calls) == 2
    encode_corpus(corpus, field, field)
    assert len(calls) == 2
    word = TextField(tokenizer=configure(Tokenizer, "word"))
    word.fit(["source target"])
    assert (
        encode_corpus(corpus, field, word).targets[0].tolist()
        != encode_corpus(corpus, field, field).targets[0].tolist()
    )
    assert len(calls) == 2


def test_large_vocabularies_have_larger_ids():
    class Large(TextField):
        @property
        def space(self):
            return replace(super().space, size=70_000)

        def encode_all(self, values):
            return [ids + 66_000 for ids in super().encode_all(values)]

    corpus = open_corpus(Fixed(splits={"train": numbered(9), "validation": numbered(5)}), "train")
    large = Large(tokenizer=configure(Tokenizer, "byte"))
    assert encode_corpus(corpus, large, large).source(0).min() > 65_535


# The cache under bad conditions


def test_a_reader_that_breaks_leaves_nothing(tmp_path):
    class Broken(Fixed):
        def rows(self, name):
            yield from super().rows(name)
            raise DataError("train.de:31", "is not UTF-8")

    with pytest.raises(DataError, match=r"train\.de:31"):
        open_corpus(Broken(splits={"train": numbered(30), "validation": []}), "train", tmp_path)
    assert list((tmp_path / "rows").iterdir()) == []


@pytest.mark.parametrize(
    ("number", "said"), [(28, "No space left on device"), (13, "Permission denied"), (30, "Read-only file system")]
)
def test_a_disk_that_refuses(number, said, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    reader = Fixed(splits={"train": numbered(30), "validation": numbered(3)})
    monkeypatch.setattr(ingest_module.pa.ipc, "new_file", refuse)
    with pytest.raises(DataError, match=said) as caught:
        open_corpus(reader, "train", tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "S2S_CACHE" in str(caught.value)
    assert list((tmp_path / "rows").iterdir()) == []


def test_a_cache_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="the cache cannot be written") as caught:
        open_corpus(Fixed(splits={"train": numbered(30), "validation": numbered(3)}), "train", tmp_path / "file")
    assert "S2S_CACHE" in str(caught.value)


@pytest.mark.parametrize("name", ["rows.arrow", "about.json", "ids.bin", "offsets.bin"])
def test_damage_is_noticed(name, tmp_path):
    reader = Fixed(splits={"train": numbered(30), "validation": numbered(3)})
    field = byte_field()
    encode_corpus(open_corpus(reader, "train", tmp_path), field, field, tmp_path)
    path = next(tmp_path.rglob(name))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match="the cache is damaged") as caught:
        encode_corpus(open_corpus(reader, "train", tmp_path), field, field, tmp_path)
    assert f"rm -r {path.parent}" in str(caught.value)


# What cannot be a corpus


@pytest.mark.parametrize(
    ("splits", "split", "said"),
    [
        ({"train": [], "validation": []}, "train", "train: has nothing in it: 0 rows"),
        ({"train": [("", "a"), ("b", "")], "dev": []}, "train", "nothing in it: 2 rows, 2 with an empty side"),
        ({"train": [("x" * 20_001, "y")], "dev": []}, "train", "0 with an empty side, 1 too long"),
        ({"train": [], "test": [("a", "")] * 3}, "test", "test: has nothing in it: 3 rows, 3 with an empty side"),
        ({"train": numbered(30), "dev": []}, "test", "test: there is no test split"),
        ({"train": [("a", "b")] * 50}, "train", "train: has 1 different source"),
        ({"train": [("a\ud800", "b")], "dev": []}, "train", "train: row 1: a text holds half a character"),
    ],
)
def test_mistakes_have_a_sentence(splits, split, said):
    with pytest.raises(DataError) as caught:
        open_corpus(Fixed(splits=splits), split)
    assert said in str(caught.value)


def test_no_validation_at_all():
    with pytest.raises(DataError, match="there is no validation split"):
        open_corpus(Fixed(splits={"train": numbered(30)}, hold_out=0), "validation")


def test_json_escapes_of_half_characters(tmp_path):
    (tmp_path / "train.jsonl").write_text(json.dumps({"de": "a", "en": "\ud83d"}) + "\n")
    import s2s.data.readers.tables  # noqa: F401  (registers jsonl)

    reader = configure(
        Reader, {"kind": "jsonl", "path": str(tmp_path), "source": "de", "target": "en", "hold_out": 0}
    )()
    with pytest.raises(DataError, match="half a character"):
        open_corpus(reader, "train")


@pytest.mark.data
def test_real_corpora(shared_data):
    node = {"kind": "text", "path": str(shared_data / "multi30k"), "source": "de", "target": "en", "validation": None}
    reader = configure(Reader, node)()
    train, validation = open_corpus(reader, "train"), open_corpus(reader, "validation")
    assert (len(train), len(validation)) == (28_000, 1_000)
    lines = (shared_data / "multi30k" / "train.en").read_text().split("\n")[:-1]
    assert sorted(row.target for corpus in (train, validation) for row in corpus) == sorted(lines)


# Rows whose targets are names


def names_field(kind: str, names: list[str]):
    field = configure(Field, kind)()
    field.names = names
    return field


def rare(rows: int, marks: dict[int, str]) -> list[tuple[str, str]]:
    return [(f"source {i}", marks.get(i, f"label {i % 2}")) for i in range(rows)]


def test_a_row_with_a_name_of_its_own_is_not_held_out():
    label = names_field("label", [])
    plain = [row.source for row in open_corpus(Fixed(splits={"train": rare(200, {})}, hold_out=20), "validation")]
    for number in {int(source.split()[1]) for source in plain}:  # each of the rows that would be set aside
        pairs = rare(200, {number: "rare"})
        train, held = (
            open_corpus(Fixed(splits={"train": rows}, hold_out=20), split, target=label)
            for split, rows in (("train", pairs), ("validation", random.Random(number).sample(pairs, 200)))
        )
        assert "rare" in {row.target for row in train}
        assert len(held) == 20
        assert sorted([*train, *held]) == sorted(pairs)  # the order of the rows decides nothing
        assert len({row.source for row in held} & set(plain)) == 19


def test_of_a_rare_name_some_are_held_out_and_one_stays():
    tags = names_field("tags", [])
    plain = [row.source for row in open_corpus(Fixed(splits={"train": rare(200, {})}, hold_out=20), "validation")]
    marks = {int(source.split()[1]): "O B-LOC" for source in plain[:3]}
    reader = Fixed(splits={"train": rare(200, marks)}, hold_out=20)
    train, held = (open_corpus(reader, split, target=tags) for split in ("train", "validation"))
    assert sum("B-LOC" in row.target for row in train) == 1
    assert sum("B-LOC" in row.target for row in held) == 2


def test_where_no_name_is_rare_the_choice_is_as_it_was():
    reader = Fixed(splits={"train": rare(200, {})}, hold_out=20)
    for split in ("train", "validation"):
        plain, named = open_corpus(reader, split), open_corpus(reader, split, target=names_field("label", []))
        assert list(plain) == list(named)
        assert plain.fingerprint == named.fingerprint


def test_where_every_row_has_a_name_of_its_own_one_is_held_out_all_the_same():
    reader = Fixed(splits={"train": [(f"source {i}", f"label {i}") for i in range(30)]}, hold_out=3)
    assert len(open_corpus(reader, "validation", target=names_field("label", []))) == 1


@pytest.mark.parametrize(("kind", "value"), [("labels", "b, a"), ("tags", "b a")])
def test_a_list_is_one_value_of_names(kind, value):
    rows = [("x y", ["b", "a"]), ("z w", ["a", "a"])]
    corpus = open_corpus(
        Fixed(splits={"train": rows, "validation": rows}), "train", target=names_field(kind, ["a", "b"])
    )
    assert next(iter(corpus)).target == corpus[0].target == value
    assert [corpus[0].references, corpus.several] == [[value], False]
    word = TextField(tokenizer=configure(Tokenizer, "word"))
    word.fit(["x y z w"])
    encoded = encode_corpus(corpus, word, names_field(kind, ["a", "b"]))
    assert (len(encoded), encoded.owner) == (2, None)
    plain = open_corpus(Fixed(splits={"train": [(s, t) for s, t in corpus], "validation": rows}), "train")
    assert corpus.hashes("target").tolist() == plain.hashes("target").tolist()
    assert corpus.fingerprint != plain.fingerprint


def test_a_row_without_a_label_is_left_out_and_counted():
    rows = [("x", "a"), ("y", ""), ("z", " "), ("w", "b")]
    reader = Fixed(splits={"train": rows, "validation": rows, "test": [*rows[1:], ("", "a")]})
    label = names_field("label", ["a", "b"])
    for split in ("train", "validation"):
        corpus = open_corpus(reader, split, target=label)
        assert [row.source for row in corpus] == ["x", "w"]
        assert corpus.counts == (4, 2, 0)
    assert [row.source for row in open_corpus(reader, "test", target=label)] == ["w", ""]
    assert len(open_corpus(reader, "validation", target=names_field("labels", ["a", "b"]))) == 4  # none is an answer
