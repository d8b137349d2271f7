"""Samples are counted against the probabilities they are drawn with."""

import collections

import pytest
import torch

from s2s.decoding.sampling import greedy, keep_top_k, keep_top_p, next_key, sample, sample_tokens, to_fraction
from s2s.tensors import EOS
from tests.helpers.table_model import PIECES, ROWS, Table, every_answer, whole

TABLE = Table()
MANY = 8_000
ALLOWED = [EOS, *PIECES]


def chi_square(found, wanted):
    """Divided by its expectation, so about 1 where samples follow the probabilities."""
    assert set(found) <= {key for key, p in wanted.items() if p > 0}
    total = sum(found.values())
    terms = [(found[key] - total * p) ** 2 / (total * p) for key, p in wanted.items() if p > 0]
    return sum(terms) / max(1, len(terms) - 1)


def probabilities(row, pieces, temperature):
    """Of every answer, where each step is normalized over what may be written."""
    p = 1.0
    for t, piece in enumerate(pieces):
        odds = (TABLE.log_probabilities(row, pieces[:t])[ALLOWED] / temperature).softmax(-1)
        p *= odds[ALLOWED.index(piece)].item()
    return p


@pytest.mark.parametrize("temperature", [1.0, 0.5, 2.0])
def test_samples_follow_the_probabilities(temperature):
    found = sample(TABLE, *TABLE.start([0, 1, 2]), count=MANY, max_length=2, temperature=temperature)
    for row, hypotheses in enumerate(found):
        counts = collections.Counter(tuple(whole(h)) for h in hypotheses)
        wanted = {tuple(a): probabilities(row, a, temperature) for a in every_answer(2)}
        assert sum(wanted.values()) == pytest.approx(1.0)
        assert chi_square(counts, wanted) < 2.5
        assert chi_square(counts, dict.fromkeys(wanted, 1 / len(wanted))) > 10  # and the measure can tell


@pytest.mark.parametrize(("top_k", "top_p"), [(2, 1.0), (0, 0.7), (3, 0.8)])
def test_truncated_samples_follow_what_is_left(top_k, top_p):
    found = sample(TABLE, *TABLE.start(), count=MANY // 4, max_length=1, top_k=top_k, top_p=top_p)
    for row, hypotheses in enumerate(found):
        odds = TABLE.log_probabilities(row, [])[ALLOWED].softmax(-1)
        order = odds.argsort(descending=True).tolist()
        kept = order[: top_k or None]
        share = odds / odds[kept].sum()  # top_p is of what top_k left
        while len(kept) > 1 and share[kept[:-1]].sum() >= top_p:
            kept.pop()
        wanted = {ALLOWED[i]: (odds[i] / odds[kept].sum()).item() for i in kept}
        counts = collections.Counter(whole(h)[0] for h in hypotheses)
        assert set(counts) <= set(wanted)
        assert len(wanted) == 1 or chi_square(counts, wanted) < 12


def test_no_number_draws_a_forbidden_piece():
    """0 is in front of all, and belongs to the first with a probability; 1 is behind all, and never comes up."""
    no = float("-inf")
    scores = torch.tensor([[no, 0.0, 2.0, 1.0, no], [0.0, no, no, no, no], [no, no, 0.0, 0.0, 0.0]])
    assert sample_tokens(scores, torch.zeros(3, 1)).tolist() == [1, 0, 2]
    assert sample_tokens(scores, torch.full((3, 1), 0.999999)).tolist() == [3, 0, 4]
    assert (scores.gather(1, sample_tokens(scores, torch.ones(3, 1))[:, None]) > no).all()
    assert sample_tokens(scores, torch.tensor([[0.0901], [0.5], [0.3334]])).tolist() == [2, 0, 3]


def test_temperature_zero_is_greedy():
    wanted = greedy(TABLE, *TABLE.start(), max_length=9)
    for temperature in (0.0, 1e-6, 1e-40):
        assert sample(TABLE, *TABLE.start(), max_length=9, temperature=temperature) == wanted
    assert sample(TABLE, *TABLE.start(), max_length=9, top_k=1) == wanted
    assert sample(TABLE, *TABLE.start(), max_length=9, top_p=0.0) == wanted


def test_greedy_takes_the_likeliest_piece():
    for row, (h,) in enumerate(greedy(TABLE, *TABLE.start(), max_length=9)):
        pieces = whole(h)
        for t, piece in enumerate(pieces):
            scores = TABLE.log_probabilities(row, pieces[:t])
            assert piece == max(ALLOWED, key=lambda i: scores[i])


def test_finished_rows_leave_the_batch():
    for search in (greedy, sample):
        table = Table()
        found = search(table, *table.start(), max_length=9)
        steps = [len(whole(h)) for (h,) in found]
        assert table.sizes == [sum(n > t for n in steps) for t in range(max(steps))]


def test_the_same_seed_writes_the_same():
    def texts(**options):
        return [[h.ids for h in row] for row in sample(TABLE, *TABLE.start(), max_length=9, **options)]

    assert texts(count=3, seed=5) == texts(count=3, seed=5)
    assert texts(count=3, seed=5) != texts(count=3, seed=6)
    assert texts(seed=None) != texts(seed=None)
    torch.manual_seed(3)
    here = torch.get_rng_state()
    texts(seed=5)
    assert torch.equal(here, torch.get_rng_state())  # training goes on with its own numbers
    few, more = texts(count=2, seed=5), texts(count=4, seed=5)
    assert all(ids in longer for shorter, longer in zip(few, more) for ids in shorter)


def splitmix64(state):
    """As published, on whole numbers of any size."""
    mask = 2**64 - 1
    z = (state + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def test_the_random_numbers_are_splitmix64():
    assert splitmix64(0) == 0xE220A8397B1DCDAF  # its first number from seed 0, as in other programs
    keys = [0, 1, 2**62 + 12345, 2**63 - 1, -1, -(2**63)]
    found = next_key(torch.tensor(keys), torch.zeros(len(keys), dtype=torch.long)).tolist()
    assert [key % 2**64 for key in found] == [splitmix64(key % 2**64) for key in keys]
    assert to_fraction(torch.tensor([0, -1, 2**62, -(2**63)])).tolist() == [0.0, 1 - 2**-24, 0.25, 0.5]


def test_rows_that_write_different_pieces_draw_different_numbers():
    """Two rows begin with another piece each, then have the same odds: they agree as often as chance has it."""
    table = Table()
    table.logits[0, 0, ..., 4] = table.logits[1, 0, ..., 5] = 50.0
    table.logits[0, 1, :, 4] = table.logits[1, 1, :, 5] = 0.0
    agree = 0
    for seed in range(80):
        (one,), (other,) = sample(table, *table.start([0, 1]), max_length=2, seed=seed)
        assert (one.ids[0], other.ids[0]) == (4, 5)
        agree += whole(one)[1] == whole(other)[1]
    assert 8 <= agree <= 32  # a quarter of them


def test_keys_that_differ_give_independent_numbers():
    keys = torch.arange(20_000)
    pairs = torch.stack([to_fraction(next_key(keys, torch.full_like(keys, piece))) for piece in (4, 5, 6)])
    pairs = torch.cat([pairs, to_fraction(next_key(next_key(keys, keys * 0), keys * 0 + 4))[None]])
    assert (torch.corrcoef(pairs) - torch.eye(4)).abs().max() < 0.03
    counts = collections.Counter(zip(*(pairs[:2] * 10).long().tolist()))
    assert chi_square(counts, {(i, j): 0.01 for i in range(10) for j in range(10)}) < 1.6


def test_samples_of_a_row_differ_and_come_likeliest_first():
    found = sample(TABLE, *TABLE.start(), count=6, max_length=9)
    assert [len(row) for row in found] == [6] * ROWS
    assert sum(len({tuple(h.ids) for h in row}) for row in found) > 3 * ROWS
    for row in found:
        assert row == sorted(row, key=lambda h: h.score, reverse=True)
        assert all(h.score == h.log_probability for h in row)


@pytest.mark.parametrize("k", [0, 1, 3, 7, 99])
def test_top_k_keeps_exactly_k(k):
    scores = torch.randn(20, 7)
    scores[:5] = 0.0  # also where all are equal
    kept = keep_top_k(scores, k)
    for before, after in zip(scores, kept):
        left = after[after > float("-inf")]
        assert left.tolist() == before[after > float("-inf")].tolist()
        assert sorted(left.tolist()) == sorted(before.tolist())[-k:]


@pytest.mark.parametrize("p", [0.0, 0.3, 0.62, 0.9, 1.0])
def test_top_p_keeps_the_fewest_that_are_enough(p):
    scores = 2 * torch.randn(20, 7, dtype=torch.float64)
    for before, after in zip(scores, keep_top_p(scores, p)):
        odds = before.softmax(-1)
        order, total, kept = odds.argsort(descending=True).tolist(), 0.0, []
        while not kept or (total < p and order):
            kept.append(order.pop(0))
            total += odds[kept[-1]].item()
        assert sorted(kept) == (after > float("-inf")).nonzero().flatten().tolist()
        assert torch.equal(after[kept], before[kept])


def test_one_key_is_stirred_as_many_are():
    torch.manual_seed(5)
    keys, more = torch.randint(-(2**63), 2**63 - 1, (40, 1)), torch.randint(0, 9000, (40, 1))
    together = next_key(keys, more)
    alone = torch.cat([next_key(key[None], piece[None]) for key, piece in zip(keys, more, strict=True)])
    assert torch.equal(together, alone)


@pytest.mark.parametrize("size", [2, 65, 5000])
def test_the_highest_and_the_lowest_number_draw_what_is_possible(size):
    torch.manual_seed(size)
    scores = torch.randn(300, size)
    scores[:, -1] = scores[:, 0] = float("-inf")
    scores[:, size // 2] = 1.0
    for dice in (0.0, 1 - 2**-24):
        piece = sample_tokens(scores, torch.full((300, 1), dice))
        assert bool((scores.gather(1, piece[:, None]) > float("-inf")).all())
