"""What was said so far as one source text: readers of conversations and a chat make it alike.

context_of(["Hi!", "Hello.", "How are you?"], most=2)      # "Hello. ¶ How are you?"
"""

from collections.abc import Sequence

SEPARATOR = " ¶ "  # a mark that tokenizers leave whole and nobody types


def context_of(
    turns: Sequence[str], most: int = 1, separator: str = SEPARATOR, most_characters: int | None = None
) -> str:
    """The last turns of a conversation, each on one line; blank ones are not there.

    most             how many turns
    most_characters  whole turns are left out from the first on until the rest is no longer; the last one stays
    """
    said = [line for turn in turns if (line := " ".join(turn.split()))][-most:]
    text = separator.join(said)
    while most_characters is not None and len(text) > most_characters and len(said) > 1:
        del said[0]
        text = separator.join(said)
    return text
