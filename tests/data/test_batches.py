"""Batches: every row once, never too large, and the same again whenever they are asked for."""

import json
import random
import sys
from collections import Counter

import numpy as np
import pytest
import torch

from s2s.config import configure
from s2s.data.batches import SOURCE_ROOM, Batches, make_batch, plan, row_seed
from s2s.data.corpus import encode_corpus
from s2s.data.fields.text import TextField
from s2s.data.ingest import open_corpus
from s2s.data.readers.base import Reader
from s2s.data.tokenizers.base import Tokenizer
from s2s.errors import DataError
from s2s.tensors import Batch, Padded

UNITS = ["tokens", "sentences"]


def lengths(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Like text: mostly short, some long, one very long; sides alike but not equal."""
    chance = np.random.default_rng(seed)
    target = chance.geometric(0.06, rows)
    source = np.maximum(1, target + chance.integers(-6, 7, rows))
    target[rows // 2], source[rows // 3] = 900, 1300
    return source, target


def planned(rows: int = 3000, **changes: object) -> list[np.ndarray]:
    source, target = lengths(rows)
    options = {"size": 400, "unit": "tokens", "seed": 1, "epoch": 0} | changes
    return plan(source, target, **options)


def same(a: list, b: list) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("size", [1, 7, 400, 10**6])
@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_every_kept_row_once(unit, size, rows):
    source, target = lengths(rows)
    keep = np.random.default_rng(5).random(rows) < 0.7
    for mask, expected in ((None, np.arange(rows)), (keep, np.flatnonzero(keep))):
        batches = plan(source, target, size=size, unit=unit, seed=1, epoch=2, keep=mask)
        assert all(len(batch) for batch in batches)
        assert sorted(np.concatenate([*batches, []])) == expected.tolist()


def test_nothing_to_plan():
    none = np.zeros(0, dtype=np.int64)
    assert plan(none, none, size=10, unit="tokens", seed=1, epoch=0) == []
    assert planned(keep=np.zeros(3000, dtype=bool)) == []


@pytest.mark.parametrize("size", [30, 400, 5000])
def test_tokens_are_never_more_than_allowed(size):
    source, target = lengths(3000)
    alone = 0
    for rows in planned(size=size):
        if len(rows) > 1:
            assert len(rows) * target[rows].max() <= size
            assert len(rows) * source[rows].max() <= size * SOURCE_ROOM
        alone += len(rows) == 1 and max(target[rows].max(), source[rows].max() / SOURCE_ROOM) > size
    assert alone == ((target > size) | (source > size * SOURCE_ROOM)).sum()


@pytest.mark.parametrize("size", [400, 5000])
def test_batches_are_as_full_as_they_may_be(size):
    """Within a pool one row more would be too many; the last batch of each pool may be short."""
    source, target = lengths(20_000)
    batches = planned(20_000, size=size)
    full = [max(len(b) * target[b].max(), len(b) * source[b].max() / SOURCE_ROOM) / size for b in batches]
    assert np.median(full) > 0.85
    padded = sum(len(b) * target[b].max() for b in batches)
    assert padded / target.sum() < 1.05
    shuffled = random.Random(1).sample(range(20_000), 20_000)
    blind = sum(64 * target[shuffled[i : i + 64]].max() for i in range(0, 20_000, 64))
    assert blind / target.sum() > 3  # what buckets are for


def test_sentences_are_counted_when_asked_for():
    sizes = sorted(len(batch) for batch in planned(3000, unit="sentences", size=64))
    assert sizes[-1] == 64
    assert sum(size < 64 for size in sizes) <= 1  # 3,000 rows are one pool
    _, target = lengths(3000)
    blind = sum(64 * target[i : i + 64].max() for i in range(0, 3000, 64))
    assert sum(len(b) * target[b].max() for b in planned(3000, unit="sentences", size=64)) < blind / 2


def test_a_plan_is_chance_and_the_same_chance_again():
    assert same(planned(), planned())
    for changes in ({"epoch": 1}, {"seed": 2}):
        assert not same(planned(), planned(**changes))
    firsts = {frozenset(planned(epoch=epoch)[0].tolist()) for epoch in range(5)}
    assert len(firsts) == 5


def test_long_and_short_batches_come_mixed():
    _, target = lengths(20_000)
    longest = np.array([target[batch].max() for batch in planned(20_000)])
    mixed = np.random.default_rng(1).permutation(longest)
    steps, expected = (np.abs(np.diff(order)).mean() for order in (longest, mixed))
    assert steps == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize(("size", "unit"), [(4000, "tokens"), (64, "sentences")])
def test_a_large_plan_is_quick(size, unit):
    """At most one call a row: calls are counted, as a clock would tell how busy the machine is."""
    source, target = lengths(200_000)
    calls = Counter()
    sys.setprofile(lambda frame, event, argument: calls.update([event]))
    try:
        plan(source, target, size=size, unit=unit, seed=1, epoch=0)
    finally:
        sys.setprofile(None)
    assert calls["call"] + calls["c_call"] < 1.1 * len(source)


# Batches of a corpus


@pytest.fixture
def data():
    """(tokenizer options) -> corpus, encoded, source field, target field of 120 sentences."""
    corpus = open_corpus(configure(Reader, {"kind": "generated", "size": 120})(), "train")

    def make(tokenizer: object) -> tuple:
        fields = [TextField(tokenizer=configure(Tokenizer, tokenizer)) for _ in range(2)]
        for i, field in enumerate(fields):
            field.fit([row[i] for row in corpus])
        return corpus, encode_corpus(corpus, *fields), *fields

    return make


SAMPLING = {"kind": "unigram", "size": 100, "sampling": 0.3}


def equal(a: Batch, b: Batch) -> bool:
    tensors = [(x.source.data, x.source.lengths, x.target.data, x.target.lengths, x.label_positions) for x in (a, b)]
    return a.example_ids == b.example_ids and all(torch.equal(x, y) for x, y in zip(*tensors))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("tokenizer", ["byte", SAMPLING], ids=["byte", "sampling"])
def test_a_resumed_pass_is_the_uninterrupted_one(tokenizer, unit, data):
    parts = data(tokenizer)
    size = 200 if unit == "tokens" else 16
    whole = list(Batches(*parts, size=size, unit=unit, seed=3).epoch(2))
    assert len(whole) == Batches(*parts, size=size, unit=unit, seed=3).count(2) > 5
    for start in (0, 1, 5, len(whole) - 1, len(whole)):
        again = Batches(*parts, size=size, unit=unit, seed=3)
        list(again.epoch(0))  # another pass before it changes nothing
        rest = list(again.epoch(2, start=start))
        assert len(rest) == len(whole) - start
        assert all(equal(a, b) for a, b in zip(rest, whole[start:]))


def test_sampling_differs_by_pass_and_not_by_company(data):
    parts = data(SAMPLING)
    by_row = {}
    for size in (200, 500):  # other batches, other neighbors
        for batch in Batches(*parts, size=size, seed=3).epoch(1):
            for row, ids, length in zip(batch.example_ids, batch.source.data, batch.source.lengths):
                assert by_row.setdefault(row, ids[:length].tolist()) == ids[:length].tolist()
    other = {
        row: ids[:length].tolist()
        for batch in Batches(*parts, size=200, seed=3).epoch(2)
        for row, ids, length in zip(batch.example_ids, batch.source.data, batch.source.lengths)
    }
    assert other.keys() == by_row.keys()
    changed = [row for row in other if other[row] != by_row[row]]
    assert len(changed) > 20
    corpus, _, source, _ = parts
    for row, ids in by_row.items():
        assert source.decode(ids) == corpus[row].source


def test_row_seeds_are_all_different():
    seeds = {row_seed(seed, epoch, row) for seed in range(5) for epoch in range(5) for row in range(400)}
    assert len(seeds) > 9_990
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_batches_hold_the_rows_they_name(data):
    corpus, encoded, source, target = parts = data("byte")
    keep = np.arange(len(corpus)) % 3 > 0
    for batches in (Batches(*parts, size=500, keep=keep).epoch(0), Batches(*parts, size=500, keep=keep).in_order()):
        rows = []
        for batch in batches:
            rows += batch.example_ids
            assert isinstance(batch.target, Padded)
            assert batch.tokens == int(batch.target.lengths.sum())
            assert torch.equal(batch.labels, batch.target.data[batch.target.valid])
            for i, row in enumerate(batch.example_ids):
                assert source.decode(batch.source.data[i]) == corpus[row].source
                assert target.decode(batch.target.data[i]) == corpus[row].target
                assert batch.source.data[i, : batch.source.lengths[i]].tolist() == encoded.source(row).tolist()
        assert sorted(rows) == np.flatnonzero(keep).tolist()


def test_in_order_samples_nothing_and_is_always_the_same(data):
    parts = data(SAMPLING)
    first, second = (list(Batches(*parts, size=200, seed=seed).in_order()) for seed in (1, 2))
    assert len(first) == len(second) > 3
    assert all(equal(a, b) for a, b in zip(first, second))
    encoded = parts[1]
    assert sum(batch.tokens for batch in first) == encoded.target_lengths.sum()
    assert all(
        len(batch.example_ids) * batch.target.data.shape[1] <= 200 for batch in first if len(batch.example_ids) > 1
    )


def test_a_batch_by_hand(data):
    _, encoded, source, target = data("byte")
    rows = [4, 0, 9]
    batch = make_batch(source, target, [encoded.source(i) for i in rows], [encoded.target(i) for i in rows])
    assert batch.example_ids == ()
    assert batch.source.lengths.tolist() == encoded.source_lengths[rows].tolist()
    assert batch.labels.tolist() == np.concatenate([encoded.target(i) for i in rows]).tolist()


def test_labels_owe_one_answer_a_row(data):
    class Label(TextField):
        def collate(self, rows):
            return torch.tensor([int(row[0]) for row in rows])

    _, encoded, source, _ = data("byte")
    label = Label(tokenizer=configure(Tokenizer, "byte"))
    batch = make_batch(source, label, [encoded.source(i) for i in range(3)], [encoded.target(i) for i in range(3)])
    assert batch.tokens == 3
    assert batch.labels.tolist() == [int(encoded.target(i)[0]) for i in range(3)]


def test_no_row_is_short_enough(data):
    parts = data("byte")
    with pytest.raises(DataError, match="all 120 are longer than max_length"):
        Batches(*parts, size=100, keep=np.zeros(120, dtype=bool))


@pytest.mark.parametrize("unit", UNITS)
def test_rows_that_share_a_source_stay_together(unit):
    chance = np.random.default_rng(3)
    owner = np.repeat(np.arange(400), chance.integers(1, 6, 400))
    source, target = np.full(len(owner), 9), chance.integers(4, 20, len(owner))
    keep = target < 18
    options = {"size": 64, "unit": unit, "seed": 1, "owner": owner, "keep": keep}
    batches = plan(source, target, epoch=0, **options)
    assert sorted(np.concatenate(batches)) == np.flatnonzero(keep).tolist()
    looked_at = sum(len(np.unique(owner[batch])) for batch in batches)
    assert looked_at <= 400 + len(batches)  # but for those that a full batch cuts in two
    assert same(batches, plan(source, target, epoch=0, **options))
    assert not same(batches, plan(source, target, epoch=1, **options))


def test_a_source_with_several_targets_is_in_a_batch_once(tmp_path):
    rows = [{"s": f"say {i}", "t": [f"a {i}"] * (1 + i % 3)} for i in range(30)]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = {"kind": "jsonl", "path": str(tmp_path), "source": "s", "target": "t", "hold_out": 0}
    corpus = open_corpus(configure(Reader, options)(), "train")
    field = TextField().bind(configure(Tokenizer, "word")())
    field.fit(text for row in rows for text in (row["s"], *row["t"]))
    batches = Batches(corpus, encode_corpus(corpus, field, field), field, field, size=7, unit="sentences")
    for found in (list(batches.epoch(0)), list(batches.in_order())):
        assert sum(len(batch.example_ids) for batch in found) == sum(len(row["t"]) for row in rows)
        for batch in found:
            assert (
                len(batch.source.data)
                == len(set(batch.example_ids))
                <= len(batch.target.data)
                == len(batch.source_index)
            )
            said = [field.decode(ids) for ids in batch.source.data[batch.source_index]]
            assert said == [rows[row]["s"] for row in batch.example_ids]
            assert [field.decode(ids) for ids in batch.target.data] == [rows[row]["t"][0] for row in batch.example_ids]
