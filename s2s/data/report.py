"""What there is to know about data before a model sees it, and warnings in words where something looks wrong.

report = make_report({"train": train, "validation": validation}, encoded, source, target)
print("\\n".join(report.lines()))
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from s2s.data.corpus import Corpus
from s2s.data.encoded import EncodedCorpus, Ids
from s2s.data.fields.base import Field
from s2s.data.fields.categorical import UNSEEN, Categorical
from s2s.tensors import UNK

if TYPE_CHECKING:
    from rich.table import Table

QUANTILES = (0.5, 0.9, 0.99, 1.0)
MUCH = 0.01  # a share that is worth a warning
CAPTION = "tokens a row: half have at most the first number, then 90 %, 99 % and all"
LABELS_NAMED = 3  # names that a warning has room for
UNEVEN = 4.0  # times as many pieces on one side as on the other, as far as both vocabularies usually cut alike


@dataclass(frozen=True)
class SideReport:
    """One side of a split: pieces a row (EOS not counted) at the median, 90 %, 99 % and the most; share of unknown."""

    lengths: tuple[int, ...]
    unknown: float


@dataclass(frozen=True)
class SplitReport:
    """One split. Shares are of the rows that are used.

    read, empty, overlong   rows of the file; those with a blank side, and with a side over max_characters
    rows                    in the corpus: training leaves the empty and overlong out, and those held out
    too_long                of these, over max_length pieces: left out of training
    copies                  share whose target is its source
    uneven                  share with more than four times as many tokens on one side as on the other
    repeated                share that are there before, source and target
    seen_sources            share whose source is a source in train (of train itself: None)
    seen_pairs              share whose source and target are together in train
    unseen                  labels or tags that train has none of: in how many rows, and which, most frequent first
    """

    read: int
    empty: int
    overlong: int
    rows: int
    too_long: int
    source: SideReport
    target: SideReport
    copies: float
    uneven: float
    repeated: float
    seen_sources: float | None = None
    seen_pairs: float | None = None
    unseen: tuple[int, tuple[str, ...]] = (0, ())

    @property
    def used(self) -> int:
        return self.rows - self.too_long

    def sides(self) -> tuple[tuple[str, SideReport], ...]:
        return ("source", self.source), ("target", self.target)


@dataclass(frozen=True)
class Report:
    """A report on each split, by its name."""

    splits: dict[str, SplitReport]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: asdict(split) | {"used": split.used} for name, split in self.splits.items()}

    def lines(self) -> list[str]:
        """Plain text: a line or two a split, then the warnings."""
        found = []
        for name, split in self.splits.items():
            found.append(f"{name}: {split.used:,} rows{dropped(split)}; {overlap(split)}")
            found += [
                f"  {side} {length_summary(part)} tokens, {share(part.unknown)} unknown" for side, part in split.sides()
            ]
        return [*found, CAPTION, *(f"warning: {warning}" for warning in self.warnings())]

    def table(self) -> "Table":
        """The same for a terminal that rich draws on; print the warnings after it."""
        from rich.table import Table

        table = Table(title="data", title_justify="left", title_style="bold", caption=CAPTION, caption_justify="left")
        table.add_column("")
        for name in self.splits:
            table.add_column(name, justify="right")
        for label, cells in self.cells():
            table.add_row(label, *cells)
        return table

    def cells(self) -> Iterator[tuple[str, list[str]]]:
        """Rows of the table: a label, and a text for each split."""
        splits = list(self.splits.values())
        yield "rows read", [f"{s.read:,}" for s in splits]
        yield "with an empty side", [f"{s.empty:,}" for s in splits]
        yield "over max_characters", [f"{s.overlong:,}" for s in splits]
        yield "over max_length", [f"{s.too_long:,}" for s in splits]
        yield "rows used", [f"{s.used:,}" for s in splits]
        yield "source tokens", [length_summary(s.source) for s in splits]
        yield "target tokens", [length_summary(s.target) for s in splits]
        yield "source unknown", [share(s.source.unknown) for s in splits]
        yield "target unknown", [share(s.target.unknown) for s in splits]
        yield "repeated rows", [share(s.repeated) for s in splits]
        yield "sources in train", ["" if s.seen_sources is None else share(s.seen_sources) for s in splits]
        yield "pairs in train", ["" if s.seen_pairs is None else share(s.seen_pairs) for s in splits]

    def warnings(self) -> list[str]:
        """What looks wrong, in words; an empty list where nothing does."""
        return [f"{name}: {words}" for name, split in self.splits.items() for words in complaints(split)]


def make_report(
    corpora: Mapping[str, Corpus],
    encoded: Mapping[str, EncodedCorpus],
    source: Field,
    target: Field,
    *,
    parallel: bool = True,
) -> Report:
    """Look at every split once. `train` is what the others are compared with; only it leaves out long rows.

    parallel  both sides say the same, and should be about equally long
    """
    texts = source.space.modality == target.space.modality == "ids"
    train = corpora.get("train")
    known = None if train is None else (np.unique(train.hashes("source")), np.unique(unlike_pairs(train)))
    splits = {}
    for name, corpus in corpora.items():
        ids = encoded[name]
        keep = ids.short_enough(source, target) if corpus is train else np.ones(len(ids), dtype=bool)
        mixed = unlike_pairs(corpus)
        seen = None if known is None or corpus is train else known
        splits[name] = SplitReport(
            *corpus.counts,
            rows=len(corpus),
            too_long=int(len(keep) - keep.sum()),
            source=side_report(ids.sources, source, ids.source_lengths[keep]),
            target=side_report(ids.targets, target, ids.target_lengths[keep]),
            copies=mean(corpus.hashes("source") == corpus.hashes("target")) if texts else 0.0,
            uneven=uneven(ids) if texts and parallel else 0.0,
            repeated=1 - len(np.unique(mixed)) / max(1, len(mixed)),
            seen_sources=None if seen is None else mean(np.isin(corpus.hashes("source"), seen[0])),
            seen_pairs=None if seen is None else mean(np.isin(mixed, seen[1])),
            unseen=unseen(corpus, ids, target),
        )
    return Report(splits)


def unlike_pairs(corpus: Corpus) -> np.ndarray:
    """[rows], a hash of source and target together."""
    source, target = corpus.hashes("source"), corpus.hashes("target")
    scattered = source * np.uint64(0x9E3779B97F4A7C15)  # an odd factor: which text is on which side counts
    pairs: np.ndarray = scattered ^ target
    return pairs


def side_report(ids: Ids, field: Field, lengths: np.ndarray) -> SideReport:
    """`lengths` are those of the rows that are used. Only ids and names have unknown ones among them."""
    quantiles = np.quantile(lengths - field.ends, QUANTILES, method="higher") if len(lengths) else [0] * len(QUANTILES)
    unknown = (
        ids.count(UNK) if field.space.modality == "ids" else ids.count(UNSEEN) if isinstance(field, Categorical) else 0
    )
    pieces = int(ids.lengths.sum()) - len(ids) * field.ends
    return SideReport(tuple(int(q) for q in quantiles), unknown / max(1, pieces))


def unseen(corpus: Corpus, ids: EncodedCorpus, field: Field) -> tuple[int, tuple[str, ...]]:
    """How many rows have a name that the field does not know, and those names, most frequent first."""
    if not isinstance(field, Categorical) or not ids.targets.count(UNSEEN):
        return 0, ()
    found = [names for values in corpus.values("target") for names in field.unseen(values) if names]
    counts = Counter(name for names in found for name in names)
    return len(found), tuple(sorted(counts, key=lambda name: (-counts[name], name)))


def uneven(ids: EncodedCorpus) -> float:
    """Share of rows whose sides are far from equally long; short ones, where chance decides, are left out."""
    a, b = ids.source_lengths, ids.target_lengths
    ratio = np.maximum(a, b) / np.maximum(1, np.minimum(a, b))
    return mean((ratio > UNEVEN) & (np.maximum(a, b) > 10))


def complaints(split: SplitReport) -> Iterator[str]:
    """Each thing that looks wrong about a split, and what it may come from."""
    for side, report in split.sides():
        if report.unknown > MUCH and not split.unseen[0]:
            yield f"{share(report.unknown)} of {side} tokens are unknown; a subword tokenizer has fewer"
    if split.unseen[0]:
        yield unseen_names(*split.unseen)
    if split.seen_sources is not None and split.seen_sources > MUCH:
        both = f" ({share(split.seen_pairs or 0)} with the same target)"
        yield f"{share(split.seen_sources)} of its sources are in train{both}: scores on it promise too much"
    if split.copies > MUCH:
        yield f"{share(split.copies)} of its targets are copies of their sources: are both sides what they should be?"
    if split.uneven > MUCH:
        yield f"{share(split.uneven)} of its rows have four times as many tokens on one side: are the lines aligned?"
    if split.repeated > 10 * MUCH and split.seen_sources is None:
        yield f"{share(split.repeated)} of its rows are repeated: they weigh more than the others"
    if split.empty > MUCH * split.read:
        yield f"{split.empty:,} of {split.read:,} rows have an empty side"
    if split.overlong > MUCH * split.read:
        yield f"{split.overlong:,} of {split.read:,} rows are over data.max_characters, and are left out"
    if split.too_long > MUCH * split.rows:
        yield f"{split.too_long:,} of {split.rows:,} rows are over max_length, and are left out; raise it to keep them"


def unseen_names(rows: int, names: Sequence[str]) -> str:
    """`2 rows have a label or tag that training does not have ('B-LOC'): it counts as wrong, and is in no loss`"""
    shown = ", ".join(map(repr, names[:LABELS_NAMED])) + (
        f" and {len(names) - LABELS_NAMED} more" if len(names) > LABELS_NAMED else ""
    )
    have = "1 row has" if rows == 1 else f"{rows:,} rows have"
    return f"{have} a label or tag that training does not have ({shown}): it counts as wrong, and is in no loss"


def dropped(split: SplitReport) -> str:
    """` of 1,200 read (3 empty, 2 over max_length)`"""
    reasons = {
        "with an empty side": split.empty,
        "over max_characters": split.overlong,
        "over max_length": split.too_long,
        "held out": split.read - split.empty - split.overlong - split.rows,
    }
    named = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items() if count > 0)
    return f" of {split.read:,} read ({named})" if named else ""


def overlap(split: SplitReport) -> str:
    if split.seen_sources is None:
        return f"{share(split.repeated)} repeated"
    return f"{share(split.seen_sources)} of sources and {share(split.seen_pairs or 0)} of pairs also in train"


def length_summary(side: SideReport) -> str:
    return " / ".join(f"{length:,}" for length in side.lengths)


def share(part: float) -> str:
    """A share as a person reads it: 0 %, 0.02 %, 3.1 %."""
    return "0 %" if part == 0 else f"{100 * part:.2g} %" if part < 0.995 else f"{100 * part:.0f} %"


def mean(true: np.ndarray) -> float:
    return float(true.mean()) if len(true) else 0.0
