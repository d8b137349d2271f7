"""Filters against loops that do the same to one row at a time."""

import pytest
import torch

from s2s.config import configure
from s2s.decoding import Filter
from s2s.decoding.filters import no_repeat, repetition_penalty

V = 6


def examples(length, rows=30):
    torch.manual_seed(length)
    return torch.randn(rows, V).log_softmax(-1), torch.randint(3, V, (rows, length))


@pytest.mark.parametrize("kind", sorted(Filter.registry))
@pytest.mark.parametrize("length", [0, 1, 2, 5, 9])
def test_a_filter_never_raises_a_score_nor_changes_its_arguments(kind, length):
    scores, written = examples(length)
    kept = scores.clone(), written.clone()
    filtered = configure(Filter, kind)(scores, written)
    assert filtered.shape == scores.shape
    assert (filtered <= scores).all()
    assert torch.equal(scores, kept[0])
    assert torch.equal(written, kept[1])
    if length >= 5:
        assert (filtered < scores).any()


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [0, 1, 2, 3, 8, 12])
def test_no_repeat_is_the_loop(size, length):
    scores, written = examples(length)
    filtered = no_repeat(scores, written, size=size)
    for row, ids in enumerate(written.tolist()):
        runs = {tuple(ids[i : i + size]) for i in range(length - size + 1)}
        for piece in range(V):
            forbidden = tuple([*ids, piece][-size:]) in runs
            assert filtered[row, piece] == (float("-inf") if forbidden else scores[row, piece])


@pytest.mark.parametrize("penalty", [1.0, 1.5])
def test_repetition_penalty_is_the_loop(penalty):
    scores, written = examples(4)
    scores[:, 5] = float("-inf")  # what another filter forbade stays forbidden
    filtered = repetition_penalty(scores, written, penalty=penalty)
    for row, ids in enumerate(written.tolist()):
        for piece in range(V):
            wanted = scores[row, piece] * (penalty if piece in ids else 1.0)
            assert filtered[row, piece] == wanted
