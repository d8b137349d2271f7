"""How the numbers start: applied once, to a model just built."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from s2s.nn.embedding import Embedding
from s2s.registry import NonNegativeFloat, RegistrableFunctions


class Initializer(RegistrableFunctions[None], given=("model",)):
    """initializer(model) sets its parameters in place. Initializers are functions; their options follow the star.

    forget_bias  added to the bias of every lstm's forget gate, so that it starts by remembering:
                 Jozefowicz et al. 2015, https://proceedings.mlr.press/v37/jozefowicz15.html
    """


@Initializer.register("default")
def default(model: nn.Module, *, forget_bias: float = 0.0) -> None:
    """Torch's own for every layer, and N(0, E^-0.5) for embeddings: https://docs.pytorch.org/docs/stable/nn.html"""
    raise_forget_gates(model, forget_bias)


@Initializer.register("uniform")
@torch.no_grad()
def uniform(model: nn.Module, *, range: NonNegativeFloat = 0.1, forget_bias: float = 0.0) -> None:
    """Everything from U(-range, range) but the norms: Sutskever et al. 2014, https://arxiv.org/abs/1409.3215"""
    norms = {id(p) for m in model.modules() if isinstance(m, nn.LayerNorm | nn.GroupNorm) for p in m.parameters()}
    for parameter in model.parameters():
        if id(parameter) not in norms:
            parameter.uniform_(-range, range)
    for module in model.modules():
        if isinstance(module, Embedding):
            module.clear_padding()
    raise_forget_gates(model, forget_bias)


@Initializer.register("xavier")
def xavier(model: nn.Module, *, forget_bias: float = 0.0) -> None:
    """Matrices from Xavier's uniform, gate by gate, and biases zero; embeddings stay at N(0, E^-0.5): Glorot & Bengio
    2010, https://proceedings.mlr.press/v9/glorot10a.html"""
    fill_parameters(model, recurrent=nn.init.xavier_uniform_)
    raise_forget_gates(model, forget_bias)


@Initializer.register("orthogonal")
def orthogonal(model: nn.Module, *, forget_bias: float = 0.0) -> None:
    """As xavier, with orthogonal matrices from state to state, gate by gate: Saxe et al. 2014,
    https://arxiv.org/abs/1312.6120"""
    fill_parameters(model, recurrent=nn.init.orthogonal_)
    raise_forget_gates(model, forget_bias)


def fill_parameters(model: nn.Module, recurrent: object) -> None:
    """Xavier everywhere, `recurrent` for matrices from state to state, zero for biases."""
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}  # an output may be tied to one
    for module in model.modules():
        if isinstance(module, nn.RNNBase):
            for name, parameter in module.named_parameters(recurse=False):
                if name.startswith("bias"):
                    nn.init.zeros_(parameter)
                else:
                    init = recurrent if name.startswith("weight_hh") else nn.init.xavier_uniform_
                    for gate in parameter.detach().split(module.hidden_size):
                        init(gate)  # type: ignore[operator]
        elif isinstance(module, nn.Linear):
            if id(module.weight) not in embeddings:
                nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


@torch.no_grad()
def raise_forget_gates(model: nn.Module, amount: float) -> None:
    """Half to each of the two biases that a gate adds up."""
    for bias in forget_biases(model):
        bias += amount / 2


def forget_biases(model: nn.Module) -> Iterator[Tensor]:
    """Views [H] on the forget gate's part of every bias of every lstm."""
    for module in model.modules():
        if isinstance(module, nn.LSTM):
            for name, parameter in module.named_parameters(recurse=False):
                if name.startswith("bias"):
                    yield parameter.chunk(4)[1]  # torch's order: input, forget, cell, output


class Unfilled(TorchFunctionMode):
    """with Unfilled(): nothing draws random numbers, for a model whose weights come from a file or are not wanted.

    On the meta device torch would import its compiler to draw none; on others a tenth of a second goes there.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "").endswith(("normal_", "uniform_", "orthogonal_")):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
