"""Which of several answers to give: the likeliest is often the dullest.

mmi   what says most about the source: not only likely after it, but unlikely without it
mbr   what the others agree with most

    rerank(writer, source, writer.search([source], search)[0], "mbr")
"""

from collections.abc import Callable, Sequence

import numpy as np

from s2s.data.readers.base import Source
from s2s.predictors.seq2seq import Prediction, Seq2SeqPredictor
from s2s.registry import NonNegativeFloat, NonNegativeInt

Choose = Callable[
    [Seq2SeqPredictor, Source, Sequence[Prediction]], np.ndarray
]  # a score for each; the highest is the best


def mutual_information(
    writer: Seq2SeqPredictor,
    source: Source,
    answers: Sequence[Prediction],
    *,
    weight: NonNegativeFloat = 0.5,
    first: NonNegativeInt = 8,
) -> np.ndarray:
    """log p(T | S) - weight * log p(T), per piece: Li et al. 2016, https://arxiv.org/abs/1510.03055

    p(T) is what the same model makes of the answer without a source, and counts for the `first` pieces only: they
    are where a dull answer begins, and later on it is grammar that is likely without a source.
    """
    written = [answer.ids for answer in answers]
    given = writer.piece_scores([source] * len(answers), written)
    alone = writer.piece_scores([""] * len(answers), written)
    return np.array(
        [(with_it.sum() - weight * without[:first].sum()) / len(with_it) for with_it, without in zip(given, alone)]
    )


def agreement(writer: Seq2SeqPredictor, source: Source, answers: Sequence[Prediction]) -> np.ndarray:
    """The mean chrF with all answers, minimum-risk choice: Kumar & Byrne 2004, https://aclanthology.org/N04-1022

    With samples as Eikema & Aziz 2020 have it, https://aclanthology.org/2020.coling-main.398
    """
    from sacrebleu.metrics import CHRF

    chrf, texts = CHRF(), [answer.text for answer in answers]
    return np.array([np.mean([chrf.sentence_score(one, [other]).score for other in texts]) for one in texts])


RERANKERS: dict[str, Choose] = {"mmi": mutual_information, "mbr": agreement}


def rerank(writer: Seq2SeqPredictor, source: Source, answers: Sequence[Prediction], by: str) -> list[Prediction]:
    """The answers by the scores of CHOICES[by], which replace those of the search; equal texts only once."""
    once = distinct_texts(answers)
    if len(once) < 2:
        return once
    among = answers if by == "mbr" else once  # how often one was drawn counts for what most agree with
    scores = dict(zip((answer.text for answer in among), RERANKERS[by](writer, source, among).tolist(), strict=True))
    ranked = [answer._replace(score=scores[answer.text]) for answer in once]
    return sorted(ranked, key=lambda one: one.score, reverse=True)


def distinct_texts(answers: Sequence[Prediction]) -> list[Prediction]:
    """In the same order, of equal texts the first."""
    found: dict[str, Prediction] = {}
    for answer in answers:
        found.setdefault(answer.text, answer)
    return list(found.values())
