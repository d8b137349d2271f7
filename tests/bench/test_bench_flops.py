"""The counted operations are those that torch counts."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tools.bench import flops, plain
from tools.bench.flops import CharacterSizes, ClassifierSizes, TranslationSizes

SIZES = TranslationSizes(vocabulary=50, embedding=6, encoder=5, hidden=7)


def counted(work) -> int:
    """By torch, whose fused recurrence it does not see: products one by one are."""
    with torch.backends.mkldnn.flags(enabled=False), FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def translate(rows: int, source: int, target: int) -> torch.Tensor:
    model = plain.Translator(SIZES)
    ids = torch.randint(4, SIZES.vocabulary, (rows, max(source, target)))
    return model.loss(ids[:, :source], ids[:, :target], ids[:, :target])


@pytest.mark.parametrize(("source", "target"), [(4, 4), (9, 5), (3, 11)])
def test_translation(source, target):
    assert counted(lambda: translate(3, source, target)) == 3 * flops.translation(SIZES, source, target)


def test_training_is_three_times_the_forward_pass():
    source, target = 12, 14
    found = counted(lambda: translate(2, source, target).backward())
    wanted = 2 * target * flops.translation_training(SIZES, source, target)
    assert 0.95 * wanted < found <= wanted  # no gradient is asked of the encoder's first state


def test_characters():
    sizes = CharacterSizes(vocabulary=20, embedding=6, hidden=5, layers=3)
    model, ids = plain.CharacterModel(sizes), torch.randint(20, (2, 7))
    assert counted(lambda: model.loss(ids, ids)) == 2 * 7 * flops.characters(sizes)


def test_classifier():
    sizes = ClassifierSizes(vocabulary=20, embedding=6, hidden=5, classes=3)
    model, ids = plain.Classifier(sizes), torch.randint(20, (2, 7))
    assert counted(lambda: model(ids)) == 2 * flops.classifier(sizes, 7)


def test_the_work_that_the_issue_names():
    """256 units in two directions, a decoder of 512, 7.7 thousand pieces: about 45 million operations a token."""
    assert 44e6 < flops.translation_training(TranslationSizes(), 15, 14) < 46e6


def test_weights_that_a_step_reads():
    model = plain.Translator(SIZES)
    parts = [model.decoder.weight_ih_l0, model.decoder.weight_hh_l0, model.combine.weight, model.out.weight]
    assert flops.translation_step_weights(SIZES) == sum(part.numel() for part in parts)
    sizes = CharacterSizes(vocabulary=20, embedding=6, hidden=5, layers=2)
    cells = plain.CharacterModel(sizes)
    parts = [cells.core.weight_hh_l0, cells.core.weight_ih_l1, cells.core.weight_hh_l1, cells.out.weight]
    assert flops.characters_step_weights(sizes) == sum(part.numel() for part in parts)
