"""Where a run stands: how many steps it will take, and what it did lately."""

import pytest
import torch

from s2s.errors import TrainingError
from s2s.training.options import Training
from s2s.training.position import Recent


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
    assert Training(**options).total_steps(batches=10) == steps


def test_means_are_weighed_by_tokens():
    recent = Recent(torch.device("cpu"), "runs/x")
    for step, (loss, tokens) in enumerate(((30.0, 10), (10.0, 30)), 1):
        recent.learned(step, torch.tensor(loss), tokens, [])
        recent.took(torch.tensor(2.0), 0.5)
    found = recent.scores(0.1)
    assert found == {"loss": 1.0, "gradient_norm": 2.0, "learning_rate": 0.1, "tokens_per_second": 40.0}


def test_a_loss_that_is_no_number_names_the_rows_since_the_last_look():
    recent = Recent(torch.device("cpu"), "runs/x")
    recent.learned(1, torch.tensor(1.0), 5, [1, 2])
    recent.check()
    recent.learned(2, torch.tensor(1.0), 5, [4, 3])
    recent.learned(3, torch.tensor(float("nan")), 5, [7, *range(10, 18)])
    with pytest.raises(TrainingError, match="loss is nan") as caught:
        recent.check()
    assert "runs/x: steps 2 to 3" in str(caught.value)
    assert "training rows 3, 4, 7, 10, 11, 12, 13, 14, and 3 more" in str(caught.value)
