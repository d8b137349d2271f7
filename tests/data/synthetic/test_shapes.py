"""Drawings: the same on every call, no scene in two splits, and the caption is true."""

import io
from itertools import combinations, islice

import numpy as np
import pytest
from PIL import Image

from s2s.config import configure
from s2s.data.ingest import open_corpus
from s2s.data.readers.base import Reader
from s2s.data.synthetic.shapes import (
    COLORS,
    COUNTS,
    PIXELS,
    PLACES,
    SHAPES,
    SIZES,
    Scene,
    draw_shape,
    generate,
    inside,
    scenes,
)
from s2s.errors import DataError


def pixels(picture):
    with Image.open(io.BytesIO(picture.data)) as image:
        return np.asarray(image)


def test_the_same_arguments_give_the_same_pictures():
    few = list(generate("validation", size=12))
    assert few == list(islice(generate("validation"), 12))
    assert few != list(generate("validation", seed=2, size=12))
    assert few != list(generate("test", size=12))
    assert [picture.name for picture, _ in few[:2]] == ["validation-00001.png", "validation-00002.png"]


def test_no_scene_is_in_two_splits_and_every_part_of_one_is_in_train():
    splits = {split: set(of_it) for split, of_it in scenes().items()}
    for one, other in combinations(splits.values(), 2):
        assert not one & other
    assert sum(map(len, splits.values())) == len(COUNTS) * len(COLORS) * len(SHAPES) * len(PLACES)
    assert len({scene.caption for some in splits.values() for scene in some}) == sum(map(len, splits.values()))
    assert all(len(splits[split]) > 60 for split in SIZES)
    for first, second in combinations(range(4), 2):  # pairs, too: what is new is the four together
        known = {(scene[first], scene[second]) for scene in splits["train"]}
        for split in ("validation", "test"):
            assert {(scene[first], scene[second]) for scene in splits[split]} <= known


@pytest.mark.parametrize("split", sorted(SIZES))
def test_captions_are_of_their_split(split):
    captions = {scene.caption for scene in scenes()[split]}
    rows = list(generate(split, size=40))
    assert {caption for _, caption in rows} <= captions
    assert all(pixels(picture).shape == (PIXELS, PIXELS, 3) for picture, _ in rows)
    assert len({picture.data for picture, _ in rows}) == len(rows)


def test_captions_are_english():
    assert Scene("three", "red", "circle", "at the top left").caption == "three red circles at the top left"
    assert Scene("one", "blue", "cross", "in the center").caption == "one blue cross in the center"
    assert Scene("two", "green", "cross", "on the left").caption == "two green crosses on the left"


class Dice:
    """Chance that always falls in the middle."""

    def uniform(self, low, high):
        return (low + high) / 2

    def randbytes(self, count):
        return bytes([127]) * count


def blueness(picture):
    """[48, 48], from 0 for background to 1 for blue."""
    red, _, blue = COLORS["blue"]
    return ((picture[..., 2].astype(float) - picture[..., 0]) / (blue - red)).clip(0, 1)


@pytest.mark.parametrize("place", list(PLACES))
@pytest.mark.parametrize("count", COUNTS)
def test_shapes_are_where_the_caption_says_and_as_many(count, place):
    picture = draw_shape(Scene(count, "blue", "square", place), Dice())
    covered = blueness(picture)
    rows, columns = np.nonzero(covered > 0.5)
    across, down = PLACES[place]
    for middle, third in ((columns.mean(), across), (rows.mean(), down)):
        assert third * PIXELS / 3 <= middle + 0.5 <= (third + 1) * PIXELS / 3
    two = blueness(draw_shape(Scene("two", "blue", "square", "in the center"), Dice()))
    if count != "one":  # alone, a shape is larger
        assert covered.sum() / two.sum() == pytest.approx((COUNTS.index(count) + 1) / 2, abs=0.1)


@pytest.mark.parametrize("color", list(COLORS))
def test_colors_are_those_of_the_caption(color):
    picture = draw_shape(Scene("one", color, "circle", "in the center"), Dice())
    middle = picture[PIXELS // 2, PIXELS // 2].astype(int)
    nearest = min(COLORS, key=lambda name: sum(abs(middle - COLORS[name])))
    assert nearest == color


def test_shapes_are_about_as_large_as_a_circle_and_different():
    u, v = np.meshgrid(np.linspace(-1.3, 1.3, 131), np.linspace(-1.3, 1.3, 131))
    found = {shape: inside(shape, u, v) for shape in SHAPES}
    for shape, mask in found.items():
        assert 0.5 < mask.sum() / found["circle"].sum() < 1.2, shape
    for one, other in combinations(found, 2):
        assert (found[one] ^ found[other]).sum() / found["circle"].sum() > 0.1, (one, other)


def test_a_reader_offers_them():
    reader = configure(Reader, {"kind": "generated", "what": "drawings", "size": 30})()
    assert reader.source_type == "picture"
    train, test = open_corpus(reader, "train"), open_corpus(reader, "test")
    assert (len(train), len(test)) == (30, SIZES["test"])
    assert [(row.source, row.target) for row in train] == list(generate("train", size=30))
    assert configure(Reader, "generated")().source_type == "text"


def test_another_split_is_a_mistake():
    with pytest.raises(DataError, match="no split 'tests'"):
        generate("tests")
