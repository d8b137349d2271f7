"""What the machine reaches, and what the measured work would cost if nothing but its matrix products took time."""

from collections.abc import Iterator

from tools.bench import corpora, flops, machine
from tools.bench.setting import Setting
from tools.bench.tables import Table

SIZES = {"fp32": 4, "bf16": 2}  # bytes of a weight


def measure(setting: Setting) -> Iterator[Table]:
    peaks = machine.peaks(setting)
    reading = machine.bandwidth(min(1.0, setting.seconds / 8), setting.scale.megabytes)
    sizes, scale = setting.scale.translation, setting.scale
    source, target = corpora.lengths(corpora.pairs(setting), "train")

    what = Table("What the machine reaches", ("what", "measured", "unit"))
    for precision, rate in peaks.items():
        what.add(f"product of two {scale.square} x {scale.square} matrices, {precision}", rate / 1e9, "GFLOP/s")
    what.add(f"reading an array of {scale.megabytes} MiB", reading / 1e9, "GB/s")
    yield what

    table = Table(
        "The floor: operations counted by formula, at the speed of that product",
        ("work", "million operations", "for each", *(f"floor in {name}, a second" for name in peaks)),
    )
    table.notes.append(
        f"Mean lengths of the data: {source:.1f} source and {target:.1f} target positions, their ends counted. "
        "Operations: two for a multiplication with addition, three times the forward pass in training; only matrix "
        "products, only real positions."
    )
    decoding = flops.translation(sizes, source, target)
    rows = {
        ("training of the translator", "target token"): flops.translation_training(sizes, source, target),
        ("greedy search", "sentence"): decoding,
        (f"beam search, {scale.beam} beams", "sentence"): beam(sizes, source, target, scale.beam),
        ("training of the character model", "character"): flops.characters_training(scale.characters),
        ("training of the classifier", "text"): flops.classifier_training(scale.classifier, scale.length),
    }
    for (work, each), operations in rows.items():
        table.add(work, operations / 1e6, each, *(rate / operations for rate in peaks.values()))
    yield table

    table = Table(
        "The floor of one step at a time: the weights that a step reads, at the speed of memory",
        ("work", "million weights", *(f"floor in {name}, steps a second" for name in SIZES)),
    )
    table.notes.append("Weights that stay in a cache are read faster than this; the floor then lies higher.")
    for work, weights in (
        ("writing one piece of a translation", flops.translation_step_weights(sizes)),
        ("writing one character", flops.characters_step_weights(scale.characters)),
    ):
        table.add(work, weights / 1e6, *(reading / weights / size for size in SIZES.values()))
    yield table


def beam(sizes: flops.TranslationSizes, source: float, target: float, beams: int) -> float:
    """Operations a sentence: the encoder reads it once, the decoder writes as many sentences as there are beams."""
    once = source * flops.encoder(sizes) + flops.bridge(sizes)
    return once + beams * target * flops.decoder(sizes, source)
