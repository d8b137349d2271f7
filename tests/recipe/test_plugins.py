"""Where parts come from: s2s's own list, files, modules, and installed packages."""

import ast
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import s2s
from s2s import plugins
from s2s.errors import RecipeError
from s2s.nn.attention import Attention
from s2s.recipe import parse_recipe

ROOT = Path(s2s.__file__).parent
PART = '''
from s2s.nn.attention import Attention

class Own(Attention, kind="{kind}"):
    """q . k, called {kind}"""

    def score(self, query, keys):
        return query @ keys.transpose(1, 2)
'''
RECIPE = """\
name: own
uses: {uses}
task: {{kind: translation, tokenizer: word}}
data: {{kind: generated, size: 40}}
model:
  encoder: {{kind: rnn, hidden: 4, embedding: 4}}
  head: {{kind: decoder, hidden: 8, embedding: 4, attention: {kind}}}
training: {{steps: 1, precision: fp32, validation_search: null}}
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A folder on Python's path with a package of parts; gives a function that installs a plugin of it."""
    monkeypatch.setattr(Attention, "registry", dict(Attention.registry))
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "own_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "parts.py").write_text(PART.format(kind="of-a-package"))
    (folder / "broken.py").write_text("import nothing_of_that_name\n")
    points = {}
    monkeypatch.setattr(plugins, "installed", lambda: points)

    def install(name: str, module: str) -> None:
        points[name] = EntryPoint(name, module, plugins.ENTRY_POINT_GROUP)

    yield install
    plugins.load_plugin.cache_clear()
    for name in [name for name in sys.modules if name.startswith("own_package")]:
        del sys.modules[name]


def recipe(kind, uses="[]", **options):
    return parse_recipe(RECIPE.format(uses=uses, kind=kind), **options)


def test_everything_that_registers_is_in_one_list():
    """And nothing of s2s registers anything that it does not name."""
    listed = {
        alias.name
        for node in ast.parse((ROOT / "builtin.py").read_text()).body
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    registering = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            named = isinstance(node, ast.ClassDef) and any(keyword.arg == "kind" for keyword in node.keywords)
            called = [d.func for d in getattr(node, "decorator_list", []) if isinstance(d, ast.Call)]
            if named or any(isinstance(f, ast.Attribute) and f.attr == "register" for f in called):
                registering.add(".".join(path.relative_to(ROOT.parent).with_suffix("").parts))
    above = {name for name in registering if name.startswith("s2s.predictors.")}  # predictors/load.py has them
    assert registering == listed | above


def test_nothing_else_is_imported_for_the_sake_of_registering():
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import) and path.name != "builtin.py":
                found |= {(path.name, alias.name) for alias in node.names if alias.name.startswith("s2s.")}
    predictors = {("load.py", f"s2s.predictors.{name}") for name in ("language_model", "classifier", "seq2seq")}
    assert found == {("recipe.py", "s2s.builtin")} | predictors


@pytest.mark.parametrize(
    "module", ["s2s.tasks.captioning", "s2s.tasks.classification", "s2s.data.fields.text", "s2s.training.config"]
)
def test_a_module_imports_what_its_defaults_need(module):
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_module_is_used_by_its_name(package):
    assert recipe("of-a-package", "[own_package.parts]").model.head.kwargs["attention"].kind == "of-a-package"


def test_a_plugin_is_used_by_its_name(package):
    package("own-parts", "own_package.parts")
    assert recipe("of-a-package", "own-parts").model.head.kwargs["attention"].kind == "of-a-package"


def test_a_plugin_is_found_by_the_kind_that_only_it_has(package):
    package("own-parts", "own_package.parts")
    assert "own_package.parts" not in sys.modules
    recipe("dot")
    assert "own_package.parts" not in sys.modules  # nothing is imported that nobody asks for
    assert recipe("of-a-package").model.head.kwargs["attention"].kind == "of-a-package"


def test_what_does_not_import_is_said_in_a_line(package, tmp_path):
    package("broken", "own_package.broken")
    with pytest.raises(RecipeError, match=r"the plugin 'broken' does not import: ModuleNotFoundError: No module named"):
        recipe("dot", "broken")
    with pytest.raises(
        RecipeError, match="own_package.broken does not import: ModuleNotFoundError: No module named 'noth"
    ):
        recipe("dot", "own_package.broken")
    with pytest.raises(RecipeError) as error:
        recipe("dto")
    assert "did you mean 'dot'?" in error.value.problems[0].hint
    assert "the plugin 'broken' does not import" in error.value.problems[0].hint
    (tmp_path / "my_parts.py").write_text("")
    with pytest.raises(RecipeError) as error:
        recipe("dot", "my_part", folder=tmp_path)
    assert error.value.problems[0].what == "there is no file, module or plugin called 'my_part'"
    assert "did you mean 'my_parts.py'?" in error.value.problems[0].hint
    with pytest.raises(RecipeError, match="there is no file '.*other.py'"):
        recipe("dot", "other.py", folder=tmp_path)


def test_a_run_brings_files_along_and_names_what_is_installed(package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PART.format(kind="of-a-file"))
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.format(uses="[mine.py, own_package.parts]", kind="of-a-file"))
    s2s.train(s2s.read_recipe(path), tmp_path / "run")
    opened = s2s.load("run", trust=True)
    assert opened.recipe.uses == ("parts/mine.py", "own_package.parts")
    assert [file.name for file in (tmp_path / "run" / "parts").iterdir()] == ["mine.py"]
    assert opened.predict([]) == []
    s2s.train(s2s.read_recipe(path, ["training.steps=2"]), tmp_path / "run")
