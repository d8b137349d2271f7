"""The corpus behind the recipe `demo-chat`: small talk in which what was said before must be remembered.

    for context, reply in generate("test"):
        ...      # "I am Ana. ¶ Hello Ana, how are you? ¶ Fine! What is my name?"     "Your name is Ana."

Each reply follows from the turns before it, so it can be checked: names, places, pets and numbers come back when
they are asked for. The same question has another answer in every conversation, and only the context tells which.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from s2s.data.readers.context import context_of
from s2s.data.synthetic import sampling as drawing

SIZES = {"train": 9000, "validation": 400, "test": 400}
CONTEXT = 3  # turns that a reply may depend on

NAMES = [
    "Ana",
    "Ben",
    "Carla",
    "David",
    "Elena",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Luis",
    "Mara",
    "Nils",
    "Olga",
    "Pablo",
]
CITIES = ["Lima", "Oslo", "Quito", "Paris", "Rome", "Cairo", "Tokyo", "Berlin", "Madrid", "Lagos", "Delhi", "Dublin"]
PETS = ["cat", "dog", "parrot", "rabbit", "horse", "turtle"]
PET_NAMES = ["Tom", "Luna", "Max", "Coco", "Rocky", "Nala", "Simba", "Daisy"]
COLORS = ["red", "blue", "green", "yellow", "white", "black", "orange", "purple"]
FOODS = ["rice", "soup", "pizza", "bread", "cheese", "salad", "pasta", "fish"]
FRUITS = ["apples", "pears", "lemons", "plums", "cherries", "figs"]
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


class Fact(NamedTuple):
    """Something said, what is answered to it, and questions it answers later."""

    said: str
    answer: str
    questions: dict[str, str]


def name(random: Random) -> Fact:
    who = random.choice(NAMES)
    said = random.choice([f"I am {who}.", f"My name is {who}.", f"Hello, {who} here."])
    asked = {"What is my name?": f"Your name is {who}.", "Do you know who I am?": f"Yes, you are {who}."}
    return Fact(said, f"Hello {who}, how are you?", asked)


def home(random: Random) -> Fact:
    city, before = random.sample(CITIES, 2)
    moved = random.random() < 0.4
    said = f"I moved from {before} to {city}." if moved else random.choice([f"I live in {city}.", f"I am from {city}."])
    asked = {"Where do I live?": f"You live in {city}.", "Which city is mine?": f"Your city is {city}."}
    if moved:
        asked["Where did I live before?"] = f"You lived in {before} before."
    return Fact(said, f"Is it nice in {city}?", asked)


def pet(random: Random) -> Fact:
    kind, called, color = random.choice(PETS), random.choice(PET_NAMES), random.choice(COLORS)
    said = random.choice([f"I have a {color} {kind} called {called}.", f"My {kind} {called} is {color}."])
    asked = {
        f"What is my {kind} called?": f"Your {kind} is called {called}.",
        "What animal do I have?": f"You have a {kind}.",
        f"What color is {called}?": f"{called} is {color}.",
    }
    return Fact(said, f"How old is {called}?", asked)


def basket(random: Random) -> Fact:
    fruit, color = random.choice(FRUITS), random.choice(COLORS)
    count = random.randrange(3, 11)
    eaten = random.randrange(1, count)
    left = count - eaten
    asked = {
        f"I ate {NUMBERS[eaten]}. How many are left?": f"You have {NUMBERS[left]} left.",
        "How many did I buy?": f"You bought {NUMBERS[count]}.",
        "What did I buy?": f"You bought {color} {fruit}.",
    }
    return Fact(f"I bought {NUMBERS[count]} {color} {fruit}.", f"Do you like {fruit}?", asked)


def taste(random: Random) -> Fact:
    like, dislike = random.sample(FOODS, 2)
    said = random.choice([f"I like {like}, but not {dislike}.", f"I love {like} and hate {dislike}."])
    asked = {"What do I like?": f"You like {like}.", "What should I not eat?": f"Better no {dislike}."}
    return Fact(said, f"I like {like}, too.", asked)


FACTS: list[Callable[[Random], Fact]] = [name, home, pet, basket, taste]
SMALL = {  # what is said in between, and what is answered when nothing else is asked
    "Fine!": "I am glad to hear that.",
    "Not so well.": "I am sorry to hear that.",
    "Yes, very much.": "That is good.",
    "No, not at all.": "What a pity.",
    "I do not know.": "Never mind.",
}


def make(random: Random) -> tuple[str, str]:
    """One moment of a conversation: the last turns, and the reply."""
    fact = random.choice(FACTS)(random)
    small = random.choice(list(SMALL))
    moment = random.random()
    if moment < 0.15:
        turns, reply = [fact.said], fact.answer
    elif moment < 0.3:
        turns, reply = [fact.said, fact.answer, small], SMALL[small]
    else:
        question, reply = random.choice(list(fact.questions.items()))
        asked = f"{small} {question}" if random.random() < 0.5 else question
        turns = [fact.said, fact.answer, asked]
    return context_of(turns, CONTEXT), reply


def generate(split: str, *, seed: int = 1, size: int | None = None) -> Iterator[tuple[str, str]]:
    """Pairs (context, reply) of "train", "validation" or "test"; no context is in two of them."""
    return drawing.sample_distinct(make, split, seed=seed, size=size, sizes=SIZES)
