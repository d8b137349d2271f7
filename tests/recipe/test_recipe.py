"""Every way to get a recipe wrong, and the sentence that puts it right; and what a recipe may say."""

import pytest
import yaml

from s2s.cli.check import build
from s2s.errors import RecipeError
from s2s.recipe import differences, parse_recipe, read_recipe
from s2s.recipe_index import find_recipe, shipped
from s2s.recipe_yaml import parse_yaml
from s2s.tensors import FieldSpec

GOOD = """\
name: toy
task: {kind: translation, source: {kind: text, tokenizer: word}, target: {kind: text, tokenizer: word}}
data: generated
model:
  encoder: {kind: rnn, cell: lstm, hidden: 16, layers: 2, embedding: 8}
  head:
    kind: decoder
    hidden: 16
    embedding: 8
    attention: {kind: additive, size: 12}
training:
  steps: 20
  optimizer: {kind: adam, learning_rate: 1e-2}
"""

# (what is replaced in the recipe above, by what, the line it is reported on, what is said)
# fmt: off
MISTAKES = [
    ("hidden: 16, layers", "hiden: 16, layers", 5, "encoder 'rnn' has no option 'hiden'\n  did you mean 'hidden'?"),
    ("kind: additive", "kind: additve", 10, "there is no attention called 'additve'\n  did you mean 'additive'?"),
    ("cell: lstm", "cell: lsmt", 5, "there is no cell called 'lsmt'\n  did you mean 'lstm'?"),
    ("kind: decoder", "kind: decodr", 7, "there is no head called 'decodr'\n  did you mean 'decoder'?"),
    ("layers: 2", "layers: two", 5, "expected a whole number, found 'two'"),
    ("layers: 2", "layers: true", 5, "expected a whole number, found True"),
    ("layers: 2", "layers: 0", 5, "must be at least 1, found 0"),
    ("layers: 2", "layers: 2, dropout: 1.5", 5, "must be from 0 to 0.99, found 1.5"),
    ("layers: 2", "layers: 2, bidirectional: 7", 5, "expected true or false, found 7"),
    ("name: toy\n", "", 1, "the recipe needs 'name'"),
    ("name: toy", "name: no", 1, "YAML reads no, yes, on and off as true or false"),
    ("data: generated", "data: {kind: tsv, path: x, source: en, target: no}", 3, "data.target: expected text, found False\n  YAML reads no"),
    ("data: generated", "data: {kind: tsv, path: x, source: on, target: 1}", 3, "data.source: expected text, found True\n  YAML reads no"),
    ("data: generated", "data: {kind: tsv, path: x, source: en, target: [de, no]}", 3, "data.target[1]: expected text, found False\n  YAML reads no"),
    ("data: generated", "data: {kind: tsv, path: x, source: 0, target: 1, labels: [no, yes]}", 3, "data.labels[0]: expected text, found False\n  YAML reads no"),
    ("data: generated", "data: {kind: tsv, path: x, source: 2024-05-01, target: 1}", 3, "YAML reads it as a date: put it in quotes: '2024-05-01'"),
    ("data: generated", "data: {kind: text, path: x, source: null, target: en}", 3, "data.source: expected text, found None\n  YAML reads null"),
    ("{kind: text, tokenizer: word}, target", "{kind: text, tokenizer: word, replace: {no: x}}, target", 2, "replace: expected text, found False\n  YAML reads no"),
    ("data: generated", 'data: {kind: text, path: "C:\\data", source: de, target: en}', 3, "YAML cannot be read here: found unknown escape character 'd'\n  in double quotes YAML reads \\t, \\n and the like as other characters: use single quotes: 'C:\\data'"),
    ("data: generated", 'data: {kind: text, path: "C:\\Users", source: de, target: en}', 3, "use single quotes: 'C:\\data'"),
    ("data: generated", 'data: {kind: text, path: "C:\\train", source: de, target: en}', 3, "data.path: is a path with a control character: 'C:\\train'\n  in double quotes"),
    ("data: generated", f"data: {{kind: lines, path: {'to be or not to be ' * 20}}}", 3, "data.path: is no path: it has a name of more than 255 bytes\n  a text itself goes into `text`"),
    ("name: toy", "name: %toy", 1, "put a text that begins with such a sign in quotes"),
    ("name: toy", "name: 7", 1, "put it in quotes: '7'"),
    ("data: generated\n", "", 1, "the recipe needs 'data'"),
    ("data: generated", "data: generatd", 3, "there is no reader called 'generatd'\n  did you mean 'generated'?"),
    ("data: generated", "data: {kind: tsv, path: x}", 3, "reader 'tsv' needs 'source'"),
    ("kind: translation", "kind: translate", 2, "there is no task called 'translate'\n  did you mean 'translation'?"),
    ("tokenizer: word}, target", "tokenizer: wrd}, target", 2, "there is no tokenizer called 'wrd'"),
    ("  steps: 20", "  step: 20", 12, "has no option 'step'\n  did you mean 'steps'?"),
    ("  steps: 20", "  steps: 0", 12, "must be at least 1, found 0"),
    ("  steps: 20", "  steps: -5", 12, "must be at least 1, found -5"),
    ("  steps: 20", "  batch_unit: words", 12, "'words' is not a choice"),
    ("  steps: 20", "  precision: fp8", 12, "'fp8' is not a choice"),
    ("  steps: 20", "  label_smoothing: 2", 12, "must be from 0 to 1"),
    ("learning_rate: 1e-2", "learning_rate: fast", 13, "expected a number, found 'fast'"),
    ("learning_rate: 1e-2", "learning_rat: 1e-2", 13, "did you mean 'learning_rate'?"),
    ("kind: adam", "kind: adm", 13, "there is no optimizer called 'adm'"),
    ("  steps: 20", "  schedule: cosin", 12, "there is no schedule called 'cosin'"),
    ("  steps: 20", "  average: mean", 12, "there is no averaging called 'mean'"),
    ("  steps: 20", "  validation_search: {kind: greedy, beam_size: 3}", 12, "has no option 'beam_size'"),
    ("training:", "trainig:", 11, "the recipe has no option 'trainig'\n  did you mean 'training'?"),
    ("training:\n", "training: fast\nextra:\n", 11, "expected options, found 'fast'"),
    ("name: toy", "name: toy\nname: again", 2, "name is written twice"),
    ("name: toy", "name: toy\nuses: missing.py", 2, "there is no file"),
    ("name: toy", "name: toy\nuses: [3]", 2, "expected names of files, modules or plugins, found 3"),
    ("    hidden: 16\n", "\thidden: 16\n", 8, "YAML cannot be read here"),
    ("model:", "model: [", 6, "YAML cannot be read here"),
    ("name: toy", "decoding: {kind: beam, beam_size: 0}\nname: toy", 1, "must be at least 1, found 0"),
    ("name: toy", "decoding: beem\nname: toy", 1, "there is no search called 'beem'\n  did you mean 'beam'?"),
]


# fmt: on


@pytest.mark.parametrize(("old", "new", "line", "says"), MISTAKES)
def test_mistakes_are_named_with_their_line(tmp_path, old, new, line, says):
    path = tmp_path / "broken.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: "), str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not a recipe"),
        ("just words", "is not a recipe"),
        ("[1, 2]", "is not a recipe"),
        ("name: " + "[" * 100_000, "nested too deeply"),
        ("seed: " + "7" * 5000, "x.yaml: YAML cannot be read: .*\\n  put what is text in quotes"),
    ],
)
def test_what_is_not_a_recipe_at_all(text, says):
    with pytest.raises(RecipeError, match=says):
        parse_recipe(text, "x.yaml")


def test_unreadable_files(tmp_path):
    with pytest.raises(RecipeError, match="cannot be read: No such file"):
        read_recipe(tmp_path / "none.yaml")
    with pytest.raises(RecipeError, match="is a folder"):
        read_recipe(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: año".encode("latin-1"))
    with pytest.raises(RecipeError, match="byte 7 is not UTF-8"):
        read_recipe(tmp_path / "latin.yaml")


def test_all_mistakes_of_a_recipe_come_at_once():
    text = (
        GOOD.replace("hidden: 16, layers", "hiden: 16, layers")
        .replace("steps: 20", "stepps: 20")
        .replace("adam", "adm")
    )
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, "x.yaml")
    assert [p.where.split(":")[1] for p in caught.value.problems] == ["5", "12", "13"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("training.step=5", "on the command line: training.step: training has no option 'step'"),
        ("training.steps", "'training.steps' is not KEY=VALUE"),
        ("=5", "is not KEY=VALUE"),
        ("model.head.attention.size=none", "on the command line: model.head.attention.size: expected a whole number"),
        ("model.head.attention=luong", "there is no attention called 'luong'"),
    ],
)
def test_changes_are_checked_like_the_recipe(change, says):
    with pytest.raises(RecipeError) as caught:
        parse_recipe(GOOD, "x.yaml", [change])
    assert says in str(caught.value)


def test_changes_speak_the_words_of_the_recipe():
    changes = [
        "training.optimizer.learning_rate=3e-4",
        "model.head.attention=none",
        "model.encoder.cell=gru",
        "decoding.beam_size=8",
    ]
    recipe = parse_recipe(GOOD, changes=changes)
    assert recipe.training.optimizer.kwargs["learning_rate"] == 3e-4
    assert recipe.model.head.kwargs["attention"] is None
    assert recipe.model.encoder.kwargs["cell"].kind == "gru"
    assert (recipe.decoding.kind, recipe.decoding.kwargs["beam_size"]) == ("beam", 8)


def test_a_plain_name_takes_options():
    recipe = parse_recipe(GOOD, changes=["data.seed=7"])
    assert (recipe.data.kind, recipe.data.kwargs["seed"]) == ("generated", 7)


def test_a_recipe_written_in_full_is_the_same_recipe():
    recipe = parse_recipe(GOOD)
    text = recipe.to_yaml()
    assert parse_recipe(text).to_yaml() == text
    assert not differences(recipe, parse_recipe(text))
    assert yaml.safe_load(text)["training"]["optimizer"]["learning_rate"] == 1e-2


def test_differences_name_the_key():
    (only,) = differences(parse_recipe(GOOD), parse_recipe(GOOD, changes=["seed=2"]))
    assert (only.where, only.what) == ("seed", "1 became 2")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (["model.head.kind=gnmt"], "model.head"),
        (["model.head.attention=dot"], "model.head"),
        (["model.tied_embeddings=true"], "model"),
    ],
)
def test_what_does_not_fit_is_said_at_build_with_its_place(changes, says):
    recipe = parse_recipe(GOOD, "x.yaml", changes)
    with pytest.raises(RecipeError) as caught:
        recipe.build_model(FieldSpec("ids", 20, "a"), FieldSpec("ids", 30, "b"))
    assert says in str(caught.value)
    assert str(caught.value).startswith(("on the command line: ", "x.yaml:6: "))


def test_parts_of_a_users_own(tmp_path):
    (tmp_path / "my_parts.py").write_text(
        "from s2s.nn.attention import Attention\n"
        "class Mine(Attention, kind='mine'):\n"
        "    '''For a test.'''\n"
        "    def __init__(self, query: int, memory: int, *, sharp: float = 1.0):\n"
        "        super().__init__(query, memory)\n"
        "        self.sharp = sharp\n"
        "    def score(self, query, keys):\n"
        "        return self.sharp * query @ keys[..., :query.shape[-1]].transpose(1, 2)\n"
    )
    path = tmp_path / "r.yaml"
    path.write_text("uses: my_parts.py\n" + GOOD.replace("{kind: additive, size: 12}", "{kind: mine, sharp: 2}"))
    try:
        recipe = read_recipe(path)
        assert recipe.model.head.kwargs["attention"].kwargs == {"sharp": 2.0}
        recipe.build_model(FieldSpec("ids", 20), FieldSpec("ids", 30))
    finally:
        from s2s.nn.attention import Attention

        Attention.registry.pop("mine", None)


def test_a_part_that_does_not_import_is_reported(tmp_path):
    (tmp_path / "bad.py").write_text("import nothing_of_that_name")
    (tmp_path / "r.yaml").write_text("uses: bad.py\n" + GOOD)
    with pytest.raises(RecipeError, match="does not import: ModuleNotFoundError"):
        read_recipe(tmp_path / "r.yaml")


@pytest.mark.parametrize("name", [name for name, _ in shipped()])
def test_every_shipped_recipe_builds(name):
    recipe = read_recipe(find_recipe(name))
    assert recipe.name == name
    assert build(recipe)
    first = find_recipe(name).read_text().splitlines()[0]
    assert first.startswith("# ")


def test_recipes_are_found_by_name():
    assert find_recipe("demo").name == "demo.yaml"
    with pytest.raises(RecipeError, match="did you mean 'demo'"):
        find_recipe("dmo")


def test_anchors_and_dates_mean_what_yaml_says():
    text = "name: &n demo\ntask: {kind: translation}\nother: [*n, 2026-11-21, 1e-3, null]\n"
    tree, lines = parse_yaml(text, "r.yaml")
    assert tree == yaml.safe_load(text)
    assert lines["other"] == 3
