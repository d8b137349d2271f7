"""Beam search against every answer there is, and against the same search in plain Python."""

import itertools

import pytest
import torch

from s2s.config import configure
from s2s.decoding.beam import beam
from s2s.decoding.filters import Filter
from s2s.decoding.sampling import greedy
from s2s.errors import RecipeError
from s2s.tensors import BOS, EOS
from tests.helpers.table_model import PIECES, ROWS, Output, T, Table, every_answer, no_repeat, repeats, whole

TABLE = Table()
WIDE = 128  # more than there are answers
PENALTIES = [(0.0, 0.0), (1.0, 0.0), (0.6, 0.0), (1.7, 0.0), (0.0, 0.4), (1.0, 0.4)]


def best_of_all(row, length_penalty, coverage_penalty, nbest, min_length=0, size=0):
    """Pieces and scores of the best answers."""
    answers = [a for a in every_answer() if len(a) > min_length and not (size and repeats(a, size))]
    scores = {tuple(a): TABLE.score(row, a, length_penalty, coverage_penalty) for a in answers}
    ranked = sorted(scores, key=lambda a: scores[a], reverse=True)
    return [(list(a), pytest.approx(scores[a], abs=1e-4)) for a in ranked[:nbest]]


def beam_in_plain_python(row, beam_size, nbest, length_penalty, early_stopping, max_length=T):
    """Score and pieces of the nbest: the same search on lists, which never stops because nothing can overtake."""
    live, ended = [(0.0, [])], []
    for _ in range(max_length):
        grown = [
            (rank + gain.item(), [*ids, piece])
            for rank, ids in live
            for piece, gain in enumerate(TABLE.log_probabilities(row, ids))
            if piece in (EOS, *PIECES)
        ]
        grown.sort(reverse=True)
        ended += [one for one in grown[:beam_size] if one[1][-1] == EOS]
        live = [one for one in grown if one[1][-1] != EOS][:beam_size]
        ended = sorted(ended, key=lambda one: one[0] / len(one[1]) ** length_penalty, reverse=True)[:beam_size]
        if early_stopping and len(ended) == beam_size and live[0][0] <= max(ended)[0]:
            break
    else:
        ended += live  # cut off
    scored = sorted(((rank / len(ids) ** length_penalty, ids) for rank, ids in ended), reverse=True)
    return [(ids, pytest.approx(score, abs=1e-4)) for score, ids in scored[:nbest]]


def test_what_is_likely_is_written_though_many_have_ended():
    """A sure model of few pieces: a beam ends a bad hypothesis at every step, and none of those is the answer."""
    answer = [4, 5, 6, 4, 5]
    logits = torch.full((len(answer) + 1, 7), -9.0)
    logits[torch.arange(len(answer) + 1), torch.tensor([*answer, EOS])] = 0.0
    logits[:, EOS] = torch.tensor([-5.0] * len(answer) + [0.0])

    def step(ids, memory, state):
        return Output(logits[state], state + 1, None)

    (found,) = beam(step, torch.zeros(1, 1, 1), torch.zeros(1, dtype=torch.long), torch.tensor([BOS]), beam_size=3)
    assert list(found[0].ids) == answer


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize(("length_penalty", "coverage_penalty"), PENALTIES)
@pytest.mark.parametrize(("min_length", "size"), [(0, 0), (2, 0), (0, 1), (0, 2), (2, 2)])
def test_a_wide_enough_beam_finds_the_best_of_all(length_penalty, coverage_penalty, min_length, size, early_stopping):
    found = beam(
        TABLE,
        *TABLE.start(),
        beam_size=WIDE,
        nbest=12,
        max_length=T,
        length_penalty=length_penalty,
        coverage_penalty=coverage_penalty,
        min_length=min_length,
        filters=no_repeat(size) if size else (),
        early_stopping=early_stopping,
    )
    for row, hypotheses in enumerate(found):
        wanted = best_of_all(row, length_penalty, coverage_penalty, 12, min_length, size)
        assert [(whole(h), h.score) for h in hypotheses] == wanted


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 1.7])
@pytest.mark.parametrize(("beam_size", "nbest"), [(1, 1), (2, 1), (2, 2), (3, 1), (5, 5)])
def test_a_narrow_beam_is_the_same_search_in_plain_python(beam_size, nbest, length_penalty, early_stopping):
    options = {"beam_size": beam_size, "nbest": nbest, "length_penalty": length_penalty}
    found = beam(TABLE, *TABLE.start(), max_length=6, early_stopping=early_stopping, **options)
    for row, hypotheses in enumerate(found):
        wanted = beam_in_plain_python(row, early_stopping=early_stopping, max_length=6, **options)
        assert [(whole(h), h.score) for h in hypotheses] == wanted


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("min_length", [0, 3])
def test_one_beam_is_greedy(length_penalty, min_length):
    one = beam(TABLE, *TABLE.start(), max_length=9, beam_size=1, length_penalty=length_penalty, min_length=min_length)
    other = greedy(TABLE, *TABLE.start(), max_length=9, min_length=min_length)
    assert [h[0].ids for h in one] == [h[0].ids for h in other]
    assert [h[0].log_probability for h in one] == pytest.approx([h[0].log_probability for h in other], abs=1e-5)


@pytest.mark.parametrize(("length_penalty", "coverage_penalty"), PENALTIES)
def test_a_narrow_beam_scores_what_it_wrote(length_penalty, coverage_penalty):
    options = {"length_penalty": length_penalty, "coverage_penalty": coverage_penalty}
    found = beam(TABLE, *TABLE.start(), max_length=7, beam_size=3, nbest=3, **options)
    for row, hypotheses in enumerate(found):
        assert hypotheses
        for h in hypotheses:
            assert h.log_probability == pytest.approx(TABLE.log_probability(row, whole(h)), abs=1e-4)
            assert h.score == pytest.approx(TABLE.score(row, whole(h), *options.values()), abs=1e-4)


def test_early_stopping_ends_with_as_many_as_there_are_beams():
    """EOS has .5 at once; piece 4 has .45 and is followed by EOS for certain: better a piece, but later."""

    def step(ids, memory, state):
        odds = torch.full((len(ids), 7), 1e-9)
        odds[:, EOS] = torch.where(ids == BOS, 0.5, 1.0)
        odds[:, 4] = torch.where(ids == BOS, 0.45, 1e-9)
        return Output(odds.log(), state, None)

    first = torch.tensor([BOS])
    assert beam(step, None, (), first, beam_size=1, max_length=5)[0][0].ids == []
    assert beam(step, None, (), first, beam_size=1, max_length=5, early_stopping=False)[0][0].ids == [4]
    assert (
        beam(step, None, (), first, beam_size=1, max_length=5, early_stopping=False, length_penalty=0)[0][0].ids == []
    )


def test_a_search_that_cannot_be_overtaken_ends_at_once():
    """Without a length penalty, an end with .9 needs no second look, however many beams there are."""

    def step(ids, memory, state):
        odds = torch.full((len(ids), 7), 0.01)
        odds[:, EOS] = 0.9
        sizes.append(len(ids))
        return Output(odds.log(), state, None)

    sizes: list[int] = []
    beam(step, None, (), torch.tensor([BOS] * 3), beam_size=4, length_penalty=0.0)
    assert sizes == [12]


@pytest.mark.parametrize("nbest", [1, 4])
def test_finished_rows_leave_the_batch(nbest):
    """The rows a step has are those that would, alone, still be searched."""
    together, steps = Table(), []
    beam(together, *together.start(), beam_size=4, nbest=nbest, max_length=20)
    for row in range(ROWS):
        alone = Table()
        beam(alone, *alone.start([row]), beam_size=4, nbest=nbest, max_length=20)
        steps.append(len(alone.sizes))
    assert together.sizes == [4 * sum(n > t for n in steps) for t in range(max(steps))]
    assert len(set(steps)) > 1


def test_a_filter_changes_the_rank_and_not_the_probability():
    filters = (configure(Filter, {"kind": "repetition-penalty", "penalty": 3.0}),)
    found = beam(TABLE, *TABLE.start(), max_length=6, beam_size=3, nbest=3, min_length=3, filters=filters)
    rows = list(itertools.chain.from_iterable([(row, h) for h in hypotheses] for row, hypotheses in enumerate(found)))
    for row, h in rows:
        pieces, rank = whole(h), 0.0
        for t, piece in enumerate(pieces):
            rank += TABLE.log_probabilities(row, pieces[:t])[piece].item() * (3.0 if piece in pieces[:t] else 1.0)
        assert h.log_probability == pytest.approx(TABLE.log_probability(row, pieces), abs=1e-4)
        assert h.score == pytest.approx(rank / len(pieces), abs=1e-4)
    assert any(h.score < h.log_probability / len(whole(h)) - 1e-3 for _, h in rows)


def test_what_is_cut_off_competes_by_its_score():
    found = beam(TABLE, *TABLE.start(), max_length=2, beam_size=16, nbest=16, length_penalty=0.0)
    for hypotheses in found:
        assert len(hypotheses) == 1 + 3 + 9
        assert sum(h.finished for h in hypotheses) == 1 + 3
    assert len({tuple(h.finished for h in hypotheses) for hypotheses in found}) > 1


@pytest.mark.parametrize(
    ("options", "attention", "message"),
    [
        ({"nbest": 6, "beam_size": 5}, True, "nbest: asks for 6 hypotheses of 5 beams"),
        ({"coverage_penalty": 0.2}, False, "coverage_penalty: needs attention"),
    ],
)
def test_options_that_cannot_be_kept(options, attention, message):
    table = Table(attention=attention)
    with pytest.raises(RecipeError, match=message):
        beam(table, *table.start(), **options)
