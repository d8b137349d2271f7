"""The likeliest next words, or endings of a word that was begun: what a phone's keyboard shows.

    suggest_words(generator, "I wou", 3)        # would, wouldn't, wound: a beam search that ends where a word does

It works in text, not in pieces: a word that was begun is taken back and looked for anew, so that it may be cut
into pieces as the model learned to cut it.
"""

import math
import re
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from s2s.data.tokenizers.base import Tokenizer, normalize_text
from s2s.predictors.continuation import GenerationSession
from s2s.predictors.generation import forbidden
from s2s.predictors.transcript import readable_text
from s2s.tensors import UNK, Memory, select

NEVER_WRITTEN = float("-inf")
MAX_WORD_TOKENS = 48  # pieces in a word
READ = 2000  # characters of the text before that are read, at most: typing must not wait
WORD_END = r"[^\W_]|['’\-]"  # what words are made of, character by character
WORD_TOKENS = re.compile(rf"(?:{WORD_END})+")
BEGUN = re.compile(rf"(?:{WORD_END})*\Z")
BYTE = re.compile(r"<0x([0-9A-F]{2})>")


class Suggestion(NamedTuple):
    """A word that may come next."""

    word: str
    ending: str  # what is left to type of it
    probability: float  # among all words that begin as this one was begun


class Surfaces(NamedTuple):
    """What each piece of a vocabulary adds to a text."""

    text: list[bytes]  # without the space that begins a word
    joins: Tensor  # [V], True where a piece goes on with the word before it
    begins: Tensor  # [V], True where it begins a word and brings the space itself


class TextModel(Protocol):
    """What is asked for words: a LanguageModelPredictor."""

    @property
    def tokenizer(self) -> Tokenizer: ...

    @property
    def surfaces(self) -> Surfaces: ...

    @property
    def step(self) -> Any: ...  # of the head: see nn/heads/base.py

    def memory(self, rows: int) -> Memory: ...

    def begin(self, seed: str = "") -> GenerationSession: ...


@torch.inference_mode()
def suggest_words(generator: TextModel, text: str, k: int = 5, beam_size: int = 0) -> list[Suggestion]:
    """The k likeliest words, best first; fewer where the model knows no more. Nothing is drawn at random.

    beam_size  words that are followed at a time; 0: four times k, and 16 at least
    """
    text = readable_text(text)[-READ:]
    begun = BEGUN.search(text)[0]  # type: ignore[index]  # it always matches: perhaps nothing
    tokenizer = generator.tokenizer
    surfaces = generator.surfaces
    before = text[: len(text) - len(begun)]
    spaced = bool(surfaces.begins.any())
    head = surfaces.joins
    if spaced:  # the space belongs to the next piece
        head = surfaces.begins
        if before[-1:] not in ("", " ", "\n"):
            head = surfaces.joins | surfaces.begins if leans(tokenizer, before, surfaces) else surfaces.joins
        before = before.removesuffix(" ")
    prefix = normalize_text(begun, getattr(tokenizer, "normalization", "none"), getattr(tokenizer, "lowercase", False))
    found = search(generator, before, prefix.encode("utf-8", "replace"), surfaces, head, k, beam_size or max(16, 4 * k))
    return [Suggestion(begun + word[len(prefix) :], word[len(prefix) :], odds) for word, odds in found]


def search(
    generator: TextModel, before: str, prefix: bytes, surfaces: Surfaces, head: Tensor, k: int, beam_size: int
) -> list[tuple[str, float]]:
    """The likeliest words after a text that begin with `prefix`, and their probabilities among all that do.

    head  [V], True for the pieces that may come first
    """
    texts = generator.begin(before)
    state, last = texts.writing.state, texts.writing.last
    device = last.device
    rank, words = torch.zeros(1, device=device), [b""]
    never = forbidden(len(surfaces.joins), device, False) < 0
    ended: dict[bytes, float] = {}
    for step in range(MAX_WORD_TOKENS):
        output = generator.step(last, generator.memory(len(words)), state)
        scores = output.logits.float().masked_fill(never, float("-inf")).log_softmax(-1)
        joins = (head if step == 0 else surfaces.joins).to(device)
        if step:
            ends = scores.masked_fill(joins, float("-inf")).logsumexp(-1) + rank  # whatever ends a word
            for word, score in zip(words, ends.tolist(), strict=True):
                if len(word) > len(prefix) and is_text(word):  # longer than what was typed
                    ended[word] = float(np.logaddexp(ended.get(word, float("-inf")), score))  # cut in another way
        scores = scores.masked_fill(~joins, float("-inf"))
        within = torch.tensor([len(word) < len(prefix) for word in words], device=device)
        if bool(within.any()):
            masks = {rest: fitting_tokens(surfaces, rest) for rest in {prefix[len(word) :] for word in words}}
            allowed = torch.stack([masks[prefix[len(word) :]] for word in words]).to(device)
            scores = scores.masked_fill(~allowed, float("-inf"))
        if bool(within.any()) or step == 0:  # what was typed is certain, and so is that a word comes
            scores = torch.where(within[:, None] | (step == 0), scores.log_softmax(-1), scores)
        scores = (scores + rank[:, None]).nan_to_num(nan=NEVER_WRITTEN, neginf=NEVER_WRITTEN)  # where nothing fits
        rank, chosen = scores.flatten().topk(min(beam_size, scores.numel()))
        keep = rank > float("-inf")
        rank, chosen = rank[keep], chosen[keep]
        best = sorted(ended.values(), reverse=True)[:k]
        if not len(rank) or (len(best) == k and best[-1] >= float(rank[0])):
            break
        origin, last = chosen // scores.shape[1], chosen % scores.shape[1]
        words = [words[i] + surfaces.text[p] for i, p in zip(origin.tolist(), last.tolist(), strict=True)]
        state = select(output.state, origin)
    top = sorted(ended.items(), key=lambda item: (-item[1], item[0]))[:k]
    return [(word.decode(), math.exp(score)) for word, score in top]


def leans(tokenizer: Tokenizer, before: str, surfaces: Surfaces) -> bool:
    """Is a piece that begins a word also what follows this text without a blank between? After `(` it may be."""
    piece = int(surfaces.begins.nonzero()[0])
    return tokenizer.encode(before.split()[-1] + surfaces.text[piece].decode())[-1] == piece


def is_text(word: bytes) -> bool:
    """False in the middle of a character."""
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True


def fitting_tokens(surfaces: Surfaces, rest: bytes) -> Tensor:
    """[V], True for the pieces that go on towards what is left of the prefix, or through it."""
    return torch.tensor([rest.startswith(text) or text.startswith(rest) for text in surfaces.text])


def surfaces_of(tokenizer: Tokenizer) -> Surfaces:
    """What every piece adds to a text that ends in a word: seen by decoding it there."""
    size = len(tokenizer)
    anchor = next((i for i in range(UNK + 1, size) if WORD_TOKENS.fullmatch(tokenizer.decode([i]))), UNK)
    known = len(tokenizer.decode([anchor]))
    text, joins, begins = [], [False] * size, [False] * size
    for piece, name in enumerate(tokenizer.pieces(range(size))):
        if piece <= UNK:
            text.append(b"")
            continue
        if byte := BYTE.fullmatch(name):  # perhaps a part of a character
            text.append(bytes([int(byte[1], 16)]))
            joins[piece] = text[-1] >= b"\x80"
            continue
        added = tokenizer.decode([anchor, piece])[known:]
        joins[piece] = WORD_TOKENS.fullmatch(added) is not None
        begins[piece] = added.startswith(" ") and WORD_TOKENS.fullmatch(added[1:]) is not None
        text.append((added[1:] if begins[piece] else added).encode("utf-8", "replace"))
    return Surfaces(text, torch.tensor(joins), torch.tensor(begins))
