"""Averages of weights over training: smoother than the weights of any one step, and often a BLEU point better.

average = choice(model);  average.update(step) after each step;  average.snapshot() at each validation
with average.applied(model): ...          # validate, write, save best
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from s2s.errors import RunError
from s2s.registry import PositiveInt, Probability, Registrable


class Averaging(Registrable):
    """average = choice(model)

    Averages are kept on the device of the weights; tied parameters count once; buffers are not averaged.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.names = [name for name, _ in model.named_parameters()]  # each tied parameter under its first name
        self.parameters = [parameter for _, parameter in model.named_parameters()]

    def update(self, step: int) -> None:
        """After each step of the optimizer. Never waits for the device."""

    def snapshot(self) -> None:
        """At each validation, before `applied`."""

    def average(self) -> Sequence[Tensor]:
        """One tensor a parameter, in the order of `names`."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values; the tensors are not copied."""
        raise NotImplementedError

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def weights(self) -> dict[str, Tensor]:
        """The model's state_dict with averaged parameters; tied parameters share one tensor here as there.

        Not copies: save them, or load them into a model, before the next update.
        """
        by_parameter = {id(p): mean for p, mean in zip(self.parameters, self.average())}
        known = {name: by_parameter[id(p)] for name, p in self.model.named_parameters(remove_duplicate=False)}
        return {name: known.get(name, value.detach()) for name, value in self.model.state_dict().items()}

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Inside, the model has the averaged weights; afterwards its own again, bit for bit, whatever happened.

        Values are copied and memory stays where it is, so that cuDNN's and tied weights stay as they are.
        """
        own = dict(model.named_parameters())
        parameters: list[Tensor] = [own[name] for name in self.names]
        with torch.no_grad():
            kept = [p.detach().clone() for p in parameters]
            torch._foreach_copy_(parameters, list(self.average()))
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(parameters, kept)

    def _named(self, tensors: Sequence[Tensor]) -> dict[str, Tensor]:
        return dict(zip(self.names, tensors))

    def _placed(self, saved: Mapping[str, Tensor]) -> list[Tensor]:
        """Copies of saved tensors, where and as the parameters are, and laid out like them: foreach's fast way."""
        if saved.keys() != set(self.names) or any(
            saved[n].shape != p.shape for n, p in zip(self.names, self.parameters)
        ):
            hint = "go back to the model of the run, or train into a new folder: --out DIR"
            raise RunError("training.average", "the saved average is of another model", hint)
        return [torch.empty_like(p, requires_grad=False).copy_(saved[n]) for n, p in zip(self.names, self.parameters)]


class Exponential(Averaging, kind="ema"):
    """a = d a + (1 - d) w with d = min(decay, (1 + n) / (10 + n)) at update n: Polyak and Juditsky 1992,
    https://doi.org/10.1137/0330046; the early decays are those of TensorFlow's ExponentialMovingAverage"""

    def __init__(self, model: nn.Module, *, decay: Probability = 0.999) -> None:
        super().__init__(model)
        self.decay = decay
        self.updates = 0
        self.means = [p.detach().clone() for p in self.parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self.means, [p.detach() for p in self.parameters], 1 - decay)

    def average(self) -> Sequence[Tensor]:
        return self.means

    def state_dict(self) -> dict[str, Any]:
        return {"updates": self.updates, "means": self._named(self.means)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.means, self.updates = self._placed(state["means"]), state["updates"]


class SnapshotAverage(Averaging, kind="last"):
    """The mean of the weights at the last `count` validations (fewer at first): Vaswani et al. 2017, section 6.1,
    https://arxiv.org/abs/1706.03762. Keeps `count` copies of the weights, in memory and in last.state."""

    def __init__(self, model: nn.Module, *, count: PositiveInt = 5) -> None:
        super().__init__(model)
        self.count = count
        self.snapshots: list[list[Tensor]] = []

    def snapshot(self) -> None:
        self.snapshots = [*self.snapshots, [p.detach().clone() for p in self.parameters]][-self.count :]

    def average(self) -> Sequence[Tensor]:
        """The weights of now, before the first validation."""
        if not self.snapshots:
            return [p.detach().clone() for p in self.parameters]
        means = [tensor.clone() for tensor in self.snapshots[0]]
        for snapshot in self.snapshots[1:]:
            torch._foreach_add_(means, snapshot)
        torch._foreach_div_(means, float(len(self.snapshots)))
        return means

    def state_dict(self) -> dict[str, Any]:
        return {"snapshots": [self._named(snapshot) for snapshot in self.snapshots]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.snapshots = [self._placed(saved) for saved in state["snapshots"]][-self.count :]
