"""Where a run stands: how many steps it will take, and what it did lately."""

import pytest
import torch

from s2s.errors import TrainingError
from s2s.training.config import TrainingConfig
from s2s.training.position import MetricAccumulator, TrainingState

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"epochs": 3}, 30),
        ({"epochs": 3, "accumulate": 4}, 9),  # a last short group is a step like any other
        ({"epochs": None, "steps": 7}, 7),
        ({"epochs": 3, "steps": 7}, 7),
        ({"epochs": 1, "steps": 70}, 10),
        ({"epochs": None}, None),
    ],
    ids=str,
)
def test_how_many_steps_there_will_be(options, steps):
    assert TrainingConfig(**options).total_steps(batches=10) == steps


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_means_are_weighed_by_tokens():
    clock = Clock()
    recent = MetricAccumulator(CPU, "runs/x", clock=clock)
    for step, (loss, tokens) in enumerate(((30.0, 10), (10.0, 30)), 1):
        recent.learned(step, torch.tensor(loss), tokens, [])
        recent.found(torch.tensor(2.0))
    clock.now = 1.0
    assert recent.lap() == 1.0
    found = recent.scores(0.1)
    assert found == {"loss": 1.0, "gradient_norm": 2.0, "learning_rate": 0.1, "tokens_per_second": 40.0}


def test_time_is_the_clock_on_the_wall_without_what_was_no_training():
    clock = Clock()
    recent = MetricAccumulator(CPU, "runs/x", clock=clock)
    recent.learned(1, torch.tensor(1.0), 60, [])
    clock.now = 2.0
    assert recent.lap() == 2.0
    clock.now = 50.0  # a validation
    recent.go_on()
    clock.now = 51.0
    assert recent.lap() == 1.0
    assert recent.scores(0.1)["tokens_per_second"] == 20.0
    recent.forget()
    recent.learned(2, torch.tensor(1.0), 60, [])
    clock.now = 54.0
    assert recent.lap() == 3.0
    assert recent.scores(0.1)["tokens_per_second"] == 20.0


def test_a_gradient_that_is_no_number_is_an_error_unless_the_loss_was_scaled():
    recent = MetricAccumulator(CPU, "runs/x", "try less")
    recent.learned(1, torch.tensor(1.0), 5, [3])
    recent.found(torch.tensor(float("inf")))
    with pytest.raises(TrainingError, match="runs/x: step 1: the norm of the gradient is inf; .* rows 3\n  try less"):
        recent.check()
    scaled = MetricAccumulator(CPU, "runs/x", scaled=True)
    for step, norm in enumerate((float("inf"), 2.0, float("nan"), 4.0), 1):
        scaled.learned(step, torch.tensor(1.0), 5, [])
        scaled.found(torch.tensor(norm))
    scaled.check()
    assert scaled.scores(0.1)["gradient_norm"] == 3.0, "the mean of the steps that were taken"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_weight_that_is_no_number_is_an_error(bad):
    recent = MetricAccumulator(CPU, "runs/x")
    weights = [torch.tensor([1.0, -2.0]), torch.tensor([3]), torch.zeros(0), torch.tensor([[0.0], [1e38]]).bfloat16()]
    recent.check(weights)
    recent.learned(7, torch.tensor(1.0), 5, [])
    with pytest.raises(TrainingError, match=r"runs/x: step 7: the largest weight is (nan|inf)$"):
        recent.check([*weights, torch.tensor([1.0, bad])])


@pytest.mark.parametrize(
    ("best", "score", "loss", "higher", "better"),
    [
        (None, 0.0, 3.0, True, True),
        ((5.0, 2.0), 6.0, 9.0, True, True),
        ((5.0, 2.0), 4.0, 1.0, True, False),
        ((5.0, 2.0), 4.0, 9.0, False, True),
        ((5.0, 2.0), 6.0, 1.0, False, False),
        ((0.0, 2.0), 0.0, 1.9, True, True),
        ((0.0, 2.0), 0.0, 2.0, True, False),
        ((0.0, 2.0), 0.0, 1.9, False, True),
        ((0.0, None), 0.0, 1.9, True, False),  # of a run whose checkpoint is older than best_loss
        (None, float("nan"), 1.0, True, False),
        ((5.0, 2.0), float("nan"), 1.0, False, False),
    ],
)
def test_what_is_better(best, score, loss, higher, better):
    here = TrainingState() if best is None else TrainingState(best=best[0], best_loss=best[1])
    assert here.improves(score, loss, higher) == better


def test_a_loss_that_is_no_number_names_the_rows_since_the_last_look():
    recent = MetricAccumulator(torch.device("cpu"), "runs/x")
    recent.learned(1, torch.tensor(1.0), 5, [1, 2])
    recent.check()
    recent.learned(2, torch.tensor(1.0), 5, [4, 3])
    recent.learned(3, torch.tensor(float("nan")), 5, [7, *range(10, 18)])
    with pytest.raises(TrainingError, match="loss is nan") as caught:
        recent.check()
    assert "runs/x: steps 2 to 3" in str(caught.value)
    assert "training rows 3, 4, 7, 10, 11, 12, 13, 14, and 3 more" in str(caught.value)
