"""Operations and bytes counted by formula: the floor that no implementation of the same model gets under.

Only matrix products count, two operations a multiplication with addition, at real positions only; training is three
times the forward pass (for each product of it, backward has one for the input and one for the weights).
"""

from dataclasses import dataclass

TRAINING = 3  # products in a training step to one in the forward pass


@dataclass(frozen=True)
class TranslationSizes:
    """A bidirectional LSTM encoder and an LSTM decoder of one layer each, general attention after the recurrence."""

    vocabulary: int = 7742
    embedding: int = 256
    encoder: int = 256  # of one direction
    hidden: int = 512

    @property
    def memory(self) -> int:
        return 2 * self.encoder


@dataclass(frozen=True)
class CharacterSizes:
    """An LSTM over characters."""

    vocabulary: int = 69
    embedding: int = 512
    hidden: int = 512
    layers: int = 2


@dataclass(frozen=True)
class ClassifierSizes:
    """A bidirectional LSTM, the maximum over positions, and a projection."""

    vocabulary: int = 15004
    embedding: int = 300
    hidden: int = 256  # of one direction
    classes: int = 2


def linear(inputs: int, outputs: int) -> int:
    """Operations for one vector."""
    return 2 * inputs * outputs


def lstm(inputs: int, hidden: int) -> int:
    """Operations for one position of one layer in one direction: four gates from the input and the state."""
    return linear(inputs + hidden, 4 * hidden)


def encoder(sizes: TranslationSizes) -> int:
    """Operations a source position, with the attention key of it."""
    return 2 * lstm(sizes.embedding, sizes.encoder) + linear(sizes.memory, sizes.hidden)


def decoder(sizes: TranslationSizes, source: float) -> float:
    """Operations a target position that looks at `source` positions: recurrence, attention, readout, projection."""
    attention = source * (linear(sizes.hidden, 1) + linear(sizes.memory, 1))
    readout = linear(sizes.hidden + sizes.memory, sizes.hidden)
    return lstm(sizes.embedding, sizes.hidden) + attention + readout + projection(sizes)


def projection(sizes: TranslationSizes) -> int:
    return linear(sizes.hidden, sizes.vocabulary)


def bridge(sizes: TranslationSizes) -> int:
    """Operations a sentence: both parts of the decoder's first state."""
    return 2 * linear(sizes.memory, sizes.hidden)


def translation(sizes: TranslationSizes, source: float, target: float) -> float:
    """Operations of the forward pass over one pair, ends of sentences counted as positions."""
    return source * encoder(sizes) + bridge(sizes) + target * decoder(sizes, source)


def translation_training(sizes: TranslationSizes, source: float, target: float) -> float:
    """Operations a target token in training."""
    return TRAINING * translation(sizes, source, target) / target


def translation_step_weights(sizes: TranslationSizes) -> int:
    """Weights that one step of decoding reads, whatever the batch: times the bytes of one, the traffic a step."""
    return int(decoder(sizes, 0)) // 2


def characters(sizes: CharacterSizes) -> int:
    """Operations of the forward pass over one character."""
    first = lstm(sizes.embedding, sizes.hidden)
    return first + (sizes.layers - 1) * lstm(sizes.hidden, sizes.hidden) + linear(sizes.hidden, sizes.vocabulary)


def characters_training(sizes: CharacterSizes) -> int:
    """Operations a character in training."""
    return TRAINING * characters(sizes)


def characters_step_weights(sizes: CharacterSizes) -> int:
    """Weights that writing one character reads, where the first layer's input is looked up in a table."""
    return characters(sizes) // 2 - sizes.embedding * 4 * sizes.hidden


def classifier(sizes: ClassifierSizes, length: float) -> float:
    """Operations of the forward pass over one text."""
    return length * 2 * lstm(sizes.embedding, sizes.hidden) + linear(2 * sizes.hidden, sizes.classes)


def classifier_training(sizes: ClassifierSizes, length: float) -> float:
    """Operations a text in training."""
    return TRAINING * classifier(sizes, length)
