"""Imports go down the stairs, never up; and the help page imports nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1] / "s2s"
FLOORS = [
    {"errors", "registration"},
    {"parts", "plugins", "safefiles", "tensors"},
    {"config", "native"},
    {"data", "figures", "nn", "recipe_yaml"},
    {"decoding"},
    {"tasks"},
    {"training"},
    {"builtin"},
    {"recipe", "shipped"},
    {"prepare", "predicting", "predict", "schema", "session", "evaluation"},
    {"cli"},
]
FLOOR = {name: i for i, names in enumerate(FLOORS) for name in names}
SHARED = FLOOR["predict"]  # whose modules may see one another: prepare, session, predict, evaluation


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
            below = FLOOR[parts[1]] < FLOOR[here] or FLOOR[here] == FLOOR[parts[1]] == SHARED
            if not below:
                wrong.append(f"{path.relative_to(ROOT.parent)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


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
