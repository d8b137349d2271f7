"""What every test may ask for: a cache of its own, and the real corpora where they are."""

import os
import tempfile
from pathlib import Path

import pytest
import torch

import s2s.builtin  # noqa: F401  (every kind there is)

# Small tensors: a second thread only waits. CI runs what computes once with many, and nothing may depend on it.
torch.set_num_threads(int(os.environ.get("S2S_TEST_THREADS", "1")))

os.environ["S2S_CACHE"] = tempfile.mkdtemp(prefix="s2s-tests-")  # for fixtures that outlive a test
SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads or fills the cache of the person who runs it."""
    monkeypatch.setenv("S2S_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("the real corpora are not beside this checkout (../shared/data)")
    return SHARED_DATA
