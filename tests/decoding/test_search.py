"""What every search promises, whichever it is."""

import math

import pytest
import torch

from s2s.config import configure
from s2s.decoding import Search
from s2s.errors import RecipeError
from s2s.tensors import BOS, EOS, PAD, UNK
from tests.helpers.table_model import ROWS, Output, Table, TableMemory, no_repeat, repeats, whole

TABLE = Table()
EVERY = sorted(Search.registry)


def search(kind, table=TABLE, start=None, **options):
    return configure(Search, {"kind": kind, **options})(table, *(start or table.start()))


def flat(found):
    return [(row, h) for row, hypotheses in enumerate(found) for h in hypotheses]


def same(one, other):
    assert [h.ids for h in one] == [h.ids for h in other]
    assert [h.score for h in one] == pytest.approx([h.score for h in other], abs=1e-5)
    assert [h.log_probability for h in one] == pytest.approx([h.log_probability for h in other], abs=1e-5)


@pytest.mark.parametrize("kind", EVERY)
def test_a_row_alone_is_the_row_in_company(kind):
    """Also in another place: whoever leaves the batch first takes nothing along."""
    together = search(kind, max_length=20)
    assert len({len(h.ids) for _, h in flat(together)}) > 2  # they do leave at different times
    backward = list(range(ROWS))[::-1]
    for row, found in zip(backward, search(kind, start=TABLE.start(backward), max_length=20), strict=True):
        same(found, together[row])
    for row in range(ROWS):
        same(search(kind, start=TABLE.start([row]), max_length=20)[0], together[row])


@pytest.mark.parametrize("kind", EVERY)
def test_the_probability_is_the_models(kind):
    for row, h in flat(search(kind, max_length=9)):
        assert h.log_probability == pytest.approx(TABLE.log_probability(row, whole(h)), abs=1e-4)


@pytest.mark.parametrize("kind", EVERY)
def test_only_pieces_are_written(kind):
    table = Table()
    table.logits[..., [PAD, BOS, UNK]] += 9.0  # a model that wants to
    ids = {i for _, h in flat(search(kind, table, max_length=9)) for i in h.ids}
    assert ids <= {4, 5, 6}
    ids = {i for _, h in flat(search(kind, table, max_length=9, allow_unknown=True)) for i in h.ids}
    assert UNK in ids
    assert ids <= {UNK, 4, 5, 6}


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize(("shortest", "longest"), [(0, 3), (2, 5), (5, 5), (0, 1)])
def test_lengths_are_kept(kind, shortest, longest):
    found = flat(search(kind, min_length=shortest, max_length=longest))
    for _, h in found:
        assert shortest <= len(h.ids) <= longest
        assert h.finished or len(h.ids) == longest
        assert not h.finished or len(h.ids) < longest
    if longest - shortest > 1:
        assert any(h.finished for _, h in found)


@pytest.mark.parametrize("kind", EVERY)
def test_ratios_are_relative_to_the_source(kind):
    talkative = Table()
    talkative.logits[..., EOS] -= 50.0
    lengths = talkative.valid.sum(1).tolist()
    found = flat(search(kind, talkative, max_ratio=1.5))
    assert [len(h.ids) for _, h in found] == [int(1.5 * lengths[row]) + 10 for row, _ in found]
    found = flat(search(kind, talkative, max_ratio=1.5, max_length=12))
    assert [len(h.ids) for _, h in found] == [min(12, int(1.5 * lengths[row]) + 10) for row, _ in found]

    terse = Table()
    terse.logits[..., EOS] += 50.0
    found = flat(search(kind, terse, min_ratio=2.0))
    assert [len(h.ids) for _, h in found] == [2 * lengths[row] for row, _ in found]
    found = flat(search(kind, terse, min_ratio=2.0, min_length=3))
    assert [len(h.ids) for _, h in found] == [max(3, 2 * lengths[row]) for row, _ in found]


@pytest.mark.parametrize("kind", EVERY)
def test_without_a_source_there_are_no_ratios(kind):
    talkative = Table(attention=False)
    talkative.logits[..., EOS] = -50.0
    memory, state, first = talkative.start()
    for nothing in (memory._replace(valid=memory.valid[:, :0]), memory._replace(valid=None)):
        found = flat(search(kind, talkative, (nothing, state, first), max_ratio=1.0, min_ratio=1.0, max_length=25))
        assert {len(h.ids) for _, h in found} == {25}


@pytest.mark.parametrize("kind", EVERY)
def test_filters_are_asked(kind):
    assert any(repeats(h.ids, 2) for _, h in flat(search(kind, max_length=12, min_length=8)))
    found = flat(search(kind, max_length=12, min_length=8, filters=["no-repeat"]))
    assert not any(repeats(h.ids, 3) for _, h in found)
    filters = [{"kind": "no-repeat", "size": 2}, "repetition-penalty"]
    assert not any(repeats(h.ids, 2) for _, h in flat(search(kind, max_length=12, min_length=8, filters=filters)))


@pytest.mark.parametrize("kind", EVERY)
def test_where_filters_leave_nothing_a_hypothesis_ends(kind):
    """Three pieces, none of them twice, and at least 9 wanted: after the third there is only the end."""
    maker = Search.registry[kind]
    for row, (h, *_) in enumerate(maker(TABLE, *TABLE.start(), min_length=9, max_length=20, filters=no_repeat(1))):
        assert sorted(h.ids) == [4, 5, 6]
        assert h.finished
        assert h.log_probability == pytest.approx(TABLE.log_probability(row, whole(h)), abs=1e-4)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("number", [float("-inf"), float("nan")])
def test_every_row_has_an_answer(kind, number):
    """Of a model that never ends, and of one that is broken."""
    table = Table()
    table.logits[..., EOS] = float("-inf")
    for hypotheses in search(kind, table, max_length=6):
        assert hypotheses
        assert all(len(h.ids) == 6 and not h.finished and math.isfinite(h.score) for h in hypotheses)
    table.logits[:] = number
    assert all(search(kind, table, max_length=6))


@pytest.mark.parametrize("kind", EVERY)
def test_half_precision_logits(kind):
    """Sums of log probabilities are kept in float32, whatever the model computes in."""
    table = Table()
    table.logits = table.logits.bfloat16()
    for row, h in flat(search(kind, table, max_length=9)):
        assert h.log_probability == pytest.approx(table.log_probability(row, whole(h)), abs=1e-4)


@pytest.mark.parametrize("kind", EVERY)
def test_no_rows_and_no_memory(kind):
    assert search(kind, start=TABLE.start([])) == []

    def step(ids, memory, state):
        return Output(torch.zeros(len(ids), 7), (), None)

    found = search(kind, step, ((), (), torch.tensor([BOS])), max_length=3)
    assert len(found) == 1


@pytest.mark.parametrize("kind", EVERY)
def test_limits_that_exclude_each_other(kind):
    with pytest.raises(RecipeError, match="min_length: is 9, and max_length is 5"):
        search(kind, min_length=9, max_length=5)


@pytest.mark.parametrize("kind", EVERY)
def test_searches_leave_no_gradients_and_change_no_arguments(kind):
    table = Table()
    memory, state, first = table.start()
    kept = TableMemory(*(item.clone() for item in memory)), tuple(item.clone() for item in state), first.clone()
    table.logits.requires_grad_()
    before = table.logits.detach().clone()
    search(kind, table, (memory, state, first), max_length=5)
    assert torch.equal(table.logits, before)
    for item, copy in zip((*memory, *state, first), (*kept[0], *kept[1], kept[2]), strict=True):
        assert torch.equal(item, copy)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("kind", EVERY)
def test_the_gpu_writes_what_the_cpu_writes(kind):
    """Samples too: their random numbers are drawn on the CPU."""
    options = {"max_length": 12, "max_ratio": 2.0, "min_ratio": 0.5, "filters": ["no-repeat"]}
    options |= {"coverage_penalty": 0.2} if kind == "beam" else {}
    there = search(kind, Table().to("cuda"), **options)
    for one, other in zip(there, search(kind, **options), strict=True):
        same(one, other)
