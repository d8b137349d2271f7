"""Warnings about texts with pieces that a model never saw: what it makes of them says little."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from s2s.cli.console import warn

if TYPE_CHECKING:
    from s2s.data.readers.base import Row
    from s2s.predictors.base import Predictor
    from s2s.predictors.language_model import LanguageModelPredictor

UNSEEN_NAMED = 12  # unseen characters that a warning names


def warn_unseen(generator: "LanguageModelPredictor", seed: str) -> None:
    """Name what training never showed; it is read as unknown, or left out."""
    if names := generator.unseen(seed):
        listed = ", ".join(map(repr, names[:UNSEEN_NAMED])) + (
            f" and {len(names) - UNSEEN_NAMED} more" if len(names) > UNSEEN_NAMED else ""
        )
        what = "read as unknown" if generator.knows_unknown else "left out of what it reads"
        warn(f"the model never saw {listed}: {what}")


def warn_unknown(predictor: "Predictor", name: str, rows: "Sequence[Row]") -> None:
    """Unknown tokens make a text look likelier, or less likely, than it is; an unknown label is left out."""
    from s2s.data.fields.categorical import Categorical
    from s2s.data.report import unseen_names

    target = predictor.task.target
    if isinstance(target, Categorical):
        found = [names for names in target.unseen([row.references[0] for row in rows]) if names]
        if found:
            warn(f"{name}: {unseen_names(len(found), sorted({each for names in found for each in names}))}")
        return
    tokenizer = getattr(target, "tokenizer", None)
    if tokenizer is None:
        return
    unknown = sum(tokenizer.unknown(ids) for ids in tokenizer.encode_all([row.references[0] for row in rows]))
    if unknown:
        warn(f"{name}: {unknown:,} tokens are unknown to the model; the scores say little about them")
