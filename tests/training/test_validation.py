"""What validation measures, where there is next to nothing to measure."""

import math
from types import SimpleNamespace

import torch

from s2s.training.validation import losses


def test_the_loss_of_nothing_is_no_number():
    """Where no label of the held-out rows is one that training has; 0 would make the first weights the best for ever."""
    nothing = SimpleNamespace(in_order=lambda: iter(()))
    precision = SimpleNamespace(device=torch.device("cpu"))
    found = losses(SimpleNamespace(eval=lambda: None), SimpleNamespace(), nothing, precision)
    assert math.isnan(found["loss"])
    assert math.isnan(found["perplexity"])
