"""The same models in plain torch, as somebody who knows torch well would write them: what s2s is measured beside.

Length buckets, fused Adam, a parallel decoder, the projection at real positions only, bf16 where it is asked for.
Ids are those of s2s: 0 pads, 1 begins and 2 ends a sentence.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tools.bench.flops import CharacterSizes, ClassifierSizes, TranslationSizes

PAD, BOS, EOS = 0, 1, 2


class Source(NamedTuple):
    """What the decoder looks at."""

    memory: Tensor  # [B, S, M]
    keys: Tensor  # [B, S, H]
    hidden: Tensor  # [B, S], 0 where real, minus a lot at padding


class Translator(nn.Module):
    """Bidirectional LSTM, LSTM decoder, general attention after the recurrence: Luong et al. 2015, without feeding.

    packed  the encoder skips padding; else it reads it, and its backward half begins with it
    """

    def __init__(self, sizes: TranslationSizes, *, dropout: float = 0.0, packed: bool = False) -> None:
        super().__init__()
        e, h, m, v = sizes.embedding, sizes.hidden, sizes.memory, sizes.vocabulary
        self.packed, self.scale = packed, h**-0.5
        self.source = nn.Embedding(v, e, padding_idx=PAD)
        self.target = nn.Embedding(v, e, padding_idx=PAD)
        self.encoder = nn.LSTM(e, sizes.encoder, batch_first=True, bidirectional=True)
        self.begin_h, self.begin_c = nn.Linear(m, h), nn.Linear(m, h)
        self.decoder = nn.LSTM(e, h, batch_first=True)
        self.key = nn.Linear(m, h, bias=False)
        self.combine = nn.Linear(h + m, h)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(h, v)

    def encode(self, ids: Tensor) -> tuple[Source, tuple[Tensor, Tensor]]:
        """[B, S] to the source and the decoder's first state, [1, B, H] each."""
        valid = ids != PAD
        lengths = valid.sum(1)
        x = self.drop(self.source(ids))
        if self.packed:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            memory, _ = pad_packed_sequence(self.encoder(packed)[0], batch_first=True, total_length=ids.shape[1])
        else:
            memory = self.encoder(x)[0]
        mean = (memory * valid[..., None]).sum(1) / lengths[:, None]
        memory = self.drop(memory)
        hidden = torch.zeros(valid.shape, dtype=memory.dtype).masked_fill_(~valid, -1e4)
        state = (self.begin_h(mean).tanh()[None], self.begin_c(mean).tanh()[None])
        return Source(memory, self.key(memory), hidden), state

    def read(self, ids: Tensor, source: Source, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """[B, T] to what is projected [B, T, H], and the state after it."""
        x = self.drop(self.target(ids))
        h, state = self.decoder(x, (state[0].to(x.dtype), state[1].to(x.dtype)))
        scores = torch.bmm(h * self.scale, source.keys.transpose(1, 2).to(h.dtype)) + source.hidden[:, None]
        context = torch.bmm(scores.float().softmax(-1).to(source.memory.dtype), source.memory)
        return self.combine(torch.cat([h.to(context.dtype), context], -1)).tanh(), state

    def loss(self, source: Tensor, before: Tensor, after: Tensor) -> Tensor:
        """Mean over real positions: sources [B, S], targets from BOS on [B, T], and the same up to EOS [B, T]."""
        encoded, state = self.encode(source)
        vectors, _ = self.read(before, encoded, state)
        places = (after.flatten() != PAD).nonzero().squeeze(1)
        logits = self.out(self.drop(vectors).flatten(0, 1)[places])
        return F.cross_entropy(logits.float(), after.flatten()[places])


class CharacterModel(nn.Module):
    """An LSTM of some layers that predicts the next character."""

    def __init__(self, sizes: CharacterSizes) -> None:
        super().__init__()
        self.embed = nn.Embedding(sizes.vocabulary, sizes.embedding)
        self.core = nn.LSTM(sizes.embedding, sizes.hidden, sizes.layers, batch_first=True)
        self.out = nn.Linear(sizes.hidden, sizes.vocabulary)

    def loss(self, before: Tensor, after: Tensor) -> Tensor:
        """Both [B, T]."""
        h, _ = self.core(self.embed(before))
        return F.cross_entropy(self.out(h).flatten(0, 1).float(), after.flatten())


class Classifier(nn.Module):
    """A bidirectional LSTM and the maximum over positions; all texts of a batch are equally long."""

    def __init__(self, sizes: ClassifierSizes) -> None:
        super().__init__()
        self.embed = nn.Embedding(sizes.vocabulary, sizes.embedding)
        self.core = nn.LSTM(sizes.embedding, sizes.hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * sizes.hidden, sizes.classes)

    def forward(self, ids: Tensor) -> Tensor:
        """[B, T] to [B, C]"""
        return self.out(self.core(self.embed(ids))[0].amax(1))

    def loss(self, ids: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(self(ids).float(), labels)


class Learner:
    """One update a call: forward, backward, clip, fused Adam."""

    def __init__(self, model: nn.Module, loss: Callable[..., Tensor], precision: str = "fp32") -> None:
        self.model, self.loss, self.precision = model.train(), loss, precision
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def __call__(self, *batch: Tensor) -> None:
        with autocast(self.precision):
            loss = self.loss(*batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0, foreach=True)
        self.optimizer.step()


def autocast(precision: str) -> AbstractContextManager[object]:
    return torch.autocast("cpu", dtype=torch.bfloat16) if precision == "bf16" else nullcontext()
