"""A part raises with keys of its own, and whoever mounts it makes them keys of the recipe."""

import pytest
import torch

from s2s.config import configure
from s2s.errors import RecipeError
from s2s.nn.attention import Attention
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head
from s2s.nn.model import build_model
from s2s.nn.pooling import Pooled, Pooling
from s2s.recipe import parse_recipe
from s2s.registry import ComponentConfig
from s2s.tensors import FieldSpec

IDS = FieldSpec("ids", 11, "same")

RECIPE = """\
name: places
task: {kind: translation, tokenizer: word}
data: generated
model:
  encoder: {kind: rnn, hidden: 4}
  head:
    kind: decoder
    attention:
      kind: multi-head
      heads: 3
"""


def test_a_part_alone_raises_with_its_own_key():
    with pytest.raises(RecipeError) as error:
        configure(Attention, {"kind": "multi-head", "heads": 3})(8, 8)
    assert error.value.problems[0].where == "heads"


def test_a_recipe_names_the_line():
    with pytest.raises(RecipeError) as error:
        parse_recipe(RECIPE, "x.yaml").build_model(IDS, IDS)
    assert str(error.value).startswith("x.yaml:10: model.head.attention.heads: 3 heads cannot share")


def test_so_does_a_default_that_stands_nowhere_in_it():
    text = RECIPE.replace("heads: 3", "heads: 2").replace("hidden: 4", "hidden: 3, bidirectional: false")
    with pytest.raises(RecipeError) as error:
        parse_recipe(text, "x.yaml").build_model(IDS, IDS)
    assert error.value.problems[0].where == "x.yaml:10: model.head.attention.heads"
    with pytest.raises(RecipeError) as error:
        parse_recipe(text.replace("heads: 2", "# the usual ones"), "x.yaml").build_model(IDS, IDS)
    assert error.value.problems[0].where == "x.yaml:8: model.head.attention.heads"


def test_a_part_in_another_part_is_named_where_it_is(monkeypatch):
    monkeypatch.setattr(Pooling, "registry", dict(Pooling.registry))

    class Looking(Pooling, kind="looking"):
        """A pooling with an attention of its own."""

        def __init__(self, width: int, *, attention: ComponentConfig[Attention] = configure(Attention, "dot")) -> None:
            super().__init__(width)
            self.look = attention(width + 1, width)

        def forward(self, encoded):
            return Pooled(encoded.memory[:, 0])

    head = {"kind": "classifier", "pooling": ["max", "looking"]}
    with pytest.raises(RecipeError) as error:
        build_model(configure(Encoder, "rnn"), configure(Head, head), IDS, FieldSpec("label", 3))
    assert error.value.problems[0].where == "model.head.pooling[1].attention"
    changes = ["model.head.kind=classifier", "model.head.pooling=[max, looking]"]
    recipe = parse_recipe("name: x\ntask: classification\ndata: generated\n", "y.yaml", changes)
    with pytest.raises(RecipeError, match=r"^on the command line: model.head.pooling\[1\].attention: dot needs equal"):
        recipe.build_model(IDS, FieldSpec("label", 3))


def test_what_only_the_data_can_tell_is_placed_too():
    model = build_model(
        configure(Encoder, {"kind": "cnn", "patch": 9}), configure(Head, "decoder"), FieldSpec("image", 3), IDS
    )
    with pytest.raises(RecipeError, match=r"^model.encoder.patch: is 9, and the pictures are 8 pixels wide"):
        model.encode(torch.zeros(1, 3, 8, 8))


def test_a_place_is_found_once():
    error = RecipeError("heads", "is odd").at("model.head.attention")
    assert error.at("model.head").problems[0].where == "model.head.attention.heads"
    assert RecipeError("", "is odd").at("model.head").problems[0].where == "model.head"
    assert RecipeError("model.head.cell", "is odd").at("model.head").problems[0].where == "model.head.cell"
    origin = parse_recipe(RECIPE, "x.yaml").origin
    assert origin.located(origin.located(error)).problems[0].where == "x.yaml:10: model.head.attention.heads"


def test_a_head_of_ones_own_cannot_be_tied_unless_it_says_how(monkeypatch):
    monkeypatch.setattr(Head, "registry", dict(Head.registry))

    class Own(Head, kind="own"):
        output_modalities = ("ids",)

        def __init__(self, width: int, space: FieldSpec, *, named: bool = True) -> None:
            super().__init__(width, space)
            if named:
                self.embed = torch.nn.Embedding(space.size, 256)

    class Sharing(Own, kind="sharing"):
        def share_embedding(self, embedding):
            self.embed = embedding

    def tied(head):
        return build_model(configure(Encoder, "rnn"), configure(Head, head), IDS, IDS, tied_embeddings=True)

    with pytest.raises(RecipeError, match="model.tied_embeddings: Own cannot share an embedding"):
        tied("own")
    with pytest.raises(RecipeError, match="model.tied_embeddings: the head has no embedding to share"):
        tied({"kind": "own", "named": False})
    model = tied("sharing")
    assert model.head.embed is model.encoder.embed
