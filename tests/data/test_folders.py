"""Readers of pictures and of arrays: what was written comes back, and what is missing is named."""

import io

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image as Pillow

from s2s.config import choose
from s2s.data.corpus import encode_corpus, open_corpus
from s2s.data.folders import Features, ImageFolder
from s2s.data.hub import HuggingFace
from s2s.data.images import Image
from s2s.data.numbers import Numbers
from s2s.data.pictures import open_picture
from s2s.data.tables import Parquet
from s2s.data.texts import Text
from s2s.data.tokenizers import Tokenizer
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
    field = Text(None, tokenizer=choose(Tokenizer, "word"))
    field.fit(text for row in corpus for text in row.references)
    encoded = encode_corpus(corpus, Image(size=6), field)
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


def test_arrays_beside_texts(tmp_path):
    arrays = np.random.default_rng(1).normal(size=(4, 2, 3)).astype(np.float32)
    np.save(tmp_path / "train.npy", arrays)
    (tmp_path / "train.en").write_text("a\nb\nc\nd\n")
    reader = Features(path=tmp_path, target="en", hold_out=0)
    corpus = open_corpus(reader, "train")
    assert [row.target for row in corpus] == ["a", "b", "c", "d"]
    assert np.array_equal(corpus[2].source, arrays[2])
    field = Numbers()
    field.fit(row.source for row in corpus)
    field.save(tmp_path, "source")
    again = Numbers()
    again.load(tmp_path, "source")
    assert (again.space, again.fingerprint) == (field.space, field.fingerprint)
    coded = field.encode_all([row.source for row in corpus])
    assert [field.length(array) for array in coded] == [2] * 4
    batch = field.collate([*coded, field.encode_all([arrays[0][:1]])[0]])
    assert batch.data.shape == (5, 2, 3)
    assert batch.lengths.tolist() == [2, 2, 2, 2, 1]
    assert np.array_equal(batch.data[1].numpy(), arrays[1])
    flat = Numbers()
    flat.fit([arrays[0, 0]])
    assert flat.collate(flat.encode_all(list(arrays[0]))).tolist() == arrays[0].tolist()


def test_mistakes_have_a_sentence(tmp_path):
    write_folder(tmp_path / "train", "file_name,en\nred.png,a\ngone.png,b\n")
    with pytest.raises(DataError, match=r"names files that are missing: .*gone.png"):
        list(ImageFolder(path=tmp_path, target="en").read("train"))
    (tmp_path / "train" / "metadata.csv").write_text("file_name,en\nred.png,a\n")
    with pytest.raises(DataError, match="there is no column 'ens'"):
        list(ImageFolder(path=tmp_path, target="ens").read("train"))
    with pytest.raises(DataError, match="nowhere: there is no such file or folder"):
        list(ImageFolder(path=tmp_path / "nowhere", target="en").read("train"))
    (tmp_path / "a.npy").write_bytes(b"no array")
    (tmp_path / "a.en").write_text("a\n")
    with pytest.raises(DataError, match="is not a .npy file"):
        list(Features(path=tmp_path, target="en", train="a").read("train"))
    np.save(tmp_path / "a.npy", np.zeros((2, 3)))
    with pytest.raises(DataError, match="has 1 lines, and .* has 2 rows"):
        list(Features(path=tmp_path, target="en", train="a").read("train"))
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(DataError, match=r"must be numbers of shape \[rows, F\]"):
        list(Features(path=tmp_path, target="en", train="a").read("train"))
    field = Numbers()
    field.fit([np.zeros(3)])
    for value, said in ((np.zeros(4), "has the shape"), (np.array([1, np.nan, 0]), "infinite number, or none")):
        with pytest.raises(DataError, match=said):
            field.encode_all([value])
    with pytest.raises(RunError, match="source.json"):
        field.load(tmp_path, "source")
