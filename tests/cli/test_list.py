import re
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from s2s.cli.describe import about_component, default_text, described_component, plain_value
from s2s.cli.list import FAMILIES, SECTIONS, kinds_listed, list_parts, members
from s2s.config import configure, convert
from s2s.errors import RecipeError
from s2s.registry import Option, Registrable, RegistrableFunctions, options_of

app = typer.Typer()
app.command()(list_parts)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


@pytest.fixture(scope="module", autouse=True)
def all_parts():
    import s2s.recipe  # noqa: F401


def test_every_family_there_is_can_be_listed():
    listed = {(entry.module, entry.name) for entry in FAMILIES.values()}
    there = {
        (family.__module__, family.__name__)
        for family in [*Registrable.__subclasses__(), *RegistrableFunctions.__subclasses__()]
    }
    there -= {("s2s.registry", "RegistrableFunctions")}
    assert {entry for entry in there if entry[0].startswith("s2s.")} == listed


def test_without_a_name_it_names_families_and_kinds():
    text = run()
    for name, entry in FAMILIES.items():
        assert name in text
        assert all(kind in text for kind in kinds_listed(entry))


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_family_shows_every_kind_with_every_option_and_default(family):
    text = run(family)
    for kind, maker in members(family).items():
        assert re.search(rf"^{re.escape(kind)}$", text, re.MULTILINE)
        block = "\n".join(line.plain for line in described_component(kind, maker))
        for option in options_of(maker).values():
            line = re.search(rf"^ +{option.name} .*$", block, re.MULTILINE)
            assert line, f"{family} {kind} does not show {option.name}"
            assert line[0].rstrip().endswith(default_text(option))


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_kind_says_what_it_is_and_shows_the_papers_it_cites(family):
    text = run(family)
    for kind, maker in members(family).items():
        doc = maker.__doc__ or ""
        assert len(doc.split()) > 2, f"{family} {kind} has no docstring"
        assert not doc.startswith(f"{getattr(maker, '__name__', '')}("), (
            f"{family} {kind}: dataclass wrote this docstring"
        )
        for paper in re.findall(r"https?://\S+", doc):
            assert paper in text, f"{family} {kind} hides {paper}"


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_defaults_are_written_as_a_recipe_would_have_them(family):
    import yaml

    for maker in members(family).values():
        for option in options_of(maker).values():
            if not option.required:
                read = yaml.safe_load(plain_value(option.default))
                assert convert(read, option.hint, option.name, option.default) == option.default


def test_singular_and_plural_are_one_name():
    assert run("cell") == run("cells") == run("Cells")
    assert run("search") == run("searches")


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(RecipeError, match="did you mean 'encoders'"):
        run("encodres")
    with pytest.raises(RecipeError, match="did you mean 'beam'"):
        run("searches", "beem")


def test_one_kind_shows_all_of_its_docstring():
    import inspect

    text = run("searches", "beam")
    for line in (inspect.getdoc(members("search")["beam"]) or "").splitlines():
        assert line in text
    assert "\ngreedy" not in text


def test_one_kind_shows_what_its_family_says_about_shared_options():
    assert "share of the characters" in run("tokenizers", "bpe")
    assert "what the data calls its training split" in run("readers", "tsv")


def test_sections_list_their_options():
    text = run(*SECTIONS)
    assert all(name in text for name in ("batch_size", "label_smoothing", "optimizer"))


def test_about_is_the_first_line_and_what_it_cites():
    def part() -> None:
        """First.

        Second.
        Smith 2020, https://example.org/1
        """

    assert about_component(part) == ["First.", "Smith 2020, https://example.org/1"]
    assert about_component(lambda: None) == []


def test_predictors_are_listed_in_a_new_process():
    """They stand above builtin.py, so nothing else has imported them there."""
    command = [sys.executable, "-c", "from s2s.cli import main; main()", "list", "predictors"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    kinds = {line for line in done.stdout.splitlines() if line and not line.startswith(" ")}
    assert kinds == {"seq2seq", "classifier", "language-model", "task"}, done.stderr


def test_plain_values():
    from s2s.decoding.search import Search

    assert [plain_value(v) for v in (None, True, 0.1, 1e-9, "a", "", "no", ",", (1, 2), {"a": None})] == [
        "null", "true", "0.1", "1e-09", "a", "''", "'no'", "','", "[1, 2]", "{a: null}",
    ]  # fmt: skip
    assert plain_value(configure(Search, "beam")) == "beam"
    assert plain_value(configure(Search, {"kind": "beam", "beam_size": 3})) == "{kind: beam, beam_size: 3}"
    assert default_text(Option("x", int, options_of(needy)["x"].default)) == "(must be given)"


def needy(*, x: int) -> None: ...
