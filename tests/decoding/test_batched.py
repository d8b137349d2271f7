"""Sentences in batches: all of them, once, few where they are long."""

import threading

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from s2s.decoding.batched import DEFAULT_BATCH_SIZE, fitting_batches, for_each

CPU = torch.device("cpu")


@pytest.fixture
def cores():
    """As if this machine had so many."""
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(1)


def test_every_row_is_in_one_batch_and_none_is_huge():
    lengths = sorted([5] * 100 + [3000, 900, 250, 201], reverse=True)
    order = list(range(len(lengths)))[::-1]
    batches = list(fitting_batches(lengths, order, 16))
    assert [row for rows in batches for row in rows] == order
    by_row = dict(zip(order, lengths, strict=True))
    for rows in batches:
        assert len(rows) <= 16
        assert len(rows) == 1 or len(rows) * by_row[rows[0]] <= 16 * DEFAULT_BATCH_SIZE
    assert len(batches) < 15


def test_batches_are_worked_on_at_a_time_each_by_its_share_of_the_cores(cores):
    met = threading.Barrier(2, timeout=20)

    def work(rows):
        met.wait()
        return rows, torch.get_num_threads()

    assert list(for_each(work, [[3], [1]], CPU)) == [([3], 2), ([1], 2)]
    assert torch.get_num_threads() == 4
    seen = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [4]


@pytest.mark.parametrize("batches", [[[0]], [[0], [1], [2]]], ids=["one", "several"])
def test_each_works_without_gradients_in_the_precision_of_the_caller(cores, batches):
    weight = torch.ones(2, 2, requires_grad=True)

    def work(rows):
        return weight @ weight

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = list(for_each(work, batches, CPU))
    assert {one.dtype for one in found} == {torch.bfloat16}
    assert not any(one.requires_grad for one in found)
    found = list(for_each(work, batches, CPU))
    assert {one.dtype for one in found} == {torch.float32}
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_threads_are_given_back_where_one_fails_or_nobody_waits(cores):
    def work(rows):
        raise ValueError(rows)

    with pytest.raises(ValueError, match="0"):
        list(for_each(work, [[0], [1]], CPU))
    assert torch.get_num_threads() == 4
    results = for_each(lambda rows: rows, [[i] for i in range(50)], CPU)
    next(results)
    results.close()
    assert torch.get_num_threads() == 4


class Casts(TorchDispatchMode):
    """Counts casts of what has the shape of the weight."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten._to_copy.default and args[0].shape == (8, 4):
            self.count += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("batches", [[[0]], [[0], [1]]], ids=["one", "several"])
def test_autocast_casts_a_weight_once_an_answer(cores, batches):
    """Threads share what it keeps, and whoever is done first throws it away: beside each other some cast twice."""
    layer = torch.nn.Linear(4, 8)

    def work(rows):
        with Casts() as casts:
            for _ in range(5):
                layer(torch.ones(2, 4))
        return casts.count

    with torch.autocast("cpu", dtype=torch.bfloat16):
        counts = list(for_each(work, batches, CPU))
    assert 1 <= sum(counts) < 5 * len(batches)
    assert counts == [1] or len(batches) > 1
