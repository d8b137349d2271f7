"""Imports go down the stairs, never up; and the help page imports nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1] / "s2s"
FLOORS = [
    {"allocator", "errors", "execution", "signatures", "tensors"},
    {"files", "plugins", "recipe_index", "registry"},
    {"config", "data", "paths", "plotting", "runs"},
    {"metrics", "nn", "recipe_yaml"},
    {"inference"},
    {"decoding", "devices"},
    {"tasks"},
    {"training"},
    {"builtin"},
    {"recipe"},
    {"predictors", "recipe_schema"},
    {"api"},
    {"cli"},
]
FLOOR = {name: i for i, names in enumerate(FLOORS) for name in names}


def imports(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def test_imports_go_down():
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        here = path.relative_to(ROOT).with_suffix("").parts[0]
        if here in ("__init__", "__main__"):
            continue
        for line, name in imports(path):
            parts = name.split(".")
            if parts[0] != "s2s" or len(parts) == 1 or parts[1] == here:
                continue
            if FLOOR[parts[1]] >= FLOOR[here]:
                wrong.append(f"{path.relative_to(ROOT.parent)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_no_imports_go_in_a_circle():
    """Lazy ones and those for types included: a circle is two modules that cannot be read one after the other."""
    names = {".".join(path.relative_to(ROOT.parent).with_suffix("").parts): path for path in ROOT.rglob("*.py")}
    graph = {name: imported(path) & (names.keys() - {name}) for name, path in names.items()}
    assert circles(graph) == []


def test_a_circle_is_found():
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"b"}, "d": {"e"}, "e": set(), "f": {"a", "e"}}
    assert circles(graph) == [["b", "c"]]
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"e"}, "e": {"d", "a"}}) == [["a", "b", "c"], ["d", "e"]]


def imported(path: Path) -> set[str]:
    """The modules that a file names in any import; `from package import module` names the module."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules of which each leads to every other."""
    leads: dict[str, set[str]] = {}
    for start in graph:
        seen, waiting = set(), [start]
        while waiting:
            fresh = graph[waiting.pop()] - seen
            seen |= fresh
            waiting += fresh
        leads[start] = seen
    groups = {tuple(sorted(other for other in leads[name] if name in leads[other])) for name in graph}
    return [list(group) for group in sorted(groups) if group]


def test_every_module_is_on_a_floor():
    modules = {p.relative_to(ROOT).with_suffix("").parts[0] for p in ROOT.rglob("*.py")} - {"__init__", "__main__"}
    assert modules == set(FLOOR)


def test_every_module_opens_with_a_sentence():
    for path in ROOT.rglob("*.py"):
        said = ast.get_docstring(ast.parse(path.read_text())) or ""
        assert len(said.split()) >= 3, path


def test_help_does_not_import_what_is_slow():
    for command in (["--help"], ["--version"], ["recipes"], ["train", "--help"]):
        more = set() if command == ["recipes"] else {"rich"}
        code = (
            "import sys; sys.argv[1:] = " + repr(command) + "\n"
            "try:\n from s2s.cli import main; main()\nexcept SystemExit as e: assert not e.code, e.code\n"
            "slow = {'torch', 'numpy', 'datasets', 'pyarrow', 'sacrebleu', 'sentencepiece', 'matplotlib'} | "
            + repr(more)
            + "\n"
            "assert not slow & set(sys.modules), slow & set(sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_every_name_is_imported_from_where_it_is_made():
    """A name that a module merely imports is not that module's to give."""
    wrong = []
    trees = {path: ast.parse(path.read_text()) for top in (ROOT, ROOT.parent / "tests") for path in top.rglob("*.py")}
    made = {".".join(path.relative_to(ROOT.parent).with_suffix("").parts): makes(tree) for path, tree in trees.items()}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in made:
                missing = {alias.name for alias in node.names} - made[node.module]
                wrong += [f"{path.relative_to(ROOT.parent)}:{node.lineno} {name} of {node.module}" for name in missing]
    assert not wrong, "\n".join(wrong)


def makes(tree: ast.Module) -> set[str]:
    """What a module defines at its top."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)}
    return names


def test_every_folder_of_tests_is_a_package():
    """So helpers have one name, tests.helpers.NAME, wherever pytest is started, and no path is changed for them."""
    tests = ROOT.parent / "tests"
    folders = {path.parent for path in tests.rglob("test_*.py")} | {tests, tests / "helpers"}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
    assert [str(path) for path in tests.rglob("test_*.py") if "sys.path." + "insert" in path.read_text()] == []
