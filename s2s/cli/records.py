"""What --json says of n-best lists: plain values, and where the best hypotheses came from, found in batches."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from s2s.cli.lines import rounded

if TYPE_CHECKING:
    from s2s.data.readers.base import Source
    from s2s.predictors.seq2seq import Alignment, Prediction, Seq2SeqPredictor


def alignments(
    writer: "Seq2SeqPredictor", sources: "Sequence[Source]", found: "Sequence[list[Prediction]]"
) -> "list[Alignment | None]":
    """Of the best hypothesis of each source; None for a blank one, and for a model without attention."""
    rows = [row for row, best in enumerate(found) if best]
    aligned: list[Alignment | None] = [None] * len(found)
    for row, one in zip(rows, writer.align_all([sources[i] for i in rows], [found[i][0].ids for i in rows])):
        aligned[row] = one
    return aligned


def hypotheses(found: "Sequence[Prediction]") -> list[dict[str, Any]]:
    """An n-best list, best first."""
    return [{"text": p.text, "score": rounded(p.score), "log_probability": rounded(p.log_probability)} for p in found]


def weights_of(alignment: "Alignment") -> list[list[float | None]]:
    return [[rounded(w, 3) for w in row] for row in alignment.weights]
