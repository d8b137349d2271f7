"""The shape of every schedule at the points that define it, and that one goes on where it stopped."""

import json
import math

import pytest
import torch

from s2s.config import configure
from s2s.errors import RecipeError
from s2s.training.schedules import Schedule

KINDS = sorted(Schedule.registry)
TOTAL = 1000

POINTS = [  # schedule, {step: factor}
    ("constant", {1: 1, 500: 1, 1000: 1}),
    ({"kind": "constant", "warmup": 10}, {1: 0.1, 5: 0.5, 10: 1, 11: 1, 1000: 1}),
    ({"kind": "constant", "warmup": 0.5}, {1: 1 / 500, 500: 1, 501: 1}),
    ("plateau", {1: 1, 1000: 1}),
    ({"kind": "plateau", "warmup": 4}, {1: 0.25, 4: 1, 9: 1}),
    ({"kind": "inverse-sqrt", "warmup": 100}, {1: 0.01, 50: 0.5, 100: 1, 400: 0.5, 1000: math.sqrt(0.1)}),
    ({"kind": "inverse-sqrt", "warmup": 0.1}, {50: 0.5, 100: 1, 400: 0.5}),
    ({"kind": "inverse-sqrt", "warmup": 0}, {1: 1, 4: 0.5}),
    ("cosine", {500: 0.5, 250: (1 + math.sqrt(0.5)) / 2, 1000: 0, 1001: 0}),
    ({"kind": "cosine", "warmup": 200, "final": 0.1}, {100: 0.5, 200: 1, 600: 0.55, 1000: 0.1, 2000: 0.1}),
    ("linear", {1: 0.999, 500: 0.5, 1000: 0, 1001: 0}),
    ({"kind": "linear", "warmup": 200, "final": 0.2}, {1: 0.005, 200: 1, 600: 0.6, 1000: 0.2, 1500: 0.2}),
    ("luong", {1: 1, 500: 1, 501: 0.5, 600: 0.5, 601: 0.25, 1000: 1 / 32}),
    (
        {"kind": "luong", "start": 8, "every": 2, "warmup": 4},
        {2: 0.5, 4: 1, 8: 1, 9: 0.5, 10: 0.5, 11: 0.25, 13: 0.125},
    ),
]


@pytest.mark.parametrize(("node", "points"), POINTS, ids=lambda x: str(x)[:50])
def test_shape(node, points):
    schedule = configure(Schedule, node)()
    for step, factor in points.items():
        assert schedule.factor(step, TOTAL) == pytest.approx(factor, abs=1e-9), step


def test_every_kind_has_its_shape_tested():
    assert {configure(Schedule, node).kind for node, _ in POINTS} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_factors_are_finite_and_the_warmup_only_rises(kind):
    schedule = configure(Schedule, {"kind": kind, "warmup": 100})()
    factors = [schedule.factor(step, TOTAL) for step in range(1, TOTAL + 2)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert factors[:100] == sorted(factors[:100])
    assert factors[99] == max(factors) == 1
    assert factors[100:] == sorted(factors[100:], reverse=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_shorter_than_its_warmup(kind):
    schedule = configure(Schedule, {"kind": kind, "warmup": 100} | ({"start": 200} if kind == "luong" else {}))()
    assert [schedule.factor(step, 10) for step in (1, 10)] == [0.01, 0.1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_of_one_step(kind):
    assert 0 <= configure(Schedule, kind)().factor(1, 1) <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_schedule_is_the_one_that_never_stopped(kind):
    scores = [3.0, 2.0, 2.5, 2.5, 2.5, 1.0, 1.5, float("nan"), 1.5, 1.5, 0.5, 0.6, 0.6]

    def live(schedule, some, first):
        factors = []
        for i, score in enumerate(some, first):
            factors.append(schedule.factor(10 * i + 1, TOTAL))
            schedule.observe(score, False)
        return factors

    node = {"kind": kind, "cooldown": 1} if kind == "plateau" else kind
    whole = live(configure(Schedule, node)(), scores, 0)
    for cut in range(len(scores)):
        first, second = configure(Schedule, node)(), configure(Schedule, node)()
        before = live(first, scores[:cut], 0)
        second.load_state_dict(json.loads(json.dumps(first.state_dict())))
        assert before + live(second, scores[cut:], cut) == whole


@pytest.mark.parametrize("higher", [False, True])
@pytest.mark.parametrize(("patience", "cooldown", "minimum"), [(0, 0, 0.01), (1, 0, 0.01), (2, 1, 0.01), (1, 2, 0.2)])
def test_plateau_is_torch_reduce_on_plateau(higher, patience, cooldown, minimum):
    options = {"factor": 0.5, "patience": patience, "cooldown": cooldown, "minimum": minimum}
    ours = configure(Schedule, {"kind": "plateau", **options})()
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        "max" if higher else "min",
        factor=0.5,
        patience=patience,
        cooldown=cooldown,
        min_lr=minimum,
        threshold=0.0,
    )
    for score in torch.randint(0, 12, (60,), generator=torch.Generator().manual_seed(patience)).tolist():
        ours.observe(float(score), higher)
        theirs.step(float(score))
        assert ours.factor(1, None) == pytest.approx(optimizer.param_groups[0]["lr"])
    assert ours.factor(1, None) < 1


@pytest.mark.parametrize("node", ["cosine", "linear", "luong", {"kind": "constant", "warmup": 0.1}], ids=str)
def test_what_needs_an_end_says_so(node):
    with pytest.raises(RecipeError, match=r"needs to know how long training is(.|\n)*set training\.steps"):
        configure(Schedule, node)().factor(1, None)


@pytest.mark.parametrize(
    "node", ["constant", "plateau", "inverse-sqrt", {"kind": "luong", "start": 5, "every": 5}], ids=str
)
def test_what_needs_no_end_goes_without(node):
    assert configure(Schedule, node)().factor(10**6, None) <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_where_it_is_from(kind):
    assert "http" in (Schedule.registry[kind].__doc__ or "")
