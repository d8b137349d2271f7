"""Streams: every id is asked for once a pass, in an order in which a state can be carried."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from s2s.data.encoded import EncodedCorpus, Ids
from s2s.data.fields.base import Nothing
from s2s.data.streams import SHORTEST, StreamBatches
from s2s.errors import DataError
from s2s.tensors import EOS


def stream(count: int, rows: int = 4, chunk: int = 5, **options) -> StreamBatches:
    ids = Ids(np.arange(4, 4 + count, dtype=np.uint16), np.array([0, count]))
    encoded = EncodedCorpus(Ids(np.zeros(0, np.uint16), np.array([0, 0])), ids)
    return StreamBatches(SimpleNamespace(split="train"), encoded, Nothing(), None, rows=rows, chunk=chunk, **options)


@pytest.mark.parametrize("jitter", [False, True])
@pytest.mark.parametrize("count", [2, 7, 40, 41, 43])
def test_every_id_is_asked_for_once(count, jitter):
    batches = list(stream(count, jitter=jitter).epoch(3))
    assert sorted(int(i) for batch in batches for i in batch.labels) == list(range(4, 4 + count))
    assert len(batches) == stream(count).count(3)
    assert sum(batch.tokens for batch in batches) == count


def test_a_row_goes_on_where_it_was():
    batches = list(stream(43, jitter=False).epoch(0))
    assert [batch.is_first_chunk for batch in batches] == [True] + [False] * (len(batches) - 1)
    assert batches[0].start_ids.tolist() == [EOS, 4 + 10, 4 + 21, 4 + 32]
    rows = torch.cat([batch.target.data for batch in batches], 1)
    assert rows[0].tolist() == list(range(4, 4 + 11))
    for before, batch in pairwise(batches):
        assert batch.start_ids[:3].equal(before.target.data[:3, -1])


def test_passes_begin_elsewhere_and_come_back_alike():
    again = [stream(100, seed=7) for _ in range(2)]
    first, second = ([b.target.data.tolist() for b in s.epoch(1)] for s in again)
    assert first == second
    assert first != [b.target.data.tolist() for b in again[0].epoch(2)]
    whole = list(again[0].epoch(1))
    rest = list(again[0].epoch(1, start=2))
    assert [b.target.data.tolist() for b in rest] == [b.target.data.tolist() for b in whole[2:]]
    assert not rest[0].is_first_chunk


def test_a_loss_is_measured_in_few_long_rows():
    assert {len(b.target.data) for b in stream(SHORTEST - 1, rows=64, chunk=1000).in_order()} == {1}
    assert {len(b.target.data) for b in stream(3 * SHORTEST, rows=64, chunk=1000).in_order()} == {3}
    gold = torch.cat([b.labels for b in stream(3 * SHORTEST, rows=64, chunk=1000).in_order()])
    assert len(gold.unique()) == 3 * SHORTEST


def test_nothing_to_learn_from():
    with pytest.raises(DataError, match="has no text"):
        stream(0)


@pytest.mark.parametrize("jitter", [False, True])
def test_a_batch_names_the_lines_it_reads(jitter):
    """So that a message can: all lines are one stream, and a line is found by where it begins."""
    rng = np.random.default_rng(2)
    lines = [np.full(size, i, np.uint16) for i, size in enumerate(rng.integers(1, 6, 30))]  # each id is its line
    ids = Ids.of(lines)
    ids.flat = ids.flat.astype(np.uint16)
    encoded = EncodedCorpus(Ids(np.zeros(0, np.uint16), np.array([0, 0])), ids)
    batches = StreamBatches(SimpleNamespace(split="train"), encoded, Nothing(), None, rows=4, chunk=5, jitter=jitter)
    for batch in batches.epoch(1):
        at = batch.target.valid
        for data, real in zip(batch.target.data, at):
            if real.any():
                assert {int(data[real][0]), int(data[real][-1])} <= set(batch.example_ids)
        assert set(batch.example_ids) <= set(range(30))
        assert len(batch.example_ids) <= 8
