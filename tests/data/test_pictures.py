"""Pictures: whatever Pillow writes becomes a square of colors, and what is broken is refused by its name."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image as Pillow

import s2s.data.pictures as module
from s2s.config import configure
from s2s.data.fields.base import Field
from s2s.data.fields.image import ImageField
from s2s.data.pictures import Picture, open_picture, square
from s2s.errors import DataError, RecipeError
from s2s.tensors import FieldSpec


def picture(image, form="PNG", name="a.png", **options) -> Picture:
    file = io.BytesIO()
    image.save(file, form, **options)
    return Picture(file.getvalue(), name)


def halves(mode="RGB", size=(40, 20), left="red", right="blue"):
    image = Pillow.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return image.convert(mode)


@pytest.mark.parametrize(
    ("mode", "form"),
    [
        ("RGB", "PNG"),
        ("RGB", "JPEG"),
        ("CMYK", "JPEG"),
        ("P", "PNG"),
        ("P", "GIF"),
        ("RGBA", "PNG"),
        ("RGB", "WEBP"),
        ("RGB", "BMP"),
    ],
)
def test_colors_come_out_of_every_mode(mode, form):
    found = square(open_picture(picture(halves(mode), form)), 20, "stretch")
    assert found.shape == (3, 20, 20)
    assert found.dtype == np.uint8
    assert np.abs(found[:, 10, 3].astype(int) - (255, 0, 0)).max() < 40
    assert np.abs(found[:, 10, 17].astype(int) - (0, 0, 255)).max() < 40


def test_what_is_transparent_is_white():
    clear = Pillow.new("RGBA", (8, 8), (0, 0, 0, 0))
    gray = Pillow.new("LA", (8, 8), (0, 0))
    palette = Pillow.new("P", (8, 8), 0)
    for image, options in ((clear, {}), (gray, {}), (palette, {"transparency": 0})):
        assert square(open_picture(picture(image, **options)), 4, "crop").min() == 255


def test_gray_of_one_and_of_sixteen_bits():
    deep = Pillow.fromarray(np.full((8, 8), 65535 // 2, np.uint16))
    flat = Pillow.new("L", (8, 8), 127)
    for image in (deep, flat):
        assert np.abs(square(open_picture(picture(image)), 4, "crop").astype(int) - 127).max() <= 1
    assert square(open_picture(picture(Pillow.new("1", (8, 8), 1))), 4, "crop").min() == 255


@pytest.mark.parametrize(
    ("values", "form", "expected"),
    [
        (np.full((8, 8), 200, np.uint16), "PNG", 0),  # nearly black, and not a gray of 8 bits
        (np.full((8, 8), 65535, np.uint16), "PNG", 255),
        (np.full((8, 8), 200, np.int32), "TIFF", 200),
        (np.full((8, 8), 65535, np.int32), "TIFF", 255),
        (np.full((8, 8), 0.5, np.float32), "TIFF", 127),
        (np.full((8, 8), 100, np.float32), "TIFF", 100),
    ],
    ids=["dark 16", "white 16", "32 as 8", "32 as 16", "up to one", "up to 255"],
)
def test_white_is_what_the_mode_says_or_the_levels_do(values, form, expected):
    found = square(open_picture(picture(Pillow.fromarray(values), form)), 4, "crop").astype(int)
    assert np.abs(found - expected).max() <= 1


def test_numbers_that_are_none_are_black():
    values = np.full((8, 8), np.nan, np.float32)
    assert square(open_picture(picture(Pillow.fromarray(values), "TIFF")), 4, "crop").max() == 0


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(3000, 1), (1, 3000)])
def test_however_oblong_a_picture_is(fit, size):
    found = square(open_picture(picture(Pillow.new("RGB", size, "red"))), 8, fit)
    assert found.shape == (3, 8, 8)
    assert found[0].min() >= 254
    assert fit == "pad" or found[1].max() == 0


def test_how_a_picture_was_held_is_undone():
    held = Pillow.Exif()
    held[0x0112] = 6  # turn it by a quarter
    upright = square(open_picture(picture(halves(), "JPEG", exif=held, quality=95)), 20, "stretch")
    assert upright[0, 2, 10] > 200  # red is above
    assert upright[2, 17, 10] > 200


def test_three_ways_to_make_a_square():
    image = open_picture(picture(halves(size=(60, 20))))
    assert (square(image, 20, "pad")[:, 1] == 255).all()
    assert not (square(image, 20, "crop") == 255).all(0).any()
    assert square(image, 20, "stretch")[0, 0, 0] > 200
    assert square(open_picture(picture(Pillow.new("RGB", (1, 1), "red"))), 5, "crop")[0].min() == 255


def test_frames_but_the_first_are_left_out():
    frames = [Pillow.new("RGB", (8, 8), color) for color in ("red", "blue")]
    found = picture(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert square(open_picture(found), 4, "crop")[0].min() > 200


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "b.png: is empty"),
        (b"hello", "b.png: is not a picture"),
        (picture(halves()).data[:60], "b.png: is a broken picture"),
        (picture(halves(size=(400, 400)), "JPEG").data[:900], "b.png: is a broken picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "b.png: is"),
    ],
    ids=["empty", "text", "cut png", "cut jpeg", "zeros"],
)
def test_what_is_broken_is_refused_by_its_name(data, said):
    with pytest.raises(DataError, match=said):
        ImageField(size=8).encode_all([Picture(data, "b.png")])


def test_every_broken_picture_is_named_at_once():
    good, broken = picture(halves()), [Picture(b"x", f"{i}.png") for i in range(13)]
    with pytest.raises(DataError) as caught:
        ImageField(size=8).encode_all([good, *broken])
    said = str(caught.value).splitlines()
    assert [line for line in said if line.startswith("9.png")] == ["9.png: is not a picture"]
    assert said[-1] == "and 3 more pictures that cannot be read"


def test_a_bomb_of_pillow_s_own_is_refused(monkeypatch):
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DataError, match="b.png: is too large"):
        open_picture(picture(halves(), name="b.png"))


def test_what_is_too_large_is_refused_before_it_fills_memory(monkeypatch):
    monkeypatch.setattr(module, "MOST_PIXELS", 100)
    with pytest.raises(DataError, match="b.png: is too large: 40 x 20 pixels"):
        open_picture(picture(halves(), name="b.png"))


def test_the_field_gives_numbers_around_zero(tmp_path):
    field = ImageField(size=8)
    arrays = field.encode_all([picture(halves()), picture(Pillow.new("RGB", (8, 8), "white"))])
    assert [field.length(array) for array in arrays] == [1, 1]
    batch = field.collate(arrays)
    assert batch.shape == (2, 3, 8, 8)
    assert float(batch[1].min()) == float(batch.max()) == 1
    assert float(batch.min()) == -1
    assert field.space == FieldSpec("image", 3)
    field.save(tmp_path, "source")
    again = ImageField(size=8)
    again.load(tmp_path, "source")
    assert again.fingerprint == field.fingerprint != ImageField(size=9).fingerprint
    assert field.collate([]).shape == (0, 3, 8, 8)


@pytest.mark.parametrize("options", [{"mirror": "both"}, {"turn": True}, {"zoom": 0.5}, {"light": 0.3}])
def test_a_picture_is_seen_another_way_each_time(options):
    field, plain = configure(Field, {"kind": "image", "size": 8, **options})(), ImageField(size=8)
    (array,) = plain.encode_all([picture(halves())])
    assert field.augments
    assert not plain.augments
    seen = {field.augment(array, seed).tobytes() for seed in range(20)}
    assert len(seen) > 1
    assert field.augment(array, 3).tobytes() == field.augment(array, 3).tobytes()
    assert field.augment(array, 3).dtype == np.uint8
    assert field.augment(array, 3).shape == array.shape
    assert field.fingerprint == plain.fingerprint  # what is kept on disk is the same


def test_mirrors_and_turns_keep_every_pixel():
    field = ImageField(size=8, mirror="both", turn=True)
    array = np.arange(3 * 64, dtype=np.uint8)
    for seed in range(10):
        assert sorted(field.augment(array, seed)) == sorted(array)


def test_what_is_kept_on_disk_is_read_and_never_written_to():
    field = ImageField(size=8, mirror="both", turn=True, zoom=0.5, light=0.2)
    (array,) = ImageField(size=8).encode_all([picture(halves())])
    array.flags.writeable = False  # as a memory-mapped file is
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(20):
            field.augment(array, seed)


def test_light_keeps_the_gray_that_is_in_the_middle_and_never_wraps():
    field = ImageField(size=8, light=0.5)
    white = np.full(192, 255, np.uint8)
    seen = np.array([field.augment(white, seed)[0] for seed in range(50)])
    assert seen.max() == 255
    assert 60 < seen.min() < 230


def test_pieces_are_zoomed_into_as_the_whole_is_seen():
    field = ImageField(size=8, zoom=0.3)
    flat = np.repeat(np.array([10, 100, 250], np.uint8), 64)
    for seed in range(10):
        assert field.augment(flat, seed).tolist() == flat.tolist()  # no rounding down


def test_no_is_no_kind_of_mirror():
    assert not configure(Field, {"kind": "image", "mirror": None})().augments
    assert not configure(Field, {"kind": "image", "mirror": "none"})().augments
    with pytest.raises(RecipeError, match="the options are: sideways, both"):
        configure(Field, {"kind": "image", "mirror": False}, "task.source")
