"""Work side by side comes out in order, whole or with its error, and is not begun where nobody waits for it."""

import threading
import time

import pytest

from s2s.decoding.parallel import side_by_side


def test_results_come_in_order_though_work_ends_in_another():
    def work(i):
        time.sleep(0.02 if i % 2 == 0 else 0)
        return i * i

    assert list(side_by_side(work, range(9), 3)) == [i * i for i in range(9)]
    assert list(side_by_side(work, [], 3)) == []


def test_work_is_done_at_the_same_time():
    met = threading.Barrier(3, timeout=20)  # one alone would wait in vain
    assert list(side_by_side(lambda i: met.wait() >= 0, range(3), 3)) == [True] * 3


def test_few_items_are_taken_ahead():
    taken = []

    def items():
        for i in range(100):
            taken.append(i)
            yield i

    results = side_by_side(lambda i: i, items(), 2)
    assert next(results) == 0
    assert len(taken) <= 4
    results.close()
    assert len(taken) <= 4


def test_an_error_comes_in_its_turn():
    def work(i):
        if i == 2:
            raise ValueError("two")
        return i

    results = side_by_side(work, range(50), 2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)


def test_who_leaves_does_not_wait_for_what_has_not_begun():
    done = []

    def work(i):
        time.sleep(0.01)
        done.append(i)

    results = side_by_side(work, range(1000), 2)
    next(results)
    results.close()
    assert len(done) < 10
