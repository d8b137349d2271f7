"""What s2s has, as plain torch takes it: the same batches, and the same weights under other names."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from s2s.nn.model import Model
from s2s.tensors import BOS, Batch, Padded
from tools.bench import plain
from tools.bench.timing import Call


def plain_learning(
    learner: plain.Learner, batches: Sequence[Batch], convert: Callable[[Batch], tuple[Tensor, ...]]
) -> Call:
    """An update of plain torch a round, on the batches of s2s; `convert` is one of the three below."""

    def learn(i: int) -> float:
        batch = batches[i % len(batches)]
        learner(*convert(batch))
        return batch.tokens

    return learn


def plain_pair(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """source [B, S], target from BOS on [B, T], target up to EOS [B, T]: what plain.Translator.loss() takes."""
    assert isinstance(batch.source, Padded)
    assert isinstance(batch.target, Padded)
    after = batch.target.data
    return batch.source.data, torch.cat([torch.full_like(after[:, :1], BOS), after[:, :-1]], 1), after


def plain_chunk(batch: Batch) -> tuple[Tensor, Tensor]:
    """Characters before and after [B, T]."""
    assert isinstance(batch.target, Padded)
    assert batch.start_ids is not None
    after = batch.target.data
    return torch.cat([batch.start_ids[:, None], after[:, :-1]], 1), after


def plain_texts(batch: Batch) -> tuple[Tensor, Tensor]:
    """Texts [B, T] and labels [B]."""
    assert isinstance(batch.source, Padded)
    assert isinstance(batch.target, Tensor)
    return batch.source.data, batch.target


def fill(target: nn.Module, source: Model, names: Mapping[str, str]) -> None:
    """Copy weights; `names` says for each beginning of a name in the target where it is in the source."""
    weights = source.state_dict()
    found = {}
    for name in target.state_dict():
        begin = max((own for own in names if name.startswith(own)), key=len)
        found[name] = weights[names[begin] + name[len(begin) :]]
    target.load_state_dict(found)


def fill_translator(target: plain.Translator, source: Model) -> None:
    """Then both say the same of every sentence, which tests hold them to."""
    names = {
        "source.": "encoder.embed.",
        "target.": "head.embed.",
        "begin_h.": "head.bridge.maps.0.",
        "begin_c.": "head.bridge.maps.1.",
        "decoder.": "head.stack.cells.0.core.",
        "key.": "head.attention.to_query.",
        "combine.": "head.combine.",
        "out.": "head.out.",
    }
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        names[f"encoder.{name}"] = f"encoder.stack.cells.0.core.{name}"
        names[f"encoder.{name}_reverse"] = f"encoder.stack.cells.1.core.{name}"
    fill(target, source, names)


def fill_characters(target: plain.CharacterModel, source: Model) -> None:
    names = {"embed.": "head.embed.", "out.": "head.out."}
    for layer in range(target.core.num_layers):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            names[f"core.{name}_l{layer}"] = f"head.stack.cells.{layer}.core.{name}_l0"
    fill(target, source, names)
