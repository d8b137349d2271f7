"""What the data shows about an option is said at its place in the recipe: its full key, its line, or the command line."""

import pytest

from s2s.api.prepare import open_split, prepare_data
from s2s.errors import DataError, OptionError, RecipeError, mounted
from s2s.recipe import parse_recipe

RECIPE = """\
name: mt
task:
  kind: translation
  source:
    kind: text
    tokenizer: TOKENIZER
  tokenizer:
    kind: unigram
    size: 8000
data:
  kind: text
  path: FOLDER
  source: de
  target: en
  hold_out: 2
model:
  encoder: {kind: rnn, embedding: 8, hidden: 8}
  head: {kind: decoder, embedding: 8, hidden: 8}
training: {steps: 4}
"""
OWN = "{kind: bpe, size: 9000}"
CLASSES = "{kind: classification, class_weights: {aa: 1}}"
CSV = "data={kind: csv, path: FOLDER, source: 0, target: 1, delimiter: ;;}"
MISTAKES = [  # the tokenizer of the source; changes; the beginning of what is said
    ("word", [], "r.yaml:9: task.tokenizer.size: 8000 is more tokens"),
    (OWN, [], "r.yaml:9: task.tokenizer.size: 8000 is more tokens"),
    (OWN, ["task.tokenizer=char"], "r.yaml:6: task.source.tokenizer.size: 9000 is more tokens"),
    (OWN, ["task.tokenizer=char", "task.source.tokenizer.size=70"], "on the command line: task.source.tokenizer.size: 70"),
    ("word", ["task={kind: translation, tokenizer: {kind: bpe, size: 9000}}"], "on the command line: task.tokenizer.size: "),
    ("word", ["task.tokenizer={kind: word, min_count: 1000}"], "on the command line: task.tokenizer: has nothing to learn"),
    ("word", ["task=classification"], "on the command line: task.target: has 39 values, no two of them equal"),
    ("word", [f"task={CLASSES}", "data.target=label"], "on the command line: task.class_weights: there is no class 'aa'"),
    ("word", [CSV], "on the command line: data.delimiter: must be one character"),
    ("word", ["data.validation=dev"], "FOLDER/dev.de: there is no such file"),
]  # fmt: skip


@pytest.fixture
def recipe(tmp_path):
    def read(tokenizer="word", *changes):
        text = RECIPE.replace("TOKENIZER", tokenizer).replace("FOLDER", str(tmp_path))
        return parse_recipe(text, "r.yaml", [change.replace("FOLDER", str(tmp_path)) for change in changes])

    words = [f"{'abcdefgh'[i % 8] * 2} {'ijklmnop'[i // 8] * 3}" for i in range(40)]
    for ending, lines in {"de": words, "en": words[::-1], "label": ["x", "y"] * 20}.items():
        (tmp_path / f"train.{ending}").write_text("".join(f"{line}\n" for line in lines))
    (tmp_path / "train.csv").write_text("".join(f"{word},x\n" for word in words))
    return read


@pytest.mark.parametrize(("tokenizer", "changes", "says"), MISTAKES)
def test_a_mistake_that_the_data_shows_has_its_full_key(recipe, tmp_path, tokenizer, changes, says):
    with pytest.raises((DataError, RecipeError)) as caught:
        prepare_data(recipe(tokenizer, *changes))
    assert str(caught.value).startswith(says.replace("FOLDER", str(tmp_path)))


def test_a_split_that_is_not_there_is_a_key_of_data(recipe):
    with pytest.raises(DataError, match=r"^r\.yaml:10: data\.test: there is no test split"):
        open_split(recipe(), "test")
    with pytest.raises(DataError, match=r"^r\.yaml:10: data\.dev: there is no split 'dev'"):
        open_split(recipe(), "dev")


def test_a_corpus_that_cannot_be_so_large_is_a_key_of_data(recipe, monkeypatch):
    monkeypatch.setattr("s2s.data.synthetic.sampling.MAX_DRAWS", 1)
    with pytest.raises(DataError, match=r"^on the command line: data\.size: the grammar does not have 9999 sentences"):
        prepare_data(recipe("word", "data={kind: generated, size: 9999}"))


def test_an_option_of_a_reader_is_a_key_of_data(recipe):
    changes = ["data={kind: lines, path: a.txt, text: b}", "task={kind: language-model, target: {kind: text, tokenizer: char}}"]  # fmt: skip
    with pytest.raises(RecipeError, match=r"^on the command line: data\.path: is needed, or `text`, and not both"):
        open_split(recipe("word", *changes), "train")


def test_whoever_mounts_a_component_puts_its_key_before():
    with pytest.raises(OptionError) as caught, mounted("source"), mounted("tokenizer"):
        raise OptionError("", "is wrong", "another one")
    assert str(caught.value) == "source.tokenizer: is wrong\n  another one"
    with pytest.raises(DataError) as other, mounted("source"):
        raise DataError("a.txt:7", "is wrong")  # a place of its own
    assert str(other.value) == "a.txt:7: is wrong"
