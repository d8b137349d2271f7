"""Networks that others have trained: what is asked of timm, what is kept of it, and what is said where it cannot be."""

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

from s2s.api.train import train
from s2s.config import configure
from s2s.errors import RecipeError
from s2s.nn.encoders.base import Encoder
from s2s.predictors.load import load
from s2s.recipe import parse_recipe
from s2s.tensors import FieldSpec
from s2s.training.reporters import Reporter

IMAGE = FieldSpec("image", 3)


class Net(nn.Module):
    """What timm gives for features_only: a list of grids, coarsest last."""

    def __init__(self, learned: bool, last: bool) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Conv2d(3, 4, 4, 4), nn.BatchNorm2d(4), nn.Conv2d(4, 6, 2, 2)
        self.feature_info = SimpleNamespace(channels=lambda: [4, 6])
        self.pretrained_cfg = {"mean": (0.5, 0.25, 0.0), "std": (0.5, 0.5, 0.5)}
        self.last = last
        if learned:
            for parameter in self.parameters():
                nn.init.constant_(parameter, 0.125)
            self.norm.running_mean.fill_(3.0)

    def forward(self, x):
        self.seen = x
        fine = self.norm(self.first(x))
        coarse = self.second(fine)
        return [fine, coarse.movedim(1, -1) if self.last else coarse]


@pytest.fixture
def fetched(monkeypatch):
    """A timm that knows two networks; the list says which weights were fetched."""
    names = []

    def create_model(name, pretrained, features_only, in_chans, img_size=None):
        assert features_only
        assert in_chans == 3
        if name == "net.offline" and pretrained:
            raise OSError("no route to\nhost")
        if img_size is not None and name != "swin":
            raise TypeError("unexpected keyword argument 'img_size'")
        names.extend([name] * pretrained)
        return Net(pretrained, name == "swin")

    module = ModuleType("timm")
    module.create_model, module.list_models = create_model, lambda: ["net", "swin"]
    module.is_model = lambda name: name in ("net", "swin")
    monkeypatch.setitem(sys.modules, "timm", module)
    return names


def encoder_of(**options):
    torch.manual_seed(1)
    return configure(Encoder, {"kind": "timm", "name": "net", "width": 5, **options})(IMAGE)


def test_weights_are_fetched_when_a_run_begins_and_not_before(fetched):
    encoder = encoder_of()
    assert fetched == []
    assert encoder.begin() == ["net: weights from timm (frozen)"]
    assert fetched == ["net"]
    assert (encoder.backbone.second.weight == 0.125).all()
    assert (encoder.backbone.norm.running_mean == 3).all()
    assert encoder_of(pretrained=False).begin() == []
    assert configure(Encoder, "cnn")(IMAGE).begin() == []
    assert fetched == ["net"]


def test_pictures_come_as_the_network_was_trained_on_them(fetched):
    encoder = encoder_of().eval()
    encoder(torch.tensor([-1.0, 0.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 16, 16))
    assert encoder.backbone.seen[0, :, 0, 0].tolist() == [-1, 0.5, 2]  # (0, .5, 1) less the mean, by the deviation


@pytest.mark.parametrize("name", ["net", "swin"])
@pytest.mark.parametrize("frozen", [True, False])
def test_neighbors_change_nothing_in_training_too(fetched, name, frozen):
    encoder = encoder_of(name=name, frozen=frozen).train()
    x = torch.rand(3, 3, 16, 24)
    together = encoder(x)
    assert together.memory.shape == (3, 6, 5)
    assert not together.sequence
    for i in range(3):
        torch.testing.assert_close(encoder(x[i : i + 1]).memory[0], together.memory[i])
    before = encoder.backbone.norm.running_mean.clone()
    encoder(x)
    assert torch.equal(encoder.backbone.norm.running_mean, before)
    together.memory.sum().backward()
    assert encoder.map.weight.grad is not None
    assert (encoder.backbone.first.weight.grad is None) == frozen


def test_channels_may_be_last(fetched):
    first, last = encoder_of().eval(), encoder_of(name="swin", size=16).eval()
    last.load_state_dict(first.state_dict())
    x = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(first(x).memory, last(x).memory)


def test_what_cannot_be_had_is_said(fetched, monkeypatch):
    with pytest.raises(RecipeError, match="no network called 'nett'\n  did you mean one of: net"):
        encoder_of(name="nett")
    with pytest.raises(RecipeError, match="no network called 'xyzzy'\n  python -c"):
        encoder_of(name="xyzzy")
    with pytest.raises(RecipeError, match="cannot build net: unexpected keyword argument 'img_size'"):
        encoder_of(size=16)
    with pytest.raises(RecipeError, match="cannot build net.offline: no route to host\n  without a network"):
        encoder_of(name="net.offline").begin()
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(RecipeError, match=r"timm is needed .*\n  pip install 's2s\[timm\]'"):
        encoder_of()


RECIPE = """
name: drawn
task:
  kind: captioning
  source: {kind: image, size: 16}
  target: {kind: text, tokenizer: word}
  metrics: [exact]
data: {kind: generated, what: drawings, size: 12}
model:
  encoder: {kind: timm, name: net, width: 8}
  head: {kind: decoder, embedding: 8, hidden: 8}
training: {steps: 2, batch_size: 4, batch_unit: sentences, device: cpu}
"""


def test_a_run_fetches_once_and_is_opened_without(fetched, tmp_path):
    recipe = parse_recipe(RECIPE)
    told = []
    reporter = Reporter()
    reporter.message = told.append
    train(recipe, tmp_path / "run", reporter=reporter)
    assert "net: weights from timm (frozen)" in told
    longer = replace(recipe, training=replace(recipe.training, steps=3))
    train(longer, tmp_path / "run")
    predictor = load(tmp_path / "run", device="cpu", weights="last")
    assert fetched == ["net"]
    assert (predictor.model.encoder.backbone.second.weight == 0.125).all()
    assert (predictor.model.encoder.backbone.norm.running_mean == 3).all()


def test_the_real_timm():
    pytest.importorskip("timm")
    encoder = encoder_of(name="resnet18", pretrained=False).eval()
    assert encoder(torch.zeros(1, 3, 64, 64)).memory.shape == (1, 4, 5)
