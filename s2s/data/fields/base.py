"""A field is one side of an example: how its values become tensors, and come back.

field = configure(Field, {"kind": "text", "tokenizer": "word"})()
field.fit(values)
batch = field.collate(field.encode_all(values))     # a Tensor [B, ...], or Padded: data [B, S], lengths [B]
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from s2s.data.tokenizers.base import Tokenizer
from s2s.errors import RecipeError
from s2s.registry import ComponentConfig, Registrable
from s2s.tensors import FieldSpec, Padded

GUESS = 3  # names, or numbers in a vector, that only the data can tell


class Field(Registrable):
    """fit() once on the training values, encode each value once, collate() batches, decode() what a model writes.

    max_length   training rows with longer arrays are dropped
    ends         how many positions of an array are no token of the value: 1 where EOS ends it
    unit         how many numbers of an array are one position: 1 where they are ids
    dtype        of the arrays, in memory and on disk
    samples      True where sample() draws another encoding of the same value each time
    augments     True where augment() changes an encoded array a little, another way each time
    fingerprint  equal fingerprints encode every value alike: what a cache is filed under
    takes        which sources of a reader are values for it (kinds of data/values.py); () is any
    shapes       what its space may be (tensors.FieldSpec), before the data says more
    """

    takes: ClassVar[tuple[str, ...]] = ()
    shapes: ClassVar[tuple[str, ...]] = ()
    max_length: int | None = None
    ends: int = 0
    unit: int = 1
    augments: bool = False

    @property
    def dtype(self) -> np.dtype:
        """The smallest type that holds every id of a vocabulary."""
        return np.dtype(np.uint16 if self.space.size <= 1 << 16 else np.int32)

    def length(self, array: np.ndarray) -> int:
        """Positions in an encoded value."""
        return len(array) // self.unit

    def bind(self, shared: Tokenizer | None) -> Self:
        """Take what both sides of a task share, where this field has none of its own. Raises RecipeError."""
        return self

    def fit(self, values: Iterable[Any]) -> None:
        raise NotImplementedError

    @property
    def space(self) -> FieldSpec:
        """What the tensors look like; known after fit() or load()."""
        raise NotImplementedError

    def guesses(self) -> list[FieldSpec]:
        """What `space` may turn out to be, likeliest first, as far as it can be told before fit(); sizes may be off."""
        return [FieldSpec(shape, GUESS) for shape in self.shapes]  # type: ignore[arg-type]

    def encode_all(self, values: Sequence[Any]) -> list[np.ndarray]:
        raise NotImplementedError

    def collate(self, rows: Sequence[np.ndarray]) -> Padded | Tensor:
        raise NotImplementedError

    def positions(self, target: Padded | Tensor) -> Tensor:
        """[N], where in a collated target's flattened data the answers are that a model owes: all that is real."""
        if isinstance(target, Padded):
            return target.valid.flatten().nonzero().squeeze(1)
        return torch.arange(len(target))

    def decode(self, ids: Any) -> Any:
        """Model output for one example, as a person would write it."""
        raise NotImplementedError

    def comparable(self, text: Any) -> Any:
        """A value of this side as scores compare it: equal for those that decode() could not tell apart."""
        return text

    def pieces(self, ids: Any) -> list[str]:
        """A visible name for each position of an encoded value or of model output: the axes of an attention map."""
        raise NotImplementedError

    def typed(self, value: Any) -> list[str]:
        """The same for a value that somebody gave, in the letters that were typed. The end has no name."""
        (array,) = self.encode_all([value])
        return self.pieces(array)[: self.length(array) - self.ends]

    def save(self, folder: Path, name: str) -> None:
        raise NotImplementedError

    def load(self, folder: Path, name: str) -> None:
        raise NotImplementedError

    @property
    def fingerprint(self) -> str:
        raise NotImplementedError

    @property
    def samples(self) -> bool:
        return False

    def sample(self, value: Any, seed: int) -> np.ndarray:
        """One encoding of a value, the same for the same seed."""
        return self.encode_all([value])[0]

    def augment(self, array: np.ndarray, seed: int) -> np.ndarray:
        """An array like this one, the same for the same seed."""
        return array

    def shares(self, tokenizer: Tokenizer) -> bool:
        """True where this field uses that very tokenizer: its owner then fits it."""
        return False


def bound(choice: ComponentConfig[Field], shared: Tokenizer | None = None) -> Field:
    """The field that a recipe chose, bound to what its task shares. Raises RecipeError with the field's place."""
    try:
        return choice().bind(shared)
    except RecipeError as error:
        raise error.at(choice.where) from None


class Stateless(Field):
    """A field with nothing to learn from the data, so nothing to keep, whose positions have no names."""

    def fit(self, values: Iterable[Any]) -> None:
        pass

    def pieces(self, ids: Any) -> list[str]:
        return []

    def typed(self, value: Any) -> list[str]:
        return []

    def save(self, folder: Path, name: str) -> None:
        pass

    def load(self, folder: Path, name: str) -> None:
        pass


class Nothing(Stateless, kind="nothing"):
    """No source: a language model goes by what it has written."""

    shapes = ("nothing",)

    @property
    def space(self) -> FieldSpec:
        return FieldSpec("nothing")

    def guesses(self) -> list[FieldSpec]:
        return [self.space]

    def encode_all(self, values: Sequence[Any]) -> list[np.ndarray]:
        return [np.zeros(0, self.dtype)] * len(values)

    def collate(self, rows: Sequence[np.ndarray]) -> Tensor:
        """[B, 0]: there is nothing, so many times."""
        return torch.zeros(len(rows), 0)

    @property
    def fingerprint(self) -> str:
        return "nothing"
