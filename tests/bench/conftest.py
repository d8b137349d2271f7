"""The bench is no part of the package: it is found beside it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tools.bench.setting import TINY, Setting


@pytest.fixture(scope="session")
def work(tmp_path_factory) -> Path:
    """One folder for all tests: what is generated and trained for one is there for the next."""
    return tmp_path_factory.mktemp("bench")


@pytest.fixture
def tiny(work) -> Setting:
    return Setting(work=work, seconds=0.0, updates=2, scale=TINY)
