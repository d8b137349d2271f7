"""The JSON schema of recipes takes what s2s takes, and refuses what it refuses."""

import json
import re

import pytest
import yaml
from typer.testing import CliRunner

from s2s.cli.app import app
from s2s.nn.attention import Additive, Attention
from s2s.recipe import parse_recipe
from s2s.recipe_index import shipped
from s2s.recipe_schema import recipe_schema
from s2s.registry import Registrable

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
GOOD = """\
name: x
task: {kind: translation, tokenizer: {kind: word, min_count: 2}}
data: generated
model:
  encoder: {hidden: 8, dropout: 0.1}
  head: {kind: decoder, attention: none, layers: 2}
training: {steps: 3, optimizer: {kind: adam, learning_rate: 0.01}, average: null, batch_unit: sentences}
"""


def fits(value, rule, whole) -> bool:
    """As much of JSON schema as the schema uses."""
    if rule is True or rule is False:
        return rule
    if "$ref" in rule:
        return fits(value, whole["$defs"][rule["$ref"].rpartition("/")[2]], whole)
    if "anyOf" in rule and not any(fits(value, one, whole) for one in rule["anyOf"]):
        return False
    if "enum" in rule and value not in rule["enum"]:
        return False
    if "const" in rule and value != rule["const"]:
        return False
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if (kind := rule.get("type")) in ("number", "integer"):
        if not number or (kind == "integer" and value != int(value)):
            return False
    elif kind and not isinstance(value, TYPES[kind]):
        return False
    if number and not rule.get("minimum", value) <= value <= rule.get("maximum", value):
        return False
    if isinstance(value, list):
        return all(fits(item, rule.get("items", True), whole) for item in value)
    if isinstance(value, dict):
        known, rest = rule.get("properties", {}), rule.get("additionalProperties", True)
        return set(rule.get("required", ())) <= set(value) and all(
            fits(item, known.get(key, rest), whole) for key, item in value.items()
        )
    return True


def read(text: str):
    """As editors read YAML: 1e-3 is a number, which it is not for PyYAML."""

    def numbers(node):
        if isinstance(node, dict):
            return {key: numbers(item) for key, item in node.items()}
        if isinstance(node, list):
            return [numbers(item) for item in node]
        return float(node) if isinstance(node, str) and re.fullmatch(r"[\d.]+e[-+]?\d+", node) else node

    return numbers(yaml.safe_load(text))


@pytest.fixture(scope="module")
def whole():
    return json.loads(json.dumps(recipe_schema()))


@pytest.mark.parametrize("name", [name for name, _ in shipped()])
def test_every_recipe_fits_in_short_and_in_full(name, whole):
    text = dict(shipped())[name].read_text()
    assert fits(read(text), whole, whole)
    assert fits(read(parse_recipe(text).to_yaml()), whole, whole)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: x", ""),
        ("name: x", "name: 3"),
        ("hidden: 8", "hidden: 0"),
        ("dropout: 0.1", "dropout: 2"),
        ("kind: word", "kind: wrod"),
        ("min_count", "mincount"),
        ("kind: decoder, attention", "kind: decoder, atention"),
        ("attention: none", "attention: some"),
        ("steps: 3", "steps: many"),
        ("steps: 3", "step: 3"),
        ("batch_unit: sentences", "batch_unit: words"),
        ("data: generated", "data: 3"),
    ],
)
def test_it_refuses_what_s2s_refuses(old, new, whole):
    parse_recipe(GOOD)
    assert fits(read(GOOD), whole, whole)
    wrong = GOOD.replace(old, new)
    assert not fits(read(wrong), whole, whole)
    with pytest.raises(Exception, match="."):
        parse_recipe(wrong)


def test_every_family_and_kind_is_in_it(whole):
    families = {family.__name__: family for family in every(Registrable) if vars(family).get("registry")}
    families = {name: family for name, family in families.items() if family.__module__.startswith("s2s.")}
    families.pop("Predictor", None)  # a task names that, and no recipe does
    assert set(families) == set(whole["$defs"])
    for name, family in families.items():
        assert set(whole["$defs"][name]["anyOf"][0]["enum"]) >= {
            k for k, m in family.registry.items() if m.__module__.startswith("s2s")
        }


def every(cls):
    return {cls}.union(*map(every, cls.__subclasses__()))


def test_former_names_are_there_and_deprecated(monkeypatch):
    monkeypatch.setattr(Additive, "aliases", {"units": "size"})
    monkeypatch.setattr(Attention, "former", {"bahdanau-style": "additive"})
    members = {
        one["properties"]["kind"].get("const"): one for one in recipe_schema()["$defs"]["Attention"]["anyOf"][1:]
    }
    assert members["bahdanau-style"]["properties"]["units"]["deprecated"]
    assert members["additive"]["properties"]["size"] == {"type": "integer", "minimum": 1, "default": 256}


def test_the_command_prints_it(whole):
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["properties"].keys() == whole["properties"].keys()
