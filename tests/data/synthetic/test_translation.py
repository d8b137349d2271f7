"""The grammar behind the demo: grammatical, one translation a sentence, and splits that never meet."""

import os
import subprocess
import sys
from collections import Counter
from random import Random

import pytest

from s2s.data.synthetic.sampling import split_of
from s2s.data.synthetic.spanish import lexicon
from s2s.data.synthetic.spanish.grammar import Adjective, english_number, english_plural, spanish_number, spanish_plural
from s2s.data.synthetic.translation import SENTENCES, SIZES, generate, sentence
from s2s.errors import DataError


@pytest.fixture(scope="module")
def corpus():
    return {split: list(generate(split)) for split in SIZES}


@pytest.fixture(scope="module")
def drawn():
    random = Random("drawn")
    return [sentence(random) for _ in range(8000)]


def test_sizes_and_no_sentence_twice(corpus):
    assert {split: len(pairs) for split, pairs in corpus.items()} == SIZES
    every = [english for pairs in corpus.values() for english, _ in pairs]
    assert len(set(every)) == len(every)


def test_splits_are_disjoint_whatever_the_seed(corpus):
    train = {english for english, _ in corpus["train"]}
    for seed in (2, 3):
        assert train.isdisjoint(english for english, _ in generate("test", seed=seed, size=50))
    assert all(split_of(english) == split for split, pairs in corpus.items() for english, _ in pairs)
    assert Counter(split_of(str(i)) for i in range(20_000))["test"] == pytest.approx(1000, rel=0.15)


def test_a_sentence_has_one_translation(drawn):
    assert len(set(drawn)) == len({pair.english for pair in drawn})


def test_there_are_far_more_sentences_than_the_demo_uses(drawn):
    """Of n draws from N things, about n * n / 2N are repetitions, and more where some are likelier than others."""
    repeated = len(drawn) - len(set(drawn))
    assert len(drawn) ** 2 / (2 * repeated) > 20_000


def test_the_same_arguments_give_the_same_pairs(corpus):
    assert list(generate("validation")) == corpus["validation"]
    assert list(generate("train", size=40)) == corpus["train"][:40]
    assert list(generate("train", seed=2, size=40)) != corpus["train"][:40]
    assert list(generate("test", size=0)) == []


def test_no_hash_of_python_decides(corpus):
    code = "from s2s.data.synthetic.translation import generate; print(list(generate('test', size=20)))"
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(corpus["test"][:20])


def test_an_unknown_split_is_refused_at_once():
    with pytest.raises(DataError, match=r"no split 'tset'\n.*did you mean 'test'"):
        generate("tset")


def test_more_than_there_is_is_refused(monkeypatch):
    kind = next(kind for kind in SENTENCES if kind.__name__ == "opening")
    monkeypatch.setattr("s2s.data.synthetic.translation.SENTENCES", {kind: 1})
    monkeypatch.setattr("s2s.data.synthetic.sampling.MAX_DRAWS", 2000)
    with pytest.raises(DataError, match="does not have 3000 sentences for test"):
        list(generate("test", size=3000))


def test_the_demo_can_be_learned_quickly(corpus):
    for side in (0, 1):
        words = Counter(word.strip(".,?¿") for pair in corpus["train"] for word in pair[side].split())
        assert len(words) < 500
        new = {word.strip(".,?¿") for pair in corpus["test"] for word in pair[side].split()} - set(words)
        assert len(new) < 5
        lengths = [len(pair[side].split()) for pair in corpus["train"]]
        assert min(lengths) >= 3
        assert max(lengths) <= 20
        assert sum(4 <= length <= 12 for length in lengths) > 0.9 * len(lengths)


def test_sentences_are_written_as_sentences(drawn):
    for english, spanish in drawn:
        assert english[0].isupper()
        assert english[-1] in ".?"
        assert english.count("?") == spanish.count("?") == spanish.count("¿") == (spanish[0] == "¿")
        assert spanish.lstrip("¿")[0].isupper()
        assert "  " not in english + spanish


@pytest.mark.parametrize("kind", SENTENCES)
def test_every_kind_of_sentence_is_in_the_corpus(kind, drawn):
    made = {kind(Random(i)).english.split()[0] for i in range(30)}
    assert made & {pair.english.split()[0] for pair in drawn}


@pytest.mark.parametrize(
    ("n", "english", "m", "f"),
    [
        (1, "one", "un", "una"),
        (2, "two", "dos", "dos"),
        (11, "eleven", "once", "once"),
        (16, "sixteen", "dieciséis", "dieciséis"),
        (21, "twenty-one", "veintiún", "veintiuna"),
        (22, "twenty-two", "veintidós", "veintidós"),
        (30, "thirty", "treinta", "treinta"),
        (31, "thirty-one", "treinta y un", "treinta y una"),
        (99, "ninety-nine", "noventa y nueve", "noventa y nueve"),
        (100, "one hundred", "cien", "cien"),
        (101, "one hundred one", "ciento un", "ciento una"),
        (121, "one hundred twenty-one", "ciento veintiún", "ciento veintiuna"),
        (200, "two hundred", "doscientos", "doscientas"),
        (500, "five hundred", "quinientos", "quinientas"),
        (731, "seven hundred thirty-one", "setecientos treinta y un", "setecientas treinta y una"),
        (999, "nine hundred ninety-nine", "novecientos noventa y nueve", "novecientas noventa y nueve"),
    ],
)
def test_numbers(n, english, m, f):
    assert (english_number(n), spanish_number(n, "m"), spanish_number(n, "f")) == (english, m, f)


def test_every_number_has_a_name_of_its_own():
    for say in (english_number, lambda n: spanish_number(n, "m"), lambda n: spanish_number(n, "f")):
        names = [say(n) for n in range(1, 1000)]
        assert len(set(names)) == 999
        assert not any("-" in name.split() for name in names)


def test_spanish_plurals():
    pairs = (
        "casa casas, flor flores, árbol árboles, lápiz lápices, autobús autobuses, avión aviones, marrón marrones, "
        "gris grises, mes meses, lunes lunes, sábado sábados, paraguas paraguas, jardín jardines, reunión reuniones, "
        "reloj relojes, azul azules, verde verdes, dólar dólares"
    )
    for pair in pairs.split(", "):
        one, many = pair.split()
        assert spanish_plural(one) == many


def test_english_plurals():
    pairs = "house houses, bus buses, class classes, watch watches, party parties, day days, key keys, box boxes"
    for pair in pairs.split(", "):
        one, many = pair.split()
        assert english_plural(one) == many


def test_adjectives_agree():
    forms = [(gender, plural) for plural in (False, True) for gender in ("m", "f")]
    expected = {
        "rojo": "rojo roja rojos rojas",
        "verde": "verde verde verdes verdes",
        "gris": "gris gris grises grises",
    }
    for word, said in expected.items():
        assert [Adjective("-", word).agreeing(*form) for form in forms] == said.split()


def test_verbs_have_five_persons():
    for verb in (*lexicon.ACTIONS, lexicon.PAY, *lexicon.TRAVEL, *lexicon.HAPPEN, *lexicon.SERVE):
        assert len(verb.present.split()) == len(verb.past.split()) == 5
        assert verb.spanish("present", 3).endswith("mos")
        assert verb.spanish("past", 3).endswith("mos")


def tokens(text):
    return text.strip(".?¿").lower().replace(",", "").split()


def test_nouns_and_adjectives_agree_in_every_sentence(drawn):
    """Whatever stands before and after a noun has its gender and number, and changed places with it."""
    nouns = {
        form: (noun, plural)
        for noun in lexicon.THINGS
        for plural, form in ((False, noun.spanish), (True, spanish_plural(noun.spanish)))
        if noun.spanish != "paraguas"
    }
    adjectives = {
        a.agreeing(gender, plural): a.spanish
        for a in (*lexicon.COLORS, *lexicon.QUALITIES, *lexicon.STATES)
        for gender in ("m", "f")
        for plural in (False, True)
    }
    by_name = {a.spanish: a for a in (*lexicon.COLORS, *lexicon.QUALITIES, *lexicon.STATES)}
    agreeing = {
        form: i for _, row in lexicon.DETERMINERS for i, form in enumerate(row.split()) if row.split().count(form) == 1
    }
    seen = Counter()
    for english, spanish in drawn:
        words = tokens(spanish)
        for before, word, after in zip(["", *words], words, [*words[1:], ""]):
            if word not in nouns:
                continue
            noun, plural = nouns[word]
            if after in adjectives:
                adjective = by_name[adjectives[after]]
                assert after == adjective.agreeing(noun.gender, plural), spanish
                assert f"{adjective.english} {noun.english}" in english.lower(), english
                seen["adjective"] += 1
            if before in agreeing:
                assert agreeing[before] == 2 * plural + (noun.gender == "f"), spanish
                seen["determiner"] += 1
            if before in ("un", "una", "veintiún", "veintiuna"):
                assert before.endswith("a") == (noun.gender == "f"), spanish
                seen["one"] += 1
            if before.endswith(("cientos", "cientas")):
                assert before.endswith("as") == (noun.gender == "f"), spanish
                seen["hundreds"] += 1
    assert min(seen[key] for key in ("adjective", "determiner", "one", "hundreds")) > 50


def test_an_article_fits_the_next_english_word(drawn):
    for english, _ in drawn:
        for word, after in zip(english.lower().split(), english.lower().split()[1:]):
            if word in ("a", "an"):
                assert (word == "an") == (after[0] in "aeiou"), english


@pytest.mark.parametrize(
    ("kind", "english", "spanish"),
    [
        ("telling", "It is half past three.", "Son las tres y media."),
        ("telling", "It is a quarter to one.", "Es la una menos cuarto."),
        ("telling", "It was twenty-five to four in the afternoon.", "Eran las cuatro menos veinticinco de la tarde."),
        ("asking_time", "What time does the train leave?", "¿A qué hora sale el tren?"),
        ("scheduled", "The class started at noon.", "La clase empezó al mediodía."),
        ("asking_place", "Where are my keys?", "¿Dónde están mis llaves?"),
        ("asking_count", "How many houses did Ana buy?", "¿Cuántas casas compró Ana?"),
        ("state", "Those shoes are dirty.", "Esos zapatos están sucios."),
        ("state", "My map is very small.", "Mi mapa es muy pequeño."),
        ("opening", "The library is closed on Sundays.", "La biblioteca está cerrada los domingos."),
    ],
)
def test_sentences_a_person_has_checked(kind, english, spanish):
    """Short ones come up soon enough."""
    make = next(make for make in SENTENCES if make.__name__ == kind)
    random = Random(1)
    found = next(pair for pair in (make(random) for _ in range(20_000)) if pair.english == english)
    assert found.spanish == spanish
