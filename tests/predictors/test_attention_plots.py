"""Grids of attention over pictures: where the light falls, and PNGs that open."""

import io

import numpy as np
import pytest
from PIL import Image

from s2s.predictors.attention_plots import attention_picture, free_name, lit, upsample
from s2s.predictors.seq2seq import Alignment, cells, grid_of


@pytest.mark.parametrize(
    ("positions", "height", "width", "grid"),
    [
        (49, 112, 112, (7, 7)),
        (36, 48, 48, (6, 6)),
        (12, 48, 64, (3, 4)),
        (12, 64, 48, (4, 3)),
        (1, 48, 48, (1, 1)),
        (7, 10, 70, (1, 7)),
        (50, 10, 10, (5, 10)),
    ],
)
def test_positions_are_laid_out_like_the_picture(positions, height, width, grid):
    assert grid_of(positions, height, width) == grid
    assert len(cells(*grid)) == positions


def test_cells_are_named_row_by_row():
    assert cells(2, 3) == ["1,1", "1,2", "1,3", "2,1", "2,2", "2,3"]


def test_upsampling_keeps_means_and_middles():
    grid = np.random.default_rng(0).random((3, 5))
    large = upsample(grid, 3 * 7, 5 * 7)
    assert large.shape == (21, 35)
    np.testing.assert_allclose(large[3::7, 3::7], grid)  # the middle of a cell is its value
    assert grid.min() <= large.min() <= large.max() <= grid.max()
    np.testing.assert_allclose(upsample(np.full((2, 2), 0.3), 9, 4), 0.3)
    np.testing.assert_allclose(upsample(grid, 3, 5), grid)


def test_the_light_falls_where_it_looked():
    grid = np.zeros((4, 4))
    grid[1, 2] = 0.6
    grid[3, 0] = 0.3
    found = lit(np.full((40, 40, 3), 200, dtype=np.uint8), grid)
    brightest = np.unravel_index(found[..., 0].argmax(), (40, 40))
    assert (brightest[0] // 10, brightest[1] // 10) == (1, 2)
    assert found[14, 24].min() > 180
    assert found[35, 5].max() < found[15, 25].max()
    assert found[5, 5].max() == 30  # the rest is dark, and still there
    assert lit(np.full((4, 4, 3), 200, dtype=np.uint8), np.zeros((2, 2))).max() == 30  # no weight, no light


@pytest.mark.parametrize("words", [1, 4, 9])
def test_a_png_of_panels(words):
    pytest.importorskip("matplotlib")
    weights = np.random.default_rng(words).dirichlet(np.ones(6), size=words + 1).tolist()
    names = [f"w{i}" for i in range(words - 1)] + ["$x_ {</", "</s>"]  # what matplotlib would take for a formula
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    data = attention_picture(pixels, Alignment(cells(2, 3), names, weights, (2, 3)), "a_b$c.png")
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.format == "PNG"
        assert image.width > 200


def test_an_empty_caption_has_the_picture_alone():
    pytest.importorskip("matplotlib")
    pixels = np.zeros((8, 8, 3), dtype=np.uint8)
    assert attention_picture(pixels, Alignment(cells(1, 1), ["</s>"], [[1.0]], (1, 1))).startswith(b"\x89PNG")


def test_names_of_files_are_not_used_twice():
    taken = set()
    for wanted in ("a", "a-2", "a-3", "a-4"):
        name = free_name("a", taken)
        assert name == wanted
        taken.add(name)
    assert free_name("b", taken) == "b"
