"""s2s cache: what it says, and what it removes."""

import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from s2s.cli.app import app
from s2s.cli.cache import ago, readable_time
from s2s.data.cache import cached_folder
from s2s.files import cache_folder


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["cache", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def put(kind: str, number: int, size: int, days: float) -> Path:
    with cached_folder(
        cache_folder() / kind / f"{number:032x}", lambda path: (path / "data").write_bytes(b"x" * size)
    ) as folder:
        pass
    past = time.time() - days * 24 * 3600
    os.utime(folder, (past, past))
    return folder


@pytest.fixture
def folders() -> list[Path]:
    return [put("rows", 1, 1500, 0), put("rows", 2, 500, 40.5), put("ids", 3, 2_000_000, 1.5)]


def test_it_says_what_is_there(folders):
    said = run()
    assert f"{cache_folder()}: 3 folders, 2.0 MB" in said
    assert "rows as they were read 2 folders, 2.0 kB used 40 days ago to today" in said
    assert "ids rows as numbers 1 folder, 2.0 MB used yesterday to yesterday" in said
    assert "fields vocabularies 0 folders, 0 bytes" in said
    assert all(folder.is_dir() for folder in folders)


def test_an_empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("S2S_CACHE", str(tmp_path / "none"))
    assert "0 folders, 0 bytes" in run()
    assert "removed 0 folders" in run("--clear")


def test_what_is_old_goes(folders):
    assert run("--older-than", "30") == f"removed 1 folder, 500 bytes from {cache_folder()}"
    assert [folder.is_dir() for folder in folders] == [True, False, True]
    assert "removed 1 folder, 2.0 MB" in run("--clear", "--older-than", "1")  # both: the milder


def test_all_goes_but_what_is_in_use(folders):
    with cached_folder(folders[0], lambda path: None):
        said = run("--clear")
    assert said == f"removed 2 folders, 2.0 MB from {cache_folder()} left: 1 in use, or not yours to remove"
    assert [folder.is_dir() for folder in folders] == [True, False, False]
    assert "removed 1 folder" in run("--clear")


def test_nothing_else_is_touched(folders):
    """S2S_CACHE may be somebody's home."""
    letters = cache_folder() / "rows" / "letters" / "dear.txt"
    letters.parent.mkdir()
    letters.write_text("Dear")
    run("--clear")
    assert letters.read_text() == "Dear"


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (5e12, "5,000.0 GB")],
)
def test_sizes(size, said):
    assert readable_time(size) == said


def test_ages():
    now = time.time()
    assert [ago(now), ago(now - 30 * 3600), ago(now - 80 * 3600)] == ["today", "yesterday", "3 days ago"]
