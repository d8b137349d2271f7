"""The corpus behind the recipe `demo-tags`: English lines in which dates, times, prices, amounts and spans are marked.

    for words, tags in generate("test"):
        ...      # "we may pay five dollars after five"     "O O O B-PRICE I-PRICE O B-TIME"

A tag a word: B- begins a mention, I- carries it on, O is outside (Ramshaw and Marcus 1995,
https://aclanthology.org/W95-0107). Hardly a number can be tagged alone: `five` is a price before `dollars`, an amount
before `chairs`, a span before `minutes` and a time where nothing follows; `from two to three` waits even longer. `may`
is a month or a verb by what stands before it, `second` an ordinal, a day or a span. So a tagger must look both ways.
"""

from collections.abc import Callable, Iterator
from random import Random

from s2s.data.synthetic import sampling as drawing

SIZES = {"train": 5000, "validation": 400, "test": 400}
KINDS = ("DATE", "TIME", "PRICE", "AMOUNT", "SPAN")
TAGS = ("O", *(f"{begin}-{kind}" for kind in KINDS for begin in "BI"))

Tagged = list[tuple[str, str]]  # words and their tags
Maker = Callable[[Random], Tagged]

NUMBERS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
LARGE = ["twenty", "thirty", "forty", "fifty", "ninety", "one hundred", "two hundred", "five hundred"]
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
MONTHS = ["january", "april", "march", "may", "june", "august", "october"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
CURRENCIES = ["dollars", "euros", "pounds"]
UNITS = ["minutes", "hours", "days", "weeks", "seconds"]
THINGS = ["chairs", "books", "tickets", "apples", "shirts", "people", "trains", "cakes"]
PERSONS = ["we", "they", "you", "ana", "my friends", "the children"]
EVENTS = ["the class", "the concert", "the train", "the meeting", "the second train", "the first class"]


def generate(split: str, *, seed: int = 1, size: int | None = None) -> Iterator[tuple[str, str]]:
    """(words, tags), both with blanks between, of "train", "validation" or "test", no line twice.

    The same arguments give the same lines on every machine. Raises DataError; see drawing.draw.
    """
    return drawing.sample_distinct(line, split, seed=seed, size=size, sizes=SIZES)


def line(random: Random) -> tuple[str, str]:
    words = random.choice(FRAMES)(random)
    return " ".join(word for word, _ in words), " ".join(tag for _, tag in words)


def outside(*texts: str) -> Tagged:
    return [(word, "O") for text in texts for word in text.split()]


def mention(kind: str, *texts: str) -> Tagged:
    words = " ".join(texts).split()
    return [(word, f"{'I' if i else 'B'}-{kind}") for i, word in enumerate(words)]


# -- mentions; a preposition before one is outside --


def number(random: Random) -> str:
    return random.choice(NUMBERS if random.random() < 0.75 else LARGE)


def plural_of(random: Random, kind: str, unit: str, ranges: bool) -> Tagged:
    """`five dollars`, `about five dollars`, and with ranges `from two to three dollars`, `between two and three ...`"""
    one = number(random)
    low, high = (NUMBERS[i] for i in sorted(random.sample(range(len(NUMBERS)), 2)))
    forms = [mention(kind, one, unit)] * 3 + [[*outside("about"), *mention(kind, one, unit)]]
    if ranges:
        forms.append([*outside("from"), *mention(kind, low, "to", high, unit)])
        forms.append([*outside("between"), *mention(kind, low, "and", high, unit)])
    return random.choice(forms)


def price(random: Random, ranges: bool = False) -> Tagged:
    return plural_of(random, "PRICE", random.choice([*CURRENCIES, "dollars and fifty cents"]), ranges)


def amount(random: Random, ranges: bool = False) -> Tagged:
    return plural_of(random, "AMOUNT", random.choice([*THINGS, "red " + random.choice(THINGS), "of them"]), ranges)


def span(random: Random, ranges: bool = False) -> Tagged:
    """`five minutes`, `half an hour`, `a second`"""
    if random.random() < 0.25:
        return mention("SPAN", random.choice(["half an hour", "a second", "an hour and a half", "a minute"]))
    return plural_of(random, "SPAN", random.choice(UNITS), ranges)


def time(random: Random) -> Tagged:
    """`at five`, `from two to three`, `at half past nine`, `after five`"""
    hour = random.choice(NUMBERS)
    early, late = (NUMBERS[i] for i in sorted(random.sample(range(len(NUMBERS)), 2)))
    forms = [
        [*outside(random.choice(["at", "by", "after", "before"])), *mention("TIME", hour)],
        [*outside(random.choice(["at", "by", "after", "before"])), *mention("TIME", hour, "thirty")],
        [*outside("at"), *mention("TIME", random.choice(["half past", "a quarter to", "ten past"]), hour)],
        [*outside("at"), *mention("TIME", random.choice(["noon", "midnight"]))],
        [*outside("from"), *mention("TIME", early, "to", late)],
        [*outside("between"), *mention("TIME", early, "and", late)],
    ]
    return random.choice(forms)


def date(random: Random) -> Tagged:
    """`on may second`, `on the second of may`, `in march`, `on tuesday`"""
    month, day = random.choice(MONTHS), random.choice(ORDINALS)
    forms = [
        [*outside("on"), *mention("DATE", month, random.choice([day, random.choice(NUMBERS)]))],
        [*outside("on"), *mention("DATE", "the", day, "of", month)],
        [*outside("in"), *mention("DATE", month)],
        [*outside("on"), *mention("DATE", random.choice(WEEKDAYS))],
    ]
    return random.choice(forms)


def later(random: Random) -> Tagged:
    """When, in whatever way: `after five` and `after five minutes` begin alike."""
    after = outside(random.choice(["after", "before"]))
    forms: list[Callable[[Random], Tagged]] = [
        time,
        date,
        lambda random: [*time(random), *date(random)],
        lambda random: [*after, *span(random)],
        lambda random: [*after, *amount(random)],
    ]
    return random.choice(forms)(random)


def maybe(make: Maker, random: Random) -> Tagged:
    return make(random) if random.random() < 0.5 else []


# -- lines --


def acting(random: Random) -> Tagged:
    """`they may march for five hours`"""
    modal = random.choice(["may", "will", "can", "must"])
    verb = random.choice(["march", "walk", "wait", "play", "rest"])
    return [*outside(random.choice(PERSONS), modal, verb, "for"), *span(random), *maybe(later, random)]


def buying(random: Random) -> Tagged:
    """`we bought five chairs for ten dollars`"""
    verb = random.choice(["bought", "sold", "may buy", "will sell", "saw"])
    cost = [*outside("for"), *price(random)] if random.random() < 0.6 else []
    return [*outside(random.choice(PERSONS), verb), *amount(random, True), *cost, *maybe(later, random)]


def paying(random: Random) -> Tagged:
    """`we paid ten dollars for two of them`"""
    words = [*outside(random.choice(PERSONS), random.choice(["paid", "may pay", "saved"])), *price(random, True)]
    return [*words, *(outside("for") + amount(random) if random.random() < 0.6 else []), *maybe(later, random)]


def happening(random: Random) -> Tagged:
    """`the concert may start at five on the second of may`"""
    verb = random.choice(["starts", "ends", "may start", "will end", "is"])
    return [*outside(random.choice(EVENTS), verb), *later(random)]


def lasting(random: Random) -> Tagged:
    """`the meeting lasts from two to three hours`, `the meeting is from two to three`"""
    verb = random.choice(["lasts", "may last", "goes on"])
    how_long = span(random, True) if random.random() < 0.5 else time(random)
    return [*outside(random.choice(EVENTS), verb), *how_long, *maybe(date, random)]


def described(random: Random) -> Tagged:
    """`the five dollar ticket`, `a five minute walk`, `the five red chairs`"""
    short = random.choice(NUMBERS)
    noun = random.choice(
        [
            [*mention("PRICE", short, "dollar"), *outside("ticket")],
            [*mention("SPAN", short, "minute"), *outside("walk")],
            [*mention("TIME", short, "thirty"), *outside("train")],
            [*mention("AMOUNT", short, "chairs")],
            [*mention("AMOUNT", short, "second class tickets")],
            outside(random.choice(ORDINALS), "train"),
        ]
    )
    verb = random.choice(["may do", "was cheaper", "will be enough", "was not there"])
    return [*outside("the"), *noun, *outside(verb), *maybe(later, random)]


def asking(random: Random) -> Tagged:
    """`may we come on may two`"""
    modal = random.choice(["may", "can", "must"])
    verb = random.choice(["come", "march", "leave", "call"])
    return [*outside(modal, random.choice(PERSONS), verb), *later(random)]


def leading(random: Random) -> Tagged:
    """`after five we may rest`, `after five minutes we may rest`"""
    verb = random.choice(["may rest", "march", "will leave", "second that"])
    return [*later(random), *outside(random.choice(["we", "they", "you"]), verb)]


FRAMES: list[Maker] = [acting, buying, paying, happening, lasting, described, asking, leading]
