"""Every mistake in a row names the file and line that it stands in, whatever was held out, left out or cut in chunks."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import s2s.data.ingest as ingest_module
import s2s.recipe  # noqa: F401  (registers every reader and field)
from s2s.api.prepare import prepare_data
from s2s.config import configure
from s2s.data.corpus import encode_corpus
from s2s.data.fields.base import Field
from s2s.data.ingest import open_corpus
from s2s.data.readers.base import Place, Reader, Row
from s2s.data.readers.context import SEPARATOR
from s2s.data.readers.text import ParallelText
from s2s.errors import DataError, RowError
from s2s.recipe import parse_recipe

ROWS = 40


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(ingest_module, "CHUNK_ROWS", 7)


def blank(i: int) -> bool:
    """Rows with an empty side, which training leaves out."""
    return i % 6 == 1


def sides(i: int) -> tuple[str, str]:
    return f"source {i}.", "" if blank(i) else f"target {i}."


def joined(folder: Path, name: str, *lines: str) -> None:
    (folder / name).write_text("".join(f"{line}\n" for line in lines))


def text(folder):
    joined(folder, "train.de", *(sides(i)[0] for i in range(ROWS)))
    joined(folder, "train.en", *(sides(i)[1] for i in range(ROWS)))


def tsv(folder):
    rows = ("\t".join(sides(i)) + ("\n" if i % 5 == 0 else "") for i in range(ROWS))  # with blank lines
    joined(folder, "train.tsv", "de\ten", *rows)


def csv(folder):
    joined(folder, "train.csv", "note,de,en", *('"a\nb",' + ",".join(sides(i)) for i in range(ROWS)))  # two lines a row


def jsonl(folder):
    joined(folder, "train.jsonl", *("\n" + json.dumps(dict(zip(("de", "en"), sides(i)))) for i in range(ROWS)))


def lines(folder):
    joined(folder, "train.txt", *(sides(i)[0] for i in range(ROWS)))


def dialogues(folder):
    joined(folder, "train.jsonl", *(json.dumps({"turns": [*sides(i), f"more {i}."]}) for i in range(ROWS)))


def features(folder):
    np.save(folder / "train.npy", np.arange(ROWS * 2, dtype=np.float32).reshape(ROWS, 2))
    joined(folder, "train.en", *(sides(i)[1] for i in range(ROWS)))


def parquet(folder):
    for part in (0, 1):
        rows = [sides(i) for i in range(part * ROWS // 2, (part + 1) * ROWS // 2)]
        table = pa.table({"de": [a for a, _ in rows], "en": [b for _, b in rows]})
        pq.write_table(table, folder / f"train-0000{part}-of-00002.parquet")


def imagefolder(folder):
    (folder / "train").mkdir()
    for i in range(ROWS):
        Image.new("RGB", (2, 2), (i, 0, 0)).save(folder / "train" / f"{i}.png")
    joined(folder / "train", "metadata.csv", "file_name,en", *(f"{i}.png,{sides(i)[1]}" for i in range(ROWS)))


BY_LINE = {
    "text": (text, {"source": "de", "target": "en"}),
    "tsv": (tsv, {"source": "de", "target": "en"}),
    "csv": (csv, {"source": "de", "target": "en"}),
    "jsonl": (jsonl, {"source": "de", "target": "en"}),
    "lines": (lines, {}),
    "dialogues": (dialogues, {"hold_out": 0.2}),
}


def shown_at(place: str) -> str:
    path, _, number = place.rpartition(":")
    return Path(path).read_text().split("\n")[int(number) - 1]


@pytest.mark.parametrize("kind", BY_LINE)
def test_a_row_stands_where_its_place_says(kind, tmp_path):
    write, options = BY_LINE[kind]
    write(tmp_path)
    reader = configure(Reader, {"kind": kind, "path": str(tmp_path), **options})()
    for split in ("train", "validation"):
        corpus = open_corpus(reader, split)
        assert len(corpus) > 2
        for i, row in enumerate(corpus):
            place = corpus.place(i)
            assert row.source.split(SEPARATOR)[0] in shown_at(place.source)
            assert row.references[0] in shown_at(place.target)
        with pytest.raises(DataError) as caught:
            raise corpus.located(RowError(2, "is wrong", "repair it"), "target")
        assert str(caught.value) == f"{corpus.place(2).target}: is wrong\n  repair it"


def test_rows_of_files_without_lines_are_counted_from_1(tmp_path):
    parquet(tmp_path)
    reader = configure(
        Reader, {"kind": "parquet", "path": str(tmp_path), "source": "de", "target": "en", "hold_out": 4}
    )()
    for split in ("train", "validation"):
        corpus = open_corpus(reader, split)
        for i, row in enumerate(corpus):
            part, number = divmod(int(row.source[7:-1]), ROWS // 2)
            assert corpus.place(i) == Place.both(f"{tmp_path}/train-0000{part}-of-00002.parquet: row {number + 1}")
    features(tmp_path)
    corpus = open_corpus(configure(Reader, {"kind": "features", "path": str(tmp_path), "target": "en"})(), "train")
    for i, row in enumerate(corpus):
        number = int(row.source[0]) // 2 + 1
        assert corpus.place(i) == (f"{tmp_path}/train.npy: row {number}", f"{tmp_path}/train.en:{number}")
    imagefolder(tmp_path)
    corpus = open_corpus(configure(Reader, {"kind": "imagefolder", "path": str(tmp_path), "target": "en"})(), "train")
    for i, row in enumerate(corpus):
        assert corpus.place(i).source == row.source.name
        assert row.target in shown_at(corpus.place(i).target)


def test_a_cache_filled_from_a_copy_names_the_files_that_are_here(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        text(tmp_path / name)
        reader = ParallelText(path=tmp_path / name, source="de", target="en")
        assert open_corpus(reader, "train").place(0).source.startswith(f"{tmp_path / name}/train.de:")
        shutil.rmtree(tmp_path / "one", ignore_errors=True)


def test_an_own_reader_counts_its_rows(tmp_path):
    @dataclass(kw_only=True)
    class Short(ParallelText):
        def rows(self, name):
            return (row for row in super().rows(name) if row.source.endswith("3."))

    text(tmp_path)
    corpus = open_corpus(Short(path=tmp_path, source="de", target="en", hold_out=0), "train")
    assert [row.source for row in corpus] == ["source 3.", "source 23.", "source 33."]  # 13 has an empty side
    assert [corpus.place(i).source for i in range(3)] == ["train: row 1", "train: row 3", "train: row 4"]


class Refusing(Field):
    """Refuses one value."""

    dtype = np.dtype(np.int32)
    fingerprint = "refusing"

    def __init__(self, bad: str) -> None:
        self.bad = bad

    def encode_all(self, values):
        if self.bad in values:
            raise RowError(list(values).index(self.bad), "is refused")
        return [np.zeros(1, np.int32)] * len(values)


@pytest.mark.parametrize(("bad", "where"), [("30.0", 31), ("22.1", 23), ("39.2", 40)])
def test_one_of_several_references_names_its_row(bad, where, tmp_path):
    rows = [{"a": f"{i}", "b": [f"{i}.{j}" for j in range(i % 4)] or f"{i}.0"} for i in range(ROWS)]
    joined(tmp_path, "train.jsonl", *map(json.dumps, rows))
    reader = configure(Reader, {"kind": "jsonl", "path": str(tmp_path), "source": "a", "target": "b", "hold_out": 0})()
    with pytest.raises(DataError, match=rf"train\.jsonl:{where}: is refused"):
        encode_corpus(open_corpus(reader, "train"), Refusing("none"), Refusing(bad))


TAGS = """\
name: tag
task: tagging
data: {kind: tsv, path: FOLDER, source: 0, target: 1}
model:
  encoder: {kind: rnn, cell: gru, embedding: 8, hidden: 8}
  head: tagger
training: {steps: 4}
"""


@pytest.mark.parametrize("wrong", [3, 20, 38])
def test_tags_that_do_not_fit_the_words_name_their_line(wrong, tmp_path):
    rows = [f"a{i} b c\t{'X Y' if i == wrong else 'X Y Z'}" + ("\n" if i % 4 == 0 else "") for i in range(ROWS)]
    joined(tmp_path, "train.tsv", *rows)
    line = next(n for n, row in enumerate("\n".join(rows).split("\n"), 1) if row.startswith(f"a{wrong} "))
    with pytest.raises(DataError) as caught:
        prepare_data(parse_recipe(TAGS.replace("FOLDER", str(tmp_path))))
    assert str(caught.value).startswith(f"{tmp_path}/train.tsv:{line}: has 3 tokens and 2 tags")


def test_a_number_that_is_none_names_its_row(tmp_path):
    features(tmp_path)
    array = np.load(tmp_path / "train.npy")
    array[32, 1] = np.nan
    np.save(tmp_path / "train.npy", array)
    reader = configure(Reader, {"kind": "features", "path": str(tmp_path), "target": "en", "hold_out": 0})()
    corpus = open_corpus(reader, "train")
    numbers = configure(Field, "numbers")()
    numbers.fit([np.zeros(2)])
    with pytest.raises(DataError, match=r"train\.npy: row 33: has an infinite number, or none"):
        encode_corpus(corpus, numbers, Refusing("none"))


def test_a_label_that_has_no_number_names_its_line(tmp_path):
    joined(tmp_path, "train.tsv", *(f"text {i}\t{'ab'[i % 2]}" for i in range(ROWS)))
    joined(tmp_path, "test.tsv", "one\ta", "", "two\tc")
    numbered = configure(
        Reader, {"kind": "tsv", "path": str(tmp_path), "source": 0, "target": 1, "labels": ["a", "b"]}
    )()
    with pytest.raises(DataError, match=r"test\.tsv:3: has the label 'c'"):
        list(numbered.read("test"))


def test_text_that_is_too_long_or_no_unicode_names_its_line(tmp_path):
    options = {"path": str(tmp_path), "source": "de", "target": "en", "max_characters": 20}
    text(tmp_path)
    joined(tmp_path, "test.de", "a", "b", "c")
    joined(tmp_path, "test.en", "x", "y" * 21, "z")
    with pytest.raises(DataError, match=r"test\.en:2: has 21 characters, and 20 are allowed"):
        open_corpus(configure(Reader, {"kind": "text", **options})(), "test")
    joined(tmp_path, "train.jsonl", *('{"de": "a", "en": "%s"}' % (r"\ud800" if i == 30 else "b") for i in range(ROWS)))
    with pytest.raises(DataError, match=r"train\.jsonl:31: a text holds half a character"):
        open_corpus(configure(Reader, {"kind": "jsonl", **options})(), "train")
    assert next(iter(configure(Reader, {"kind": "text", **options})().read("train"))) == Row(*sides(0))
