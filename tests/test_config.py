"""Signatures as schemas: what is taken, what is refused, and with what words."""

from pathlib import Path
from typing import Literal

import pytest
import yaml

from s2s.config import configure, convert, parse_dataclass
from s2s.errors import RecipeError
from s2s.registry import (
    ComponentConfig,
    NonNegativeFloat,
    PositiveInt,
    Probability,
    Registrable,
    options_of,
    tree,
    type_name,
)


class Spice(Registrable, given=("grams",)):
    """For the tests."""


class Pepper(Spice, kind="pepper"):
    def __init__(self, grams: int = 0, *, heat: Probability = 0.5, color: Literal["black", "white"] = "black") -> None:
        self.heat, self.color = heat, color


@Spice.register("salt")
def salt(grams: int, *, fine: bool = False) -> tuple[int, bool]:
    return grams, fine


class Dish(Registrable, given=("size",)):
    """A part that has parts."""


class Soup(Dish, kind="soup"):
    def __init__(
        self,
        size: int,
        *,
        name: str,
        spice: ComponentConfig[Spice] = configure(Spice, "pepper"),
        extra: ComponentConfig[Spice] | None = None,
        liters: NonNegativeFloat = 1.0,
        spoons: PositiveInt | None = None,
        steps: tuple[ComponentConfig[Spice], ...] = (),
        column: int | str = 0,
        where: Path = Path("."),
    ) -> None:
        self.size, self.name, self.spice, self.extra = size, name, spice, extra


def says(node, *parts):
    with pytest.raises(RecipeError) as caught:
        configure(Dish, node, "dish")
    for part in parts:
        assert part in str(caught.value)
    return caught.value


def test_a_name_is_a_kind_without_options():
    assert configure(Spice, "pepper") == configure(Spice, {"kind": "pepper"})
    assert configure(Spice, "salt")(3) == (3, False)
    assert configure(Spice, {"kind": "salt", "fine": True})(3) == (3, True)


def test_families_keep_their_members_apart():
    assert set(Spice.registry) == {"pepper", "salt"}
    assert set(Dish.registry) == {"soup"}


@pytest.mark.parametrize(
    ("node", "parts"),
    [
        ("sup", ["dish.kind: there is no dish called 'sup'", "did you mean 'soup'?"]),
        (None, ["needs the name of a dish, found None"]),
        ({"name": "x"}, ["needs a kind of dish", "soup"]),
        ("soup", ["dish 'soup' needs 'name'", "it has no default"]),
        (
            {"kind": "soup", "name": "x", "litres": 2},
            ["dish.litres", "has no option 'litres'", "did you mean 'liters'?"],
        ),
        ({"kind": "soup", "name": "x", "liters": "two"}, ["dish.liters: expected a number, found 'two'"]),
        ({"kind": "soup", "name": "x", "liters": True}, ["expected a number, found True"]),
        ({"kind": "soup", "name": "x", "liters": -1}, ["must be at least 0, found -1"]),
        ({"kind": "soup", "name": "x", "spoons": 0}, ["must be at least 1, found 0"]),
        ({"kind": "soup", "name": "x", "spoons": 1.5}, ["expected a whole number, found 1.5"]),
        ({"kind": "soup", "name": False}, ["expected text, found False", "put it in quotes"]),
        ({"kind": "soup", "name": 7}, ["expected text, found 7", "put it in quotes: '7'"]),
        ({"kind": "soup", "name": "x", "spice": {"heat": 2}}, ["dish.spice.heat: must be from 0 to 1, found 2"]),
        (
            {"kind": "soup", "name": "x", "spice": {"color": "blak"}},
            ["'blak' is not a choice", "did you mean 'black'?"],
        ),
        ({"kind": "soup", "name": "x", "extra": "peper"}, ["dish.extra.kind", "did you mean 'pepper'?"]),
        ({"kind": "soup", "name": "x", "steps": ["salt", "sugar"]}, ["dish.steps[1].kind", "no spice called 'sugar'"]),
        ({"kind": "soup", "name": "x", "where": "$NOT_SET_ANYWHERE/x"}, ["no variable 'NOT_SET_ANYWHERE'"]),
        ({"kind": "soup", "name": "x", "where": 3}, ["expected a path, found 3"]),
    ],
)
def test_mistakes_are_named(node, parts):
    says(node, *parts)


def test_all_mistakes_come_at_once():
    error = says({"kind": "soup", "liters": "x", "spoons": 0, "spicy": 1}, "liters", "spoons", "spicy", "needs 'name'")
    assert len(error.problems) == 4


def test_a_default_gives_its_kind_and_its_options():
    default = configure(Spice, {"kind": "pepper", "heat": 0.9})
    changed = configure(Spice, {"color": "white"}, "", default)
    assert changed.kwargs == {"heat": 0.9, "color": "white"}
    assert configure(Spice, {"kind": "salt"}, "", default).kwargs == {}


def test_null_and_none_are_nothing():
    for nothing in (None, "none"):
        assert configure(Dish, {"kind": "soup", "name": "x", "extra": nothing})(1).extra is None


@pytest.mark.parametrize(
    ("value", "hint", "wanted"),
    [
        ("1e-3", float, 1e-3),
        (3, float, 3.0),
        ("1e6", int, 1_000_000),
        (2.0, int, 2),
        ("en", int | str, "en"),
        (1, int | str, 1),
        ("x", list[str], ["x"]),
        (["x", "y"], tuple[str, ...], ("x", "y")),
        ("~/x", Path, Path("~/x").expanduser()),
    ],
)
def test_values_are_read_as_people_write_them(value, hint, wanted):
    got = convert(value, hint, "here")
    assert got == wanted
    assert type(got) is type(wanted)


def test_variables_in_paths(monkeypatch):
    monkeypatch.setenv("CORPORA", "/data")
    assert convert("$CORPORA/x", Path, "here") == Path("/data/x")


def test_a_checked_part_written_out_in_full_is_the_same_part():
    made = configure(Dish, {"kind": "soup", "name": "x", "spice": {"heat": 0.1}, "steps": ["salt"]})
    text = yaml.safe_dump(tree(made))
    again = configure(Dish, yaml.safe_load(text))
    assert tree(again) == tree(made)
    assert tree(made)["spice"] == {"kind": "pepper", "heat": 0.1, "color": "black"}
    assert tree(made, full=False) == {
        "kind": "soup",
        "name": "x",
        "spice": {"kind": "pepper", "heat": 0.1},
        "steps": [{"kind": "salt"}],
    }


def test_options_say_their_types():
    said = {name: type_name(option.hint) for name, option in options_of(Soup).items()}
    assert said["spice"] == "a kind of spice"
    assert said["extra"] == "a kind of spice or null"
    assert said["liters"] == "a number, at least 0"
    assert "size" not in said


def test_a_section_must_be_a_section():
    with pytest.raises(RecipeError, match="expected options, found 3"):
        parse_dataclass(Pepper, 3, "spice")


def test_a_default_that_is_written_out_is_no_choice():
    told = configure(Dish, {"kind": "soup", "name": "x", "liters": 2})
    assert told.kwargs == {"name": "x", "liters": 2.0}
    assert configure(Dish, tree(told)) == told
    assert configure(Dish, {"kind": "soup", "name": "x", "liters": 1, "column": 0, "steps": []}).kwargs == {"name": "x"}
    assert configure(Dish, {"kind": "soup", "name": "x", "column": "0"}).kwargs == {"name": "x", "column": "0"}
