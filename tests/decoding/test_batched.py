"""Sentences in batches: all of them, once, few where they are long."""

from s2s.decoding.batched import USUAL, fitting


def test_every_row_is_in_one_batch_and_none_is_huge():
    lengths = sorted([5] * 100 + [3000, 900, 250, 201], reverse=True)
    order = list(range(len(lengths)))[::-1]
    batches = list(fitting(lengths, order, 16))
    assert [row for rows in batches for row in rows] == order
    by_row = dict(zip(order, lengths, strict=True))
    for rows in batches:
        assert len(rows) <= 16
        assert len(rows) == 1 or len(rows) * by_row[rows[0]] <= 16 * USUAL
    assert len(batches) < 15
