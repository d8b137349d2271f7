"""Optimizers: torch's, in their fastest form for the device, with a state that is saved by parameter name.

optimizer = choice(list(model.named_parameters()))      # after the model is on its device
set_rate(optimizer, schedule.factor(step, total))       # before each step
state = optimizer_state(optimizer);  load_optimizer_state(optimizer, state)
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from s2s.errors import RecipeError, RunError
from s2s.registry import NonNegativeFloat, Probability, Registrable

Parameters = Sequence[tuple[str, nn.Parameter]]
OptimizerFactory = Callable[[Any, bool | None], torch.optim.Optimizer]


class Optimizer(torch.optim.Optimizer, Registrable, given=("parameters",)):
    """optimizer = choice(named_parameters): a torch optimizer.

    Each member is a function, or a class, that takes [(name, parameter), ...] on their final device.
    `weight_decay` holds for parameters of two or more dimensions; biases and the gains of normalization
    have one, and shrinking them only costs accuracy.
    """


@Optimizer.register("sgd")
def sgd(
    parameters: Parameters,
    *,
    learning_rate: NonNegativeFloat = 1.0,
    momentum: Probability = 0.0,
    nesterov: bool = False,
    weight_decay: NonNegativeFloat = 0.0,
) -> torch.optim.Optimizer:
    """Stochastic gradient descent; 1.0 without momentum is Luong et al. 2015, https://arxiv.org/abs/1508.04025"""

    def maker(groups: Any, fused: bool | None) -> torch.optim.Optimizer:
        return torch.optim.SGD(groups, lr=learning_rate, momentum=momentum, nesterov=nesterov, fused=fused)

    return build_optimizer(maker, "sgd", parameters, learning_rate, weight_decay)


@Optimizer.register("adagrad")
def adagrad(
    parameters: Parameters,
    *,
    learning_rate: NonNegativeFloat = 0.1,
    initial_accumulator: NonNegativeFloat = 0.0,
    epsilon: NonNegativeFloat = 1e-10,
    weight_decay: NonNegativeFloat = 0.0,
) -> torch.optim.Optimizer:
    """Steps shrink with the sum of all squared gradients: Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html"""

    def maker(groups: Any, fused: bool | None) -> torch.optim.Optimizer:
        return torch.optim.Adagrad(
            groups, lr=learning_rate, initial_accumulator_value=initial_accumulator, eps=epsilon, fused=fused
        )

    return build_optimizer(maker, "adagrad", parameters, learning_rate, weight_decay)


@Optimizer.register("rmsprop")
def rmsprop(
    parameters: Parameters,
    *,
    learning_rate: NonNegativeFloat = 1e-3,
    alpha: Probability = 0.99,
    epsilon: NonNegativeFloat = 1e-8,
    momentum: Probability = 0.0,
    centered: bool = False,
    weight_decay: NonNegativeFloat = 0.0,
) -> torch.optim.Optimizer:
    """Steps shrink with a running mean of squared gradients: Hinton 2012, lecture 6e; `centered`: Graves 2013,
    https://arxiv.org/abs/1308.0850"""

    def maker(groups: Any, fused: bool | None) -> torch.optim.Optimizer:
        if fused:
            raise TypeError("torch has no fused RMSprop")
        return torch.optim.RMSprop(
            groups, lr=learning_rate, alpha=alpha, eps=epsilon, momentum=momentum, centered=centered
        )

    return build_optimizer(maker, "rmsprop", parameters, learning_rate, weight_decay)


@Optimizer.register("adam")
def adam(
    parameters: Parameters,
    *,
    learning_rate: NonNegativeFloat = 1e-3,
    beta1: Probability = 0.9,
    beta2: Probability = 0.999,
    epsilon: NonNegativeFloat = 1e-8,
) -> torch.optim.Optimizer:
    """Steps from running means of gradients and their squares: Kingma and Ba 2015, https://arxiv.org/abs/1412.6980"""

    def maker(groups: Any, fused: bool | None) -> torch.optim.Optimizer:
        return torch.optim.Adam(groups, lr=learning_rate, betas=(beta1, beta2), eps=epsilon, fused=fused)

    return build_optimizer(maker, "adam", parameters, learning_rate, 0.0)


@Optimizer.register("adamw")
def adamw(
    parameters: Parameters,
    *,
    learning_rate: NonNegativeFloat = 1e-3,
    beta1: Probability = 0.9,
    beta2: Probability = 0.999,
    epsilon: NonNegativeFloat = 1e-8,
    weight_decay: NonNegativeFloat = 0.01,
) -> torch.optim.Optimizer:
    """Adam with weight decay beside the gradient: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101"""

    def maker(groups: Any, fused: bool | None) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            groups, lr=learning_rate, betas=(beta1, beta2), eps=epsilon, weight_decay=0.0, fused=fused
        )

    return build_optimizer(maker, "adamw", parameters, learning_rate, weight_decay)


def build_optimizer(
    maker: OptimizerFactory, kind: str, parameters: Parameters, learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """The optimizer over groups with and without decay, fused where that works for all parameters."""
    groups = decay_groups(parameters, weight_decay, learning_rate)
    try:
        places = {(parameter.device, parameter.dtype) for _, parameter in parameters}
        return maker(groups, True if all(steps_fused(maker, *place) for place in places) else None)
    except ValueError as error:  # torch checks what single ranges cannot say: nesterov needs a momentum
        raise RecipeError("training.optimizer", f"{kind}: {error}", "s2s list optimizer shows the options") from None


def decay_groups(parameters: Parameters, weight_decay: float, learning_rate: float) -> list[dict[str, Any]]:
    """One group, or two where only matrices decay. `initial_lr` is what set_rate multiplies."""
    trained = [(name, p) for name, p in parameters if p.requires_grad]  # what is frozen takes no memory either
    matrices = [(name, p) for name, p in trained if p.ndim >= 2]
    vectors = [(name, p) for name, p in trained if p.ndim < 2]
    parts = [(matrices, weight_decay), (vectors, 0.0)] if weight_decay else [(trained, 0.0)]
    return [
        {
            "params": [p for _, p in part],
            "names": [name for name, _ in part],
            "weight_decay": decay,
            "initial_lr": learning_rate,
        }
        for part, decay in parts
        if part
    ]


def steps_fused(maker: OptimizerFactory, device: torch.device, dtype: torch.dtype) -> bool:
    """Does the fused form work here? It depends on device, dtype and torch's version, so it is tried."""
    trial = nn.Parameter(torch.zeros(2, device=device, dtype=dtype))
    trial.grad = torch.zeros_like(trial)
    try:
        maker([trial], True).step()
    except (RuntimeError, TypeError, NotImplementedError):
        return False
    return True


def set_rate(optimizer: torch.optim.Optimizer, factor: float) -> float:
    """Make the learning rate `factor` times the one of the recipe; returns the rate of the first group."""
    for group in optimizer.param_groups:
        group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
    first: float = optimizer.param_groups[0]["lr"]
    return first


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """{"kind", "state": {parameter name: {...}}, "shapes"}: what the recipe does not say. Tensors are not copied."""
    names = parameter_names(optimizer)
    state = optimizer.state_dict()["state"]
    return {
        "kind": type(optimizer).__name__,
        "state": {names[index]: dict(inner) for index, inner in state.items()},
        "shapes": {name: list(p.shape) for name, p in zip(names, parameters_of(optimizer))},
    }


def load_optimizer_state(optimizer: torch.optim.Optimizer, saved: dict[str, Any]) -> None:
    """Go on from optimizer_state. Rates and other options stay those of this optimizer, as the recipe says now.

    Raises RunError where the state is another optimizer's or another model's.
    """
    kind, names = type(optimizer).__name__, parameter_names(optimizer)
    if saved["kind"] != kind:
        hint = "go back to that optimizer, or train into a new folder: --out DIR"
        raise RunError("training.optimizer", f"the run was trained with {saved['kind']}, and this is {kind}", hint)
    parameters = dict(zip(names, parameters_of(optimizer)))
    for name, inner in saved["state"].items():
        if name not in parameters or saved_shape(saved, name, inner) not in (None, parameters[name].shape):
            hint = "go back to the model of the run, or train into a new folder: --out DIR"
            raise RunError("training.optimizer", f"its saved state does not fit the parameter {name!r}", hint)
    index = {name: i for i, name in enumerate(names)}
    state = {
        index[name]: {key: laid_out(value, parameters[name]) for key, value in inner.items()}
        for name, inner in saved["state"].items()
    }
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def saved_shape(saved: dict[str, Any], name: str, inner: dict[str, Any]) -> torch.Size | None:
    """The shape of the parameter that this state was of; a moment's where an older s2s did not write it down."""
    if "shapes" in saved:
        return torch.Size(saved["shapes"][name])
    return next((v.shape for v in inner.values() if isinstance(v, Tensor) and v.ndim), None)


def laid_out(value: Any, parameter: Tensor) -> Any:
    """A copy of a saved value, and a moment in the memory layout of its parameter: files hold rows one after another,
    fused optimizers walk parameter and moments side by side in memory, and a cnn's weights are channels_last."""
    if not isinstance(value, Tensor):
        return value
    if value.shape != parameter.shape:  # a count of steps, or what a factored optimizer keeps
        return value.clone()
    return torch.empty_like(parameter, dtype=value.dtype, device=value.device, requires_grad=False).copy_(value)


def parameters_of(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def parameter_names(optimizer: torch.optim.Optimizer) -> list[str]:
    """In the order of state_dict; an optimizer that was built without names has numbers."""
    names = [name for group in optimizer.param_groups for name in group.get("names", ())]
    count = len(parameters_of(optimizer))
    return names if len(names) == count else [str(i) for i in range(count)]
