"""A run that chooses: a label for each text, or a tag for each of its words.

labeler.classify(["a film to forget"])[0].probabilities     # {"negative": 0.98, "positive": 0.02}
labeler.tag(["we paid five dollars"])[0].tags               # ["O", "O", "B-PRICE", "I-PRICE"]
"""

from typing import NamedTuple

from s2s.predicting.base import Predictor


class Classification(NamedTuple):
    """What one text is. A blank text has no label and no probabilities."""

    label: str  # as predict() has it: where there may be several, all that are likelier than not
    probabilities: dict[str, float]  # of every class, likeliest first
    pieces: list[str]  # of the text
    weights: list[float] | None  # [pieces], how much each counted; None for a head that does not say


class Tagging(NamedTuple):
    """What each word of one text is."""

    words: list[str]
    tags: list[str]
    probabilities: list[float]  # of each tag


class Labeler(Predictor):
    """labeler.predict(["a film to forget"]) -> ["negative"]"""
