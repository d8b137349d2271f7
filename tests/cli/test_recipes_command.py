import pytest
import typer
from typer.testing import CliRunner

import s2s.recipe_index
from s2s.cli.recipes import first_comment, recipes, summarize
from s2s.errors import RecipeError
from s2s.recipe_index import shipped

app = typer.Typer()
app.add_typer(recipes, name="recipes")
NAMES = [name for name, _ in shipped()]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["recipes", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_every_shipped_recipe_is_listed_with_its_facts():
    lines = [line.split("\t") for line in run().splitlines()]
    assert [line[0] for line in lines] == NAMES
    for name, task, data, model, reaches in lines:
        assert all((task, data, model)), name
        assert len(reaches.split()) > 2, f"{name} does not open with what it reaches"


@pytest.mark.parametrize("name", NAMES)
def test_show_prints_the_very_file(name):
    assert run("show", name) == dict(shipped())[name].read_text(encoding="utf-8")


def test_copy_is_equal_and_overwrites_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = dict(shipped())[NAMES[0]].read_text(encoding="utf-8")
    assert f"s2s train {NAMES[0]}.yaml" in run("copy", NAMES[0])
    assert (tmp_path / f"{NAMES[0]}.yaml").read_text(encoding="utf-8") == text
    (tmp_path / f"{NAMES[0]}.yaml").write_text("mine")
    with pytest.raises(RecipeError, match="is there already"):
        run("copy", NAMES[0])
    assert (tmp_path / f"{NAMES[0]}.yaml").read_text() == "mine"
    (tmp_path / "folder").mkdir()
    run("copy", NAMES[0], "folder")
    run("copy", NAMES[0], "other.yaml")
    assert (tmp_path / "folder" / f"{NAMES[0]}.yaml").read_text(encoding="utf-8") == text
    assert (tmp_path / "other.yaml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("target", ["missing/x.yaml", "file/x.yaml"])
def test_a_place_that_cannot_be_written_is_an_error(target, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(RecipeError, match="cannot be written"):
        run("copy", NAMES[0], target)


@pytest.mark.parametrize("verb", ["show", "copy"])
def test_an_unknown_name_gets_the_nearest(verb):
    with pytest.raises(RecipeError, match=f"did you mean '{NAMES[0]}'"):
        run(verb, f"{NAMES[0]}x")
    with pytest.raises(RecipeError, match="cannot be read: No such file"):
        run(verb, "missing.yaml")


def test_a_broken_recipe_does_not_hide_the_others(tmp_path, monkeypatch):
    (tmp_path / "a.yaml").write_text(
        "# Good\n# and cheap\n\ntask: t\ndata: {kind: text, path: d}\nmodel: {encoder: rnn}\n"
    )
    (tmp_path / "b.yaml").write_text("model: {")
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "d.yaml").write_text("model: 3\ntask: [1]")
    monkeypatch.setattr(s2s.recipe_index, "recipes_folder", lambda: tmp_path)
    lines = run().splitlines()
    assert lines[0] == "a\tt\ttext d\trnn\tGood and cheap"
    assert "cannot be read" in lines[1]
    assert "cannot be read" in lines[2]
    assert lines[3].startswith("d\t")


def test_summaries_read_what_is_written(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("model:\n  encoder: {kind: rnn, hidden: 64}\n  head: decoder\n")
    assert summarize("x", path).model == "rnn 64 → decoder"


def test_the_first_comment_ends_at_a_blank_line():
    assert first_comment("# One,\n#  two.\n#\n# three\nname: x") == "One, two."
    assert first_comment("name: x\n# no") == ""


def test_a_terminal_shows_a_table_and_colors(monkeypatch):
    import io

    from rich.console import Console

    screen = Console(file=io.StringIO(), force_terminal=True, width=80, record=True, color_system="truecolor")
    monkeypatch.setattr("s2s.cli.recipes.output", lambda: screen)
    run()
    run("show", NAMES[0])
    text = screen.export_text(clear=False)
    assert all(name in text for name in NAMES)
    assert all(
        line in text for line in dict(shipped())[NAMES[0]].read_text(encoding="utf-8").split("\n") if len(line) < 80
    )
    assert "\x1b[" in screen.export_text(styles=True)
