"""Components written for an older s2s import still, by the names that were theirs."""

import importlib
import sys

import pytest

from s2s.errors import RecipeError
from s2s.former_names import MODULES, MOVED_ALONE, RENAMED, present_name
from s2s.metrics.base import Metric
from s2s.plugins import use_file
from s2s.registry import PositiveInt, Registrable
from s2s.tensors import FieldSpec

OLD = """
from __future__ import annotations

import sys

from torch import nn

from s2s.parts import Family, Positive as Size
from s2s.tensors import PAD, Space
from s2s.tasks.metrics import Metric, Score

sys.FOUND = [Family, Size, Space, Metric, PAD]
"""


def test_every_former_name_is_there_under_its_present_one():
    for module in [*MODULES.values(), *RENAMED]:
        importlib.import_module(module)
    for module, names in RENAMED.items():
        there = importlib.import_module(module)
        assert [new for new in names.values() if not hasattr(there, new)] == []
        assert [old for old in names if hasattr(there, old)] == []
    for (module, name), now in MOVED_ALONE.items():
        assert present_name(module, name) == (now, name)
        assert hasattr(importlib.import_module(now), name)


def test_an_old_file_imports(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "FOUND", None, raising=False)
    (tmp_path / "old.py").write_text(OLD)
    use_file(tmp_path / "old.py")
    found = sys.FOUND
    assert found == [Registrable, PositiveInt, FieldSpec, Metric, 0]
    assert not (tmp_path / "__pycache__").exists()


def test_a_name_that_never_was_is_said_with_the_file(tmp_path):
    (tmp_path / "wrong.py").write_text("\nfrom s2s.parts import Nonsense\n")
    with pytest.raises(RecipeError, match=r"wrong\.py does not import: ImportError: cannot import name 'Nonsense'"):
        use_file(tmp_path / "wrong.py")


def test_what_is_no_python_file_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("x = 1\n")
    with pytest.raises(RecipeError, match=r"'.*notes\.txt' is not a Python file"):
        use_file(tmp_path / "notes.txt")


def test_names_of_today_and_of_others_stay():
    assert present_name("s2s.registry", "PositiveInt") == ("s2s.registry", "PositiveInt")
    assert present_name("torch.nn", "Linear") == ("torch.nn", "Linear")
    assert present_name("s2s.nn.attention", "Attention") == ("s2s.nn.attention", "Attention")
