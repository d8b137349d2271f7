"""Subword tokenizers: sentencepiece, trained inside the program on the training texts.

    tokenizer = Unigram(size=8000, sampling=0.2)
    tokenizer.fit(texts)
    tokenizer.sample("houses", seed=1)          # h ouse s, or house s, ...

sentencepiece does the cutting. The Unicode normalization, the letter case and the white space are seen to
here, so that they mean the same for every kind of tokenizer.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import sentencepiece

from s2s.data.tokenizers.base import (
    UNKNOWN,
    Normalization,
    Tokenizer,
    digest_of,
    normalize_text,
    visible_token,
    with_ending,
)
from s2s.data.tokenizers.typed import as_typed
from s2s.data.tokenizers.vocabulary import SPECIALS, Vocabulary, damaged_vocabulary, read_vocabulary_file
from s2s.errors import OptionError
from s2s.files import atomic_write
from s2s.registry import PositiveInt, Probability, Range
from s2s.tensors import BOS, EOS, PAD, UNK

SPACE = "\u2581"  # ▁, how sentencepiece writes a space: a text that holds it gets SPACE_TWIN
SPACE_TWIN = "_"
THREADS = 8  # a constant: how the sums are split over threads decides their last digits, and so the pieces
SLICE = 1000  # characters: sentencepiece leaves out training lines of more than 4192 bytes


class Subwords(Tokenizer):
    """What unigram and bpe have in common; both are trained without white space inside a token.

    size             V, the four specials included
    coverage         share of the characters of the training text that get a token of their own; lower it for
                     noisy text, or where there are thousands of characters (0.9995 for Chinese or Japanese)
    byte_fallback    characters without a token are written as bytes (256 tokens more), so nothing is unknown
    sampling         subword regularization in training: 0 is off; see the kinds for what the number means
    lowercase        lowercase every text; what is decoded is then lowercase too
    normalization    nfc, nfkc or none, as for the other tokenizers
    whitespace       squeeze: any white space is one space, and none at the ends; keep: every space and line
                     break counts
    max_sentences    training draws this many texts where there are more

    decode(encode(x)) is x as far as these options let it be and every character has a token. Of all text, only
    ▁ never comes back as itself (but as _), and with `keep`, white space other than spaces may need byte_fallback.
    """

    model_type: str
    processor: sentencepiece.SentencePieceProcessor

    def __init__(
        self,
        *,
        size: PositiveInt = 8000,
        coverage: Annotated[float, Range(0.98, 1)] = 1.0,
        byte_fallback: bool = False,
        sampling: Probability = 0.0,
        lowercase: bool = False,
        normalization: Normalization = "nfc",
        whitespace: Literal["squeeze", "keep"] = "squeeze",
        max_sentences: Annotated[int, Range(101)] = 1_000_000,
    ) -> None:
        self.size, self.coverage, self.byte_fallback = size, coverage, byte_fallback
        self.sampling, self.samples = sampling, sampling > 0
        self.lowercase, self.normalization, self.whitespace = lowercase, normalization, whitespace
        self.max_sentences = max_sentences

    def fit(self, texts: Iterable[str]) -> None:
        """Train. Raises OptionError where there is no text, or the size does not suit it."""
        model = io.BytesIO()
        failures: list[BaseException] = []  # sentencepiece makes a RuntimeError of whatever reading the texts raises
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=self.slices(texts, failures),
                model_writer=model,
                model_type=self.model_type,
                vocab_size=self.size,
                character_coverage=self.coverage,
                byte_fallback=self.byte_fallback,
                input_sentence_size=self.max_sentences,
                shuffle_input_sentence=True,
                normalization_rule_name="identity",
                remove_extra_whitespaces=False,
                pad_id=PAD,
                bos_id=BOS,
                eos_id=EOS,
                unk_id=UNK,
                pad_piece=SPECIALS[PAD],
                unk_surface=UNKNOWN,
                num_threads=THREADS,
                minloglevel=3,
            )
        except RuntimeError as error:
            if failures:
                raise failures[0] from None
            raise self.explained(str(error)) from None
        self.read(model.getvalue())

    def slices(self, texts: Iterable[str], failures: list[BaseException]) -> Iterator[str]:
        """Texts as sentencepiece takes them: prepared, none empty, none too long."""
        try:
            for text in map(self.prepared, texts):
                for start in range(0, len(text), SLICE):
                    yield text[start : start + SLICE]
        except (Exception, KeyboardInterrupt) as error:
            failures.append(error)
            raise

    def explained(self, message: str) -> OptionError:
        """What sentencepiece's complaint means for the recipe."""
        if high := re.search(r"value <= (\d+)", message):
            what = f"{self.size} is more tokens than the training text has: {high[1]} at most"
            return OptionError("size", what, f"set size: {high[1]} or less")
        if low := re.search(r"\d+ vs (\d+)", message):
            what = f"{self.size} is too small: the characters of the training text alone need {low[1]}"
            return OptionError("size", what, f"set size: {low[1]} or more, or lower coverage ({self.coverage:g})")
        if "sentences_.empty()" in message or "all_chars_count" in message:
            return OptionError("", "has nothing to learn from: there is no text", "check the training data")
        return OptionError("", f"sentencepiece cannot be trained on this text: {message}", "check the training data")

    def read(self, model: bytes) -> None:
        """Take over a serialized model. Raises RuntimeError if it is none."""
        processor = sentencepiece.SentencePieceProcessor()
        processor.load_from_serialized_proto(model)
        self.model, self.processor = model, processor

    def typed(self, text: str) -> list[str]:
        pieces = self.processor.encode(self.prepared(text), out_type=str)  # an unknown one is what was there
        return as_typed(text, pieces, self.normalized)

    def prepared(self, text: str) -> str:
        """The text as sentencepiece gets it."""
        text = self.normalized(text)
        return squeezed(text) if self.whitespace == "squeeze" else text

    def normalized(self, text: str) -> str:
        """The same, white space as it is."""
        if text.isascii():  # which has one form only
            return text.lower() if self.lowercase else text
        text = normalize_text(text, self.normalization, self.lowercase).replace(SPACE, SPACE_TWIN)
        return text.encode("utf-8", "replace").decode()  # half a surrogate pair has no UTF-8

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self.processor.encode(self.prepared(text))
        return ids

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        rows: list[list[int]] = self.processor.encode([self.prepared(text) for text in texts], num_threads=-1)
        return rows

    def sample(self, text: str, seed: int) -> list[int]:
        if not self.samples:
            return self.encode(text)
        sentencepiece.set_random_generator_seed(seed % 2**32)  # of this thread alone
        ids: list[int] = self.processor.encode(
            self.prepared(text), enable_sampling=True, nbest_size=-1, alpha=self.sampling
        )
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        known = [int(i) if 0 <= i < len(self) else UNK for i in ids]
        text: str = self.processor.decode([i for i in known if i >= UNK])
        return text

    def pieces(self, ids: Iterable[int]) -> list[str]:
        return [visible_token(self.processor.id_to_piece(int(i))) if 0 <= i < len(self) else UNKNOWN for i in ids]

    def __len__(self) -> int:
        return self.processor.get_piece_size()

    def expected_size(self) -> int:
        return self.size

    @property
    def vocabulary(self) -> Vocabulary:
        """The pieces as a list, the specials first."""
        return Vocabulary(map(self.processor.id_to_piece, range(len(SPECIALS), len(self))))

    def save(self, stem: Path) -> None:
        """Write stem.model, for sentencepiece, and stem.vocab, for people."""
        atomic_write(with_ending(stem, ".model"), self.model)
        self.vocabulary.save(with_ending(stem, ".vocab"))

    def load(self, stem: Path) -> None:
        path = with_ending(stem, ".model")
        try:
            self.read(read_vocabulary_file(path))
        except RuntimeError:
            raise damaged_vocabulary(path, "it is not a sentencepiece model") from None
        # A model that was cut between two pieces still opens: the list beside it tells.
        if self.vocabulary != Vocabulary.load(with_ending(stem, ".vocab")):
            raise damaged_vocabulary(path, f"its pieces are not those of {with_ending(stem, '.vocab').name}")

    @property
    def fingerprint(self) -> str:
        return digest_of(type(self).__name__, self.model, self.lowercase, self.normalization, self.whitespace)


def squeezed(text: str) -> str:
    """Any white space as one space, and none at the ends."""
    tidy = (
        text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " "
    )  # most are, and soon seen to be
    return text if tidy else " ".join(text.split())


class Unigram(Subwords, kind="unigram"):
    """The likeliest segmentation under a unigram language model of tokens.

    `sampling` is the alpha of subword regularization: a segmentation is drawn by its probability to the power of
    alpha. Smaller is wilder: with an 8k vocabulary, 1 changes one sentence in twenty, 0.5 four in ten and hardly
    makes them longer, 0.2 nearly all and makes them half as long again; 0.1 is close to single characters.

    Kudo 2018, https://arxiv.org/abs/1804.10959
    """

    model_type = "unigram"


class BytePairs(Subwords, kind="bpe"):
    """The most frequent pairs of neighbors, merged again and again.

    `sampling` is the share of merges left out at random (BPE-dropout). Larger is wilder: 0.05 makes sentences a
    fifth longer, 0.1 two fifths; 1 leaves single characters.

    Sennrich et al. 2016, https://arxiv.org/abs/1508.07909; Provilkov et al. 2020, https://arxiv.org/abs/1910.13267
    """

    model_type = "bpe"
