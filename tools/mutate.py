"""Test the tests: plant one known bug at a time and see whether they notice.

    .venv/bin/python tools/mutate.py                 every bug of tools/mutations.txt
    .venv/bin/python tools/mutate.py attention       those whose name or file has this word
    .venv/bin/python tools/mutate.py --workers 4     so many at a time; two if not given
    .venv/bin/python tools/mutate.py --where         only check that every bug still has its place

Before a bug is planted its tests must pass without it: tests that fail anyway would notice anything. Each worker has a
copy of the tree, so an interrupted run leaves nothing behind. Whenever a bug gets past the tests, write the test and
add the bug. Exit code 1 when one is missed, out of place, or has tests that fail without it.
"""

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

T = TypeVar("T")
R = TypeVar("R")
ROOT = Path(__file__).resolve().parents[1]
BUGS = Path(__file__).with_name("mutations.txt")
LEFT_OUT = {".git", ".venv", "runs", "build", "dist"}  # of a copy, at the top: a package may have such a name
PATIENCE = 600  # seconds: a bug that never ends does not go unnoticed

NOTICED, MISSED, FAILS, MISPLACED, IN_PLACE = "noticed", "MISSED", "FAILS WITHOUT IT", "OUT OF PLACE", "in place"
BAD = (MISSED, FAILS, MISPLACED)


class Bug(NamedTuple):
    """One line, or a few, made wrong."""

    name: str
    file: str
    right: str
    wrong: str
    tests: str  # the tests that should notice; the whole suite would take too long for each


def read_bugs(text: str) -> Iterator[Bug]:
    """Blocks of `# name`, `file:`, `tests:`, then lines marked - (right) and + (wrong), as in a diff."""
    for block in text.split("\n# ")[1:]:
        name, *lines = block.splitlines()
        head = dict(line.split(": ", 1) for line in lines if line.startswith(("file: ", "tests: ")))
        right, wrong = ("\n".join(line[1:] for line in lines if line[:1] == sign) for sign in "-+")
        yield Bug(name.strip(), head["file"], right, wrong, head["tests"])


def misplaced(bug: Bug, root: Path = ROOT) -> str:
    """What is wrong with the bug itself, or nothing."""
    path = root / bug.file
    count = path.read_text().count(bug.right) if path.is_file() else 0
    return "" if count == 1 else f"its lines occur {count} times in {bug.file}"


def copied(tree: Path, root: Path = ROOT) -> Path:
    """The tree, without what is no part of it."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        caches = {name for name in names if name == "__pycache__" or (name.startswith(".") and name.endswith("_cache"))}
        return caches | (LEFT_OUT & set(names) if Path(folder) == root else set())

    return Path(shutil.copytree(root, tree, ignore=left_out))


def run_tests(tests: str, tree: Path) -> int:
    """pytest's exit code: 0 all passed, 1 some failed; others are mistakes, of how it was called or in the tests."""
    env = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests.split()]
    try:
        return subprocess.run(command, cwd=tree, env=env, capture_output=True, timeout=PATIENCE, check=False).returncode
    except subprocess.TimeoutExpired:
        return 1


def noticed(bug: Bug, tree: Path) -> bool:
    """Plant the bug in the copy, run its tests, take it out again."""
    path = tree / bug.file
    text = path.read_text()
    path.write_text(text.replace(bug.right, bug.wrong, 1))
    try:
        return run_tests(bug.tests, tree) == 1
    finally:
        path.write_text(text)


def side_by_side(work: Callable[[T, Path], R], items: Sequence[T], trees: Sequence[Path]) -> Iterator[R]:
    """work(item, tree) for each, in order, one at a time in a tree."""
    free: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for tree in trees:
        free.put(tree)

    def share(item: T) -> R:
        tree = free.get()
        try:
            return work(item, tree)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as workers:
        yield from workers.map(share, items)


def judge(bugs: Sequence[Bug], trees: Sequence[Path]) -> Iterator[tuple[Bug, str]]:
    """Each bug and what became of it. Tests that several bugs share have one control run."""
    placed = [bug for bug in bugs if not misplaced(bug, trees[0])]
    tests = sorted({bug.tests for bug in placed})
    passing = {test for test, code in zip(tests, side_by_side(run_tests, tests, trees)) if code == 0}
    sound = [bug for bug in placed if bug.tests in passing]
    found = side_by_side(noticed, sound, trees)
    for bug in bugs:
        if bug not in placed:
            yield bug, MISPLACED
        elif bug not in sound:
            yield bug, FAILS
        else:
            yield bug, NOTICED if next(found) else MISSED


def chosen(words: Sequence[str]) -> list[Bug]:
    bugs = read_bugs("\n" + BUGS.read_text())
    return [bug for bug in bugs if not words or any(word in bug.name + bug.file for word in words)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Plant known bugs and see whether the tests notice.")
    parser.add_argument("words", nargs="*", help="only bugs whose name or file has one of these")
    parser.add_argument("--workers", type=int, default=2, help="how many at a time")
    parser.add_argument("--where", action="store_true", help="only check that every bug has its place")
    options = parser.parse_args(arguments)
    bugs, counts = chosen(options.words), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        trees = [Path(folder) / f"tree{i}" for i in range(1 if options.where else max(1, options.workers))]
        for tree in trees:
            if not options.where:
                copied(tree)
        looked = ((bug, MISPLACED if misplaced(bug) else IN_PLACE) for bug in bugs)
        for bug, result in looked if options.where else judge(bugs, trees):
            counts[result] += 1
            why = {MISPLACED: f": {misplaced(bug)}", FAILS: f": {bug.tests}"}.get(result, "")
            print(f"{result:9} {bug.name}{why}", flush=True)
    print(f"{len(bugs)} bugs: " + ", ".join(f"{count} {result}" for result, count in counts.most_common()))
    return 1 if any(counts[result] for result in BAD) else 0


if __name__ == "__main__":
    sys.exit(main())
