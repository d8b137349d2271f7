"""Every task with every pair of fields, every encoder and every head: it learns a step and answers, or is refused in
one line before anything is read."""

from itertools import product

import numpy as np
import pytest
import torch

from s2s.api.prepare import prepare_data
from s2s.cli.check import build
from s2s.data.batches import make_batch
from s2s.data.fields.base import Field
from s2s.data.pictures import Picture
from s2s.data.readers.base import Row
from s2s.devices import choose_precision
from s2s.errors import DataError, RecipeError, S2SError
from s2s.nn.encoders.base import Encoder
from s2s.nn.heads.base import Head
from s2s.predictors.load import predictor_for
from s2s.recipe import parse_recipe
from s2s.registry import options_of
from s2s.tasks.task import Task

TEXTS = ["a b", "b a", "a a", "b b"]
SMALL = {"embedding": 4, "hidden": 4, "width": 8, "patch": 2, "stages": 1}
OPTIONS = {"text": {"tokenizer": "word"}, "image": {"size": 8}, "timm": {"name": "resnet18"}, "gnmt": {"layers": 2}}
HEADS = sorted(Head.registry)


def picture(seed: int) -> Picture:
    from io import BytesIO

    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return Picture(file.getvalue(), f"{seed}.png")


def values(kind: str, over_time: bool) -> list:
    """Four values for a field of this kind."""
    if kind == "image":
        return [picture(i) for i in range(4)]
    if kind == "numbers":
        chance = np.random.default_rng(1)
        shapes = [(2, 5)] * 4 if over_time else [(5,)] * 4
        return [chance.standard_normal(shape).astype(np.float32) for shape in shapes]
    return TEXTS


def chosen(family, kind: str) -> dict:
    known = options_of(family.registry[kind])
    small = {key: value for key, value in SMALL.items() if key in known}
    return {"kind": kind, **small, **OPTIONS.get(kind, {})}


def recipe_of(task: str, source: str, target: str, encoder: str, head: str):
    import json

    sides = {"source": chosen(Field, source), "target": chosen(Field, target)}
    known = options_of(Task.registry[task])
    if source == "nothing" and "source" not in known:
        del sides["source"]
    tree = {
        "name": "pair",
        "task": {"kind": task, **sides, **({"tokenizer": "word"} if "tokenizer" in known else {})},
        "data": "generated",
        "model": {"encoder": chosen(Encoder, encoder), "head": chosen(Head, head)},
        "decoding": {"kind": "greedy", "max_length": 4},
    }
    return parse_recipe(json.dumps(tree))


def refused(error: S2SError) -> bool:
    """A place, what is wrong in one line, and at most a line of advice."""
    for problem in error.problems:
        assert problem.where, problem
        assert "\n" not in problem.what + problem.hint, problem
    return True


def learn_and_answer(recipe, source: str, target: str, over_time: bool) -> None:
    """A step of training on four rows, and an answer to each."""
    torch.manual_seed(1)
    task = recipe.task()
    rows = [Row(a, b) for a, b in zip(values(source, over_time), values(target, over_time), strict=True)]
    task.fit(rows)
    sources = task.source.encode_all([row.source for row in rows])
    targets = task.target.encode_all([row.target for row in rows])
    model = recipe.build_model(task.source.space, task.target.space)
    model.train()
    batch = make_batch(task.source, task.target, sources, targets)
    loss = task.loss(model(batch), batch)
    loss.total.backward()
    assert torch.isfinite(loss.total)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    if task.verb == "generate":  # a language model answers to nothing
        return
    model.eval()
    precision = choose_precision("fp32", torch.device("cpu"))
    answers = predictor_for(task)(recipe, task, model, precision).predict([row.source for row in rows])
    assert len(answers) == len(rows)


@pytest.mark.filterwarnings("ignore:Initializing zero-element")  # of a decoder that listens to nothing
@pytest.mark.parametrize("task", sorted(Task.registry))
def test_a_pair_works_or_is_refused(task):
    fine, refusals = set(), 0
    for source, target in product(sorted(Field.registry), sorted(Field.registry)):
        try:
            recipe_of(task, source, target, "rnn", "decoder").task()
        except S2SError as error:  # no encoder and no head can help
            refusals += refused(error)
            continue
        for encoder, head in product(sorted(Encoder.registry), HEADS):
            recipe = recipe_of(task, source, target, encoder, head)
            try:
                space = build(recipe)[0]
            except S2SError as error:
                refusals += refused(error)
                continue
            try:
                learn_and_answer(recipe, source, target, over_time=space.modality == "vectors")
            except S2SError as error:
                raise AssertionError(f"{source} {target} {encoder} {head} passed the check: {error}") from error
            except Exception as error:
                raise AssertionError(f"{source} {target} {encoder} {head}") from error
            fine.add((source, target, encoder, head))
    assert refusals
    wanted = {
        "translation": {("text", "text", "rnn", "decoder"), ("image", "text", "cnn", "luong")},
        "chat": {("text", "text", "rnn", "bahdanau"), ("numbers", "text", "project", "decoder")},
        "captioning": {("image", "text", "cnn", "decoder"), ("numbers", "text", "project", "gnmt"),
                       ("numbers", "text", "rnn", "luong")},
        "classification": {(source, target, encoder, "classifier") for target in ("label", "labels")
                           for source, encoder in (("text", "rnn"), ("image", "cnn"), ("numbers", "project"),
                                           ("numbers", "rnn"))},
        "tagging": {("text", "tags", "rnn", "tagger"), ("numbers", "tags", "project", "tagger"),
                    ("numbers", "tags", "rnn", "tagger")},
        "language-model": {("nothing", "text", "none", "language-model")},
    }  # fmt: skip
    assert wanted[task] <= fine
    assert not [pair for pair in fine if pair[3] in ("classifier", "tagger") and pair[1] == "text"]


SIDES = [
    ("translation", "image", "text", "task.source", "takes picture, and the sources of data: generated are text"),
    ("classification", "numbers", "label", "task.source", "takes numbers, and the sources of data: generated are text"),
]


@pytest.mark.parametrize(("task", "source", "target", "where", "what"), SIDES)
def test_a_field_that_cannot_read_the_data_is_refused_before_it_does(task, source, target, where, what):
    encoder, head = {"image": "cnn", "numbers": "project"}[source], "classifier" if target == "label" else "decoder"
    with pytest.raises(RecipeError) as error:
        prepare_data(recipe_of(task, source, target, encoder, head))
    assert refused(error.value)
    assert error.value.problems[0][:2] == (where, what)


REFUSED = {  # what the review found: pairs that ended in a traceback
    (
        "translation",
        "text",
        "label",
        "rnn",
        "classifier",
    ): "task.target: is label, which gives label; this task takes ids",
    (
        "captioning",
        "image",
        "numbers",
        "cnn",
        "decoder",
    ): "task.target: is numbers, which gives vectors or vector; this task",
    ("captioning", "image", "tags", "cnn", "tagger"): "task.target: is tags, which gives tags; this task takes ids",
    (
        "tagging",
        "image",
        "tags",
        "cnn",
        "tagger",
    ): "task.source: is image, which gives image; this task takes ids or vectors",
    (
        "classification",
        "nothing",
        "label",
        "none",
        "classifier",
    ): "model.head: classifier goes by what an encoder gives",
}


@pytest.mark.parametrize("pair", REFUSED)
def test_what_is_said_of_a_pair_that_cannot_be(pair):
    with pytest.raises(RecipeError) as error:
        build(recipe_of(*pair))
    assert str(error.value).startswith(REFUSED[pair])


def test_more_tags_than_vectors_is_a_mistake_of_the_data():
    """For a task of one's own, which may put a tagger behind anything."""
    from s2s.config import configure
    from s2s.nn.model import build_model
    from s2s.tensors import Batch, FieldSpec, Padded

    encoder, head = configure(Encoder, {"kind": "project", "width": 8}), configure(Head, "tagger")
    model = build_model(encoder, head, FieldSpec("vector", 5), FieldSpec("tags", 3))
    target = Padded(torch.ones(2, 3, dtype=torch.long), torch.tensor([3, 3]))
    with pytest.raises(DataError, match="target: has 3 tags, and the encoder gives 1 vectors"):
        model(Batch(torch.zeros(2, 5), target, torch.arange(6)))
