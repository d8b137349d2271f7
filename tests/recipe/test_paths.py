"""Where the paths of a recipe lead: beside it, then the working folder; and a run is evaluated from anywhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import s2s
from s2s.api.prepare import last_split, open_split, prepare_data
from s2s.data.readers.huggingface import HuggingFace
from s2s.errors import DataError, RecipeError
from s2s.paths import absolute, find, map_paths, paths_of
from s2s.recipe import parse_recipe, read_recipe
from s2s.recipe_index import find_recipe, shipped
from s2s.registry import ComponentConfig, PathOrName
from tests.helpers.toy_runs import RECIPE, write_corpus

SHORT = ["training.steps=2", "training.epochs=null", "training.precision=fp32"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder beside which, in `sub`, is a recipe with its data in `sub/data`."""
    write_corpus(tmp_path / "sub" / "data")
    (tmp_path / "sub" / "toy.yaml").write_text(RECIPE.replace("FOLDER", "data"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def path_of(recipe):
    return recipe.data.kwargs["path"]


def test_a_path_is_relative_to_the_recipe(here):
    recipe = read_recipe("../sub/toy.yaml")
    assert path_of(recipe).resolve() == here.parent / "sub" / "data"
    assert len(open_split(recipe, "train")) == 12


def test_beside_the_recipe_comes_before_the_working_folder(here):
    (here / "data").mkdir()
    assert path_of(read_recipe("../sub/toy.yaml")).resolve() == here.parent / "sub" / "data"
    shutil.rmtree(here.parent / "sub" / "data")
    assert path_of(read_recipe("../sub/toy.yaml")).resolve() == here / "data", "as it was before"


@pytest.mark.parametrize("change", ["data.path=data", "data={kind: text, path: data, source: en, target: es}"])
def test_on_the_command_line_it_is_relative_to_the_working_folder(here, change):
    recipe = read_recipe("../sub/toy.yaml", [change])
    assert path_of(recipe) == Path("data")
    with pytest.raises(DataError, match=r"^data: there is no such file or folder\n  the folder has: nothing$"):
        open_split(recipe, "train")
    write_corpus(here / "data")
    assert len(open_split(read_recipe("../sub/toy.yaml", [change]), "train")) == 12


def test_a_path_that_leads_nowhere_names_both_places(here):
    shutil.rmtree(here.parent / "sub" / "data")
    recipe = read_recipe("../sub/toy.yaml")
    with pytest.raises(DataError) as caught:
        prepare_data(recipe)
    where, hint = str(caught.value).split("\n")
    assert where == "../sub/data: there is no such file or folder"
    looked = "  data.path: looked for ../sub/data, beside the recipe, and data, in the working folder"
    assert hint == f"{looked}; the folder has: toy.yaml"


def test_an_error_about_what_is_in_the_data_says_nothing_of_paths(here):
    (here.parent / "sub" / "data" / "train.es").write_text("uno\n")
    with pytest.raises(DataError, match="has 12 lines") as caught:
        prepare_data(read_recipe("../sub/toy.yaml"))
    assert "looked for" not in str(caught.value)


def test_every_path_of_a_recipe_is_found_so(here):
    sub = here.parent / "sub"
    (sub / "vectors.txt").write_text("one 1 2 3 4 5 6 7 8\n")
    text = (sub / "toy.yaml").read_text().replace("model:\n", "model:\n  word_vectors: {path: vectors.txt}\n")
    (sub / "toy.yaml").write_text(text)
    recipe = read_recipe("../sub/toy.yaml")
    assert paths_of(recipe) == {"data.path": Path("../sub/data"), "model.word_vectors.path": Path("../sub/vectors.txt")}
    assert all(path.is_absolute() for path in paths_of(absolute(recipe)).values())
    (sub / "vectors.txt").unlink()
    with pytest.raises(
        DataError, match=r"word_vectors\.path: looked for \.\./sub/vectors\.txt, beside the recipe, and v"
    ):
        s2s.train(read_recipe("../sub/toy.yaml", SHORT), here / "out")


def test_absolute_paths_and_paths_from_home_stay(here, monkeypatch):
    monkeypatch.setenv("CORPUS", str(here.parent / "sub" / "data"))
    recipe = read_recipe("../sub/toy.yaml", ["data.path=$CORPUS"])
    assert path_of(recipe) == here.parent / "sub" / "data"
    (here.parent / "sub" / "toy.yaml").write_text(RECIPE.replace("FOLDER", "$CORPUS"))
    assert path_of(read_recipe("../sub/toy.yaml")) == here.parent / "sub" / "data"


def test_a_recipe_without_a_file_means_the_working_folder(here):
    assert path_of(parse_recipe(RECIPE.replace("FOLDER", "data"))) == Path("data")


def test_shipped_recipes_mean_the_working_folder(here):
    (here / "input.txt").write_text("To be, or not to be\n" * 20)
    recipe = read_recipe(find_recipe("char-shakespeare"))
    assert path_of(recipe) == Path("input.txt")
    assert len(open_split(recipe, "train")) == 18
    for name, file in shipped():
        assert not any(Path(path).is_absolute() for path in paths_of(read_recipe(file)).values()), name


def test_what_may_be_a_name_on_the_hub(here):
    data = "{kind: huggingface, path: WHERE, source: en, target: es}"
    file = here.parent / "sub" / "hub.yaml"
    file.write_text(
        RECIPE.replace("{kind: text, path: FOLDER, source: en, target: es}", data.replace("WHERE", "some/name"))
    )
    recipe = read_recipe(file)
    assert path_of(recipe) == "some/name"
    assert absolute(recipe).data.kwargs["path"] == "some/name"
    assert "path: some/name\n" in absolute(recipe).to_yaml()
    (file.parent / "some" / "name").mkdir(parents=True)
    assert path_of(read_recipe(file)) == str(file.parent / "some" / "name")
    assert isinstance(recipe.data(), HuggingFace)
    file.write_text(file.read_text().replace("some/name", "./typo"))
    with pytest.raises(
        DataError, match=r"typo: there is no such file or folder\n  data\.path: looked for .*sub/typo, bes"
    ):
        open_split(read_recipe(file), "train")


def test_parts_on_the_command_line_are_in_the_working_folder(here):
    (here / "mine.py").write_text("import s2s.nn.attention\n")
    recipe = read_recipe("../sub/toy.yaml", ["uses=[mine.py]"])
    assert recipe.origin.parts == (Path("mine.py"),)
    (here / "mine.py").rename(here.parent / "sub" / "mine.py")
    recipe = read_recipe("../sub/toy.yaml", ["uses=[mine.py]"])
    assert recipe.origin.parts == (Path("../sub/mine.py"),)
    with pytest.raises(RecipeError, match=r"there is no file '\.\./sub/other\.py'"):
        read_recipe("../sub/toy.yaml", ["uses=[other.py]"])


def test_a_run_is_evaluated_from_anywhere(here, tmp_path_factory, monkeypatch):
    s2s.train(read_recipe("../sub/toy.yaml", SHORT), Path("out"))
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    recipe = s2s.load(here / "out").recipe
    assert path_of(recipe).is_absolute()
    assert len(open_split(recipe, last_split(recipe))) == 4


def test_runs_of_before_kept_paths_of_the_working_folder(here, monkeypatch):
    """Their recipe.yaml says what was written, and it was relative to where the training was started."""
    write_corpus(here / "data")
    s2s.train(read_recipe("../sub/toy.yaml", [*SHORT, "data.path=data"]), Path("out"))
    file = here / "out" / "recipe.yaml"
    file.write_text(file.read_text().replace(str(here / "data"), "."))
    monkeypatch.chdir(here / "data")
    assert len(open_split(s2s.load("../out").recipe, "validation")) == 4


def test_in_processes_of_their_own(here):
    def run(*arguments, cwd):
        command = [sys.executable, "-m", "s2s", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(Path(s2s.__file__).parents[1])}
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)

    done = run("train", "toy.yaml", *SHORT, "--out", "run", cwd=here.parent / "sub")
    assert done.returncode == 0, done.stderr
    done = run("evaluate", "sub/run", cwd=here.parent)
    assert done.returncode == 0, done.stderr


def test_paths_are_found_in_every_kind_of_value():
    tree = ComponentConfig(
        "x",
        {
            "path": Path("a"),
            "many": (Path("b"), "c"),
            "inner": ComponentConfig("y", {"d": {"e": PathOrName("f")}}, dict),
        },
        dict,
    )
    assert paths_of(tree) == {".path": Path("a"), ".many[0]": Path("b"), ".inner.d.e": "f"}
    moved = map_paths(tree, lambda key, path: type(path)("/x"))
    assert set(paths_of(moved).values()) == {Path("/x"), "/x"}
    assert moved.kwargs["many"][1] == "c"


def test_find_takes_the_first_that_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find(Path("x"), tmp_path / "sub") == tmp_path / "sub" / "x"
    (tmp_path / "x").touch()
    assert find(Path("x"), tmp_path / "sub") == Path("x")
    assert find(Path("x"), tmp_path) == Path("x")
