"""Which of several answers to give: the likeliest is often the dullest.

mmi   what says most about the source: not only likely after it, but unlikely without it
mbr   what the others agree with most

    best_first(writer, source, writer.search([source], search)[0], "mbr")
"""

from collections.abc import Callable, Sequence

import numpy as np

from s2s.data.readers import Row, Source
from s2s.predicting.writer import Prediction, Writer

Choose = Callable[[Writer, Source, Sequence[Prediction]], np.ndarray]  # a score for each; the highest is the best

MMI_WEIGHT = 0.5  # lambda in the paper


def mutual_information(writer: Writer, source: Source, answers: Sequence[Prediction]) -> np.ndarray:
    """log p(T | S) - lambda log p(T), per piece: Li et al. 2016, https://arxiv.org/abs/1510.03055

    p(T) is what the same model makes of the answer without a source.
    """
    given = writer.likelihood([Row(source, answer.text) for answer in answers])
    alone = writer.likelihood([Row("", answer.text) for answer in answers])
    return (MMI_WEIGHT * alone.nats - given.nats) / given.tokens


def agreement(writer: Writer, source: Source, answers: Sequence[Prediction]) -> np.ndarray:
    """The mean chrF with all answers, minimum-risk choice: Kumar & Byrne 2004, https://aclanthology.org/N04-1022

    With samples as Eikema & Aziz 2020 have it, https://aclanthology.org/2020.coling-main.398
    """
    from sacrebleu.metrics import CHRF

    chrf, texts = CHRF(), [answer.text for answer in answers]
    return np.array([np.mean([chrf.sentence_score(one, [other]).score for other in texts]) for one in texts])


CHOICES: dict[str, Choose] = {"mmi": mutual_information, "mbr": agreement}


def best_first(writer: Writer, source: Source, answers: Sequence[Prediction], by: str) -> list[Prediction]:
    """The answers by the scores of CHOICES[by], which replace those of the search; equal texts only once."""
    distinct = list({answer.text: answer for answer in answers}.values())
    if len(distinct) < 2:
        return distinct
    if by == "mbr":  # how often one was drawn counts
        scores = CHOICES[by](writer, source, answers)
        by_text = {answer.text: score for answer, score in zip(answers, scores, strict=True)}
        scores = np.array([by_text[answer.text] for answer in distinct])
    else:
        scores = CHOICES[by](writer, source, distinct)
    order = np.argsort(-scores, kind="stable")
    return [distinct[i]._replace(score=float(scores[i])) for i in order]
