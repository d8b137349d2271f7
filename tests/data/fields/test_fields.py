"""Text in, ids on a rectangle, text out."""

import numpy as np
import pytest
import torch

from s2s.config import configure
from s2s.data.fields.base import Field
from s2s.data.fields.text import TextField
from s2s.data.tokenizers.base import Tokenizer
from s2s.data.tokenizers.simple import Bytes, Words
from s2s.errors import RecipeError, RunError
from s2s.tensors import EOS, PAD

TEXTS = ["a red house", "", "three old trees in the garden", "a tree"]


def text(kind="word", **options):
    return TextField(tokenizer=configure(Tokenizer, {"kind": kind, **options}))


@pytest.fixture(params=sorted(Tokenizer.registry))
def field(request):
    options = {"size": 22} if request.param in ("unigram", "bpe") else {}
    field = text(request.param, **options)
    field.fit(iter(TEXTS))
    return field


def test_every_row_ends_in_eos_and_decodes_to_its_text(field):
    rows = field.encode_all(TEXTS)
    assert [row.dtype for row in rows] == [np.int32] * 4
    assert [row[-1] for row in rows] == [EOS] * 4
    assert [field.decode(row) for row in rows] == TEXTS
    for row, value in zip(rows, TEXTS, strict=True):
        assert row.tolist() == [*field.tokenizer.encode(value), EOS]


def test_one_by_one_is_all_at_once(field):
    for row, value in zip(field.encode_all(TEXTS), TEXTS, strict=True):
        assert field.encode_all([value])[0].tolist() == row.tolist() == field.sample(value, 7).tolist()
    assert field.encode_all([]) == []


@pytest.mark.parametrize("dtype", [np.int32, np.uint16, np.int64])
def test_collate_pads_on_the_right(field, dtype):
    rows = [row.astype(dtype) for row in field.encode_all(TEXTS)]
    data, lengths = batch = field.collate(rows)
    assert data.dtype == lengths.dtype == torch.long
    assert lengths.tolist() == [len(row) for row in rows]
    assert data.shape == (4, max(map(len, rows)))
    for i, row in enumerate(rows):
        assert data[i, : len(row)].tolist() == row.tolist()
        assert (data[i, len(row) :] == PAD).all()
    assert torch.equal(batch.valid, data != PAD)


def test_collate_alone_is_collate_in_company(field):
    rows = field.encode_all(TEXTS)
    together = field.collate(rows)
    for i, row in enumerate(rows):
        alone = field.collate([row])
        assert torch.equal(alone.data[0], together.data[i, : together.lengths[i]])
    assert field.collate([]).data.shape == (0, 0)


def test_decode_and_pieces_take_lists_arrays_and_tensors(field):
    row = field.encode_all(TEXTS)[2]
    padded = field.collate(field.encode_all(TEXTS)).data[2]
    for ids in (row.tolist(), row, padded):
        assert field.decode(ids) == TEXTS[2]
    assert field.pieces(row) == field.pieces(row.tolist()) == field.pieces(torch.from_numpy(row))
    assert len(field.pieces(row)) == len(row)


def test_space_is_the_vocabulary(field):
    assert field.space.modality == "ids"
    assert field.space.size == len(field.tokenizer)
    assert max(row.max() for row in field.encode_all(TEXTS)) < field.space.size


def test_saved_and_loaded_is_the_same(field, tmp_path):
    field.save(tmp_path, "source")
    other = TextField(
        tokenizer=configure(Tokenizer, next(k for k, c in Tokenizer.registry.items() if c is type(field.tokenizer)))
    )
    other.load(tmp_path, "source")
    assert (other.space, other.fingerprint) == (field.space, field.fingerprint)
    assert [row.tolist() for row in other.encode_all(TEXTS)] == [row.tolist() for row in field.encode_all(TEXTS)]


def test_a_shared_tokenizer_is_one_vocabulary_kept_once(tmp_path):
    shared = Words()
    shared.fit(TEXTS)
    source, target = TextField().bind(shared), TextField().bind(shared)
    own = TextField(tokenizer=configure(Tokenizer, "char")).bind(shared)
    own.fit(TEXTS)
    assert source.space == target.space != own.space
    assert (source.shares(shared), own.shares(shared)) == (True, False)
    for side, name in ((source, "source"), (target, "target"), (own, "own")):
        side.save(tmp_path, name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own.vocab", "shared.vocab"]
    fresh = Words()
    for name in ("source", "target"):
        side = TextField().bind(fresh)
        side.load(tmp_path, name)
        assert side.space == source.space


def test_different_vocabularies_have_different_names():
    one, other = text(), text()
    one.fit(TEXTS)
    other.fit([*TEXTS[:3], "a bush"])
    assert one.space.size == other.space.size
    assert one.space != other.space


def test_a_field_without_a_tokenizer_says_so():
    with pytest.raises(RecipeError, match=r"text needs a tokenizer.*\n.*unigram"):
        TextField().bind(None)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RunError, match=r"target\.vocab: is missing"):
        text().load(tmp_path, "target")


def test_sampling_is_the_tokenizers():
    field = text("unigram", size=22, sampling=0.2)
    field.fit(TEXTS)
    drawn = [field.sample(TEXTS[2], seed) for seed in range(10)]
    assert field.samples
    assert len({tuple(row) for row in drawn}) > 1
    assert {field.decode(row) for row in drawn} == {TEXTS[2]}
    assert all(row[-1] == EOS and row.dtype == np.int32 for row in drawn)
    assert not TextField().bind(Bytes()).samples


def test_options_of_a_recipe():
    field = configure(Field, {"kind": "text", "tokenizer": "byte", "max_length": 5})()
    assert (field.max_length, type(field.tokenizer)) == (5, Bytes)
    with pytest.raises(RecipeError, match="at least 1"):
        configure(Field, {"kind": "text", "max_length": 0})


def tweets(**options):
    return configure(Field, {"kind": "text", "tokenizer": {"kind": "word", "lowercase": True}, **options})


REPLACE = {"<br />": " ", r"@\w+": "@user", r"(\w)\1{2,}": r"\1\1"}


def test_texts_are_replaced_before_they_are_cut_into_pieces():
    field, plain = tweets(replace=REPLACE)(), tweets()()
    field.fit(["@ana sooooo<br /><br />Good"])
    plain.fit(["@user soo good"])
    assert field.tokenizer.fingerprint == plain.tokenizer.fingerprint
    assert field.fingerprint != plain.fingerprint
    text, same = "@joe goooood<br />so", "@user good so"
    assert field.encode_all([text])[0].tolist() == plain.encode_all([same])[0].tolist()
    assert field.sample(text, 1).tolist() == field.encode_all([same])[0].tolist()


@pytest.mark.parametrize("replace", [{"(": ""}, {"a": r"\1"}, {"a": r"\g<x>"}], ids=["pattern", "group", "name"])
def test_what_is_no_regular_expression_is_said(replace):
    with pytest.raises(RecipeError, match="is no regular expression"):
        tweets(replace=replace)()


def test_a_shared_tokenizer_is_not_replaced_for():
    with pytest.raises(RecipeError, match="both sides share"):
        configure(Field, {"kind": "text", "replace": REPLACE})().bind(configure(Tokenizer, "word")())
