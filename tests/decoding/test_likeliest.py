"""The highest of many scores are the highest, the short way and the plain one."""

import pytest
import torch

from s2s.decoding import likeliest as module
from s2s.decoding.likeliest import likeliest, top

SIZES = [(1, 1, 24), (2, 3, 25), (3, 5, 100), (2, 4, 47), (4, 2, 1000)]


@pytest.fixture(params=["plain", "columns"])
def way(request, monkeypatch):
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
