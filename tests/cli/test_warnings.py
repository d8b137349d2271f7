"""Warnings of libraries are one line each, in words; those about pictures that were read are none."""

import io
import struct
import warnings

import pytest
from PIL import Image

from s2s.cli.console import warnings_in_lines
from s2s.data.pictures import Picture, open_picture


@pytest.fixture
def in_lines(monkeypatch):
    monkeypatch.setattr("sys.warnoptions", [])
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # pytest makes errors of them
        warnings_in_lines()
        yield


def warn(message: str, category: type[Warning], file: str) -> None:
    warnings.warn_explicit(message, category, file, 982, registry={})


def test_a_warning_is_one_line_with_the_name_of_its_library(in_lines, capsys):
    warn("CUDA initialization:\n  no [driver]", UserWarning, "/usr/lib/python3/site-packages/torch/cuda/__init__.py")
    warn("divide by zero", RuntimeWarning, r"C:\env\Lib\site-packages\numpy\core.py")
    warn("something", UserWarning, "/home/me/parts.py")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "warning: torch: CUDA initialization: no [driver]\nwarning: numpy: divide by zero\nwarning: something\n"
    )


@pytest.mark.parametrize("category", [DeprecationWarning, PendingDeprecationWarning, FutureWarning])
def test_what_is_said_to_programmers_is_left_out(category, in_lines, capsys):
    warn("will be removed", category, "/x/site-packages/torch/nn.py")
    assert capsys.readouterr() == ("", "")


def test_who_asks_python_for_warnings_gets_them(monkeypatch):
    monkeypatch.setattr("sys.warnoptions", ["default"])
    before = warnings.showwarning
    warnings_in_lines()
    assert warnings.showwarning is before


def test_a_picture_that_pillow_only_warns_of_is_read_without_a_word():
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (220, 20, 20)).save(file, "JPEG")
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01\x03\0"  # a block that ends in the middle of a tag
    data = file.getvalue()[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + file.getvalue()[2:]
    with pytest.warns(UserWarning, match="Corrupt EXIF"):  # as Pillow alone has it
        Image.open(io.BytesIO(data)).getexif()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_picture(Picture(data, "broken-exif.jpg")).size == (32, 32)
