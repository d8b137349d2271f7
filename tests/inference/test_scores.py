"""The highest of many scores are the highest, the short way and the plain one."""

import pytest
import torch

from s2s.inference.native import scores as module
from s2s.inference.native.build import kernels_unavailable, library
from s2s.inference.native.scores import likeliest, log_softmax, top

SIZES = [(1, 1, 24), (2, 3, 25), (3, 5, 100), (2, 4, 47), (4, 2, 1000)]


@pytest.fixture(params=["native", "plain", "columns"])
def way(request, monkeypatch):
    if request.param == "native":
        if library() is None:
            pytest.skip(kernels_unavailable())
        return
    monkeypatch.setattr(module, "library", lambda: None)
    monkeypatch.setattr(module, "MANY", 0 if request.param == "columns" else 1 << 40)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("count", [1, 4, 10])
def test_the_best_continuations_are_the_best(way, size, count):
    rows, beams, vocabulary = size
    torch.manual_seed(vocabulary)
    scores, rank = torch.randn(size), torch.randn(rows, beams)
    scores[:, :, :2] = float("-inf")
    rank[:, 1:] += torch.where(torch.rand(rows, beams - 1) < 0.3, float("-inf"), 0.0)
    best, beam, piece = top(scores, rank, count)
    sums = (scores + rank[..., None]).flatten(1)
    torch.testing.assert_close(best, sums.topk(count).values)
    torch.testing.assert_close(sums.gather(1, beam * vocabulary + piece), best)
    for row in (beam * vocabulary + piece).tolist():
        assert len(set(row)) == count


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_likeliest_piece_is_the_likeliest(way, size):
    torch.manual_seed(1)
    scores = torch.randn(7, size[-1])
    assert torch.equal(likeliest(scores), scores.argmax(-1))


@pytest.mark.skipif(library() is None, reason="torch does not say which of two equals is first")
def test_of_equals_the_first_counts():
    best, beam, piece = top(torch.zeros(2, 3, 70), torch.zeros(2, 3), 4)
    assert piece.tolist() == [[0, 1, 2, 3]] * 2
    assert not beam.any()
    assert not best.any()
    assert likeliest(torch.zeros(2, 70)).tolist() == [0, 0]


def test_what_is_no_number_still_gives_pieces_of_the_vocabulary(way):
    scores = torch.full((2, 100), float("nan"))
    assert likeliest(scores).lt(100).all()
    assert likeliest(torch.full((2, 100), float("-inf"))).lt(100).all()


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("vocabulary", [1, 16, 100, 3001])
def test_log_softmax_is_that_of_torch(way, rows, vocabulary):
    torch.manual_seed(rows)
    logits = 20 * torch.randn(rows, vocabulary)
    expected = torch.log_softmax(logits.double(), -1).float()
    torch.testing.assert_close(log_softmax(logits.clone()), expected, rtol=1e-5, atol=2e-5)
    turned = torch.randn(vocabulary, rows).t()
    torch.testing.assert_close(log_softmax(turned), turned.log_softmax(-1))
    assert log_softmax(logits.bfloat16()).dtype == torch.float32
    logits[0, 0] = float("nan")
    found = log_softmax(logits)
    assert found[0].isnan().all()
    assert not found[1:].isnan().any()


def test_threads_change_nothing():
    torch.manual_seed(1)
    scores, rank = torch.randn(40, 3, 5000), torch.randn(40, 3)
    alone = [*top(scores, rank, 6), log_softmax(scores[:, 0].clone())]
    torch.set_num_threads(4)
    try:
        together = [*top(scores, rank, 6), log_softmax(scores[:, 0].clone())]
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))
