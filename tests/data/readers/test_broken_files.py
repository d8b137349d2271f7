"""Whatever is in a file, a reader reads it or says in one line what is wrong with which file: never a traceback."""

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image as Pillow

import s2s.recipe  # noqa: F401  (registers every reader and field)
from s2s.config import configure
from s2s.data.corpus import encode_corpus
from s2s.data.fields.base import Field, Nothing
from s2s.data.ingest import open_corpus
from s2s.data.readers.base import Reader
from s2s.errors import DataError, Problem

ROWS = [(f"source {i} é日", f"target {i}, with a comma") for i in range(30)]


def image(path: Path) -> None:
    Pillow.new("RGB", (8, 8), "red").save(path)


def write_text(folder: Path) -> Path:
    for side, ending in enumerate(("de", "en")):
        (folder / f"train.{ending}").write_text("".join(f"{row[side]}\n" for row in ROWS), encoding="utf-8")
    return folder / "train.de"


def write_rows(folder: Path, name: str, lines: list[str]) -> Path:
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder / name


def write_pictures(folder: Path) -> Path:
    (folder / "train").mkdir()
    for i in range(3):
        image(folder / "train" / f"{i}.png")
    return write_rows(folder / "train", "metadata.csv", ["file_name,en", *(f"{i}.png,a" for i in range(3))])


def write_picture_list(folder: Path) -> Path:
    write_pictures(folder).unlink()
    lines = [json.dumps({"file_name": f"{i}.png", "en": "a"}) for i in range(3)]
    return write_rows(folder / "train", "metadata.jsonl", lines)


def write_one_picture(folder: Path) -> Path:
    write_pictures(folder)
    return folder / "train" / "1.png"


def write_arrays(folder: Path) -> Path:
    np.save(folder / "train.npy", np.ones((30, 3), np.float32))
    write_rows(folder, "train.en", [b for _, b in ROWS])
    return folder / "train.npy"


def write_array_folder(folder: Path) -> Path:
    (folder / "train").mkdir()
    for i in range(3):
        np.save(folder / "train" / f"{i}.npy", np.ones((2, 3), np.float32))
    write_rows(folder / "train", "metadata.csv", ["file_name,en", *(f"{i}.npy,a" for i in range(3))])
    return folder / "train" / "1.npy"


def write_parquet(folder: Path) -> Path:
    pq.write_table(pa.table({"de": [a for a, _ in ROWS], "en": [b for _, b in ROWS]}), folder / "train.parquet")
    return folder / "train.parquet"


TWO = {"source": "de", "target": "en"}
READERS = {  # what writes good files and gives the one to break; the rest of the recipe; the field of the source
    "text": (write_text, TWO, "text"),
    "tsv": (lambda f: write_rows(f, "train.tsv", ["de\ten", *map("\t".join, ROWS)]), TWO, "text"),
    "csv": (lambda f: write_rows(f, "train.csv", ["de,en", *(f'"{a}","{b}"' for a, b in ROWS)]), TWO, "text"),
    "jsonl": (lambda f: write_rows(f, "train.jsonl", [json.dumps(dict(zip(("de", "en"), r))) for r in ROWS]), TWO, "text"),
    "parquet": (write_parquet, TWO, "text"),
    "lines": (lambda f: write_rows(f, "train.txt", [a for a, _ in ROWS]), {}, "nothing"),
    "dialogues": (lambda f: write_rows(f, "train.jsonl", [json.dumps({"turns": r}) for r in ROWS]), {}, "text"),
    "imagefolder": (write_pictures, {"target": "en"}, "image"),
    "imagefolder, a list in JSON": (write_picture_list, {"target": "en"}, "image"),
    "imagefolder, a picture": (write_one_picture, {"target": "en"}, "image"),
    "features": (write_arrays, {"target": "en"}, "numbers"),
    "arrayfolder": (write_array_folder, {"target": "en"}, "numbers"),
}  # fmt: skip


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def scatter(data: bytes, chance: random.Random) -> bytes:
    broken = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    return bytes(broken)


BREAKING = {
    "empty": lambda data, chance: b"",
    "one line end": lambda data, chance: b"\n",
    "cut": cut,
    "cut gzip": lambda data, chance: cut(gzip.compress(data), chance),
    "noise": lambda data, chance: chance.randbytes(2000),
    "scattered noise": scatter,
    "scattered noise in gzip": lambda data, chance: scatter(gzip.compress(data), chance),
    "zero bytes": lambda data, chance: data[:50] + bytes(100) + data[50:],
    "nothing but zero bytes": lambda data, chance: bytes(3000),
    "Latin-1": lambda data, chance: data.decode("utf-8", "ignore").encode("latin-1", "replace"),
    "UTF-16": lambda data, chance: data.decode("utf-8", "ignore").encode("utf-16"),
    "UTF-16 without a mark": lambda data, chance: data.decode("utf-8", "ignore").encode("utf-16-le"),
    "old Mac": lambda data, chance: data.replace(b"\n", b"\r"),
    "Windows": lambda data, chance: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"),
    "a line without end": lambda data, chance: data + b"x" * (1 << 24),
    "brackets without end": lambda data, chance: data + b'{"de": [' * 50_000,
    "digits without end": lambda data, chance: data + b'{"de": ' + b"7" * 6000 + b', "en": "a"}',
    "quotes": lambda data, chance: data.replace(b"e", b'"'),
    "twice": lambda data, chance: data + data,
}


@pytest.mark.parametrize("how", BREAKING)
@pytest.mark.parametrize("kind", READERS)
def test_a_broken_file_is_read_or_named(kind, how, tmp_path):
    write, options, field = READERS[kind]
    good = write(tmp_path).read_bytes()
    target = Path(tmp_path)
    for seed in range(6 if how in ("cut", "noise", "scattered noise", "cut gzip", "scattered noise in gzip") else 1):
        path = write_again(write, target / str(seed))
        path.write_bytes(BREAKING[how](good, random.Random(f"{kind} {how} {seed}")))
        node = {"kind": kind.partition(",")[0], "path": str(target / str(seed)), **options}
        problems: tuple[Problem, ...] = ()
        try:
            reader = configure(Reader, node)()
            sources = source_field(field)
            corpora = [open_corpus(reader, split) for split in ("train", "validation")]
            if field == "numbers":
                sources.fit(row.source for row in corpora[0])
            for corpus in corpora:
                encode_corpus(corpus, sources, source_field("text"))
        except DataError as error:
            problems = error.problems
        for problem in problems:
            assert "\n" not in problem.where + problem.what
            assert str(target) in problem.where or problem.where in ("train", "validation"), problem


def test_parquet_with_a_text_that_is_no_utf8_is_named(tmp_path):
    broken = pa.array([b"a", b"\xae"], pa.binary()).view(pa.string())  # which nothing checks as it is written
    pq.write_table(pa.table({"de": broken, "en": ["a", "b"]}), tmp_path / "train.parquet", use_dictionary=False)
    with pytest.raises(DataError, match=r"train\.parquet: is not a readable Parquet file: 'utf-8' codec can't decode"):
        list(configure(Reader, {"kind": "parquet", "path": str(tmp_path), **TWO})().read("train"))


def write_again(write, folder: Path) -> Path:
    folder.mkdir()
    return write(folder)


def source_field(kind: str) -> Field:
    if kind == "nothing":
        return Nothing()
    node = {"text": {"kind": "text", "tokenizer": "byte"}, "image": {"kind": "image", "size": 8}, "numbers": "numbers"}
    return configure(Field, node[kind])()
