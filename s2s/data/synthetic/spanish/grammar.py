"""How English and Spanish words are inflected, and how numbers are said."""

import re
from functools import cache
from typing import Literal, NamedTuple

Gender = Literal["m", "f"]
Tense = Literal["present", "past", "future"]

FIRST, SECOND, THIRD, FIRST_PLURAL, THIRD_PLURAL = range(5)  # grammatical persons: I, you, he, we, they


class Phrase(NamedTuple):
    """The same thing said in both languages."""

    english: str
    spanish: str


class Noun(NamedTuple):
    """A thing and its gender in Spanish: `house casa f`."""

    english: str
    spanish: str
    gender: Gender

    def phrase(self, plural: bool) -> Phrase:
        if plural:
            return Phrase(english_plural(self.english), spanish_plural(self.spanish))
        return Phrase(self.english, self.spanish)


class Adjective(NamedTuple):
    """A property, and the Spanish verb that says it: ser for what stays, estar for what passes."""

    english: str
    spanish: str
    verb: str = "ser"

    def agreeing(self, gender: Gender, plural: bool) -> str:
        """rojo, roja, rojos, rojas; verde, verdes; azul, azules."""
        word = f"{self.spanish[:-1]}a" if gender == "f" and self.spanish.endswith("o") else self.spanish
        return spanish_plural(word) if plural else word


class Verb(NamedTuple):
    """`buy, bought`, the Spanish forms of the five persons, and the stem of the Spanish future."""

    base: str
    simple_past: str
    present: str
    past: str
    future: str

    def english(self, tense: Tense, person: int) -> str:
        """buys, bought, will buy; looks for."""
        if tense != "present":
            return self.simple_past if tense == "past" else f"will {self.base}"
        first, *rest = self.base.split()
        return " ".join([english_plural(first) if person == THIRD else first, *rest])

    def spanish(self, tense: Tense, person: int) -> str:
        """compra, compró, comprará."""
        if tense == "future":
            return self.future + ("é", "ás", "á", "emos", "án")[person]
        return (self.present if tense == "present" else self.past).split()[person]


@cache
def english_plural(word: str) -> str:
    """houses, buses, parties; the same rule makes the third person of a verb."""
    if word == "penny":
        return "pence"
    if re.search(r"(s|x|ch|sh)$", word):
        return f"{word}es"
    return f"{word[:-1]}ies" if re.search(r"[^aeiou]y$", word) else f"{word}s"


@cache
def spanish_plural(word: str) -> str:
    """casas, árboles, lápices, lunes; an accent on a last syllable in n or s goes: autobuses, marrones."""
    if word[-1] in "aeiou":
        return f"{word}s"
    if word.endswith("z"):
        return f"{word[:-1]}ces"
    if re.search(r"[aeiou].*[ae]s$", word):  # longer than a syllable and not stressed on the last: paraguas, lunes
        return word
    plain = dict(zip("áéíóú", "aeiou"))
    return re.sub(r"[áéíóú](?=[ns]$)", lambda found: plain[found[0]], word) + "es"


def words(text: str) -> list[str]:
    """Words by their place: words("zero one")[1] is "one"."""
    return text.split()


ENGLISH = words(
    "- one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
ENGLISH_TENS = words("- - twenty thirty forty fifty sixty seventy eighty ninety")
SPANISH = words(
    "- uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
    "veintiocho veintinueve"
)
SPANISH_TENS = words("- - - treinta cuarenta cincuenta sesenta setenta ochenta noventa")
SPANISH_HUNDREDS = words(
    "- ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
)


def english_number(n: int) -> str:
    """1 to 999: `two hundred thirty-one`."""
    hundreds, rest = divmod(n, 100)
    said = [ENGLISH[hundreds], "hundred"] if hundreds else []
    tens, units = divmod(rest, 10)
    if rest >= 20:
        said.append(f"{ENGLISH_TENS[tens]}-{ENGLISH[units]}" if units else ENGLISH_TENS[tens])
    elif rest:
        said.append(ENGLISH[rest])
    return " ".join(said)


def spanish_number(n: int, gender: Gender) -> str:
    """1 to 999 before a noun: `doscientos treinta y un`, `doscientas treinta y una`; 100 alone is `cien`."""
    if n == 100:
        return "cien"
    hundreds, rest = divmod(n, 100)
    said = [SPANISH_HUNDREDS[hundreds]] if hundreds else []
    if hundreds > 1 and gender == "f":
        said = [f"{said[0][:-2]}as"]
    tens, units = divmod(rest, 10)
    if rest >= 30:
        said += [SPANISH_TENS[tens], *(["y", SPANISH[units]] if units else [])]
    elif rest:
        said.append(SPANISH[rest])
    if said and said[-1].endswith(
        "uno"
    ):  # before a noun uno is un or una, and un at the end of a longer word is stressed
        short = "ún" if said[-1] == "veintiuno" else "un"
        said[-1] = said[-1][:-3] + ("una" if gender == "f" else short)
    return " ".join(said)
