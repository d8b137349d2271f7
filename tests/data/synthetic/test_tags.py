"""The grammar of mentions: a tag a word, and words whose tag depends on both sides."""

from collections import Counter, defaultdict
from random import Random

import pytest

from s2s.data.synthetic.sampling import split_of
from s2s.data.synthetic.tags import FRAMES, SIZES, TAGS, generate, line


@pytest.fixture(scope="module")
def corpus():
    return {split: [(a.split(), b.split()) for a, b in generate(split)] for split in SIZES}


def test_sizes_and_splits_that_never_meet(corpus):
    assert {split: len(rows) for split, rows in corpus.items()} == SIZES
    every = [" ".join(words) for rows in corpus.values() for words, _ in rows]
    assert len(set(every)) == len(every)
    assert all(split_of(" ".join(words)) == split for split, rows in corpus.items() for words, _ in rows)
    assert list(generate("train", size=30)) == list(generate("train"))[:30]


def test_a_tag_a_word_and_every_mention_begins(corpus):
    used = Counter()
    for rows in corpus.values():
        for words, tags in rows:
            assert len(words) == len(tags)
            used.update(tags)
            for before, tag in zip(["O", *tags], tags, strict=False):
                assert tag[0] != "I" or before[1:] == tag[1:], (words, tags)
    assert set(used) == set(TAGS)
    assert min(used[tag] for tag in TAGS) > 300
    assert all(words.islower() for words, _ in map(line, map(Random, range(200))))


def test_no_line_has_two_taggings():
    random, said = Random("both"), {}
    for _ in range(20_000):
        words, tags = line(random)
        assert said.setdefault(words, tags) == tags, words


def accuracy(corpus, context) -> float:
    """Of a tagger that remembers what was commonest in each context."""
    seen = defaultdict(Counter)
    for words, tags in corpus["train"]:
        for i, tag in enumerate(tags):
            seen[context(words, i)][tag] += 1
    guesses = [
        (seen[context(words, i)].most_common(1) or [("?", 0)])[0][0] == tag
        for words, tags in corpus["test"]
        for i, tag in enumerate(tags)
    ]
    return sum(guesses) / len(guesses)


def test_a_tagger_must_look_both_ways(corpus):
    assert accuracy(corpus, lambda words, i: words[i]) < 0.85
    assert accuracy(corpus, lambda words, i: tuple(words[max(0, i - 2) : i + 1])) < 0.92
    assert accuracy(corpus, lambda words, i: tuple(words[i : i + 3])) < 0.92


def test_what_is_before_or_after_alone_does_not_decide(corpus):
    """The same beginning is tagged differently by what follows, and the same ending by what went before."""
    for part in (lambda words, i: tuple(words[: i + 1]), lambda words, i: tuple(words[i:])):
        seen = defaultdict(set)
        for words, tags in corpus["train"]:
            for i, tag in enumerate(tags):
                seen[part(words, i)].add(tag)
        assert sum(len(tags) > 1 for tags in seen.values()) > 100


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.__name__)
def test_every_kind_of_line_is_in_the_corpus(frame, corpus):
    made = {frame(Random(seed))[0][0] for seed in range(30)}
    assert made & {words[0] for words, _ in corpus["train"]}


def test_it_is_small_enough_to_learn_quickly(corpus):
    known = {word for words, _ in corpus["train"] for word in words}
    assert len(known) < 150
    assert {word for words, _ in corpus["test"] for word in words} <= known
