"""docs/python.md runs from top to bottom, and says what is so; CHANGELOG.md names what is there."""

import importlib
import re
from pathlib import Path

import pytest

import s2s

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
CHANGES = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """The names that the page has defined when it is through."""
    names = {"__name__": "page"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        for block in re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.M | re.S):
            exec(compile(block, "docs/python.md", "exec"), names)
    return names


def test_the_page_does_what_it_says(said):
    assert said["result"].reason == "asked"
    assert len(said["losses"].seen) == 2
    assert [score.kind for score in said["evaluation"].scores] == ["bleu", "chrf"]
    assert said["compared"].comparisons[0].kind == "bleu"
    assert said["found"].tokens.shape == (2,)
    assert set(said["label"].probabilities) == {"negative", "positive"}
    assert said["talk"].turns[0] == "hello"
    assert len(said["talk"].turns) == 2


def test_the_page_has_every_public_name():
    """All but the type of what evaluate() gives, which no program needs to name."""
    named = set(re.findall(r"s2s\.(\w+)", PAGE))
    assert set(s2s.__all__) - named == {"Evaluation", "Predictor", "TrainingResult"}


def test_the_changelog_names_what_is_there():
    """In the table of what was renamed: every name of s2s in full, and the others in one of the modules of their row."""
    rows = re.findall(r"^\| (`.*) \| (`.*) \|$", CHANGES, flags=re.M)
    assert len(rows) >= 8
    for _, now in rows:
        modules = [resolved(name) for name in re.findall(r"`(s2s\.[\w.]+)`", now)]
        for name in re.findall(r"`([A-Z]\w+)`", now):
            assert any(hasattr(module, name) for module in modules), name


def resolved(name: str):
    """A module, or a name that a module has."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, last = name.rpartition(".")
        return getattr(importlib.import_module(module), last)
