"""Readers: every kind gives back what was written, and every broken file its sentence."""

import csv
import gzip
import json
import random
import shutil
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from s2s.config import configure
from s2s.data.readers.base import Reader, Row
from s2s.data.readers.huggingface import HuggingFace
from s2s.data.readers.tables import Csv, JsonLines, Parquet, Tsv
from s2s.data.readers.text import ParallelText
from s2s.data.source_files import read_lines
from s2s.errors import DataError, RecipeError

PAIRS = [
    ("Ein Hund läuft.", "A dog runs."),
    ("", "nothing on the left"),
    ('Er sagt "ja", sie, nein', "He says 'yes'"),
    ("zwei\u2028Zeilen\x85hier\x0bund\x0cda", "a\u2029b\x1cc"),
    ("  Ränder  ", " edges "),
    ("日本語 🎉", "مرحبا"),
]


def write_text(folder: Path, name: str, pairs: list[tuple[str, str]]) -> None:
    for side, ending in enumerate(("de", "en")):
        (folder / f"{name}.{ending}").write_bytes("".join(f"{pair[side]}\n" for pair in pairs).encode())


def write_tsv(folder: Path, name: str, pairs: list[tuple[str, str]]) -> None:
    (folder / f"{name}.tsv").write_bytes("".join(f"{a}\t{b}\n" for a, b in [("de", "en"), *pairs]).encode())


def write_csv(folder: Path, name: str, pairs: list[tuple[str, str]]) -> None:
    with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("de", "en"), *pairs])


def write_jsonl(folder: Path, name: str, pairs: list[tuple[str, str]]) -> None:
    lines = (json.dumps({"de": a, "en": b}) for a, b in pairs)
    (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))


def write_parquet(folder: Path, name: str, pairs: list[tuple[str, str]]) -> None:
    columns = {"de": [a for a, _ in pairs], "n": list(range(len(pairs))), "en": [b for _, b in pairs]}
    pq.write_table(pa.table(columns), folder / f"{name}.parquet", row_group_size=4)


WRITERS = {
    "text": write_text,
    "tsv": write_tsv,
    "csv": write_csv,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
    "huggingface": write_parquet,
}
FILES = sorted(set(WRITERS) - {"huggingface"})


@pytest.fixture(autouse=True)
def offline(request, tmp_path_factory, monkeypatch):
    """`datasets` writes to a folder of its own, and asks no server."""
    if "huggingface" in request.node.name or "Hub" in request.node.name:
        import datasets
        import huggingface_hub

        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("hub"))
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def reader(kind: str, path: Path, **options: object) -> Reader:
    """As a recipe would make it."""
    return configure(Reader, {"kind": kind, "path": str(path), "source": "de", "target": "en", **options})()


def rows(made: Reader, split: str = "train") -> list[tuple]:
    return [tuple(row) for row in made.read(split)]


def test_every_kind_is_tested_here():
    others = {
        "arrayfolder",
        "conll",
        "dialogues",
        "features",
        "generated",
        "imagefolder",
        "lines",
        "python",
    }  # they have files of their own
    assert set(Reader.registry) - others == set(WRITERS)


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_reads_what_was_written(kind, tmp_path):
    for name, pairs in (("train", PAIRS), ("val", PAIRS[:2]), ("test_2017", PAIRS[4:])):
        WRITERS[kind](tmp_path, name, pairs)
    if kind == "huggingface":  # datasets knows splits by its own names only
        (tmp_path / "test_2017.parquet").rename(tmp_path / "test.parquet")
    made = reader(kind, tmp_path)
    assert rows(made) == PAIRS
    assert rows(made, "validation") == PAIRS[:2]
    assert made.has("train")
    assert made.has("validation")
    assert not made.has("dev")
    last = "test" if kind == "huggingface" else "test_2017"
    assert made.has(last)
    assert rows(made, last) == PAIRS[4:]
    assert all(isinstance(row, Row) for row in made.read("train"))


def test_generated_rows_are_new_in_every_split():
    made = configure(Reader, {"kind": "generated", "size": 200})()
    train, test = rows(made), rows(made, "test")
    assert len(set(train)) == len(train) == 200
    assert rows(made) == train
    assert not {source for source, _ in train} & {source for source, _ in test}
    assert rows(configure(Reader, {"kind": "generated", "size": 200, "seed": 2})()) != train
    assert made.has("validation")
    assert not made.has("test_2017")


@pytest.mark.parametrize("kind", sorted({*WRITERS, "generated"}))
def test_fingerprint_is_of_contents(kind, tmp_path):
    if kind == "generated":
        prints = [
            configure(Reader, {"kind": kind, **o})().fingerprint("train") for o in ({}, {"size": 9}, {"seed": 5}, {})
        ]
        assert prints[0] == prints[3]
        assert len(set(prints)) == 3
        return
    first = tmp_path / "first"
    first.mkdir()
    WRITERS[kind](first, "train", PAIRS)
    before = reader(kind, first).fingerprint("train")
    assert reader(kind, first).fingerprint("train") == before
    if kind != "huggingface":  # its own cache goes by path and time of change
        shutil.copytree(first, tmp_path / "second")
        assert reader(kind, tmp_path / "second").fingerprint("train") == before
    other = reader(kind, first, source="en", target="de")
    assert other.fingerprint("train") != before
    WRITERS[kind](first, "train", [*PAIRS[:-1], ("日本語 🎈", "مرحبا")])
    assert reader(kind, first).fingerprint("train") != before


@pytest.mark.parametrize("kind", ["text", "tsv", "csv", "jsonl"])
def test_gzip_is_found_and_read(kind, tmp_path):
    WRITERS[kind](tmp_path, "train", PAIRS)
    plain = rows(reader(kind, tmp_path))
    for path in list(tmp_path.iterdir()):
        (tmp_path / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert rows(reader(kind, tmp_path)) == plain


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_a_list_of_targets_is_several_references(kind, tmp_path):
    WRITERS[kind](tmp_path, "train", PAIRS)
    found = list(reader(kind, tmp_path, target=["en", "de"]).read("train"))
    assert [row.target for row in found] == [[b, a] for a, b in PAIRS]
    assert [row.references for row in found] == [row.target for row in found]
    assert [row.references for row in reader(kind, tmp_path).read("train")] == [[b] for _, b in PAIRS]


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "huggingface"])
def test_nested_columns_and_cells_that_are_lists(kind, tmp_path):
    records = [{"id": i, "translation": {"de": a, "en": b}, "all": [b, a]} for i, (a, b) in enumerate(PAIRS)]
    records.append({"id": -1, "translation": None, "all": []})
    if kind == "jsonl":
        (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, records)))
    else:
        pq.write_table(pa.Table.from_pylist(records), tmp_path / "train.parquet")
    nested = {"source": "translation.de", "target": "translation.en"}
    assert rows(reader(kind, tmp_path, **nested)) == [*PAIRS, ("", "")]  # null is no text
    nested["target"] = "all"
    assert rows(reader(kind, tmp_path, **nested)) == [*((a, [b, a]) for a, b in PAIRS), ("", [""])]


@pytest.mark.parametrize("streaming", [False, True])
def test_huggingface_reads_folders_streams_and_what_it_saved(streaming, tmp_path):
    import datasets

    folder = tmp_path / "files"
    folder.mkdir()
    write_jsonl(folder, "train", PAIRS)
    write_jsonl(folder, "validation", PAIRS[:1])
    made = reader("huggingface", folder, streaming=streaming)
    assert rows(made) == PAIRS
    assert made.has("validation")
    assert not made.has("test")
    assert made.fingerprint("train") == reader("huggingface", folder, streaming=not streaming).fingerprint("train")
    single = datasets.Dataset.from_dict({"de": [a for a, _ in PAIRS], "en": [b for _, b in PAIRS]})
    single.save_to_disk(tmp_path / "one")
    datasets.DatasetDict({"train": single, "dev": single.select([0])}).save_to_disk(tmp_path / "several")
    assert rows(reader("huggingface", tmp_path / "one", streaming=streaming)) == PAIRS
    several = reader("huggingface", tmp_path / "several")
    assert rows(several, "validation") == PAIRS[:1]
    assert several.fingerprint("train") != several.fingerprint("validation")


@pytest.mark.parametrize("name", ["validation", "valid", "val", "dev"])
def test_usual_names_of_validation_are_found(name, tmp_path):
    write_text(tmp_path, "train", PAIRS)
    assert not reader("text", tmp_path).has("validation")
    write_text(tmp_path, name, PAIRS[:1])
    assert rows(reader("text", tmp_path), "validation") == PAIRS[:1]
    assert not reader("text", tmp_path, validation=None).has("validation")


def test_two_text_files_are_enough(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_text(tmp_path, "my", PAIRS)
    assert rows(reader("text", Path("."), train="my")) == PAIRS
    (tmp_path / "my.de").rename("german.txt")
    (tmp_path / "my.en").rename("english.txt")
    assert rows(reader("text", Path("."), source="german.txt", target="english.txt")) == PAIRS


@pytest.mark.parametrize("kind", ["tsv", "csv", "jsonl", "parquet"])
def test_one_file_is_the_training_split_alone(kind, tmp_path):
    WRITERS[kind](tmp_path, "mine", PAIRS)
    WRITERS[kind](tmp_path, "valid", PAIRS[:1])
    path = next(tmp_path.glob("mine.*"))
    assert rows(reader(kind, path)) == PAIRS
    assert not reader(kind, path).has("validation")  # a neighbor is not taken for it...
    assert rows(reader(kind, path, validation="valid"), "validation") == PAIRS[:1]  # ...unless it is named
    assert rows(reader(kind, tmp_path, train=path.name)) == PAIRS


@pytest.mark.parametrize(("kind", "sign"), [("tsv", "\t"), ("csv", ",")])
def test_a_row_may_lack_cells_that_nobody_asks_for_and_have_blank_ones_too_many(kind, sign, tmp_path):
    lines = ["de,en,note", "a,b", "c,d,", "e,f,g,, "]
    (tmp_path / f"train.{kind}").write_text("".join(f"{line.replace(',', sign)}\n" for line in lines))
    assert rows(reader(kind, tmp_path)) == [("a", "b"), ("c", "d"), ("e", "f")]


def test_parts_of_a_split_are_read_in_order(tmp_path):
    write_parquet(tmp_path, "train-00001-of-00002", PAIRS[3:])
    write_parquet(tmp_path, "train-00000-of-00002", PAIRS[:3])
    assert rows(reader("parquet", tmp_path)) == PAIRS


@pytest.mark.parametrize("kind", ["tsv", "csv"])
def test_columns_by_number_need_no_header(kind, tmp_path):
    WRITERS[kind](tmp_path, "train", PAIRS)
    assert rows(reader(kind, tmp_path, source=0, target=1)) == [("de", "en"), *PAIRS]
    assert rows(reader(kind, tmp_path, source=1, target=0, header=True)) == [(b, a) for a, b in PAIRS]
    assert rows(reader(kind, tmp_path, source=1, target="de")) == [(b, a) for a, b in PAIRS]


def test_numbers_count_every_column(tmp_path):
    write_parquet(tmp_path, "train", PAIRS)  # de, n, en
    assert rows(reader("parquet", tmp_path, source=0, target=2)) == PAIRS
    (tmp_path / "train.jsonl").write_text('["x", 1, "y"]\n\n["z", 2, null]\n')
    assert rows(reader("jsonl", tmp_path, source=0, target=2)) == [("x", "y"), ("z", "")]


def test_csv_reads_what_python_writes(tmp_path):
    chance = random.Random(3)
    pairs = [tuple("".join(chance.choices('ab,;"\n\t ', k=chance.randrange(9))) for _ in range(2)) for _ in range(300)]
    pairs.append(("x" * 200_000, "longer than the csv module likes"))
    write_csv(tmp_path, "train", pairs)
    assert rows(reader("csv", tmp_path)) == pairs
    (tmp_path / "train.csv").write_text("de;en\na,b;c\n")
    assert rows(reader("csv", tmp_path, delimiter=";")) == [("a,b", "c")]
    (tmp_path / "train.csv").write_text("de\ten\na,b\tc\n")
    for tab in ("\t", r"\t"):  # from YAML's double quotes, and as a shell passes it on
        assert rows(reader("csv", tmp_path, delimiter=tab)) == [("a,b", "c")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"\xef\xbb\xbfa\n\n", ["a", ""]),
        ("a\u2028b\x85c\x0bd\n".encode(), ["a\u2028b\x85c\x0bd"]),
        (b"a\rb\nc\n", ["a\rb", "c"]),
        (gzip.compress(b"a\nb\n", mtime=0), ["a", "b"]),
        (b"\n", [""]),
        (b"x" * 1_000_000 + b"\ny\n", ["x" * 1_000_000, "y"]),
    ],
)
def test_lines_end_where_they_should(data, expected, tmp_path):
    (tmp_path / "file").write_bytes(data)
    assert list(read_lines(tmp_path / "file")) == expected


# Each mistake: the files there are, the recipe's words, and what must be said about it.
TEXT = {"train.de": b"a\nb\n", "train.en": b"x\ny\n"}
TWO = {"kind": "text", "source": "de", "target": "en"}
MISTAKES = [
    ("file", {"train.en": b"x\n", "trian.de": b"a\n"}, TWO, ["train.de: there is no such file", "mean 'trian.de'?"]),
    ("folder", {}, TWO | {"path": "corpora/nowhere"}, ["/corpora: there is no such file or folder", "has: nothing"]),
    ("path is a file", TEXT, TWO | {"path": "train.de"}, ["train.de: is a file", "train: my, source: de, target: en"]),
    ("suffix", TEXT, TWO | {"source": "dee"}, ["train.dee: there is no such file", "did you mean 'train.de'?"]),
    ("named split", TEXT, TWO | {"split": "validation", "validation": "dev"}, ["dev.de: there is no such file"]),
    ("no split", TEXT, TWO | {"split": "test"}, ["test: there is no test split"]),
    ("longer source", TEXT | {"train.de": b"a\nb\nc\n"}, TWO, ["train.de: has 3 lines, and ", "train.en has 2"]),
    ("longer target", TEXT | {"train.en": b"a\n" * 1200}, TWO, ["train.de: has 2 lines, and ", "train.en has 1,200"]),
    ("empty file", TEXT | {"train.en": b""}, TWO, ["train.en: is empty"]),
    ("latin-1", TEXT | {"train.de": b"a\nM\xe4rz\n"}, TWO, ["train.de:2: is not UTF-8: byte 0xe4 at column 2", "iconv"]),
    ("utf-16", TEXT | {"train.de": "a\nb\n".encode("utf-16")}, TWO, ["train.de:1: is UTF-16", "iconv -f UTF-16"]),
    ("old Mac", TEXT | {"train.de": b"a\rb\r"}, TWO, ["train.de:1: lines end in a carriage return alone", "tr '\\r'"]),
    ("binary", TEXT | {"train.de": b"a\n\x00\x01\n"}, TWO, ["train.de:2: holds a zero byte: this looks binary"]),
    ("endless line", TEXT | {"train.de": b"a" * (1 << 24)}, TWO, ["train.de:1: a line of more than 16,777,216 bytes"]),
    ("cut gzip", TEXT | {"train.de": gzip.compress(b"a\nb\n" * 99, mtime=0)[:-9]}, TWO, ["train.de: is broken gzip"]),
    ("bad gzip", TEXT | {"train.de": b"\x1f\x8bnonsense"}, TWO, ["train.de: is broken gzip"]),
    ("tsv column", {"train.tsv": b"de\tenglish\na\tb\n"}, {"kind": "tsv", "target": "englsh"}, ["train.tsv:1: there is no column 'englsh'", "did you mean 'english'? the columns are: de, english"]),
    ("tsv short row", {"train.tsv": b"a\tb\nc\n"}, {"kind": "tsv", "source": 0, "target": 1}, ["train.tsv:2: has 1 column, and column 1 was asked for", "the line is: c"]),
    ("tsv number", {"train.tsv": b"a\tb\n"}, {"kind": "tsv", "source": 0, "target": 7}, ["train.tsv:1: has 2 columns, and column 7"]),
    ("tsv no header", {"train.tsv": b"a\tb\n"}, {"kind": "tsv", "header": False}, ["train.tsv:1: has no header to find column 'de' in"]),
    ("tsv file", {"train.csv": b"a,b\n"}, {"kind": "tsv"}, ["train.tsv: there is no such file", "did you mean 'train.csv'?"]),
    ("tsv empty", {"train.tsv": b""}, {"kind": "tsv"}, ["train.tsv: is empty"]),
    ("tsv long row", {"train.tsv": b"de\ten\na\tb\n\nWell,\ta ball\tein Ball\n"}, {"kind": "tsv"}, ["train.tsv:4: has 3 cells, and the first line has 2: Well, | a ball | ein Ball", "take the tab out"]),
    ("tsv long row without a header", {"train.tsv": b"a\tb\na\tb\tc\n"}, {"kind": "tsv", "source": 0, "target": 1}, ["train.tsv:2: has 3 cells, and the first line has 2"]),
    ("csv long row", {"train.csv": b'de,en\n"a\n1",b\nWell, a ball,ein Ball\n'}, {"kind": "csv"}, ["train.csv:4: has 3 cells, and the first line has 2", 'is quoted: "Well, yes"']),
    ("csv open quote", {"train.csv": b'de,en\na,"b\nc,d\n'}, {"kind": "csv"}, ["train.csv:3: a quote is opened and never closed"]),
    ("csv stray quote", {"train.csv": b'de,en\n"a"b,c\n'}, {"kind": "csv"}, ["train.csv:2: is not CSV", "the kind is tsv"]),
    ("csv short row", {"train.csv": b"de,en\na\n"}, {"kind": "csv"}, ["train.csv:2: has 1 column"]),
    ("csv delimiter", {"train.csv": b"de,en\na,b\n"}, {"kind": "csv", "delimiter": ";;"}, ["delimiter: must be one character, found ';;'"]),
    ("csv bytes", {"train.csv": b"de,en\na,\xff\n"}, {"kind": "csv"}, ["train.csv:2: is not UTF-8: byte 0xff at column 3"]),
    ("json", {"train.jsonl": b'{"de": "a", "en": "b"}\n{"de": \n'}, {"kind": "jsonl"}, ["train.jsonl:2: is not JSON: Expecting value at column 8"]),
    ("json list", {"train.jsonl": b'[\n{"de": "a"}]'}, {"kind": "jsonl"}, ["train.jsonl:1: is not JSON", "jq -c '.[]'"]),
    ("json list on a line", {"train.jsonl": b'[{"de": "a", "en": "b"}, {"de": "c", "en": "d"}]'}, {"kind": "jsonl"}, ["train.jsonl:1: holds a list of objects", "jq -c '.[]'"]),
    ("json list by number", {"train.jsonl": b'[{"de": "a", "en": "b"}]'}, {"kind": "jsonl", "source": 0, "target": 1}, ["train.jsonl:1: holds a list of objects", "jq -c '.[]'"]),
    ("json long number", {"train.jsonl": b'{"de": "a", "en": "b"}\n{"n": ' + b"7" * 5000 + b"}"}, {"kind": "jsonl"}, ["train.jsonl:2: holds a number of more than 4,300 digits", "put it in quotes"]),
    ("json depth", {"train.jsonl": b"[" * 200_000}, {"kind": "jsonl"}, ["train.jsonl:1: is JSON nested too deeply"]),
    ("json deep field", {"train.jsonl": b'{"a":' * 900 + b"1" + b"}" * 900}, {"kind": "jsonl"}, ["train.jsonl:1: there is no column 'de'", "the columns are: a.a.a"]),
    ("json label of many digits", {"train.jsonl": b'{"de": "a", "en": "' + b"7" * 5000 + b'"}'}, {"kind": "jsonl", "labels": ["x", "y"]}, ["has the label '777"]),
    ("json key", {"train.jsonl": b'{"de": "a", "eng": "b"}\n'}, {"kind": "jsonl"}, ["train.jsonl:1: there is no column 'en'", "did you mean 'eng'?"]),
    ("json number", {"train.jsonl": b'{"de": "a", "en": 3.5}\n'}, {"kind": "jsonl"}, ["train.jsonl:1: column 'en' holds the number 3.5, and text is needed"]),
    ("json truth", {"train.jsonl": b'{"de": true, "en": "a"}\n'}, {"kind": "jsonl"}, ["column 'de' holds the truth value True"]),
    ("json object", {"train.jsonl": b'{"de": "a", "en": {"text": "b"}}\n'}, {"kind": "jsonl"}, ["column 'en' holds an object", "one of: en.text"]),
    ("json source list", {"train.jsonl": b'{"de": [1], "en": "b"}\n'}, {"kind": "jsonl"}, ["column 'de' holds a list"]),
    ("json nested", {"train.jsonl": b'{"t": {"de": "a", "en": "b"}}\n'}, {"kind": "jsonl", "source": "t.de", "target": "t.es"}, ["there is no column 't.es'", "the columns are: t.de, t.en"]),
    ("json text", {"train.jsonl": b'"a"\n'}, {"kind": "jsonl"}, ["column 'de' was asked for, and the record is text"]),
    ("json array", {"train.jsonl": b'["a", "b"]\n'}, {"kind": "jsonl"}, ["the record is a list", "columns by number"]),
    ("json array short", {"train.jsonl": b'["a"]\n'}, {"kind": "jsonl", "source": 0, "target": 1}, ["train.jsonl:1: has 1 column, and column 1"]),
    ("parquet", {"train.parquet": b"PAR1 no"}, {"kind": "parquet"}, ["train.parquet: is not a readable Parquet file"]),
    ("parquet empty", {"train.parquet": b""}, {"kind": "parquet"}, ["train.parquet: is not a readable Parquet file"]),
    ("parquet column", {"train.parquet": {"de": ["a"], "em": ["b"]}}, {"kind": "parquet"}, ["there is no column 'en'", "the columns are: de, em"]),
    ("parquet number", {"train.parquet": {"de": ["a"], "en": [4]}}, {"kind": "parquet"}, ["train.parquet: row 1: column 'en' holds the number 4"]),
    ("parquet bytes", {"train.parquet": {"de": ["a"], "en": [b"x"]}}, {"kind": "parquet"}, ["row 1: column 'en' holds bytes"]),
    ("parquet count", {"train.parquet": {"de": ["a"], "en": ["b"]}}, {"kind": "parquet", "source": 5}, ["has 2 columns, and column 5 was asked for"]),
    ("Hub offline", {}, {"kind": "huggingface", "path": "nobody/nothing"}, ["nobody/nothing: datasets cannot read it: ", "path: FOLDER"]),
    ("Hub folder", {}, {"kind": "huggingface", "path": "./nowhere"}, ["nowhere: there is no such file or folder"]),
    ("Hub file", {"a.jsonl": b"{}"}, {"kind": "huggingface", "path": "a.jsonl"}, ["a.jsonl: is a file, not a folder", "kind: jsonl"]),
    ("Hub empty", {}, {"kind": "huggingface"}, ["datasets cannot read it", "jsonl, csv, parquet"]),
    ("Hub config", {"train.jsonl": b"{}"}, {"kind": "huggingface", "config": "xx"}, ["'xx' not found", "data.config=NAME"]),
    ("Hub column", {"train.jsonl": b'{"de": "a"}'}, {"kind": "huggingface"}, ["(train): there is no column 'en'", "the columns are: de"]),
    ("Hub split", {"train.jsonl": b'{"de": "a", "en": "b"}'}, {"kind": "huggingface", "split": "tset"}, ["there is no split 'tset'", "the splits are: train"]),
    ("Hub number", {"train.jsonl": b'{"de": "a", "en": 3}'}, {"kind": "huggingface"}, ["(train): row 1: column 'en' holds the number 3"]),
    ("Hub broken", {"train.jsonl": b'{"de": "a"\n{{{'}, {"kind": "huggingface"}, ["datasets cannot read it", "JSON"]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "node", "said"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistakes_have_a_sentence(files, node, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, data in files.items():
        if isinstance(data, dict):
            pq.write_table(pa.table(data), tmp_path / name)
        else:
            (tmp_path / name).write_bytes(data)
    options = {"path": str(tmp_path), "source": "de", "target": "en"} | node
    split = options.pop("split", "train")
    if options["path"] in ("train.de", "corpora/nowhere"):
        options["path"] = str(tmp_path / options["path"])
    with pytest.raises(DataError) as caught:
        list(configure(Reader, options)().read(split))
    for words in said:
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied"), "may not be read"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
    ],
)
def test_a_file_that_does_not_open(error, said, tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise error

    write_text(tmp_path, "train", PAIRS)
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DataError, match=said):
        list(reader("text", tmp_path).read("train"))


def test_a_folder_where_a_file_should_be(tmp_path):
    with pytest.raises(DataError, match="is a folder, not a file"):
        list(read_lines(tmp_path))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hold_out": 1.5}, "hold_out: must be from 0 to 1, found 1.5"),
        ({"hold_out": -1}, "hold_out: must be"),
        ({"max_characters": 0}, "max_characters: must be at least 1"),
        ({"sorce": "de"}, "no option 'sorce'"),
    ],
)
def test_options_are_checked(options, said, tmp_path):
    with pytest.raises(RecipeError, match=said):
        reader("text", tmp_path, **options)


def test_a_reader_needs_to_know_its_columns():
    with pytest.raises(RecipeError, match="needs 'target'"):
        configure(Reader, {"kind": "text", "path": ".", "source": "de"})


def test_python_makes_readers_too(tmp_path):
    write_text(tmp_path, "train", PAIRS)
    assert rows(ParallelText(path=tmp_path, source="de", target="en")) == PAIRS


@pytest.mark.data
def test_real_corpora(shared_data):
    multi30k = reader("text", shared_data / "multi30k", test="test_2016_flickr")
    tatoeba = reader("tsv", shared_data / "tatoeba_en_es", source=0, target=1)
    for made, counts in ((multi30k, (29_000, 1_014, 1_000)), (tatoeba, (114_011, 2_446, 2_507))):
        for split, count in zip(("train", "validation", "test"), counts):
            found = rows(made, split)
            assert len(found) == count
            assert all(source.strip() and target.strip() for source, target in found)


def test_numbers_of_labels_get_names(tmp_path):
    (tmp_path / "train.jsonl").write_text('{"t": "good", "y": 1}\n{"t": "bad", "y": 0}\n{"t": "fine", "y": "pos"}\n')
    (tmp_path / "train.tsv").write_text("good\t1\nbad\t0\nfine\tpos\n")
    for reader in (
        JsonLines(path=tmp_path, source="t", target="y", labels=("neg", "pos")),
        Tsv(path=tmp_path, source=0, target=1, labels=("neg", "pos")),
    ):
        assert [row.target for row in reader.read("train")] == ["pos", "neg", "pos"]
    with pytest.raises(DataError, match="data.labels names: no, for 0, 1"):
        list(Tsv(path=tmp_path, source=0, target=1, labels=("no",)).read("train"))
    with pytest.raises(DataError, match=r"data.labels=\[no,yes\]"):
        list(JsonLines(path=tmp_path, source="t", target="y").read("train"))


def test_class_labels_of_a_data_set_bring_their_names(tmp_path):
    features = datasets.Features({"t": datasets.Value("string"), "y": datasets.ClassLabel(names=["neg", "pos"])})
    datasets.Dataset.from_dict({"t": ["a", "b"], "y": [1, 0]}, features=features).save_to_disk(str(tmp_path / "d"))
    reader = HuggingFace(path=str(tmp_path / "d"), source="t", target="y")
    assert [row.target for row in reader.read("train")] == ["pos", "neg"]
    named = HuggingFace(path=str(tmp_path / "d"), source="t", target="y", labels=("bad", "good"))
    assert [row.target for row in named.read("train")] == ["good", "bad"]


NUMBERS = [1, 0, 1.0, True, " 1", "1.0", "1.", "pos", None, float("nan"), ""]
NAMED = ["pos", "neg", "pos", "pos", "pos", "pos", "pos", "pos", "", "", ""]


def test_a_label_is_a_number_however_it_is_written(tmp_path):
    lines = [json.dumps({"t": "x", "y": label}) for label in NUMBERS]
    (tmp_path / "train.jsonl").write_text("\n".join(lines))
    (tmp_path / "train.csv").write_text("t,y\n" + "\n".join(f"x,{label}" for label in [" 1", "1.0", "0", "", "pos "]))
    pq.write_table(pa.table({"t": ["x"] * 4, "y": [1.0, 0.0, None, float("nan")]}), tmp_path / "train.parquet")
    options = {"path": tmp_path, "source": "t", "target": "y", "labels": ("neg", "pos")}
    assert [row.target for row in JsonLines(**options).read("train")] == NAMED
    assert [row.target for row in Csv(**options).read("train")] == ["pos", "pos", "neg", "", "pos"]
    assert [row.target for row in Parquet(**options).read("train")] == ["pos", "neg", "", ""]
    for wrong in (2, 1.5, "1.5", -1, "-1", "no"):
        (tmp_path / "train.jsonl").write_text(json.dumps({"t": "x", "y": wrong}))
        with pytest.raises(DataError, match=r"train.*(has the label|holds the number)"):
            list(JsonLines(**options).read("train"))


def test_without_names_a_missing_label_is_empty_and_a_number_asks_for_names(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"t": "x", "y": "pos"}\n{"t": "y", "y": null}\n{"t": "z", "y": NaN}\n')
    reader = JsonLines(path=tmp_path, source="t", target="y")
    assert [row.target for row in reader.read("train")] == ["pos", "", ""]
    for number in ("1", "1.0"):
        path.write_text(f'{{"t": "x", "y": {number}}}\n')
        with pytest.raises(DataError, match=r"holds the number 1.*\n.*data.labels=\[no,yes\]"):
            list(reader.read("train"))


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "huggingface"])
def test_lists_of_words_and_of_tags(kind, tmp_path):
    records = [
        {"tokens": ["New York", "is", ""], "tags": ["B-LOC", "O", "O"], "ids": [1, 0, 0]},
        {"tokens": [], "tags": [], "ids": []},
        {"tokens": ["ok"], "tags": ["O"], "ids": [0]},
    ]
    if kind == "jsonl":
        (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, records)))
    else:
        pq.write_table(pa.Table.from_pylist(records), tmp_path / "train.parquet")
    sources, tags = ["New_York is _", "", "ok"], [["B-LOC", "O", "O"], [""], ["O"]]
    assert rows(reader(kind, tmp_path, source="tokens", target="tags")) == [*zip(sources, tags)]
    named = reader(kind, tmp_path, source="tokens", target="ids", labels=["O", "B-LOC"])
    assert rows(named) == [*zip(sources, tags)]


def test_class_labels_in_a_list_bring_their_names(tmp_path):
    kinds = datasets.ClassLabel(names=["O", "B"])
    for number, several in enumerate((datasets.Sequence(kinds), [kinds])):
        features = datasets.Features({"t": datasets.Sequence(datasets.Value("string")), "y": several})
        place = str(tmp_path / str(number))
        datasets.Dataset.from_dict({"t": [["a", "b"], ["c"]], "y": [[1, 0], [0]]}, features=features).save_to_disk(
            place
        )
        found = HuggingFace(path=place, source="t", target="y").read("train")
        assert [tuple(row) for row in found] == [("a b", ["B", "O"]), ("c", ["O"])]


def test_a_class_label_that_is_kept_secret_is_none(tmp_path):
    features = datasets.Features({"t": datasets.Value("string"), "y": datasets.ClassLabel(names=["neg", "pos"])})
    datasets.Dataset.from_dict({"t": ["a", "b"], "y": [-1, 1]}, features=features).save_to_disk(str(tmp_path / "d"))
    reader = HuggingFace(path=str(tmp_path / "d"), source="t", target="y")
    assert [row.target for row in reader.read("train")] == ["", "pos"]
