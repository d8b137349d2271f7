"""What was typed, piece by piece: a tokenizer lowers letters and unknown words are one id, and a reader wants neither.

as_typed("Der ZEBRA!", ["der", "zebra", "￭!"], normalized)     # ["Der", "ZEBRA", "￭!"]
"""

import unicodedata
from collections.abc import Callable, Sequence
from itertools import accumulate

MARKS = "￭▁"  # what tokenizers add at the edges of pieces: word's joiner, and the space of subwords


def as_typed(text: str, pieces: Sequence[str], normalized: Callable[[str], str]) -> list[str]:
    """The pieces of a text, each with the letters that were typed there; its marks stay, and so does white space.

    pieces      of the normalized text, in order, with everything of it that is no white space
    normalized  what the tokenizer makes of a text, or of a part of it, before it is cut

    A letter that is cut in two (İ in small letters is i and a dot) stands in the first piece. Where the pieces are not
    those of the text, they come back as they are.
    """
    typed = [part for part in clusters(text) if part.strip()]
    forms = [normalized(part) for part in typed]
    bare = [piece.strip(MARKS) for piece in pieces]
    bare = [core if core.strip() else "" for core in bare]
    if not alike("".join(forms), "".join(bare)):
        return list(pieces)
    owner = [number for number, form in enumerate(forms) for _ in form]
    found, used = [], 0
    for piece, core, end in zip(pieces, bare, accumulate(map(len, bare))):
        if not core:
            found.append(piece)
            continue
        last = owner[end - 1] + 1
        words = "".join(typed[used:last])
        used = max(used, last)
        at = piece.index(core)
        found.append(f"{piece[:at]}{words}{piece[at + len(core) :]}")
    return found


def alike(one: str, other: str) -> bool:
    """Equal but for letters whose lower case depends on their neighbors: Σ is σ alone, and ς at the end of a word."""
    return one == other or (len(one) == len(other) and one.casefold() == other.casefold())


def clusters(text: str) -> list[str]:
    """The text in parts that normalization cannot join: é may be typed as e and an accent."""
    if text.isascii():
        return list(text)
    found: list[str] = []
    for character in text:
        last = found[-1] if found else ""
        if last and nfc(last) + nfc(character) != nfc(last + character):
            found[-1] += character
        else:
            found.append(character)
    return found


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
