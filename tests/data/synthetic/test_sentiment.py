"""The grammar of reviews: one label a text, no split in another, and words alone do not tell."""

from collections import Counter, defaultdict
from random import Random

import pytest

from s2s.data.readers.generated import Generated
from s2s.data.synthetic.sampling import split_of
from s2s.data.synthetic.sentiment import LABELS, OPINIONS, SIZES, generate, review
from s2s.errors import DataError


@pytest.fixture(scope="module")
def corpus():
    return {split: list(generate(split)) for split in SIZES}


def words(text: str) -> list[str]:
    return text.lower().replace(".", "").replace(",", "").replace(":", "").replace(";", "").split()


def test_sizes_and_splits_that_never_meet(corpus):
    assert {split: len(rows) for split, rows in corpus.items()} == SIZES
    every = [text for rows in corpus.values() for text, _ in rows]
    assert len(set(every)) == len(every)
    train = {text for text, _ in corpus["train"]}
    assert train.isdisjoint(text for text, _ in generate("test", seed=2, size=50))
    assert all(split_of(text) == split for split, rows in corpus.items() for text, _ in rows)


def test_the_same_arguments_give_the_same_rows(corpus):
    assert list(generate("train", size=30)) == corpus["train"][:30]
    assert list(generate("train", seed=2, size=30)) != corpus["train"][:30]
    with pytest.raises(DataError, match="did you mean 'test'"):
        generate("tset")


def test_labels_are_even(corpus):
    for rows in corpus.values():
        counts = Counter(label for _, label in rows)
        assert set(counts) == set(LABELS)
        assert counts["positive"] == pytest.approx(len(rows) / 2, rel=0.15)


def test_no_text_has_both_labels():
    random, said = Random("both"), {}
    for _ in range(20_000):
        text, label = review(random)
        assert said.setdefault(text, label) == label, text


def test_words_alone_do_not_tell(corpus):
    """Naive Bayes over words, with add-one counts: a bag of words."""
    counts = {label: Counter() for label in LABELS}
    for text, label in corpus["train"]:
        counts[label].update(set(words(text)))

    def guess(text: str) -> str:
        odds = 1.0
        for word in words(text):
            odds *= (counts["positive"][word] + 1) / (counts["negative"][word] + 1)
        return LABELS[odds > 1]

    right = sum(guess(text) == label for text, label in corpus["test"])
    assert right < 0.75 * len(corpus["test"])


def test_it_is_small_enough_to_learn_quickly(corpus):
    known = {word for text, _ in corpus["train"] for word in words(text)}
    assert len(known) < 250
    assert {word for text, _ in corpus["test"] for word in words(text)} <= known
    assert max(len(words(text)) for text, _ in corpus["train"]) < 40


@pytest.mark.parametrize("kind", OPINIONS, ids=lambda kind: kind.__name__)
def test_every_kind_of_opinion_has_both_sides(kind):
    said = defaultdict(set)
    for seed in range(400):
        for good in (False, True):
            said[kind(Random(seed), good)].add(good)
    assert all(len(sides) == 1 for sides in said.values())


@pytest.mark.parametrize(
    ("kind", "text", "good"),
    [
        ("negated", "the film was not boring at all", True),
        ("negated", "the soup was hardly tasty", False),
        ("contrast", "in spite of what I feared, the room was clean", True),
        ("course", "the book began badly and ended well", True),
        ("change", "the hotel is no longer noisy", True),
        ("compared", "the guide was much less rude than last time", True),
        ("advice", "I would not come back", False),
    ],
)
def test_clauses_a_person_has_checked(kind, text, good):
    make = next(make for make in OPINIONS if make.__name__ == kind)
    random = Random(1)
    assert text in {make(random, good) for _ in range(20_000)}
    assert text not in {make(random, not good) for _ in range(5_000)}


def test_the_reader_chooses_what_is_generated(corpus):
    rows = list(Generated(what="sentiment", size=20).read("train"))
    assert [(row.source, row.target) for row in rows] == corpus["train"][:20]
    kinds = ("translation", "sentiment", "tags")
    assert len({Generated(what=what).fingerprint("test") for what in kinds}) == len(kinds)
    assert all(next(iter(Generated(what=what).read("test"))) for what in kinds)
