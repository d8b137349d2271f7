"""Kernels are compiled once, shared with whoever comes next, and done without where they cannot be."""

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from s2s.inference.native import build, scores

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
needs_kernels = pytest.mark.skipif(build.library() is None, reason=build.kernels_unavailable())


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A package folder and a cache of its own, where nothing is compiled yet."""
    source = tmp_path / "package" / "kernels.c"
    source.parent.mkdir()
    source.write_text(build.SOURCE.read_text())
    monkeypatch.setattr(build, "SOURCE", source)
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("S2S_NATIVE", raising=False)
    build.loaded_library.cache_clear()
    yield tmp_path
    build.loaded_library.cache_clear()


def compiler(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@needs_compiler
def test_they_are_there(alone):
    assert build.kernels_unavailable() == ""
    assert build.library() is not None


@needs_compiler
def test_they_are_compiled_once(alone, monkeypatch):
    count = alone / "count"
    monkeypatch.setenv("CC", compiler(alone / "counting", f'echo . >> {count}; exec cc "$@"'))
    first = build.compiled_library()
    assert first.parent == alone / "package" / "__pycache__"
    assert build.compiled_library() == first
    assert count.read_text() == ".\n"
    assert list(first.parent.iterdir()) == [first]  # nothing half done beside it
    build.SOURCE.write_text(build.SOURCE.read_text() + "/* other */")
    assert build.compiled_library() != first


@needs_compiler
def test_another_processor_has_its_own(alone, monkeypatch):
    first = build.compiled_library()
    told = Path.read_text

    def read_text(path, *args, **options):
        text = told(path, *args, **options)
        return text.replace("flags", "flags\t: other", 1) if str(path) == "/proc/cpuinfo" else text

    monkeypatch.setattr(Path, "read_text", read_text)
    assert build.compiled_library() != first


@needs_compiler
def test_where_the_package_may_not_be_written_the_cache_is(alone):
    (alone / "package" / "__pycache__").write_text("in the way")
    assert build.compiled_library().parent == alone / "cache" / "native"
    assert build.kernels_unavailable() == ""


def test_nowhere_to_keep_them(alone, monkeypatch):
    (alone / "package" / "__pycache__").write_text("in the way")
    (alone / "cache").write_text("in the way")
    assert build.library() is None
    assert "may be written to" in build.kernels_unavailable()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("S2S_NATIVE", "0", "S2S_NATIVE is 0"),
        ("CC", "no-such-compiler", "there is no C compiler called no-such-compiler"),
        ("CC", "false", "the C compiler says"),
    ],
)
def test_without_them_it_says_why_and_torch_does_the_work(alone, monkeypatch, variable, value, said):
    monkeypatch.setenv(variable, value)
    assert build.library() is None
    assert said in build.kernels_unavailable()
    x = torch.randn(3, 50)
    torch.testing.assert_close(scores.log_softmax(x.clone()), x.log_softmax(-1))


@needs_compiler
def test_a_compiler_that_knows_little_makes_plain_ones(alone, monkeypatch):
    picky = 'case "$*" in *march*) echo "what is -march?" >&2; exit 1;; esac; exec cc "$@"'
    monkeypatch.setenv("CC", compiler(alone / "picky", picky))
    kernels = build.library()
    assert kernels is not None
    assert kernels.products() == 0
    torch.manual_seed(1)
    x, rank = 9 * torch.randn(4, 2, 700), torch.randn(4, 2)
    torch.testing.assert_close(scores.log_softmax(x[:, 0].clone()), x[:, 0].log_softmax(-1))
    torch.testing.assert_close(scores.top(x, rank, 5)[0], (x + rank[..., None]).flatten(1).topk(5).values)


def test_a_compiler_that_breaks_off_is_quoted(alone, monkeypatch):
    monkeypatch.setenv("CC", compiler(alone / "broken", "echo 'kernels.c: out of luck' >&2; exit 1"))
    assert build.kernels_unavailable() == "the C compiler says: kernels.c: out of luck"


@needs_kernels
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="nothing to look into")
def test_threads_are_those_of_torch():
    """Two libraries of threads would wait for each other, each turning in circles."""
    code = "from s2s.inference.native.build import library; assert library(); print(open('/proc/self/maps').read())"
    maps = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert len({line.split()[-1] for line in maps.splitlines() if "gomp" in line}) == 1


@needs_kernels
def test_arguments_are_declared_for_every_function():
    kernels = build.library()
    for name in build.SIGNATURES | (build.OF_PRODUCTS if kernels.products() else {}):
        assert getattr(kernels, name).argtypes is not None
    with pytest.raises(ctypes.ArgumentError):
        kernels.log_softmax(0.5, 0, 0, 1)
