"""The programs for people who work on s2s, as far as they can go out of date without anybody noticing."""

import importlib.util
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"


@pytest.fixture(scope="module")
def mutate():
    spec = importlib.util.spec_from_file_location("mutate", TOOLS / "mutate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_bug_has_its_place(mutate):
    """A planted bug whose line has since been written anew would be planted nowhere."""
    bugs = list(mutate.read_bugs(mutate.BUGS.read_text()))
    assert len(bugs) > 50
    assert [f"{bug.name}: {mutate.misplaced(bug)}" for bug in bugs if mutate.misplaced(bug)] == []
