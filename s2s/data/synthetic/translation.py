"""The corpus behind the recipe `demo`: English sentences and their Spanish, made from a grammar.

    for english, spanish in generate("test"):
        ...      # "We paid one pound for the white chairs."   "Pagamos una libra por las sillas blancas."

Dates, clock times, prices and quantities: small enough to learn in two minutes, and still translation. Gender
and number agree across the Spanish sentence, adjectives and dates change places, pronouns are dropped, and one
English form has several in Spanish. No sentence of one split is in another, whatever the seed (sampling.py).
"""

from collections.abc import Callable, Iterator
from random import Random

from s2s.data.synthetic import sampling as drawing
from s2s.data.synthetic.spanish import lexicon
from s2s.data.synthetic.spanish.grammar import ENGLISH, SPANISH, THIRD, Phrase, Tense, Verb, spanish_plural
from s2s.data.synthetic.spanish.phrases import (
    NOTHING,
    Nominal,
    anything,
    at_clock,
    being,
    clock,
    closed,
    day,
    definite,
    described,
    determined,
    full_date,
    indefinite,
    join,
    on_date,
    price,
    subject,
    the,
)

SIZES = {"train": 6000, "validation": 300, "test": 300}
TENSES: tuple[Tense, ...] = ("present", "past", "future")


def generate(split: str, *, seed: int = 1, size: int | None = None) -> Iterator[tuple[str, str]]:
    """(English, Spanish) pairs of "train", "validation" or "test", none of them twice.

    The same arguments give the same pairs on every machine, and a smaller size gives the first of them.
    Raises DataError for another split, or for more sentences than the grammar has.
    """
    return drawing.sample_distinct(sentence, split, seed=seed, size=size, sizes=SIZES)


def sentence(random: Random) -> Phrase:
    """One sentence, of any kind."""
    make = random.choices(list(SENTENCES), weights=list(SENTENCES.values()))[0]
    return make(random)


def statement(phrase: Phrase) -> Phrase:
    return Phrase(*(f"{side[0].upper()}{side[1:]}." for side in phrase))


def question(phrase: Phrase) -> Phrase:
    english, spanish = (f"{side[0].upper()}{side[1:]}?" for side in phrase)
    return Phrase(english, f"¿{spanish}")


def acting(random: Random) -> Phrase:
    """`Yesterday Ana bought two red cars.`, `Ayer Ana compró dos coches rojos.`"""
    (who, person), verb, tense = subject(random), random.choice(lexicon.ACTIONS), random.choice(TENSES)
    words = join(who, Phrase(verb.english(tense, person), verb.spanish(tense, person)), anything(random).phrase)
    if random.random() < 0.35:
        return statement(words)
    when = day(random, tense)
    first = random.random() < 0.3 and not when.english.endswith("ago")  # no sentence begins with a number
    return statement(join(closed(when), words) if first else join(words, when))


def paying(random: Random) -> Phrase:
    """`We paid ninety euros for the red shirt.`, `Pagamos noventa euros por la camisa roja.`"""
    (who, person), tense = subject(random), random.choice(TENSES)
    verb = Phrase(lexicon.PAY.english(tense, person), lexicon.PAY.spanish(tense, person))
    return statement(join(who, verb, price(random), Phrase("for", "por"), anything(random).phrase))


def costing(random: Random) -> Phrase:
    """`The red shirts cost ninety euros.`, `Las camisas rojas cuestan noventa euros.`"""
    thing = definite(random)
    verb = Phrase("cost", "cuestan") if thing.plural else Phrase("costs", "cuesta")
    return statement(join(thing.phrase, verb, price(random)))


def happening(random: Random) -> tuple[Nominal, Verb]:
    """What has a timetable, and what it does."""
    nouns, verbs = random.choice(
        [(lexicon.VEHICLES, lexicon.TRAVEL), (lexicon.EVENTS, lexicon.HAPPEN), (lexicon.PLACES, lexicon.SERVE)]
    )
    return the(random.choice(nouns), random.random() < 0.3), random.choice(verbs)


def scheduled(random: Random) -> Phrase:
    """`The train leaves on Tuesday, March 3, at half past ten.`, `El tren sale el martes 3 de marzo a las ...`"""
    (what, verb), tense = happening(random), random.choice(TENSES)
    words = join(what.phrase, Phrase(verb.english(tense, what.person), verb.spanish(tense, what.person)))
    if random.random() < 0.5:
        return statement(join(words, at_clock(random)))
    when = random.choice([on_date(random), day(random, tense)])
    return statement(join(words, closed(when), at_clock(random)) if random.random() < 0.5 else join(words, when))


def opening(random: Random) -> Phrase:
    """`The library is open from Monday to Friday.`, `La biblioteca está abierta de lunes a viernes.`"""
    place, adjective = the(random.choice(lexicon.PLACES), random.random() < 0.3), random.choice(lexicon.OPENING)
    first, last = (lexicon.WEEKDAYS[i] for i in sorted(random.sample(range(7), 2)))
    some = random.choice(lexicon.WEEKDAYS)
    early, late = sorted(random.sample(range(2, 13), 2))
    when = random.choice(
        [
            Phrase(f"on {some.english}s", f"los {spanish_plural(some.spanish)}"),
            Phrase(f"from {first.english} to {last.english}", f"de {first.spanish} a {last.spanish}"),
            Phrase(f"from {ENGLISH[early]} to {ENGLISH[late]}", f"de {SPANISH[early]} a {SPANISH[late]}"),
        ]
    )
    return statement(join(being(place, adjective), when))


def state(random: Random) -> Phrase:
    """`These chairs are very old.`, `Estas sillas son muy viejas.`"""
    noun, plural = random.choice(lexicon.THINGS), random.random() < 0.5
    thing = determined(random, noun, noun.phrase(plural), plural)
    adjective = random.choice(lexicon.COLORS + lexicon.QUALITIES + lexicon.STATES)
    very = adjective in lexicon.QUALITIES and random.random() < 0.5
    return statement(being(thing, adjective, Phrase("very", "muy") if very else NOTHING))


def existing(random: Random) -> Phrase:
    """`There are three red chairs and a table in the garden.`, `Hay tres sillas rojas y una mesa en el jardín.`"""
    first, room = indefinite(random), the(random.choice(lexicon.ROOMS), False)
    there = Phrase("there are" if first.plural else "there is", "hay")
    second = [Phrase("and", "y"), indefinite(random).phrase] if random.random() < 0.4 else []
    return statement(join(there, first.phrase, *second, Phrase("in", "en"), room.phrase))


def telling(random: Random) -> Phrase:
    """`It is half past three.`, `Son las tres y media.`"""
    time, one = clock(random)
    english, spanish = random.choice([("it is", ("son", "es")), ("it was", ("eran", "era"))])
    return statement(join(Phrase(english, spanish[one]), time))


def today(random: Random) -> Phrase:
    """`Today is Tuesday, March 3.`, `Hoy es martes 3 de marzo.`"""
    starts = [Phrase("today is", "hoy es"), Phrase("tomorrow is", "mañana es"), Phrase("yesterday was", "ayer fue")]
    return statement(join(random.choice(starts), full_date(random)))


def asking_count(random: Random) -> Phrase:
    """`How many blue books did Ana buy?`, `¿Cuántos libros azules compró Ana?`"""
    noun, tense, verb = random.choice(lexicon.THINGS), random.choice(TENSES), random.choice(lexicon.ACTIONS)
    who, person = subject(random)
    things = join(Phrase("how many", "cuántas" if noun.gender == "f" else "cuántos"), described(random, noun, True))
    return question(join(things, inverted(who, verb, tense, person)))


def asking_time(random: Random) -> Phrase:
    """`What time does the train leave?`, `¿A qué hora sale el tren?`"""
    (what, verb), tense = happening(random), random.choice(TENSES)
    return question(join(Phrase("what time", "a qué hora"), inverted(what.phrase, verb, tense, what.person)))


def inverted(subject: Phrase, verb: Verb, tense: Tense, person: int) -> Phrase:
    """`did Ana buy`, `compró Ana`."""
    auxiliary = {"present": "does" if person == THIRD else "do", "past": "did", "future": "will"}[tense]
    english = " ".join([auxiliary, subject.english, verb.base])
    return Phrase(english, " ".join(filter(None, [verb.spanish(tense, person), subject.spanish])))


def asking_price(random: Random) -> Phrase:
    """`How much do these shoes cost?`, `¿Cuánto cuestan estos zapatos?`"""
    thing = definite(random)
    english = f"how much {'do' if thing.plural else 'does'} {thing.phrase.english} cost"
    return question(Phrase(english, f"cuánto {'cuestan' if thing.plural else 'cuesta'} {thing.phrase.spanish}"))


def asking_place(random: Random) -> Phrase:
    """`Where are my keys?`, `¿Dónde están mis llaves?`"""
    thing = definite(random)
    where = Phrase("where are", "dónde están") if thing.plural else Phrase("where is", "dónde está")
    return question(join(where, thing.phrase))


SENTENCES: dict[Callable[[Random], Phrase], float] = {  # and how often
    acting: 30,
    paying: 8,
    costing: 8,
    scheduled: 20,
    opening: 4,
    state: 5,
    existing: 10,
    telling: 6,
    today: 4,
    asking_count: 6,
    asking_time: 4,
    asking_price: 4,
    asking_place: 3,
}
