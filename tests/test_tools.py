"""The programs for people who work on s2s, as far as they can go out of date without anybody noticing."""

import importlib.util
import shutil
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


@pytest.fixture
def planted(mutate, tmp_path, monkeypatch):
    """judge(right, wrong, tests) in a tree of one module and its tests: what became of the bug."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "sums.py").write_text("def total(numbers):\n    return sum(numbers)\n")
    test = "import sums\n\ndef test_{0}():\n    assert sums.total([1, 2]) {1}\n"
    (root / "test_good.py").write_text(test.format("good", "== 3"))
    (root / "test_blind.py").write_text(test.format("blind", "> 0"))
    (root / "test_broken.py").write_text(test.format("broken", "== 4"))
    trees = [tmp_path / f"tree{i}" for i in range(2)]
    for tree in trees:
        shutil.copytree(root, tree)
    monkeypatch.setenv("PYTEST_ADDOPTS", "")

    def judge(*bugs):
        made = [
            mutate.Bug(f"{right} {tests}", "sums.py", right, wrong, f"test_{tests}.py") for right, wrong, tests in bugs
        ]
        results = [result for _, result in mutate.judge(made, trees)]
        for tree in trees:  # every bug was taken out again
            assert (tree / "sums.py").read_text() == (root / "sums.py").read_text()
        return results

    return judge


def test_a_bug_is_noticed_by_tests_that_pass_without_it_only(mutate, planted):
    """In order, side by side: tests that fail anyway would notice every bug."""
    bug = ("sum(numbers)", "sum(numbers) + 1")
    found = planted((*bug, "good"), (*bug, "blind"), (*bug, "broken"), ("product(", "sum(", "good"), (*bug, "good"))
    assert found == [mutate.NOTICED, mutate.MISSED, mutate.FAILS, mutate.MISPLACED, mutate.NOTICED]


def test_tests_that_are_not_there_are_no_tests_that_notice(mutate, planted):
    assert planted(("sum(numbers)", "0", "nowhere")) == [mutate.FAILS]


def test_mutate_sums_up_and_its_exit_code_is_bad_where_one_is_missed(mutate, monkeypatch, capsys):
    bugs = [mutate.Bug(str(i), "f", "r", "w", "t") for i in range(3)]
    monkeypatch.setattr(mutate, "chosen", lambda words: bugs)
    monkeypatch.setattr(mutate, "copied", lambda tree: tree)
    for results, code, line in (
        ([mutate.NOTICED] * 3, 0, "3 bugs: 3 noticed"),
        ([mutate.NOTICED, mutate.NOTICED, mutate.MISSED], 1, "3 bugs: 2 noticed, 1 MISSED"),
        ([mutate.NOTICED, mutate.NOTICED, mutate.FAILS], 1, "3 bugs: 2 noticed, 1 FAILS WITHOUT IT"),
    ):
        monkeypatch.setattr(mutate, "judge", lambda bugs, trees, results=results: zip(bugs, results))
        assert mutate.main([]) == code
        assert capsys.readouterr().out.splitlines()[-1] == line


def test_a_copy_has_every_module_and_no_rubbish(mutate, tmp_path):
    """cli/cache.py was left out once, so that every bug of the command line was noticed."""
    root = tmp_path / "root"
    kept = ["s2s/cli/cache.py", "s2s/runs/__init__.py", "tests/cli/test_cache.py", "recipes/a.yaml", ".gitignore"]
    rubbish = ["runs/x/log", ".git/HEAD", ".venv/x", "s2s/__pycache__/x.pyc", ".pytest_cache/x", ".mypy_cache/x"]
    for name in kept + rubbish:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    copy = mutate.copied(tmp_path / "copy", root)
    assert {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()} == set(kept)
