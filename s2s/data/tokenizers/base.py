"""Text to ids and back: the family of tokenizers, and what its members share.

tokenizer = Words(min_count=2)
tokenizer.fit(texts)
tokenizer.decode(tokenizer.encode("Two red houses.")) == "Two red houses."

Those that need no library are in simple.py, sentencepiece's in subword.py.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from s2s.registry import Registrable
from s2s.tensors import UNK

Normalization = Literal["none", "nfc", "nfkc"]

UNKNOWN_SIZE = 1000  # of a vocabulary that only the data can tell
UNKNOWN = "⁇"  # what decode() writes for a piece that the vocabulary does not have


class Tokenizer(Registrable):
    """encode() and decode() are inverses as far as the vocabulary reaches; neither adds BOS or EOS.

    fit(texts)     learn the vocabulary, in one pass; raises OptionError where there is nothing to learn from
    normalization  the Unicode form of what it decodes
    samples        True where sample() draws among several segmentations
    fingerprint    equal fingerprints encode every text alike; sampling does not count
    """

    samples: bool = False
    normalization: Normalization = "nfc"

    def fit(self, texts: Iterable[str]) -> None:
        raise NotImplementedError

    def encode(self, text: str) -> list[int]:
        raise NotImplementedError

    def decode(self, ids: Iterable[int]) -> str:
        """Text again: PAD, BOS and EOS are left out, unknown and impossible ids become a mark; never raises."""
        raise NotImplementedError

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """One visible name for each id, specials too: the axes of an attention map."""
        raise NotImplementedError

    def typed(self, text: str) -> list[str]:
        """The pieces of encode(text), an item each, with the letters that were typed, known or not."""
        return self.pieces(self.encode(text))

    def __len__(self) -> int:
        """V, the four specials included."""
        raise NotImplementedError

    def expected_size(self) -> int:
        """V as far as it can be told before fit(): what it is asked to have, or a guess."""
        try:
            return len(self)
        except AttributeError:  # there is no vocabulary yet
            return UNKNOWN_SIZE

    def save(self, stem: Path) -> None:
        """Write `stem` plus an ending of the tokenizer's own. Raises RunError."""
        raise NotImplementedError

    def load(self, stem: Path) -> None:
        """Read what save() wrote, into a tokenizer made with the same options. Raises RunError."""
        raise NotImplementedError

    @property
    def fingerprint(self) -> str:
        raise NotImplementedError

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """The same as encode() on each; faster where the library can."""
        return [self.encode(text) for text in texts]

    def sample(self, text: str, seed: int) -> list[int]:
        """One of the segmentations of a text, the same for the same seed; encode() where there is only one."""
        return self.encode(text)

    def unknown(self, ids: Iterable[int]) -> int:
        """How many of these the vocabulary did not have."""
        return sum(1 for i in ids if i == UNK)

    def unseen(self, text: str) -> list[str]:
        """The characters of a text that the vocabulary does not have, each once, in order."""
        return [c for c in dict.fromkeys(text) if self.unknown(self.encode(c))]


def normalize_text(text: str, form: Normalization, lowercase: bool) -> str:
    """One code for one visible character, and lowercase if asked."""
    if form == "nfc":
        text = unicodedata.normalize("NFC", text)
    elif form == "nfkc":
        text = unicodedata.normalize("NFKC", text)
    return text.lower() if lowercase else text


def visible_token(piece: str) -> str:
    """A piece that shows on a screen: a space is written as ▁, what does not print as its code."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in piece.replace(" ", "▁"))


def with_ending(stem: Path, ending: str) -> Path:
    """stem + ending; Path.with_suffix would eat a part of a name with a dot."""
    return stem.with_name(stem.name + ending)


def digest_of(*parts: object) -> str:
    """A short hash of what decides how texts are encoded."""
    plain = (part if isinstance(part, bytes) else repr(part).encode() for part in parts)
    return hashlib.sha256(b"\0".join(plain)).hexdigest()[:16]
