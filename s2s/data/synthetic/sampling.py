"""How every generated corpus is drawn: the same rows on every machine, and none in two splits.

    rows = sample_distinct(make, "test", seed=1, size=300, sizes=SIZES)      # make(random) -> (source, target)

A hash of the source says to which split a row belongs, so no source of one split is in another, whatever the seed.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from random import Random

from s2s.errors import OptionError, suggest

MAX_DRAWS = 20_000  # draws without a new row before a grammar counts as used up; most test rows take 20


def sample_distinct(
    make: Callable[[Random], tuple[str, str]], split: str, *, seed: int, size: int | None, sizes: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    """Rows (source, target) of "train", "validation" or "test", no source twice; a smaller size gives the first.

    size   how many; None is as many as `sizes` says

    Raises OptionError for another split, or for more rows than the grammar has.
    """
    if split not in sizes:
        raise OptionError("", f"the generated corpus has no split {split!r}", suggest(split, sizes))
    return sampled_rows(make, split, seed, sizes[split] if size is None else size)


def sampled_rows(
    make: Callable[[Random], tuple[str, str]], split: str, seed: int, size: int
) -> Iterator[tuple[str, str]]:
    random = Random(f"{split} {seed}")
    seen: set[str] = set()
    misses = 0
    while len(seen) < size:
        source, target = make(random)
        if source not in seen and split_of(source) == split:
            seen.add(source)
            misses = 0
            yield source, target
        elif (misses := misses + 1) == MAX_DRAWS:
            what = f"the grammar does not have {size} sentences for {split}"
            raise OptionError("size", what, f"about {len(seen)} are all there are")


def split_of(source: str) -> str:
    """Nine in ten sources are for training, one in twenty for validation, one in twenty for the test."""
    return {0: "test", 1: "validation"}.get(hashlib.sha256(source.encode()).digest()[0] % 20, "train")
