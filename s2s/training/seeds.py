"""Chance, in one place: where a recipe's seed enters, and the states that a checkpoint keeps."""

import random
from typing import Any

import torch


def random_state(device: torch.device) -> dict[str, Any]:
    """The random number generators that training draws from."""
    state: dict[str, Any] = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def set_random_state(state: dict[str, Any], device: torch.device) -> None:
    """Go on from random_state()."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
    if device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"])


def set_seed(seed: int) -> None:
    """The one place where a recipe's `seed` enters: before the model is built."""
    random.seed(seed)
    torch.manual_seed(seed)
