"""What became of data between two openings: which split is another, and how.

kept = contents(corpora)                               # in the manifest of a run
changes(corpora, kept, fingerprints, rows)             # {"train": "120 rows became 60"}; {} where all is as it was
"""

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
import pyarrow as pa

from s2s.data.corpus import Corpus


def contents(corpora: Mapping[str, Corpus]) -> dict[str, str]:
    """A short name for the rows of each split: equal rows, equal name, whatever file or reader they come from."""
    return {split: content(corpus) for split, corpus in corpora.items()}


def content(corpus: Corpus) -> str:
    """Every row counts, in its order: its source, and all of its references, letter by letter."""
    hashes = [blake2b(digest_size=16) for _ in range(6)]  # one for each stream of numbers or letters: parts may differ
    rows, counts, *texts = hashes
    if not pa.types.is_string(corpus.batches[0].schema.field("source").type):  # pictures, numbers: bytes, hashed before
        rows.update(corpus.hashes("source").tobytes())
    if corpus.target_kind != "text":
        rows.update(corpus.hashes("target").tobytes())
    for part in corpus.parts():
        counts.update(part.column(1).value_lengths().to_numpy(zero_copy_only=False).astype("<i8").tobytes())
        columns = (part.column(0), part.column(1).flatten())
        for column, (lengths, letters) in zip(columns, (texts[:2], texts[2:])):
            if pa.types.is_string(column.type):
                ends, text = text_of(column)
                lengths.update(np.diff(ends).astype("<i8").tobytes())
                letters.update(text)
    return blake2b(b"".join(h.digest() for h in hashes), digest_size=16).hexdigest()


def text_of(column: pa.StringArray) -> tuple[np.ndarray, bytes]:
    """Where each text of a column begins and ends, and all of them on end, as Arrow has them in memory."""
    _, ends, data = column.buffers()
    numbers = np.frombuffer(ends, dtype=np.int32, count=len(column) + 1, offset=4 * column.offset)
    return numbers, bytes(memoryview(data)[numbers[0] : numbers[-1]]) if data is not None else b""


def changes(
    corpora: Mapping[str, Corpus], kept: Mapping[str, str], fingerprints: Mapping[str, str], rows: Mapping[str, int]
) -> dict[str, str]:
    """What each split that is another has become, in words.

    kept, fingerprints, rows  of every split as it was: contents() and so on; kept and rows may lack some, or all
    """
    found = {}
    for split in [*fingerprints, *(s for s in corpora if s not in fingerprints)]:
        was = f"{rows[split]:,} rows" if split in rows else "the rows"
        if split not in corpora:
            found[split] = f"{was} are gone"
            continue
        corpus = corpora[split]
        if split not in fingerprints:
            found[split] = f"was not there, and has {len(corpus):,} rows"
        elif fingerprints[split] != corpus.fingerprint and kept.get(split) != content(corpus):
            same = rows.get(split) == len(corpus)
            if same and split not in kept:
                continue  # a run of before kept no contents, and what its fingerprint is made of has changed since
            found[split] = f"{was}, and not the same ones" if same else f"{was} became {len(corpus):,}"
    return found
