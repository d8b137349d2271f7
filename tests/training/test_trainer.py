"""The loop: resumed = uninterrupted, small batches = one large one, and every way to stop."""

import dataclasses
import math
import os
import re
import signal
import weakref

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from s2s.api.train import train
from s2s.data.batches import make_batch
from s2s.decoding.search import Search
from s2s.errors import RecipeError, RunError, TrainingError
from s2s.predictors.load import load
from s2s.registry import tree
from s2s.runs.run import Run
from s2s.tasks.losses import cross_entropy
from s2s.training.averaging import Averaging
from s2s.training.config import TrainingConfig
from s2s.training.endings import remedy
from s2s.training.optimizers import Optimizer
from s2s.training.reporters import Reporter
from s2s.training.schedules import Schedule
from s2s.training.validation import losses
from tests.helpers.toy_runs import PAIRS, toy_recipe, toy_trainer

TO_THE_BIT = {"rtol": 0, "atol": 0}


def weights(trainer):
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}


def run_to_the_end(tmp_path, name, *changes):
    trainer, _ = toy_trainer(toy_recipe(tmp_path, *changes), tmp_path / name)
    outcome = trainer.fit()
    return trainer, outcome


def events(trainer):
    """What the run logged, without what depends on the clock."""
    return [
        {k: v for k, v in e.items() if k != "tokens_per_second"} for e in trainer.run.events() if e["event"] != "start"
    ]


class Terminator(Reporter):
    """Asks the process to stop, as `kill` does, in the middle of a step."""

    def __init__(self, step):
        self.when = step

    def advance(self, step, epoch):
        if step == self.when:
            os.kill(os.getpid(), signal.SIGTERM)


CASES = [
    *(f"training.optimizer={{kind: {kind}, learning_rate: 1e-2}}" for kind in sorted(Optimizer.registry)),
    *(f"training.schedule={kind}" for kind in sorted(Schedule.registry)),
    *(f"training.average={kind}" for kind in sorted(Averaging.registry)),
    "training.accumulate=2 training.batch_size=9",
    "training.clip_value=0.01",
    "training.clip_norm=null",
    "training.label_smoothing=0.1",
    "training.validate_every=3",
    "training.batch_unit=sentences training.batch_size=3",
    "task={kind: translation, tokenizer: {kind: unigram, size: 45, sampling: 0.5}}",
    "model.head.kind=luong",
    "model.encoder.locked=true",
    "training.validation_search={kind: sample, max_length: 8}",
]
OTHERS = {  # changes that make another task of it
    "labels": (
        "task={kind: classification, class_weights: balanced}",
        "data={kind: generated, what: sentiment, size: 60}",
        "model.head={kind: classifier, pooling: attention, dropout: 0.2}",
        "training.batch_size=12",
        "training.batch_unit=sentences",
    ),
    "stream": (
        "task={kind: language-model, chunk: 7}",
        "data={kind: lines, text: 'the cat sat on the mat, and the dog on the log. ' }",
        "data.text=" + "the cat sat on the mat, and the dog on the log. " * 4,
        "model.encoder=none",
        "model.head={kind: language-model, cell: {kind: lstm, weight_drop: 0.3}, hidden: 8, embedding: 8, layers: 2, "
        "dropout: 0.2, type_dropout: 0.1, activation: 2, slowness: 1, tied_output: true}",
        "training.batch_size=3",
        "training.batch_unit=sentences",
    ),
}


@pytest.mark.parametrize("change", [*CASES, *OTHERS])
def test_a_resumed_run_is_the_run_that_never_stopped(tmp_path, change):
    changes = ["training.batch_size=18", *([change] if "{" in change else change.split())]
    changes = list(OTHERS.get(change, changes))
    whole, outcome = run_to_the_end(tmp_path, "whole", *changes)
    steps = outcome.position.step
    assert steps > 5
    for stop in (2, steps - 1):
        cut, _ = toy_trainer(toy_recipe(tmp_path, *changes), tmp_path / f"cut{stop}")
        cut.reporter = Terminator(stop)
        assert cut.fit().reason == "asked"
        torch.manual_seed(99)
        again, _ = toy_trainer(toy_recipe(tmp_path, *changes), tmp_path / f"cut{stop}")
        again.resume()
        assert again.position.step == stop
        again.fit()
        torch.testing.assert_close(weights(again), weights(whole), **TO_THE_BIT)
        assert again.position.step == steps
        assert again.position.tokens == whole.position.tokens


def test_a_run_that_was_saved_in_the_middle_ends_the_same_in_every_file(tmp_path):
    changes = ("training.save_every=1", "training.log_every=1", "training.average=ema")
    whole, _ = run_to_the_end(tmp_path, "whole", *changes)
    cut, _ = toy_trainer(toy_recipe(tmp_path, *changes), tmp_path / "cut")

    class Killed(Exception):
        pass

    class Killer(Reporter):
        def step(self, step, epoch, scores):
            if step == 4:
                raise Killed

    cut.reporter = Killer()
    with pytest.raises(Killed):  # after the update of step 4, before it is saved
        cut.fit()
    again, _ = toy_trainer(toy_recipe(tmp_path, *changes), tmp_path / "cut")
    again.resume()
    assert again.position.step == 3
    again.fit()
    for name in ("best", "last"):
        a, b = (tmp_path / run / f"{name}.safetensors" for run in ("whole", "cut"))
        assert (name == "last") or a.read_bytes() == b.read_bytes()
        torch.testing.assert_close(whole.run.load_weights(name), again.run.load_weights(name), **TO_THE_BIT)


def test_the_same_recipe_and_seed_give_the_same_weights(tmp_path):
    a, _ = run_to_the_end(tmp_path, "a")
    b, _ = run_to_the_end(tmp_path, "b")
    c, _ = run_to_the_end(tmp_path, "c", "seed=2")
    torch.testing.assert_close(weights(a), weights(b), **TO_THE_BIT)
    assert any(not torch.equal(x, y) for x, y in zip(weights(a).values(), weights(c).values(), strict=True))


def test_small_batches_add_up_to_a_large_one(tmp_path):
    """In gradients, which the optimizer has not yet made small, and in weights."""
    recipe = toy_recipe(tmp_path, "model.encoder.dropout=0", "model.head.dropout=0", "training.optimizer=sgd")
    large, data = toy_trainer(recipe, tmp_path / "large")
    small, _ = toy_trainer(recipe, tmp_path / "small")
    rows = [[0, 8, 2], [3], [4, 5]]  # of unlike size and length

    def batch(numbers):
        ids = data.batches.encoded
        pairs = [ids.source(i) for i in numbers], [ids.target(i) for i in numbers]
        return make_batch(data.task.source, data.task.target, *pairs, tuple(numbers))

    gradients = {large.optimizer: [], small.optimizer: []}
    for optimizer, found in gradients.items():
        optimizer.register_step_pre_hook(
            lambda own, *_, found=found: found.append([p.grad.clone() for g in own.param_groups for p in g["params"]])
        )
    for _ in range(2):
        large.learn([batch([row for numbers in rows for row in numbers])])
        small.learn([batch(numbers) for numbers in rows])
    assert len(gradients[large.optimizer]) == 2
    assert all(each.any() for each in gradients[large.optimizer][0])
    torch.testing.assert_close(gradients[large.optimizer], gradients[small.optimizer], atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(weights(large), weights(small), atol=1e-6, rtol=1e-5)


def test_label_smoothing_is_its_equation(tmp_path):
    trainer, data = toy_trainer(toy_recipe(tmp_path), tmp_path / "run")
    batch = next(data.batches.epoch(0))
    trainer.model.eval()
    output = trainer.model(batch)
    logp = output.logits.log_softmax(-1)
    wanted = -(0.9 * logp.gather(1, batch.labels[:, None]).sum() + 0.1 * logp.mean(-1).sum())
    torch.testing.assert_close(cross_entropy(output, batch, 0.1).total, wanted)
    assert cross_entropy(output, batch).tokens == batch.tokens == int(batch.target.lengths.sum())


@pytest.mark.parametrize(("bound", "size"), [("clip_norm", 0.05), ("clip_value", 0.001)])
def test_gradients_are_clipped(tmp_path, bound, size):
    recipe = toy_recipe(
        tmp_path,
        "training.optimizer={kind: sgd, learning_rate: 1}",
        "training.clip_norm=null",
        f"training.{bound}={size}",
    )
    trainer, data = toy_trainer(recipe, tmp_path / "run")
    before = weights(trainer)
    trainer.learn([next(data.batches.epoch(0))])
    moved = torch.cat([(b - before[n]).flatten() for n, b in weights(trainer).items()])
    found = moved.norm() if bound == "clip_norm" else moved.abs().max()
    assert float(found) == pytest.approx(size, rel=1e-2)


def test_every_way_to_stop(tmp_path):
    assert run_to_the_end(tmp_path, "epochs")[1].reason == "epochs"
    steps = run_to_the_end(tmp_path, "steps", "training.steps=3")[1]
    assert (steps.reason, steps.position.step) == ("steps", 3)
    still = ("training.optimizer.learning_rate=0", "training.patience=2", "training.epochs=50")
    patience = run_to_the_end(tmp_path, "patience", *still)[1]
    assert (patience.reason, patience.position.epoch) == ("patience", 3)


def test_a_finished_run_is_left_as_it_is_and_a_longer_one_goes_on(tmp_path):
    recipe = toy_recipe(tmp_path)
    train(recipe, tmp_path / "run")
    before = (tmp_path / "run" / "last.state").read_bytes()
    assert train(recipe, tmp_path / "run").reason == "epochs"
    assert (tmp_path / "run" / "last.state").read_bytes() == before
    assert train(toy_recipe(tmp_path, "training.epochs=3"), tmp_path / "run").position.epoch == 3


def test_a_run_of_another_recipe_is_not_carried_on(tmp_path):
    train(toy_recipe(tmp_path), tmp_path / "run")
    with pytest.raises(RunError, match=r"another recipe \(seed: 1 became 2\)"):
        train(toy_recipe(tmp_path, "seed=2"), tmp_path / "run")


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_weights(tmp_path, bad):
    trainer, _ = toy_trainer(toy_recipe(tmp_path, "training.save_every=1"), tmp_path / "run")
    groups = trainer._groups()
    trainer.learn(next(groups))
    trainer.save()
    good = weights(trainer)
    group = next(groups)
    with torch.no_grad():
        trainer.model.head.out.bias[5] = bad
    with pytest.raises(TrainingError) as caught:
        trainer.learn(group)
    for words in ("step 2", "rows", str(group[0].example_ids[0]), "learning_rate"):
        assert words in str(caught.value)
    kept, state = trainer.run.load_checkpoint()
    assert state["position"]["step"] == 1
    torch.testing.assert_close(kept, good, **TO_THE_BIT)


def test_what_is_validated_and_kept_is_the_average(tmp_path):
    trainer, _ = run_to_the_end(tmp_path, "run", "training.average={kind: ema, decay: 0.9}", "training.epochs=1")
    best = trainer.run.load_weights("best")
    torch.testing.assert_close(best, trainer.average.weights(), **TO_THE_BIT)
    assert any(not torch.equal(best[n], w) for n, w in weights(trainer).items())


def test_select_by_must_be_something_that_is_measured(tmp_path):
    with pytest.raises(RecipeError, match="it has: loss, perplexity, bleu, chrf"):
        train(toy_recipe(tmp_path, "training.select_by=comet"), tmp_path / "run")
    with pytest.raises(RecipeError, match="it has: loss, perplexity;"):
        train(toy_recipe(tmp_path, "training.select_by=bleu", "training.validation_search=null"), tmp_path / "run")


@pytest.mark.parametrize("head", ["decoder", "gnmt", "luong", "bahdanau"])
def test_it_learns_by_heart_and_then_writes(tmp_path, head):
    layers = 2 if head == "gnmt" else 1
    recipe = toy_recipe(
        tmp_path,
        f"model.head.kind={head}",
        f"model.head.layers={layers}",
        "model.head.hidden=24",
        "model.encoder.hidden=16",
        "model.encoder.dropout=0",
        "model.head.dropout=0",
        "training.epochs=120",
        "training.batch_size=100",
        "training.validate_every=120",
        "training.optimizer.learning_rate=2e-2",
    )
    train(recipe, tmp_path / "run")
    predictor = load(tmp_path / "run", device="cpu")
    sources, targets = zip(*PAIRS, strict=True)
    assert predictor.predict(sources) == list(targets)
    for kind in sorted(Search.registry):
        from s2s.config import configure

        node = {"kind": kind, **({"temperature": 0} if kind == "sample" else {})}
        found = predictor.search(sources, configure(Search, node))
        assert [best[0].text for best in found] == list(targets), tree(predictor.recipe.decoding)


def test_what_a_schedule_has_seen_is_kept(tmp_path):
    recipe = toy_recipe(tmp_path, "training.schedule={kind: plateau, patience: 0}")
    trainer, _ = toy_trainer(recipe, tmp_path / "run")
    for score in (1.0, 2.0, 3.0):
        trainer.schedule.observe(score, higher_is_better=False)
    trainer.save()
    again, _ = toy_trainer(recipe, tmp_path / "run")
    assert again.schedule.factor(1, None) != trainer.schedule.factor(1, None)
    again.resume()
    assert again.schedule.state_dict() == trainer.schedule.state_dict()


def test_a_run_without_validation_keeps_its_last_weights_as_the_best(tmp_path):
    changes = ("data.validation=null", "data.hold_out=0", "training.average=ema")
    trainer, _ = run_to_the_end(tmp_path, "alone", *changes)
    assert trainer.validator is None
    best = trainer.run.load_weights("best")
    with trainer.average.applied(trainer.model):
        torch.testing.assert_close(best, dict(trainer.model.state_dict()), **TO_THE_BIT)


WILD = (  # numbers run away within a few steps
    "training.optimizer={kind: sgd, learning_rate: 1e38}",
    "training.clip_norm=null",
    "training.epochs=null",
    "training.steps=12",
    "training.log_every=50",
    "training.precision=fp32",
)


@pytest.mark.parametrize("average", ["null", "ema"])
@pytest.mark.parametrize(
    ("changes", "stop"),
    [
        (("training.validate_every=50",), None),  # the end: last, after a validation
        (
            ("data.validation=null", "data.hold_out=0", "training.validate_every=50"),
            None,
        ),  # the end: last and best, without one
        (("training.validate_every=50", "training.save_every=4"), None),
        (("training.validate_every=4",), None),
        (("training.validate_every=4", "training.validation_search=null"), None),
        (("training.validate_every=50",), 6),  # SIGTERM
    ],
)
def test_a_run_that_has_gone_wrong_overwrites_nothing_where_the_loss_is_looked_at_rarely(
    tmp_path, changes, stop, average
):
    """As on a GPU, where looking at each loss would be waiting for it."""
    trainer, _ = toy_trainer(toy_recipe(tmp_path, *WILD, *changes, f"training.average={average}"), tmp_path / "run")
    trainer.save()
    good = weights(trainer)
    trainer.reporter = Terminator(stop)
    trainer._looks_always = False
    with pytest.raises(TrainingError) as caught:
        trainer.fit()
    for words in ("the loss is", "training rows", "a lower training.optimizer.learning_rate than 1e+38", "clip_norm=1"):
        assert words in str(caught.value)
    kept, state = trainer.run.load_checkpoint()
    assert state["position"]["step"] == 0
    torch.testing.assert_close(kept, good, **TO_THE_BIT)
    assert not (tmp_path / "run" / "best.safetensors").exists()


@pytest.mark.parametrize("always", [True, False])
def test_a_gradient_that_is_no_number_is_never_saved_though_the_loss_is_one(tmp_path, always):
    trainer, _ = toy_trainer(toy_recipe(tmp_path, "training.precision=fp32"), tmp_path / "run")
    trainer._looks_always = always
    groups = trainer._groups()
    trainer.learn(next(groups))
    trainer.save()
    good = weights(trainer)
    trainer.model.head.out.bias.register_hook(lambda gradient: gradient * math.nan)
    if always:
        with pytest.raises(TrainingError, match=r"step 2: the norm of the gradient is nan; .* training rows \d"):
            trainer.learn(next(groups))
        torch.testing.assert_close(weights(trainer), good, **TO_THE_BIT)
    else:
        trainer.learn(next(groups))
    with pytest.raises(TrainingError, match="the norm of the gradient is nan"):
        trainer.save()
    torch.testing.assert_close(trainer.run.load_checkpoint()[0], good, **TO_THE_BIT)


def test_weights_that_are_no_numbers_are_never_saved_though_nothing_else_shows_it(tmp_path):
    trainer, _ = toy_trainer(toy_recipe(tmp_path), tmp_path / "run")
    trainer.save()
    good = weights(trainer)
    with torch.no_grad():
        trainer.model.head.out.bias[5] = math.inf
    for write in (trainer.save, trainer.validate, trainer.fit):
        trainer.position.step = trainer.options.steps or 0
        with pytest.raises(TrainingError, match="the largest weight is inf|the loss is"):
            write()
    torch.testing.assert_close(trainer.run.load_checkpoint()[0], good, **TO_THE_BIT)


def test_what_there_is_to_try_is_what_was_not_done():
    assert remedy(TrainingConfig(), 0.5).endswith("with a lower training.optimizer.learning_rate than 0.5")
    said = remedy(TrainingConfig(clip_norm=None, precision="bf16"), 2.0)
    assert said.endswith("than 2, or training.clip_norm=1, or training.precision=fp32")


def test_a_small_batch_is_freed_before_the_next_of_its_group(tmp_path):
    recipe = toy_recipe(tmp_path, "training.accumulate=3", "training.batch_size=9")
    trainer, _ = toy_trainer(recipe, tmp_path / "run")
    outputs = []

    def watch(module, given):
        assert all(output() is None for output in outputs), "the logits of the batch before still fill memory"

    trainer.model.register_forward_pre_hook(watch)
    trainer.model.register_forward_hook(lambda module, given, output: outputs.append(weakref.ref(output.logits)))
    trainer.learn(next(trainer._groups()))
    assert len(outputs) == 3


def test_gradients_that_are_not_to_be_clipped_are_left_alone(tmp_path, monkeypatch):
    trainer, data = toy_trainer(toy_recipe(tmp_path, "training.clip_norm=null"), tmp_path / "run")
    kept = []
    trainer.model.head.out.bias.register_post_accumulate_grad_hook(lambda p: kept.append((p.grad, p.grad._version)))
    monkeypatch.setattr(trainer.optimizer, "zero_grad", lambda set_to_none: None)
    trainer.learn([next(data.batches.epoch(0))])
    ((gradient, version),) = kept
    assert gradient is trainer.model.head.out.bias.grad
    assert gradient._version == version, "written to, though there is nothing to clip"


class Listener(Terminator):
    """Hears messages and validations."""

    def __init__(self, step=None):
        super().__init__(step)
        self.messages, self.found = [], []

    def message(self, text):
        self.messages.append(text)

    def validation(self, step, scores, best, samples=()):
        self.found.append((scores["bleu"], scores["loss"], best))


def blind_recipe(tmp_path, *changes):
    """Texts of three words, chosen by BLEU, which counts runs of four."""
    recipe = toy_recipe(
        tmp_path,
        "training.select_by=bleu",
        "training.epochs=6",
        "training.optimizer.learning_rate=1e-1",
        "training.precision=fp32",
        *changes,
    )
    for split in ("train", "validation"):
        for side in ("en", "es"):
            path = tmp_path / "corpus" / f"{split}.{side}"
            path.write_text("".join(" ".join(line.split()[:3]) + "\n" for line in path.read_text().splitlines()))
    return recipe


def test_a_score_that_even_the_references_do_not_get_is_told_of_and_the_loss_decides(tmp_path):
    whole, _ = toy_trainer(blind_recipe(tmp_path), tmp_path / "whole")
    whole.reporter = Listener()
    whole.fit()
    found = whole.reporter.found
    lowest = math.inf
    for _, loss, best in found:
        assert best == (loss < lowest)
        lowest = min(loss, lowest)
    assert whole.position.best == lowest
    assert whole.position.best_step > 2, "not the first"
    (said,) = whole.reporter.messages
    assert said.startswith("warning: bleu is 0 even for the references themselves, for it counts runs of 4 tokens")
    assert said.endswith("set training.select_by=chrf")

    cut, _ = toy_trainer(blind_recipe(tmp_path), tmp_path / "cut")
    cut.reporter = Listener(5)
    cut.fit()
    again, _ = toy_trainer(blind_recipe(tmp_path), tmp_path / "cut")
    again.reporter = Listener()
    again.resume()
    again.fit()
    assert again.reporter.messages == [], "said once in a run"
    assert cut.reporter.found + again.reporter.found == found
    torch.testing.assert_close(again.run.load_weights("best"), whole.run.load_weights("best"), **TO_THE_BIT)


def test_of_equal_scores_the_lower_loss_wins(tmp_path):
    changes = ("training.select_by=exact", "task.metrics=[exact, bleu]", "training.epochs=4")
    trainer, _ = toy_trainer(toy_recipe(tmp_path, *changes), tmp_path / "run")
    trainer.reporter = Listener()
    trainer.fit()
    assert trainer.reporter.messages == [], "this score could rise"
    assert trainer.position.best == 0
    losses = [loss for _, loss, _ in trainer.reporter.found]
    assert trainer.position.best_loss == min(losses) < losses[0]
    assert trainer.position.best_step > 2


def test_a_checkpoint_of_an_older_s2s_is_gone_on_from(tmp_path):
    """It has no best_loss, and chose by a score that was always 0."""
    trainer, _ = toy_trainer(blind_recipe(tmp_path, "training.steps=3"), tmp_path / "run")
    trainer.fit()
    older, state = trainer.run.load_checkpoint()
    del state["position"]["best_loss"], state["optimizer"]["shapes"]
    state["position"]["best"] = 0.0
    trainer.run.save_checkpoint(older, state)
    again, _ = toy_trainer(blind_recipe(tmp_path, "training.steps=8"), tmp_path / "run")
    again.resume()
    assert again.fit().position.step == 8
    assert again.position.best == again.position.best_loss > 0


def test_a_language_model_names_the_rows_it_read_too(tmp_path):
    trainer, _ = toy_trainer(toy_recipe(tmp_path, *OTHERS["stream"]), tmp_path / "run")
    with torch.no_grad():
        next(iter(trainer.model.parameters())).fill_(math.nan)
    with pytest.raises(TrainingError, match=r"step 1: the loss is nan; the batch held training rows \d"):
        trainer.learn(next(trainer._groups()))


class NoDoubles(TorchDispatchMode):
    """As Apple's GPUs, which have no 64 bits."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        assert not isinstance(found, torch.Tensor) or found.dtype != torch.float64, function
        return found


def test_a_validation_needs_no_64_bits_where_there_are_none(tmp_path, monkeypatch):
    trainer, data = toy_trainer(toy_recipe(tmp_path, "training.precision=fp32"), tmp_path / "run")
    wanted = losses(trainer.model, data.task, data.validation, trainer.precision)
    monkeypatch.setattr("s2s.training.validation.widest", lambda device: torch.float32)
    with NoDoubles():
        found = losses(trainer.model, data.task, data.validation, trainer.precision)
    assert found == pytest.approx(wanted, rel=1e-5)
    logits = [trainer.model.eval()(batch).logits.double().log_softmax(-1) for batch in data.validation.in_order()]
    golds = [batch.labels for batch in data.validation.in_order()]
    nats = -torch.cat([logp.detach().gather(1, gold[:, None]) for logp, gold in zip(logits, golds, strict=True)])
    assert wanted["loss"] == pytest.approx(float(nats.mean()), rel=1e-5)
    assert wanted["perplexity"] == pytest.approx(float(nats.mean().exp()), rel=1e-5)


def test_a_run_that_was_scaled_goes_on_where_nothing_is_and_the_other_way_round(tmp_path):
    """bf16 on a GPU scales its loss, on a CPU it does not; runs of an older s2s never did."""
    trainer, _ = toy_trainer(toy_recipe(tmp_path, "training.epochs=1"), tmp_path / "run")
    trainer.fit()
    scaled, _ = toy_trainer(toy_recipe(tmp_path), tmp_path / "run")
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
    scaled.precision = dataclasses.replace(scaled.precision, scaler=scaler)
    scaled.resume()
    scaled.fit()
    assert scaled.run.load_checkpoint()[1]["scaler"]["scale"] == 64.0
    back, _ = toy_trainer(toy_recipe(tmp_path, "training.epochs=3"), tmp_path / "run")
    back.resume()
    assert back.fit().position.epoch == 3


class Finished(Reporter):
    def __init__(self):
        self.lines, self.closed = [], 0

    def finish(self, lines):
        self.lines += lines

    def close(self):
        self.closed += 1


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ((), r"all epochs are done: \d+ steps, \d+ s of training; best loss \d\.\d{4} at step \d+"),
        (("training.steps=2",), "all steps are done: 2 steps, "),
        (("data.validation=null", "data.hold_out=0"), r"all epochs are done: \d+ steps, \d+ s of training$"),
        (("training.select_by=chrf",), r".*; best chrf \d+\.\d{2} at step"),
    ],
)
def test_how_it_ended_is_told_to_all_who_listen_and_kept(tmp_path, changes, wanted):
    reporter = Finished()
    train(toy_recipe(tmp_path, *changes), tmp_path / "run", reporter=reporter)
    (line,) = reporter.lines
    assert re.match(wanted, line)
    assert reporter.closed == 0, "whoever opened it closes it"
    assert list(Run.open(tmp_path / "run").events())[-1] == {"event": "finish", "lines": [line]}


def test_what_training_opened_it_closes(tmp_path, monkeypatch):
    """TensorBoard writes its last numbers when it is closed, also after a mistake."""
    opened = []

    class Board(Finished):
        def __init__(self, folder):
            super().__init__()
            opened.append(self)

        def step(self, step, epoch, scores):
            if step == 4:
                raise RunError("tensorboard", "the disk is full")

    monkeypatch.setattr("s2s.api.train.TensorBoard", Board)
    train(toy_recipe(tmp_path, "training.tensorboard=true", "training.steps=2"), tmp_path / "run")
    with pytest.raises(RunError, match="the disk is full"):
        train(toy_recipe(tmp_path, "training.tensorboard=true", "training.steps=6"), tmp_path / "run")
    assert [board.closed for board in opened] == [1, 1]
    assert [len(board.lines) for board in opened] == [1, 0]
