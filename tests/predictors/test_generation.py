import pytest
import torch

from s2s.predictors.generation import generate_step, random_keys, remember, start_generation
from s2s.tensors import BOS, EOS, PAD, UNK, select
from tests.helpers.table_model import Table, V


def written(rows, steps=20, seed=3, **options):
    """[N][steps] pieces that rows of the table write."""
    table = Table()
    memory, state, first = table.start(rows)
    writing = start_generation(state, first, window=8)._replace(key=random_keys(len(rows), seed))
    found = []
    for _ in range(steps):
        writing = generate_step(table, memory, writing, **options)
        found.append(writing.last)
    return torch.stack(found, 1).tolist()


def test_what_is_written_is_writable():
    pieces = {piece for row in written([0, 1, 2, 3], steps=60) for piece in row}
    assert not pieces & {PAD, BOS, UNK}
    assert EOS in pieces  # a line break, and no end
    assert UNK in {p for row in written([0, 1, 2, 3], steps=60, allow_unknown=True) for p in row}


def test_a_sample_is_the_same_however_many_there_are():
    assert written([5], temperature=0.7) == written([5, 5, 5], temperature=0.7)[:1]
    several = written([5, 5, 5])
    assert several[0] != several[1] != several[2]
    assert torch.equal(random_keys(2, 9), random_keys(40, 9)[:2])
    assert not torch.equal(random_keys(2, None), random_keys(2, None))


def test_a_row_depends_on_itself_alone():
    table = Table()
    keys = random_keys(3, 1)

    def run(rows):
        memory, state, first = table.start(rows)
        writing = start_generation(state, first)._replace(key=select(keys, torch.tensor(rows)))
        return [(writing := generate_step(table, memory, writing)).last.tolist() for _ in range(10)]

    together = run([0, 1, 2])
    for row in range(3):
        assert [step[row] for step in together] == [step[0] for step in run([row])]


def test_temperature_0_and_one_choice_are_greedy():
    greedy = written([0, 1, 2, 3], temperature=0.0)
    assert greedy == written([0, 1, 2, 3], top_k=1) == written([0, 1, 2, 3], top_p=0.0)
    assert greedy == written([0, 1, 2, 3], temperature=1e-5)
    assert greedy != written([0, 1, 2, 3])


def test_samples_come_as_often_as_they_are_likely():
    table, rows = Table(), [4] * 4000
    memory, state, first = table.start(rows)
    writing = start_generation(state, first)._replace(key=random_keys(len(rows), 1))
    counts = torch.bincount(generate_step(table, memory, writing).last, minlength=V)
    logits = table.logits[4, 0, BOS, BOS].clone()
    logits[[PAD, BOS, UNK]] = float("-inf")
    torch.testing.assert_close(counts / len(rows), logits.softmax(0), atol=0.03, rtol=0)


def test_the_penalty_looks_back_as_far_as_the_window():
    state = ()

    def step(ids, memory, state):
        from types import SimpleNamespace

        return SimpleNamespace(logits=torch.tensor([[0, 0, 0, 0, 2.0, 1.9, 1.0]]).repeat(len(ids), 1), state=state)

    for window, expected in ((1, [4, 5, 4, 5]), (0, [4, 4, 4, 4])):
        writing = start_generation(state, torch.tensor([BOS]), window)
        found = []
        for _ in range(4):
            writing = generate_step(step, None, writing, temperature=0.0, repetition_penalty=1.5)
            found.append(int(writing.last))
        assert found == expected


@pytest.mark.parametrize(("window", "expected"), [(0, []), (2, [5, 6]), (4, [0, 4, 5, 6])])
def test_only_the_newest_are_remembered(window, expected):
    recent = start_generation((), torch.tensor([4]), window).recent
    assert remember(recent, torch.tensor([[4, 5, 6]])).tolist() == [expected]
