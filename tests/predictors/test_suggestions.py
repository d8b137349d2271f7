import itertools

import pytest
import torch

from s2s.predictors.suggestions import MAX_WORD_TOKENS, surfaces_of
from tests.helpers.language_models import TOKENIZERS, generator_for, known

KINDS = sorted(TOKENIZERS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("the cat s", "sat"),
        ("the cat ", "sat"),
        ("the dog ran to", "to"),
        ("", "the"),
        ("el ni", "niño"),
        ("a cat c", "can't"),
    ],
)
def test_the_likeliest_word_comes_first(kind, text, word):
    generator = known(kind)
    found = generator.suggest(text, 3)
    begun = text.rpartition(" ")[2]
    if begun == word:  # nothing is left to type
        assert word not in [s.word for s in found]
        return
    assert found[0].word == word
    assert found[0].ending == word[len(begun) :]
    assert found[0].probability > 0.3
    assert all(s.word == begun + s.ending for s in found)


@pytest.mark.parametrize("kind", KINDS)
def test_suggestions_are_sorted_and_likely(kind):
    found = generator_for(kind, seed=3).suggest("the ", 4)
    odds = [s.probability for s in found]
    assert odds == sorted(odds, reverse=True)
    assert 0 < sum(odds) <= 1 + 1e-5
    assert len({s.word for s in found}) == len(found)


def test_a_wide_beam_finds_what_counting_finds():
    """Every word of up to two letters, by hand."""
    generator = generator_for(lines=["ab ba", "b a"], seed=5)
    found = {s.word: s.probability for s in generator.suggest("a ", 6)}
    names = generator.tokenizer.pieces(range(len(generator.tokenizer)))

    def odds(text: str) -> dict[str, float]:
        step = generator.walk(text, k=len(names))[-1].likeliest
        kept = {name: p for name, p in step if name not in ("<pad>", "<s>", "<unk>")}
        return {name: p / sum(kept.values()) for name, p in kept.items()}

    for word in ["".join(w) for n in (1, 2) for w in itertools.product("ab", repeat=n)]:
        first = odds("a ")
        p = first[word[0]] / (first["a"] + first["b"])
        for i in range(1, len(word)):
            p *= odds("a " + word[:i])[word[i]]
        last = odds("a " + word)
        p *= last["▁"] + last["</s>"]
        if word in found:
            assert found[word] == pytest.approx(p, rel=1e-3)
        else:
            assert p <= min(found.values())


def test_what_nobody_knows_has_no_suggestion():
    assert known().suggest("the Ж", 3) == []
    assert known("word").suggest("the zebr", 3) == []


def test_half_characters_are_no_words():
    for text in ("ni", "com", "el niñ"):
        for found in known("byte").suggest(text, 8):
            assert "\ufffd" not in found.word[: len(text)]


def test_surfaces_say_where_words_begin():
    for kind, begins in (("char", False), ("byte", False), ("word", True), ("bpe", True)):
        tokenizer = known(kind).tokenizer
        surfaces = surfaces_of(tokenizer)
        assert bool(surfaces.begins.any()) == begins
        assert not (surfaces.begins & surfaces.joins).any()
        assert not (surfaces.begins | surfaces.joins)[:4].any()
        assert len(surfaces.text) == len(tokenizer)
    assert not bool(
        surfaces_of(known("char").tokenizer).joins[torch.tensor(known("char").tokenizer.encode(" .!,"))].any()
    )


def test_a_word_without_end_ends():
    generator = generator_for(lines=["aaa aaa"])
    with torch.no_grad():
        generator.model.head.out.bias[generator.tokenizer.encode("a")] = 30.0
    assert all(len(s.word) <= MAX_WORD_TOKENS for s in generator.suggest("a", 2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize("text", ["the cat", "the", "the ca", "can'", "the dog.", "a cat can", "the cat-", "the dog.t"])
def test_a_word_that_is_suggested_goes_on_from_what_was_typed(kind, trained, text):
    """Pieces that do not fit, or that bring a blank, joined what was typed into words that are none."""
    generator = known(kind) if trained else generator_for(kind, seed=3)
    found = generator.suggest(text, 5)
    assert all(s.probability > 0 for s in found)
    if kind == "word":  # what it knows, and nothing else
        words = set(generator.tokenizer.pieces(range(len(generator.tokenizer))))
        assert {s.word for s in found} <= words, found


def test_a_model_of_words_has_none_to_add_to_a_whole_one():
    generator = known("word")
    assert [s.word for s in generator.suggest("the cat", 5)] == []
    assert [s.word for s in generator.suggest("a cat can", 5)] == ["can't"]
    assert generator.suggest("the dog.", 5) == []  # it would take a blank, which was not typed
    assert generator.suggest("the dog. ", 5) != []


def test_a_word_may_lean_on_an_opening_mark():
    generator = generator_for("word", lines=["(the cat) (a dog)"], seed=1)
    assert {s.word for s in generator.suggest("the (", 9)} == {"the", "cat", "a", "dog"}
    assert [s.word for s in generator.suggest("the (d", 9)] == ["dog"]
