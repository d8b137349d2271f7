"""Readers of pictures and of arrays: what was written comes back, and what is missing is named."""

import io

import datasets
import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image as Pillow

from s2s.config import configure
from s2s.data.corpus import encode_corpus
from s2s.data.encoded import in_pieces
from s2s.data.fields.features import Features
from s2s.data.fields.image import ImageField
from s2s.data.fields.text import TextField
from s2s.data.ingest import open_corpus
from s2s.data.pictures import open_picture
from s2s.data.readers.base import Reader
from s2s.data.readers.folders import FeaturesReader, ImageFolder
from s2s.data.readers.huggingface import HuggingFace, fetched
from s2s.data.readers.tables import JsonLines, Parquet
from s2s.data.tokenizers.base import Tokenizer
from s2s.errors import DataError, RunError

COLORS = ["red", "green", "blue"]


def png(color: str) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", (6, 6), color).save(file, "PNG")
    return file.getvalue()


def write_folder(folder, listing: str, name="metadata.csv"):
    folder.mkdir(parents=True)
    for color in COLORS:
        (folder / f"{color}.png").write_bytes(png(color))
    (folder / name).write_text(listing)


def colors_of(rows) -> list[tuple]:
    return [open_picture(row.source).getpixel((0, 0)) for row in rows]


RGB = [(255, 0, 0), (0, 128, 0), (0, 0, 255)]


def test_a_folder_of_pictures(tmp_path):
    lines = "".join(f'{c}.png,a {c} one,"{c}, all"\n' for c in COLORS)
    write_folder(tmp_path / "train", f"file_name,en,more\n{lines}")
    rows = list(ImageFolder(path=tmp_path, target="en").read("train"))
    assert colors_of(rows) == RGB
    assert [row.target for row in rows] == ["a red one", "a green one", "a blue one"]
    several = list(ImageFolder(path=tmp_path, target=("en", "more")).read("train"))
    assert several[2].target == ["a blue one", "blue, all"]
    corpus = open_corpus(ImageFolder(path=tmp_path, target="en", hold_out=0), "train")
    assert colors_of(corpus) == RGB
    assert corpus[1].source.name.endswith("green.png")


def test_a_list_in_json_lines(tmp_path):
    lines = "".join(f'{{"file_name": "{c}.png", "captions": ["a", "{c}"]}}\n' for c in COLORS)
    write_folder(tmp_path / "train", lines, "metadata.jsonl")
    rows = list(ImageFolder(path=tmp_path, target="captions").read("train"))
    assert rows[0].target == ["a", "red"]


def test_other_pictures_are_another_fingerprint(tmp_path):
    write_folder(tmp_path / "train", "file_name,en\nred.png,a\n")
    reader = ImageFolder(path=tmp_path, target="en")
    before = reader.fingerprint("train")
    (tmp_path / "train" / "red.png").write_bytes(png("black"))
    assert reader.fingerprint("train") != before


def test_pictures_inside_parquet(tmp_path):
    table = {
        "image": [{"bytes": png(c), "path": f"{c}.png"} for c in COLORS],
        "captions": [[c, f"a {c} one"] for c in COLORS],
    }
    pq.write_table(pa.table(table), tmp_path / "train.parquet")
    reader = Parquet(path=tmp_path, source="image", target="captions", hold_out=0)
    assert reader.source_type == "picture"
    corpus = open_corpus(reader, "train")
    assert colors_of(corpus) == RGB
    assert corpus[0].target == ["red", "a red one"]
    field = TextField(tokenizer=configure(Tokenizer, "word"))
    field.fit(text for row in corpus for text in row.references)
    encoded = encode_corpus(corpus, ImageField(size=6), field)
    assert len(encoded) == 6
    assert encoded.source_lengths.tolist() == [1] * 6
    assert encoded.source(3).tolist() == encoded.source(2).tolist() != encoded.source(0).tolist()


def test_pictures_of_a_data_set(tmp_path):
    features = datasets.Features({"image": datasets.Image(), "text": datasets.Value("string")})
    rows = {"image": [{"bytes": png(c), "path": None} for c in COLORS], "text": COLORS}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(tmp_path / "d"))
    reader = HuggingFace(path=str(tmp_path / "d"), source="image", target="text")
    assert reader.source_type == "picture"
    assert colors_of(reader.read("train")) == RGB


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("source", ["image", 0])
def test_a_folder_of_pictures_through_datasets(tmp_path, source, streaming):
    lines = "".join(f"{c}.png,a {c} one\n" for c in COLORS)
    write_folder(tmp_path / "d" / "train", f"file_name,text\n{lines}")
    reader = HuggingFace(path=str(tmp_path / "d"), source=source, target="text", hold_out=0, streaming=streaming)
    assert reader.source_type == "picture"
    rows = list(open_corpus(reader, "train"))
    assert sorted(colors_of(rows)) == sorted(RGB)
    assert {row.target: color for row, color in zip(rows, colors_of(rows))}["a red one"] == RGB[0]


def test_a_picture_that_a_stream_only_names_is_fetched():
    fsspec.filesystem("memory").pipe("a.png", png("red"))
    assert fetched({"bytes": None, "path": "memory://a.png"})["bytes"] == png("red")
    for cell in ({"bytes": b"x", "path": "memory://a.png"}, {"bytes": None, "path": "a.png"}, None):
        assert fetched(cell) is cell


PICTURE = pa.struct({"bytes": pa.binary(), "path": pa.string()})


def write_pictures(path, *cells):
    pq.write_table(pa.table({"image": pa.array(cells, PICTURE), "text": list("abc"[: len(cells)])}), path)


def test_rows_without_a_picture(tmp_path):
    for split in ("train", "valid"):
        write_pictures(tmp_path / f"{split}.parquet", {"bytes": png("red"), "path": None}, None)
    for source in ("image", 0):
        reader = Parquet(path=tmp_path, source=source, target="text")
        train = open_corpus(reader, "train")
        assert (len(train), train.counts.empty) == (1, 1)
        assert train[0].source.data == png("red")
        with pytest.raises(DataError, match=r"valid.*\.parquet: row 2: has no source"):
            open_corpus(reader, "validation")


def test_pictures_that_are_named_and_not_there(tmp_path):
    there = tmp_path / "there.png"
    there.write_bytes(png("green"))
    write_pictures(tmp_path / "train.parquet", {"bytes": None, "path": str(there)})
    reader = Parquet(path=tmp_path, source="image", target="text", hold_out=0)
    assert colors_of(open_corpus(reader, "train")) == [RGB[1]]
    for cell, said in (
        ({"bytes": None, "path": "gone.png"}, "row 1: names a picture that is not there: gone.png"),
        ({"bytes": None, "path": None}, "row 1: has a picture of neither bytes nor a path"),
    ):
        write_pictures(tmp_path / "train.parquet", cell)
        with pytest.raises(DataError, match=said):
            open_corpus(reader, "train")


def test_an_object_with_more_in_it_is_no_picture(tmp_path):
    table = {"image": [{"bytes": b"x", "path": "y", "size": 3}], "text": ["a"]}
    pq.write_table(pa.table(table), tmp_path / "train.parquet")
    with pytest.raises(DataError, match="name a field inside it, one of: image.bytes, image.path, image.size"):
        list(Parquet(path=tmp_path, source="image", target="text").read("train"))


def test_pictures_where_texts_should_be(tmp_path):
    """Only Parquet and data sets say which column holds pictures."""
    (tmp_path / "a.png").write_bytes(png("red"))
    cell = f'{{"bytes": null, "path": "{tmp_path / "a.png"}"}}'
    (tmp_path / "train.jsonl").write_text(f'{{"image": {cell}, "text": "a"}}\n')
    with pytest.raises(
        DataError, match=r"train.jsonl:1: its source is of another kind than the data says\n  pictures in a table"
    ):
        open_corpus(JsonLines(path=tmp_path, source="image", target="text", hold_out=0), "train")
    (tmp_path / "train.jsonl").write_text('{"image": {"path": "a.png"}, "text": "a"}\n')
    with pytest.raises(DataError, match="name a field inside it, one of: image.path"):
        open_corpus(JsonLines(path=tmp_path, source="image", target="text", hold_out=0), "train")


def test_a_folder_of_arrays_of_any_length(tmp_path):
    arrays = [np.arange(rows * 3, dtype=np.float64).reshape(rows, 3) for rows in (2, 1, 4)]
    (tmp_path / "train").mkdir()
    for i, array in enumerate(arrays):
        np.save(tmp_path / "train" / f"{i}.npy", array)
    (tmp_path / "train" / "metadata.jsonl").write_text(
        "".join(f'{{"file_name": "{i}.npy", "text": ["{i}", "{i} again"]}}\n' for i in range(3))
    )
    reader = configure(Reader, {"kind": "arrayfolder", "path": str(tmp_path), "target": "text", "hold_out": 0})()
    assert reader.source_type == "numbers"
    corpus = open_corpus(reader, "train")
    assert [row.source.tolist() for row in corpus] == [array.tolist() for array in arrays]
    assert corpus[2].target == ["2", "2 again"]
    np.save(tmp_path / "train" / "1.npy", np.zeros((1, 2, 3)))
    with pytest.raises(DataError, match=r"1.npy: has the shape \[1, 2, 3\]"):
        list(reader.read("train"))
    np.save(tmp_path / "train" / "1.npy", np.array(["words"]))
    with pytest.raises(DataError, match="1.npy: holds <U5, and numbers are needed"):
        list(reader.read("train"))
    (tmp_path / "train" / "1.npy").unlink()
    with pytest.raises(DataError, match="names files that are missing: .*1.npy"):
        list(reader.read("train"))


def test_pictures_are_encoded_a_few_at_a_time():
    chunks = [[1, 2, 3, 4, 5], [6], []]
    assert list(in_pieces(chunks, 2)) == [[1, 2], [3, 4], [5], [6]]
    assert list(in_pieces(chunks, 100)) == [[1, 2, 3, 4, 5], [6]]


def test_arrays_beside_texts(tmp_path):
    arrays = np.random.default_rng(1).normal(size=(4, 2, 3)).astype(np.float32)
    np.save(tmp_path / "train.npy", arrays)
    (tmp_path / "train.en").write_text("a\nb\nc\nd\n")
    reader = FeaturesReader(path=tmp_path, target="en", hold_out=0)
    corpus = open_corpus(reader, "train")
    assert [row.target for row in corpus] == ["a", "b", "c", "d"]
    assert np.array_equal(corpus[2].source, arrays[2])
    field = Features()
    field.fit(row.source for row in corpus)
    field.save(tmp_path, "source")
    again = Features()
    again.load(tmp_path, "source")
    assert (again.space, again.fingerprint) == (field.space, field.fingerprint)
    coded = field.encode_all([row.source for row in corpus])
    assert [field.length(array) for array in coded] == [2] * 4
    batch = field.collate([*coded, field.encode_all([arrays[0][:1]])[0]])
    assert batch.data.shape == (5, 2, 3)
    assert batch.lengths.tolist() == [2, 2, 2, 2, 1]
    assert np.array_equal(batch.data[1].numpy(), arrays[1])
    flat = Features()
    flat.fit([arrays[0, 0]])
    assert flat.collate(flat.encode_all(list(arrays[0]))).tolist() == arrays[0].tolist()


def test_mistakes_have_a_sentence(tmp_path):
    write_folder(tmp_path / "train", "file_name,en\nred.png,a\ngone.png,b\n")
    with pytest.raises(DataError, match=r"names files that are missing: .*gone.png"):
        list(ImageFolder(path=tmp_path, target="en").read("train"))
    (tmp_path / "train" / "metadata.csv").write_text("file_name,en\nred.png,a\n")
    with pytest.raises(DataError, match="there is no column 'ens'"):
        list(ImageFolder(path=tmp_path, target="ens").read("train"))
    (tmp_path / "train" / "metadata.csv").write_text("file_name,en\nred.png,Well, a\n")
    with pytest.raises(DataError, match=r"metadata.csv:2: has 3 cells, and the first line has 2"):
        list(ImageFolder(path=tmp_path, target="en").read("train"))
    (tmp_path / "train" / "metadata.csv").write_text("file_name,en\nred.png\n")
    with pytest.raises(DataError, match=r"metadata.csv:2: there is no column 'en'"):
        list(ImageFolder(path=tmp_path, target="en").read("train"))
    with pytest.raises(DataError, match="nowhere: there is no such file or folder"):
        list(ImageFolder(path=tmp_path / "nowhere", target="en").read("train"))
    (tmp_path / "a.npy").write_bytes(b"no array")
    (tmp_path / "a.en").write_text("a\n")
    with pytest.raises(DataError, match="is not a .npy file"):
        list(FeaturesReader(path=tmp_path, target="en", train="a").read("train"))
    np.save(tmp_path / "a.npy", np.zeros((2, 3)))
    with pytest.raises(DataError, match="has 1 lines, and .* has 2 rows"):
        list(FeaturesReader(path=tmp_path, target="en", train="a").read("train"))
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(DataError, match=r"must be numbers of shape \[rows, F\]"):
        list(FeaturesReader(path=tmp_path, target="en", train="a").read("train"))
    field = Features()
    field.fit([np.zeros(3)])
    grid = Features()
    grid.fit([np.zeros((2, 3))])
    with pytest.raises(DataError, match="row 2: has no positions"):
        grid.encode_all([np.zeros((1, 3)), np.zeros((0, 3))])
    for value, said in ((np.zeros(4), "has the shape"), (np.array([1, np.nan, 0]), "infinite number, or none")):
        with pytest.raises(DataError, match=said):
            field.encode_all([value])
    with pytest.raises(RunError, match="source.json"):
        field.load(tmp_path, "source")
