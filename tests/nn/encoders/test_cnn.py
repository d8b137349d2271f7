"""Encoders of pictures and of vectors: neighbors change nothing, places are known, and captions are written."""

import pytest
import torch

from s2s.config import configure
from s2s.decoding.search import Search, find_limits
from s2s.errors import RecipeError
from s2s.nn.encoders.base import Encoder
from s2s.nn.encoders.cnn import grid_places
from s2s.nn.heads.base import Head
from s2s.nn.heads.decoder import shift_right
from s2s.nn.initialization import Initializer
from s2s.nn.model import build_model
from s2s.tasks.losses import cross_entropy
from s2s.tensors import BOS, EOS, Batch, FieldSpec, Padded, select


def model_for(source: FieldSpec, encoder: object, **head: object):
    torch.manual_seed(2)
    options = {"kind": "decoder", "embedding": 12, "hidden": 24, "attention": "additive", **head}
    return build_model(configure(Encoder, encoder), configure(Head, options), source, FieldSpec("ids", 12))


CNN = {"kind": "cnn", "width": 16, "patch": 2, "stages": 2}
IMAGE = FieldSpec("image", 3)


def pictures(count=3, side=12):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("training", [False, True])
def test_a_picture_does_not_see_its_neighbors(training):
    encoder = configure(Encoder, CNN)(IMAGE).train(training)
    x = pictures()
    together = encoder(x)
    assert together.memory.shape == (3, 9, 16)
    assert together.valid.all()
    for i in range(3):
        alone = encoder(x[i : i + 1])
        torch.testing.assert_close(alone.memory[0], together.memory[i])
        torch.testing.assert_close(alone.state[0][0], together.state[0][i])


@pytest.mark.parametrize(
    ("options", "grid"), [({}, 7), ({"stages": 2}, 14), ({"patch": 8}, 4), ({"blocks": 2, "stages": 1}, 28)]
)
def test_the_grid_is_as_fine_as_was_asked_for(options, grid):
    encoder = configure(Encoder, {"kind": "cnn", "width": 16, **options})(IMAGE).eval()
    assert encoder(pictures(1, 112)).memory.shape == (1, grid * grid, 16)


def test_every_place_knows_where_it_is():
    down, right = grid_places(torch.zeros(1, 3, 3, 5))[0]
    assert down[:, 0].tolist() == [-1, 0, 1]
    assert right[0].tolist() == [-1, -0.5, 0, 0.5, 1]
    encoder = configure(Encoder, CNN)(IMAGE).eval()
    memory = encoder(torch.zeros(1, 3, 12, 12)).memory[0]
    assert not memory[0].allclose(memory[-1], atol=1e-3)


def test_widths_that_cannot_be_grouped():
    with pytest.raises(RecipeError, match="multiple of 8, found 20"):
        configure(Encoder, {"kind": "cnn", "width": 20})(IMAGE)


def test_pictures_smaller_than_a_patch():
    encoder = configure(Encoder, {"kind": "cnn", "width": 16, "patch": 4})(IMAGE)
    with pytest.raises(RecipeError, match="patch: is 4, and the pictures are 3 pixels wide"):
        encoder(pictures(1, 3))
    assert encoder(pictures(1, 16)).memory.shape == (1, 1, 16)


def test_norms_start_as_they_should_whatever_else_does():
    model = build_model(
        configure(Encoder, CNN),
        configure(Head, "decoder"),
        IMAGE,
        FieldSpec("ids", 12),
        initialization=configure(Initializer, "uniform"),
    )
    norms = [m for m in model.modules() if isinstance(m, torch.nn.GroupNorm)]
    assert norms
    for norm in norms:
        assert (norm.weight == 1).all()
        assert (norm.bias == 0).all()


VECTOR = FieldSpec("vector", 3)


@pytest.mark.parametrize("attention", [None, "additive", {"kind": "multi-head", "heads": 2}])
def test_ratios_are_of_sequences(attention):
    """A picture, and a single vector, may be described at any length; several vectors in a row are a sequence."""
    numbers = {"kind": "project", "width": 16}
    first = torch.full((2,), BOS)
    for source, space, encoder, limited in (
        (pictures(2), IMAGE, CNN, False),
        (torch.zeros(2, 3), VECTOR, numbers, False),
        (Padded(torch.zeros(2, 4, 3), torch.tensor([4, 1])), FieldSpec("vectors", 3), numbers, True),
    ):
        model = model_for(space, encoder, attention=attention).eval()
        memory, _ = model.head.start(model.encode(source))
        limits = find_limits(memory, first, min_length=0, max_length=90, min_ratio=2, max_ratio=5)
        assert limits.longest.tolist() == ([30, 15] if limited else [90, 90])
        assert limits.shortest.tolist() == ([8, 2] if limited else [0, 0])
        rows = select(memory, torch.tensor([1]))  # a search that loses rows keeps what it knows of the rest
        assert rows.sequence == limited


def test_a_vector_gets_a_long_answer_in_validation():
    model = model_for(VECTOR, {"kind": "project", "width": 16}).eval()
    torch.nn.init.constant_(model.head.out.bias[EOS : EOS + 1], -1e6)  # it never ends
    memory, state = model.head.start(model.encode(torch.zeros(1, 3)))
    search = configure(Search, {"kind": "greedy", "max_ratio": 5.0, "max_length": 40})
    ((found,),) = search(model.head.step, memory, state, torch.full((1,), BOS))
    assert len(found.ids) == 40


def test_vectors_one_or_many():
    one = configure(Encoder, {"kind": "project", "width": 4})(FieldSpec("vector", 3)).eval()
    many = configure(Encoder, {"kind": "project", "width": 4})(FieldSpec("vectors", 3)).eval()
    many.load_state_dict(one.state_dict())
    data = torch.randn(2, 5, 3)
    padded = many(Padded(data, torch.tensor([5, 2])))
    torch.testing.assert_close(many(Padded(data[1:, :2], torch.tensor([2]))).state[0][0], padded.state[0][1])
    torch.testing.assert_close(one(data[:, 0]).memory[:, 0], padded.memory[:, 0])


TARGETS = [[4, 5, 6, EOS], [7, EOS], [8, 9, 10, 4, EOS]]


def batch_of(source) -> Batch:
    width = max(map(len, TARGETS))
    data = torch.tensor([row + [0] * (width - len(row)) for row in TARGETS])
    target = Padded(data, torch.tensor([len(row) for row in TARGETS]))
    return Batch(source, target, target.valid.flatten().nonzero().squeeze(1))


@pytest.mark.parametrize(
    "options",
    [
        {"attention": None, "bridge": "mean"},
        {"attention": None, "bridge": "linear"},
        {"look_everywhere": 0.1},
        {"kind": "bahdanau"},
    ],
    ids=["show and tell", "from the state", "show, attend and tell", "attention before the cell"],
)
def test_captions_are_learned_by_heart_and_written(options):
    model, batch = model_for(IMAGE, CNN, **options).train(), batch_of(pictures())
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(150):
        output = model(batch)
        total = cross_entropy(output, batch).total + (output.penalty if output.penalty is not None else 0)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    model.eval()
    memory, state = model.head.start(model.encode(batch.source))
    for search in ({"kind": "greedy", "max_length": 8}, {"kind": "beam", "beam_size": 3, "max_length": 8}):
        found = configure(Search, search)(model.head.step, memory, state, torch.full((3,), BOS))
        assert [[*best[0].ids, EOS] for best in found] == TARGETS


def test_the_penalty_is_its_formula():
    model, batch = model_for(IMAGE, CNN, look_everywhere=0.7).train(), batch_of(pictures())
    output = model(batch)
    expected = 0.0
    for row, target in enumerate(TARGETS):
        looked = output.weights[row, : len(target)].sum(0)
        expected += 0.7 * (1 - looked).square().sum().item()
    assert output.penalty.item() == pytest.approx(expected, rel=1e-5)
    assert model.eval()(batch).penalty is None
    assert model_for(IMAGE, CNN).train()(batch).penalty is None
    assert shift_right(batch.target.data)[0, 0] == BOS


def test_narrow_stages_learn():
    """Of 8 channels, where torch has crashed; and the way around takes every second place, as a stride does."""
    encoder = configure(Encoder, {"kind": "cnn", "width": 32, "patch": 1})(IMAGE)
    assert [m.in_channels for m in encoder.modules() if isinstance(m, torch.nn.Conv2d)][:2] == [5, 8]
    x = pictures(4, 24).to(memory_format=torch.channels_last)
    encoder(x).memory.square().sum().backward()
    assert all(p.grad.isfinite().all() for p in encoder.parameters())
    block = next(m for m in encoder.modules() if getattr(m, "stride", 1) == 2 and hasattr(m, "around"))
    y = torch.rand(2, block.around.in_channels, 9, 9)
    strided = torch.nn.functional.conv2d(y, block.around.weight, stride=2)
    torch.testing.assert_close(block.around(y[:, :, ::2, ::2]), strided)


def test_every_place_shows_the_whole_beside_its_own():
    x = pictures(2)
    options = {**CNN, "pooling": "max"}
    torch.manual_seed(1)
    grid = configure(Encoder, options)(IMAGE).eval()(x).memory
    torch.manual_seed(1)
    encoded = configure(Encoder, {**options, "whole": True})(IMAGE).eval()(x)
    norm = torch.nn.LayerNorm(16)
    torch.testing.assert_close(encoded.state[0][:, 0], norm(grid.amax(1)))
    torch.testing.assert_close(encoded.memory, norm(grid) + norm(grid.amax(1))[:, None])
    again = configure(Encoder, {**options, "whole": True})(IMAGE).eval()(x, final_state=False)
    assert again.state == ()
    assert again.memory.shape == encoded.memory.shape


def test_a_head_begins_with_what_was_pooled():
    x = pictures(2)
    for pooling, pool in (("mean", lambda memory: memory.mean(1)), ("max", lambda memory: memory.amax(1))):
        encoded = configure(Encoder, {**CNN, "pooling": pooling})(IMAGE).eval()(x)
        torch.testing.assert_close(encoded.state[0][:, 0], pool(encoded.memory))
    encoder = configure(Encoder, {**CNN, "pooling": "both"})(IMAGE).eval()
    encoded = encoder(x)
    wanted = encoder.mix(torch.cat([encoded.memory.mean(1), encoded.memory.amax(1)], -1))
    torch.testing.assert_close(encoded.state[0][:, 0], wanted)
