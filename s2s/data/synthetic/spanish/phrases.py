"""Parts of sentences, said in both languages at once: things, numbers of things, dates, times and prices."""

from random import Random
from typing import NamedTuple

from s2s.data.synthetic.spanish import lexicon
from s2s.data.synthetic.spanish.grammar import (
    ENGLISH,
    SPANISH,
    THIRD,
    THIRD_PLURAL,
    Adjective,
    Gender,
    Noun,
    Phrase,
    Tense,
    english_number,
    spanish_number,
    spanish_plural,
)

NOTHING = Phrase("", "")


class Nominal(NamedTuple):
    """A noun with all that belongs to it, and what the rest of the sentence must agree with."""

    phrase: Phrase
    gender: Gender
    plural: bool

    @property
    def person(self) -> int:
        return THIRD_PLURAL if self.plural else THIRD


def join(*parts: Phrase) -> Phrase:
    """Phrases one after the other, in both languages; an empty side adds no space."""
    english, spanish = zip(*parts)
    return Phrase(" ".join(filter(None, english)), " ".join(filter(None, spanish)))


def number(random: Random) -> int:
    """1 to 999, small ones more often."""
    low, high = random.choices([(2, 12), (13, 31), (32, 99), (1, 9), (101, 999), (1, 1)], [10, 5, 2, 1.5, 0.5, 1])[0]
    return random.randint(low, high) * (100 if (low, high) == (1, 9) else 1)


def amount(n: int, noun: Noun) -> Phrase:
    """`twenty-one pounds`, `veintiuna libras`."""
    return join(Phrase(english_number(n), spanish_number(n, noun.gender)), noun.phrase(n > 1))


def described(random: Random, noun: Noun, plural: bool) -> Phrase:
    """`red houses`, `casas rojas`: a noun, two times in three with an adjective, which changes places."""
    words = noun.phrase(plural)
    if random.random() < 1 / 3:
        return words
    adjective = random.choice(lexicon.COLORS + lexicon.QUALITIES + lexicon.STATES)
    agreeing = adjective.agreeing(noun.gender, plural)
    return Phrase(f"{adjective.english} {words.english}", f"{words.spanish} {agreeing}")


def determined(random: Random, noun: Noun, words: Phrase, plural: bool) -> Nominal:
    """`these houses`, `estas casas`."""
    english, spanish = random.choice(lexicon.DETERMINERS)
    form = spanish.split()[2 * plural + (noun.gender == "f")]
    return Nominal(join(Phrase(english.split()[plural], form), words), noun.gender, plural)


def definite(random: Random) -> Nominal:
    """`my red house`, `those houses`."""
    noun, plural = random.choice(lexicon.THINGS), random.random() < 0.5
    return determined(random, noun, described(random, noun, plural), plural)


def indefinite(random: Random) -> Nominal:
    """`a red house`, `three houses`."""
    noun = random.choice(lexicon.THINGS)
    n = 1 if random.random() < 0.25 else number(random)
    words = described(random, noun, n > 1)
    article = "an" if words.english[0] in "aeiou" else "a"
    english = article if n == 1 and random.random() < 0.8 else english_number(n)
    return Nominal(join(Phrase(english, spanish_number(n, noun.gender)), words), noun.gender, n > 1)


def anything(random: Random) -> Nominal:
    return indefinite(random) if random.random() < 0.65 else definite(random)


def the(noun: Noun, plural: bool) -> Nominal:
    words, article = noun.phrase(plural), lexicon.DETERMINERS[0][1].split()[2 * plural + (noun.gender == "f")]
    return Nominal(Phrase(f"the {words.english}", f"{article} {words.spanish}"), noun.gender, plural)


def subject(random: Random) -> tuple[Phrase, int]:
    """Who does it, and the grammatical person of that."""
    return random.choice(lexicon.SPEAKERS if random.random() < 0.4 else lexicon.OTHERS)


def clock(random: Random) -> tuple[Phrase, bool]:
    """`a quarter to three in the afternoon`, `las tres menos cuarto de la tarde`; True if the hour is one."""
    hour, minute = random.randint(1, 12), random.choice((0, 0, 5, 10, 15, 15, 20, 25, 30, 30, 35, 40, 45, 45, 50, 55))
    shown = hour % 12 + 1 if minute > 30 else hour  # the hour that is named: a quarter to four is after three
    named = "la una" if shown == 1 else f"las {SPANISH[shown]}"
    distance = min(minute, 60 - minute)
    short = {15: ("a quarter", "cuarto"), 30: ("half", "media")}
    english, spanish = short.get(distance) or (english_number(distance), spanish_number(distance, "m"))
    if minute == 0:
        time = Phrase(f"{ENGLISH[shown]} o'clock", named)
    elif minute <= 30:
        time = Phrase(f"{english} past {ENGLISH[shown]}", f"{named} y {spanish}")
    else:
        time = Phrase(f"{english} to {ENGLISH[shown]}", f"{named} menos {spanish}")
    parts = [
        *([Phrase("in the morning", "de la mañana")] if 6 <= hour <= 11 else []),
        *([Phrase("in the afternoon", "de la tarde")] if 1 <= hour <= 5 else []),
        *([Phrase("at night", "de la noche")] if 9 <= hour <= 11 else []),
    ]
    return (join(time, random.choice(parts)) if parts and random.random() < 0.4 else time), shown == 1


def at_clock(random: Random) -> Phrase:
    if random.random() < 0.1:
        return random.choice([Phrase("at noon", "al mediodía"), Phrase("at midnight", "a medianoche")])
    return join(Phrase("at", "a"), clock(random)[0])


def date(random: Random) -> Phrase:
    """`March 3`, `3 de marzo`."""
    month = random.randrange(12)
    day = random.randint(1, lexicon.DAYS_IN_MONTH[month])
    return Phrase(f"{lexicon.MONTHS[month].english} {day}", f"{day} de {lexicon.MONTHS[month].spanish}")


def full_date(random: Random) -> Phrase:
    """`Tuesday, March 3`, `martes 3 de marzo`."""
    weekday, day = random.choice(lexicon.WEEKDAYS), date(random)
    return Phrase(f"{weekday.english}, {day.english}", f"{weekday.spanish} {day.spanish}")


def on_date(random: Random) -> Phrase:
    return join(Phrase("on", "el"), random.choice([full_date, full_date, date])(random))


def day(random: Random, tense: Tense) -> Phrase:
    """When something is done, was done or will be done, without the hour."""
    weekday, period = random.choice(lexicon.WEEKDAYS), random.choice(lexicon.PERIODS)
    if tense == "present":
        plural = spanish_plural(weekday.spanish)
        every = "todas las" if period.gender == "f" else "todos los"
        return random.choice(
            [
                Phrase(f"on {weekday.english}s", f"los {plural}"),
                Phrase(f"every {period.english}", f"{every} {spanish_plural(period.spanish)}"),
                Phrase(f"every {weekday.english}", f"todos los {plural}"),
            ]
        )
    if random.random() < 0.4:
        return on_date(random)
    distance = amount(number(random) % 100 or 2, period)
    if tense == "past":
        return random.choice(
            [
                Phrase("yesterday", "ayer"),
                Phrase("last month", "el mes pasado"),
                Phrase("last week", "la semana pasada"),
                Phrase(f"last {weekday.english}", f"el {weekday.spanish} pasado"),
                Phrase(f"{distance.english} ago", f"hace {distance.spanish}"),
            ]
        )
    return random.choice(
        [
            Phrase("tomorrow", "mañana"),
            Phrase("next week", "la próxima semana"),
            Phrase(f"next {weekday.english}", f"el próximo {weekday.spanish}"),
            Phrase(f"in {distance.english}", f"dentro de {distance.spanish}"),
        ]
    )


def closed(phrase: Phrase) -> Phrase:
    """An English date with a comma in it takes another one where the sentence goes on."""
    return Phrase(f"{phrase.english},", phrase.spanish) if "," in phrase.english else phrase


def price(random: Random) -> Phrase:
    """`two euros and fifty cents`, `dos euros con cincuenta céntimos`."""
    whole, part = random.choice(lexicon.MONEY)
    if random.random() < 0.3:
        return join(amount(random.randint(1, 31), whole), Phrase("and", "con"), amount(5 * random.randint(1, 19), part))
    return amount(number(random), whole)


def being(subject: Nominal, adjective: Adjective, adverb: Phrase = NOTHING) -> Phrase:
    """`the houses are red`, `las casas son rojas`; ser or estar, as the adjective wants it."""
    forms = {"ser": ("es", "son"), "estar": ("está", "están")}[adjective.verb]
    verb = Phrase("are" if subject.plural else "is", forms[subject.plural])
    agreeing = Phrase(adjective.english, adjective.agreeing(subject.gender, subject.plural))
    return join(subject.phrase, verb, adverb, agreeing)
