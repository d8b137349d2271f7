"""The bench is no part of the package: it is found beside it."""

from pathlib import Path

import pytest

from tools.bench.setting import TINY, Setting


@pytest.fixture(scope="session")
def work(tmp_path_factory) -> Path:
    """One folder for all tests: what is generated and trained for one is there for the next."""
    return tmp_path_factory.mktemp("bench")


@pytest.fixture
def tiny(work) -> Setting:
    return Setting(work=work, seconds=0.0, updates=2, scale=TINY)
