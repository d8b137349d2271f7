"""Greedy search, beam search and sampling for the plain models, as harnesses have them: no finished row leaves."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tools.bench.plain import BOS, EOS, CharacterModel, Source, Translator

NEVER = -1e9


@torch.inference_mode()
def greedy(model: Translator, source: Tensor, pieces: int) -> list[list[int]]:
    """[B, S] to the ids of each answer: so many, none of them EOS."""
    encoded, state = model.encode(source)
    last, written = torch.full((len(source),), BOS), []
    for _ in range(pieces):
        vectors, state = model.read(last[:, None], encoded, state)
        logits = model.out(vectors[:, 0])
        logits[:, EOS] = NEVER
        last = logits.argmax(-1)
        written.append(last)
    return torch.stack(written, 1).tolist()


@torch.inference_mode()
def beam(model: Translator, source: Tensor, pieces: int, size: int = 5) -> list[list[int]]:
    """The likeliest of `size` answers of so many pieces, none of them EOS."""
    rows = len(source)
    encoded, state = model.encode(source)
    encoded = Source(*(part.repeat_interleave(size, 0) for part in encoded))
    h, c = (part.repeat_interleave(size, 1) for part in state)
    last = torch.full((rows * size,), BOS)
    total = torch.full((rows, size), NEVER)
    total[:, 0] = 0.0
    ids = torch.zeros(rows * size, 0, dtype=torch.long)
    first = (torch.arange(rows) * size)[:, None]
    for _ in range(pieces):
        vectors, (h, c) = model.read(last[:, None], encoded, (h, c))
        odds = model.out(vectors[:, 0]).float().log_softmax(-1)
        odds[:, EOS] = NEVER
        values, found = odds.topk(size)
        total, pick = (total.view(-1, 1) + values).view(rows, -1).topk(size)
        index = (first + pick // size).flatten()
        last = found.view(rows, -1).gather(1, pick).flatten()
        ids = torch.cat([ids[index], last[:, None]], 1)
        h, c = h[:, index], c[:, index]
    return ids[::size].tolist()


@torch.inference_mode()
def sample_stepping(model: CharacterModel, length: int, rows: int, first: int = EOS) -> Tensor:
    """[rows, length] characters by stepping nn.LSTM: what most programs do."""
    last, state, written = torch.full((rows, 1), first), None, []
    for _ in range(length):
        h, state = model.core(model.embed(last), state)
        last = torch.multinomial(model.out(h[:, 0]).softmax(-1), 1)
        written.append(last)
    return torch.cat(written, 1)


def cells_of(model: CharacterModel) -> list[nn.LSTMCell]:
    """The same layers as cells, which cost less a step."""
    core = model.core
    cells = [
        nn.LSTMCell(core.input_size if not i else core.hidden_size, core.hidden_size) for i in range(core.num_layers)
    ]
    for layer, cell in enumerate(cells):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(cell, name).data = getattr(core, f"{name}_l{layer}").data
    return cells


def sampler_of_cells(model: CharacterModel) -> Callable[[int, int], Tensor]:
    """The same by stepping nn.LSTMCell: call(length, rows)."""
    cells = cells_of(model)

    @torch.inference_mode()
    def sample(length: int, rows: int) -> Tensor:
        zeros = torch.zeros(rows, model.core.hidden_size)
        states = [(zeros, zeros) for _ in cells]
        last, written = torch.full((rows,), EOS), []
        for _ in range(length):
            x = model.embed(last)
            for layer, cell in enumerate(cells):
                states[layer] = cell(x, states[layer])
                x = states[layer][0]
            last = torch.multinomial(model.out(x).softmax(-1), 1)[:, 0]
            written.append(last)
        return torch.stack(written, 1)

    return sample
