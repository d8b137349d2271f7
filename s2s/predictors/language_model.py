"""A language model at work: it goes on with a text, says how likely one is, and shows what it expects.

    generator.generate("ROMEO:", length=500, temperature=0.8)            # [the text that follows]

    texts = generator.start_generation("ROMEO:", count=3, random_seed=7)
    for number, text in generator.write(texts, length=500): ...          # as it is written
    save_texts(path, texts, generator.fingerprint)                       # to go on another day

A text begins where a line does, and a line break is EOS: a piece like the others.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from s2s.data.fields.text import with_eos
from s2s.data.readers.base import Row, Source
from s2s.data.tokenizers.base import Tokenizer
from s2s.decoding.sampling import next_key
from s2s.errors import several
from s2s.nn.heads.base import HeadOutput
from s2s.predictors.base import Predictor
from s2s.predictors.continuation import GenerationSession
from s2s.predictors.generation import WINDOW, GenerationState, generate_step, random_keys, remember, start_generation
from s2s.predictors.suggestions import Suggestion, Surfaces, suggest_words, surfaces_of
from s2s.predictors.transcript import Transcript, lines_to_ids, readable_text
from s2s.registry import tree
from s2s.tasks.losses import Likelihood
from s2s.tensors import EOS, UNK, Batch, Memory, Padded, move, repeat

START = EOS  # what stands before a text: the end of the line above
SAMPLE_LENGTH = 120  # characters that show at each validation what a model has learned
WINDOW_TOKENS = 512  # pieces of a text read at once, so that a long one takes no more memory than a short one
LOGITS = 1 << 24  # numbers that are worked out at once, at most
CONTEXT_TOKENS = 1024  # pieces read before a part of a long text that is scored beside the others
TEXT_PARTS = 64  # parts of a long text scored side by side, at most

TextUnit = Literal["characters", "pieces"]


class NextTokenDistribution(NamedTuple):
    """What the model expects after one more piece."""

    read: str  # the piece just read; the first one is the line break before the text
    next: str | None  # the piece that does come next; None after the last
    probability: float | None  # of that one
    likeliest: list[tuple[str, float]]  # pieces and their probabilities, best first


class LanguageModelPredictor(Predictor, kind="language-model"):
    """generator.generate("ROMEO:") -> [" what follows"]; see the module for more. Computes in 32 bits."""

    writes = True

    def predict(self, sources: Sequence[Source], encoded: Sequence[np.ndarray] | None = None) -> list[str]:
        """What the model would write after each text, by chance: it has no source to encode, but a beginning."""
        return [self.generate(str(source))[0] for source in several(sources, "sources")]

    def sample(self) -> str:
        """A short text from nothing, drawn as the recipe draws, by the recipe's own dice: how far it has come."""
        return self.generate(length=SAMPLE_LENGTH, random_seed=self.recipe.seed, **self.recipe_options())[0]

    def recipe_options(self) -> dict[str, Any]:
        """How the run's own recipe draws, where it does: options of write()."""
        chosen = self.recipe.decoding
        if chosen.kind != "sample":
            return {"temperature": 0.0} if chosen.kind == "greedy" else {}
        return {key: value for key, value in tree(chosen).items() if key in ("temperature", "top_k", "top_p")}

    def generate(
        self, seed: str = "", *, length: int = 500, count: int = 1, random_seed: int | None = None, **options: Any
    ) -> list[str]:
        """`count` texts that follow the seed; see write() for the options."""
        found = [""] * count
        for number, text in self.write(
            self.begin(seed, count=count, random_seed=random_seed), length=length, **options
        ):
            found[number] += text
        return found

    def begin(
        self, seed: str = "", *, count: int = 1, random_seed: int | None = None, window: int = WINDOW
    ) -> GenerationSession:
        """So many texts that begin alike, and have random numbers of their own.

        window  pieces that a repetition penalty looks back on, the seed's included
        """
        _, state = self._start(1)
        writing = start_generation(state, torch.full((1,), START, device=self.precision.device), window)
        texts = GenerationSession(writing, [Transcript(self.task.target.decode) for _ in range(count)])
        self.read(texts, seed)
        texts.writing = repeat(texts.writing, count)
        self.reseed(texts, random_seed)
        return texts

    def reseed(self, texts: GenerationSession, random_seed: int | None) -> None:
        """Other random numbers from here on."""
        writing = texts.writing
        keys = random_keys(len(writing.last), random_seed, self.precision.device)
        texts.writing = writing._replace(key=next_key(keys, writing.last[:, None]))

    def read(self, texts: GenerationSession, text: str) -> None:
        """Let every one of the texts go on with this; what they had written and not given out is dropped."""
        text = readable_text(text)
        ids = [i for i in self.encode(text) if i != UNK or self.knows_unknown]
        if not ids:
            return
        writing = texts.writing
        data = torch.tensor(ids, device=self.precision.device).repeat(len(writing.last), 1)
        for output in self._forced(data, writing.last, writing.state, asked=False):
            writing = writing._replace(state=output.state)
        recent = remember(writing.recent, data[:, -max(1, writing.recent.shape[1]) :])
        last = data[:, -1]
        texts.writing = GenerationState(writing.state, last, next_key(writing.key, last[:, None]), recent)
        for transcript in texts.transcripts:
            transcript.follow(ids, text)

    def write(
        self,
        texts: GenerationSession,
        *,
        length: int = 500,
        unit: TextUnit = "characters",
        stop: Sequence[str] = (),
        **options: Any,
    ) -> Iterator[tuple[int, str]]:
        """(number of a text, what was written of it just now), as it is written, to `length` or a stop string.

        length   of each text, in characters or in the pieces that the model writes
        stop     strings that end a text, and are left out of it
        options  temperature, top_k, top_p, repetition_penalty, allow_unknown: see decoding.generation.generate_step

        Afterwards, or when the caller leaves, `texts` stands where writing stopped: going on later writes what one
        longer call would have written.
        """
        texts.expect(several(stop, "stop"))
        most = 8 * length + 64  # pieces: there are some that are no text, such as half a character
        with texts.taken_apart() as live:
            left = dict.fromkeys(live.rows, length)
            memory, steps = self.memory(len(live.rows)), 0
            while live.rows:
                done = []
                for place, row in enumerate(live.rows):
                    transcript = texts.transcripts[row]
                    over = unit == "pieces" and steps == length
                    if text := transcript.take_all() if over else transcript.take(left[row]):
                        left[row] -= len(text) if unit == "characters" else 0
                        yield row, text
                    if over or not left[row] or steps == most or (transcript.stopped and not transcript.waiting):
                        done.append(place)
                if done:
                    live.leave(done)
                    memory = self.memory(len(live.rows))
                if live.rows:
                    live.writing = generate_step(self.step, memory, live.writing, **options)
                    for row, piece in zip(live.rows, live.writing.last.tolist(), strict=True):
                        texts.transcripts[row].push(piece)
                    steps += 1

    def walk(self, text: str, k: int = 5) -> list[NextTokenDistribution]:
        """What the model expects before the text and after each of its pieces: the k likeliest, and what came."""
        ids = self.encode(readable_text(text))
        names = self.task.target.pieces
        data = torch.tensor([[*ids, EOS]], device=self.precision.device)
        _, state = self._start(1)
        steps: list[NextTokenDistribution] = []
        read = [START, *ids]
        for output in self._forced(data, data.new_full((1,), START), state):
            odds = output.logits.float().softmax(-1)
            best, pieces = odds.topk(min(k, odds.shape[1]))
            for row in range(len(odds)):
                at = len(steps)
                comes = ids[at] if at < len(ids) else None
                likeliest = list(zip(names(pieces[row].tolist()), best[row].tolist(), strict=True))
                right = None if comes is None else float(odds[row, comes])
                steps.append(
                    NextTokenDistribution(
                        names([read[at]])[0], None if comes is None else names([comes])[0], right, likeliest
                    )
                )
        return steps

    def suggest(self, text: str, k: int = 5) -> list[Suggestion]:
        """The k likeliest next words, or endings of the word that the text ends in."""
        return suggest_words(self, text, k)

    @cached_property
    def surfaces(self) -> Surfaces:
        """What each piece adds to a text."""
        return surfaces_of(self.tokenizer)

    def likelihood(self, rows: Sequence[Row], *, exact: bool = False) -> Likelihood:
        """What the model makes of lines that follow one another; each line has its line break.

        exact  read a long text from end to end. Otherwise up to PARTS of it are read side by side, each after the
               CONTEXT pieces before it, which is many times as fast and differs by far less than it tells
        """
        if not several(rows, "rows"):
            nothing = np.zeros(0, dtype=np.int64)
            return Likelihood(np.zeros(0), nothing, nothing, nothing)
        texts = [row.references[0] for row in rows]
        lines = with_eos(self.tokenizer.encode_all(texts))
        tokens = np.array([len(line) for line in lines])
        ids = np.concatenate(lines).astype(np.int64)
        count = 1 if exact else min(TEXT_PARTS, max(1, len(ids) // (4 * CONTEXT_TOKENS)))
        nats = self.nats_of(ids, count)
        sums = np.add.reduceat(nats, np.concatenate([[0], tokens.cumsum()[:-1]]))
        sizes = np.array([[len(text) + 1, len(text.encode()) + 1] for text in texts])  # with the line break
        return Likelihood(sums, tokens, *sizes.T)

    def nats_of(self, ids: np.ndarray, parts: int = 1) -> np.ndarray:
        """[N], the negative log-probability of every piece after all (or the last CONTEXT) before it."""
        size = -(-len(ids) // parts)
        starts = list(range(0, len(ids), size))
        before = [min(start, CONTEXT_TOKENS) for start in starts]
        # Each row is its context, its part, and padding on the right.
        width = size + max(before)
        data, first = np.full((len(starts), width), EOS), np.full(len(starts), START)
        for row, (start, context) in enumerate(zip(starts, before, strict=True)):
            piece = ids[start - context : start + size]
            data[row, : len(piece)] = piece
            first[row] = ids[start - context - 1] if start > context else START
        device = self.precision.device
        _, state = self._start(len(starts))
        chunks = self._forced(torch.from_numpy(data).to(device), torch.from_numpy(first).to(device), state)
        at, found = 0, np.zeros((len(starts), width))
        for output in chunks:
            logits = output.logits.view(len(starts), -1, output.logits.shape[-1]).float()
            gold = torch.from_numpy(data[:, at : at + logits.shape[1]]).to(device)
            chosen = logits.gather(2, gold[..., None]).squeeze(2)
            found[:, at : at + logits.shape[1]] = (logits.logsumexp(2) - chosen).cpu().numpy()
            at += logits.shape[1]
        ends = [min(start + size, len(ids)) for start in starts]
        return np.concatenate([found[r, c : c + e - s] for r, (s, e, c) in enumerate(zip(starts, ends, before))])

    # -- what the model reads --

    def encode(self, text: str) -> list[int]:
        """The pieces of a text, EOS for every line break in it; its last line is not ended."""
        return lines_to_ids(self.tokenizer.encode_all, text)

    @property
    def tokenizer(self) -> Tokenizer:
        tokenizer: Tokenizer = self.task.target.tokenizer  # type: ignore[attr-defined]  # a language model's target is text
        return tokenizer

    def unseen(self, text: str) -> list[str]:
        """Characters (or words) of a text that training never showed the model, each once."""
        return list(
            dict.fromkeys(name for line in readable_text(text).split("\n") for name in self.tokenizer.unseen(line))
        )

    @cached_property
    def knows_unknown(self) -> bool:
        """True where training had unknown pieces, so that UNK means something: else it is noise, and is left out."""
        rare = getattr(self.tokenizer, "min_count", 1) > 1 or getattr(self.tokenizer, "limit", None) is not None
        return rare or getattr(self.tokenizer, "coverage", 1.0) < 1

    @cached_property
    def fingerprint(self) -> str:
        """Of weights and vocabulary: what a state belongs to."""
        found = hashlib.blake2b(self.task.target.fingerprint.encode(), digest_size=16)
        for name, weights in sorted(self.model.state_dict().items()):
            found.update(name.encode() + weights.float().cpu().contiguous().numpy().tobytes())
        return found.hexdigest()

    # -- the model --

    @cached_property
    def step(self) -> Any:
        """How the head takes a step: prepared for it, where it can be."""
        return self.prepared.step

    @torch.inference_mode()
    def _start(self, rows: int) -> tuple[Memory, Any]:
        """What the head listens to (nothing), and its first state."""
        source = self.task.source.collate(self.task.source.encode_all([""]))
        return repeat(self.model.head.start(self.model.encode(move(source, self.precision.device))), rows)

    def memory(self, rows: int) -> Memory:
        """What the head listens to, for so many rows."""
        return self._start(rows)[0]

    def _forced(self, ids: Tensor, first: Tensor, state: Any, *, asked: bool = True) -> Iterator[HeadOutput]:
        """What the head says where the pieces [N, T] are given, CHUNK of them at a time.

        logits [N * t, V] are what it expects in place of each, and the state is that before it reads the last.
        asked  False: nobody wants the logits
        """
        source = self.task.source.collate(self.task.source.encode_all([""] * len(ids)))
        chunk = (
            max(1, min(WINDOW_TOKENS, LOGITS // (len(ids) * self.task.target.space.size))) if asked else WINDOW_TOKENS
        )
        for start in range(0, ids.shape[1], chunk):
            with torch.inference_mode():
                part = ids[:, start : start + chunk]
                rows, width = part.shape
                positions = torch.arange(rows * width if asked else 0, device=ids.device)
                target = Padded(part, part.new_full((rows,), width))
                batch = Batch(move(source, ids.device), target, positions, start_ids=first, is_first_chunk=False)
                output = self.model(batch, state)
            yield output
            state, first = output.state, part[:, -1]
