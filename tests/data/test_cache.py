"""The cache: filled once, by whoever comes first; removed only when nobody is at work with it."""

import errno
import multiprocessing
import os
import random
import time
from pathlib import Path

import numpy as np
import pytest

import s2s.data.cache as store
from s2s.data.cache import ABANDONED, RECENT, cached_folder, fill_folder, kept, remove

KEY = "0123456789abcdef0123456789abcdef"


def write_text(folder: Path) -> None:
    (folder / "text").write_text("hello")


def fill_once(folder: Path) -> Path:
    with cached_folder(folder, write_text):
        return folder


def age(folder: Path, seconds: float) -> None:
    past = time.time() - seconds
    os.utime(folder, (past, past))


def test_what_fails_leaves_nothing(tmp_path):
    def write(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill_folder(tmp_path / "rows" / "key", write)
    assert list((tmp_path / "rows").iterdir()) == []


def fill_slowly(folder: Path, mark: str) -> None:
    def write(unfinished: Path) -> None:
        for part in ("a", "b"):
            (unfinished / part).write_text(mark)
            time.sleep(0.1)

    with cached_folder(folder, write):
        pass


def test_processes_at_once_agree(tmp_path):
    folder = tmp_path / "rows" / "key"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=fill_slowly, args=(folder, str(i))) for i in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert list((tmp_path / "rows").iterdir()) == [folder]
    assert (folder / "a").read_text() == (folder / "b").read_text()


def test_what_a_killed_process_left_is_swept_away(tmp_path):
    old, young = tmp_path / "rows" / ".key.old", tmp_path / "rows" / ".key.young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "rows.arrow").write_text("half")
    past = time.time() - 2 * ABANDONED
    os.utime(old / "rows.arrow", (past, past))
    fill_folder(tmp_path / "rows" / "other", lambda folder: None)
    assert not old.exists()
    assert young.exists()  # somebody may be writing it


# What is kept, and for how long


def test_what_is_kept_is_listed_by_kind_the_oldest_first(tmp_path):
    for number, kind in enumerate(("ids", "rows", "rows")):
        age(fill_once(tmp_path / kind / f"{number:032}"), 1000 * (number + 1))
    fill_once(tmp_path / "rows" / "photos")  # not s2s's
    fill_once(tmp_path / "letters" / KEY)
    (tmp_path / "rows" / ".half.0").mkdir()
    found = list(kept(tmp_path))
    assert [(one.kind, one.path.name[-1], one.size) for one in found] == [
        ("rows", "2", 5),
        ("rows", "1", 5),
        ("ids", "0", 5),
    ]
    assert list(kept(tmp_path / "nowhere")) == []


def test_a_use_is_remembered(tmp_path):
    folder = fill_once(tmp_path / KEY)
    age(folder, 5000)
    fill_once(folder)
    assert time.time() - folder.stat().st_mtime < 1000
    assert (folder / "text").read_text() == "hello"


def test_what_nobody_uses_goes(tmp_path):
    folder = fill_once(tmp_path / KEY)
    assert remove(folder)
    assert list(tmp_path.iterdir()) == []
    assert remove(folder)  # gone is gone


def test_what_was_used_since_stays(tmp_path):
    folder = fill_once(tmp_path / KEY)
    assert not remove(folder, unused=1000)
    age(folder, 2000)
    assert remove(folder, unused=1000)


def test_what_is_in_use_stays(tmp_path):
    folder = tmp_path / KEY
    with cached_folder(folder, write_text), cached_folder(folder, write_text):
        assert not remove(folder)
    with cached_folder(folder, write_text):
        assert not remove(folder)
    assert remove(folder)


def test_what_is_mapped_can_be_read_after_its_removal(tmp_path):
    def write(folder: Path) -> None:
        (folder / "ids.bin").write_bytes(np.arange(1000).tobytes())

    with cached_folder(tmp_path / KEY, write) as folder:
        ids = np.memmap(folder / "ids.bin", np.int64, mode="r")
    assert remove(folder)
    assert int(ids.sum()) == 499_500


def test_without_locks_what_was_used_lately_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "fcntl", None)
    folder = fill_once(tmp_path / KEY)
    assert not remove(folder)
    age(folder, RECENT + 10)
    assert remove(folder)


def test_a_disk_that_refuses_keeps_its_folder(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    folder = fill_once(tmp_path / KEY)
    monkeypatch.setattr(store.os, "rename", refuse)
    assert not remove(folder)
    assert (folder / "text").is_file()


def test_what_another_made_and_a_third_removed_is_made_again(tmp_path, monkeypatch):
    rename, refused = os.rename, []

    def gone_again(source, target):
        if not refused:
            refused.append(target)  # it was there a moment ago
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
        rename(source, target)

    monkeypatch.setattr(store.os, "rename", gone_again)
    with cached_folder(tmp_path / KEY, write_text) as folder:
        assert (folder / "text").read_text() == "hello"
    assert refused == [tmp_path / KEY]


def use(folder: Path, seed: int) -> None:
    """Open it again and again, and find it whole every time."""
    for _ in range(150):
        with cached_folder(folder, write_text) as made:
            assert (made / "text").read_text() == "hello"
            time.sleep(random.Random(seed).random() / 1000)
            assert (made / "text").read_text() == "hello"


def clear(folder: Path) -> None:
    while not (folder.parent / "end").exists():
        remove(folder)


def test_users_and_removers_at_once(tmp_path):
    folder = tmp_path / KEY
    context = multiprocessing.get_context("fork")
    users = [context.Process(target=use, args=(folder, seed)) for seed in range(3)]
    remover = context.Process(target=clear, args=(folder,))
    for process in (remover, *users):
        process.start()
    for process in users:
        process.join(60)
    (tmp_path / "end").touch()
    remover.join(60)
    assert [process.exitcode for process in (remover, *users)] == [0, 0, 0, 0]
    remove(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["end"]
