"""Test the tests: plant one known bug at a time and see whether they notice.

    .venv/bin/python tools/mutate.py              every bug of tools/mutations.txt
    .venv/bin/python tools/mutate.py attention    those whose name or file has this word
    .venv/bin/python tools/mutate.py --where      only check that every bug still has its place

Works on a copy of the tree, so an interrupted run leaves nothing behind. Whenever a bug gets past the
tests, write the test and add the bug. Exit code 1 when one is missed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BUGS = Path(__file__).with_name("mutations.txt")


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


def misplaced(bug: Bug) -> str:
    """What is wrong with the bug itself, or nothing."""
    path = ROOT / bug.file
    count = path.read_text().count(bug.right) if path.is_file() else 0
    return "" if count == 1 else f"its lines occur {count} times in {bug.file}"


def noticed(bug: Bug, tree: Path) -> bool:
    """Plant the bug in the copy, run its tests, take it out again."""
    path = tree / bug.file
    text = path.read_text()
    path.write_text(text.replace(bug.right, bug.wrong, 1))
    env = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *bug.tests.split()]
    try:
        return subprocess.run(command, cwd=tree, env=env, capture_output=True, timeout=600).returncode == 1
    except subprocess.TimeoutExpired:
        return True  # a bug that never ends does not go unnoticed
    finally:
        path.write_text(text)


def left_out(folder: str, names: list[str]) -> set[str]:
    """What no test needs. By whole names: s2s has modules that are called cache and runs."""
    unneeded = {name for name in names if name == "__pycache__" or name.endswith("_cache")}
    return unneeded | {".git", ".venv", "runs"} if Path(folder) == ROOT else unneeded


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--where"]
    bugs = [b for b in read_bugs("\n" + BUGS.read_text()) if not words or any(w in b.name + b.file for w in words)]
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=left_out)
        for bug in bugs:
            problem = misplaced(bug)
            result = f"?? {problem}" if problem else "in place"
            if not problem and "--where" not in sys.argv:
                result = "noticed" if noticed(bug, tree) else "MISSED"
            bad += bool(problem) or result == "MISSED"
            print(f"{result:9} {bug.name}", flush=True)
    print(f"{len(bugs)} bugs, {bad} not noticed or out of place")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
