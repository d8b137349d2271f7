"""Imports go down the stairs, never up; and the help page imports nothing heavy."""

import ast
import re
import subprocess
import sys

from tools.architecture import PICTURE, ROOT, circles, draw, floors, folded, graph, imported, modules, top

FLOORS = [
    {"allocator", "errors", "execution", "former_names", "signatures", "tensors"},
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


def test_imports_go_down():
    wrong, known = [], modules()
    for name, path in known.items():
        for line, other in imported(path, known):
            here, there = top(name), top(other)
            if here not in ("", "__main__", there) and there and FLOOR[there] >= FLOOR[here]:
                wrong.append(f"{path.relative_to(ROOT.parent)}:{line} imports {other}")
    assert not wrong, "\n".join(wrong)


def test_no_imports_go_in_a_circle():
    """Lazy ones and those for types included: a circle is two modules that cannot be read one after the other."""
    assert circles(graph()) == []


def test_the_picture_of_the_architecture_is_current():
    """What it shows is what the imports say: python -m tools.architecture draws it again."""
    assert PICTURE.read_text(encoding="utf-8") == draw()
    assert {name for floor in floors(folded(graph())) for name in floor} == set(FLOOR)


def test_a_circle_is_found():
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"b"}, "d": {"e"}, "e": set(), "f": {"a", "e"}}
    assert circles(graph) == [["b", "c"]]
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"e"}, "e": {"d", "a"}}) == [["a", "b", "c"], ["d", "e"]]


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


def test_a_name_means_one_thing():
    """No name is defined at the top of two modules. The grammars of the demos are worlds of their own: each has its words."""
    places: dict[str, list[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        for name in makes(ast.parse(path.read_text())) - {"__all__"}:
            places.setdefault(name, []).append(str(path.relative_to(ROOT.parent)))
    twice = {name: where for name, where in places.items() if len(where) > 1}
    apart = {name: [place for place in where if "/synthetic/" not in place] for name, where in twice.items()}
    wrong = {name: twice[name] for name, where in apart.items() if where}
    assert not wrong, "\n".join(f"{name}: {', '.join(where)}" for name, where in sorted(wrong.items()))


def test_files_that_a_sentence_names_are_there():
    """A docstring or comment that sends a reader to a file sends them to one that exists."""
    root = ROOT.parent
    there = {
        str(path.relative_to(root)) for top in (ROOT, root / "tests", root / "tools") for path in top.rglob("*.py")
    }
    wrong = [
        f"{path.relative_to(root)}:{number}: {name}"
        for path in sorted(ROOT.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for name in re.findall(r"(?<![\w.])[\w/]+\.py\b", line)
        if not any(file == name or file.endswith(f"/{name}") for file in there)
    ]
    assert not wrong, "\n".join(wrong)
