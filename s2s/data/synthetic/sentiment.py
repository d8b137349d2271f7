"""The corpus behind the recipe `demo-sentiment`: short English reviews, made from a grammar.

    for text, label in generate("test"):
        ...      # "Although the soup was cold, the waiter was far from rude."     "positive"

Which words there are does not tell what a review says: negation turns them round, the second half of a contrast
outweighs the first, what others say may be wrong, and what was is not what is. So counting words is not enough, and
a network that reads in order can learn it in half a minute. Facts that judge nothing stand between.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from s2s.data.synthetic import sampling as drawing

SIZES = {"train": 6000, "validation": 400, "test": 400}
LABELS = ("negative", "positive")


class Topic(NamedTuple):
    """Things that can be judged by the same words."""

    things: list[str]
    good: list[str]
    bad: list[str]


TOPICS = [
    Topic(
        ["soup", "pizza", "coffee", "breakfast", "cake"],
        ["tasty", "fresh", "delicious"],
        ["salty", "cold", "stale"],
    ),
    Topic(
        ["waiter", "service", "owner", "guide"],
        ["friendly", "helpful", "polite"],
        ["rude", "slow", "careless"],
    ),
    Topic(
        ["film", "story", "ending", "music", "book"],
        ["funny", "clever", "moving"],
        ["boring", "silly", "predictable"],
    ),
    Topic(
        ["room", "hotel", "kitchen", "garden"],
        ["clean", "quiet", "comfortable"],
        ["dirty", "noisy", "ugly"],
    ),
]
ANY_GOOD = ["good", "great", "excellent", "wonderful", "lovely"]
ANY_BAD = ["bad", "awful", "terrible", "horrible", "disappointing"]
INTENSIFIERS = ["", "", "", "very", "really", "quite", "so", "extremely"]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
PEOPLE = ["my sister", "my brother", "a friend", "our neighbor", "my father", "the whole family"]
NUMBERS = ["two", "three", "four", "five", "six", "ten"]
PLACES = ["the station", "the bridge", "the river", "the school", "the market"]


def generate(split: str, *, seed: int = 1, size: int | None = None) -> Iterator[tuple[str, str]]:
    """(review, "positive" or "negative") of "train", "validation" or "test", none of them twice.

    The same arguments give the same reviews on every machine. Raises DataError; see drawing.draw.
    """
    return drawing.sample_distinct(review, split, seed=seed, size=size, sizes=SIZES)


def review(random: Random) -> tuple[str, str]:
    """An opinion, often with a fact before or after it."""
    good = random.random() < 0.5
    opinion = random.choices(list(OPINIONS), weights=list(OPINIONS.values()))[0](random, good)
    sentences = [opinion]
    if random.random() < 0.4:
        sentences.insert(random.randrange(2), random.choice(FACTS)(random))
    return " ".join(f"{s[0].upper()}{s[1:]}." for s in sentences), LABELS[good]


def judged(random: Random, good: bool, intensified: bool = True) -> tuple[str, str]:
    """A thing and a property: ("the soup", "really tasty")"""
    topic = random.choice(TOPICS)
    usual, own = (ANY_GOOD, topic.good) if good else (ANY_BAD, topic.bad)
    word = random.choice(random.choice([usual, own]))
    intensifier = random.choice(INTENSIFIERS) if intensified else ""
    return f"the {random.choice(topic.things)}", f"{intensifier} {word}".strip()


# -- clauses that say one thing, without capital and full stop --


def plain(random: Random, good: bool) -> str:
    """`the soup was really tasty`"""
    thing, word = judged(random, good)
    return f"{thing} was {word}"


def negated(random: Random, good: bool) -> str:
    """`the soup was not bad at all`, `the film was far from funny`: the word says the opposite of the clause"""
    thing, word = judged(random, not good, intensified=False)
    forms = [
        f"{thing} was not {word}",
        f"{thing} was not {word} at all",
        f"{thing} was not really {word}",
        f"{thing} was never {word}",
        f"{thing} was hardly {word}",
        f"{thing} was far from {word}",
        f"{thing} was anything but {word}",
        f"nobody would call {thing} {word}",
        f"there was nothing {word} about {thing}",
    ]
    return random.choice(forms)


def clause(random: Random, good: bool) -> str:
    return (plain if random.random() < 0.65 else negated)(random, good)


# -- opinions --


def contrast(random: Random, good: bool) -> str:
    """`the soup was cold, but the waiter was polite`: `but` weighs more than what is before it, `although` less"""
    less, more = clause(random, not good), clause(random, good)
    forms = [
        f"{less}, but {more}",
        f"although {less}, {more}",
        f"{more}, although {less}",
        f"{less}; still, {more}",
        f"in spite of what I feared, {more}" if good else f"in spite of what I hoped, {more}",
    ]
    return random.choice(forms)


def course(random: Random, good: bool) -> str:
    """`the film started well but ended badly`"""
    thing = f"the {random.choice(TOPICS[2].things)}"
    adverbs = [random.choice(row) for row in (["badly", "slowly"], ["well", "nicely"])]
    first, last = adverbs[not good], adverbs[good]
    return random.choice(
        [
            f"{thing} started {first} but ended {last}",
            f"{thing} began {first} and ended {last}",
            f"it ended {last}, though {thing} had started {first}",
        ]
    )


def hearsay(random: Random, good: bool) -> str:
    """`everybody says that the soup is tasty, and they are wrong`"""
    right = random.random() < 0.4
    thing, word = judged(random, good == right)
    who = random.choice(["everybody says", "people say", "the guidebook says", f"{random.choice(PEOPLE)} told me"])
    verdict = "right" if right else "wrong"
    return random.choice([f"{who} that {thing} is {word}, which is {verdict}", f"{who} {thing} is {word}: {verdict}"])


def change(random: Random, good: bool) -> str:
    """`the hotel used to be dirty, and now it is lovely`"""
    topic = random.choice(TOPICS)
    words = [random.choice(row) for row in (topic.bad + ANY_BAD, topic.good + ANY_GOOD)]
    before, now = words[not good], words[good]
    thing = f"the {random.choice(topic.things)}"
    return random.choice(
        [
            f"{thing} used to be {before}, and now it is {now}",
            f"{thing} is {now} now, and it was {before} last year",
            f"{thing} is no longer {before}",
        ]
    )


def compared(random: Random, good: bool) -> str:
    """`the film was less boring than I had feared`"""
    more = random.random() < 0.5
    thing, word = judged(random, good == more, intensified=False)
    than = random.choice(["I had expected", "last time", f"{random.choice(PEOPLE)} had told me"])
    return f"{thing} was {'even more' if more else 'much less'} {word} than {than}"


def advice(random: Random, good: bool) -> str:
    """`I would not go there again`"""
    verbs = ["go there again", "recommend it", "come back", "pay for it again"]
    enough = f"I would {'' if good else 'not '}{random.choice(verbs)}"
    return random.choice([enough, f"{clause(random, good)}, and {enough}", f"{clause(random, not good)}, but {enough}"])


OPINIONS: dict[Callable[[Random, bool], str], float] = {  # and how often
    plain: 18,
    negated: 22,
    contrast: 22,
    course: 6,
    hearsay: 8,
    change: 8,
    compared: 8,
    advice: 8,
}


# -- facts, which judge nothing --


def visit(random: Random) -> str:
    return f"we went there on {random.choice(WEEKDAYS)} with {random.choice(PEOPLE)}"


def order(random: Random) -> str:
    return f"we ordered {random.choice(NUMBERS)} coffees and {random.choice(NUMBERS)} cakes"


def crowd(random: Random) -> str:
    return f"there were {random.choice(NUMBERS)} people at {random.choice(NUMBERS)} tables"


def place(random: Random) -> str:
    return f"it is {random.choice(NUMBERS)} minutes from {random.choice(PLACES)}"


def stay(random: Random) -> str:
    return f"{random.choice(PEOPLE)} stayed for {random.choice(NUMBERS)} {random.choice(['hours', 'days', 'nights'])}"


FACTS = [visit, order, crowd, place, stay]
