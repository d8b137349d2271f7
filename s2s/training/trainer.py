"""The loop. Everything it needs is handed to it; everything it learns is in its state.

    trainer = Trainer(model, task, batches, validator, run, options, precision=..., reporter=...)
    outcome = trainer.fit()

A run that stops at any step and comes back is the run that never stopped, bit for bit on a CPU: weights,
optimizer, schedule, scaler, averages, random numbers, the position in the data and the counters of early
stopping are all in the checkpoint.
"""

import dataclasses
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from s2s.data.batches import Batches
from s2s.data.streams import StreamBatches
from s2s.devices import Precision
from s2s.errors import TrainingError
from s2s.nn.model import Model
from s2s.runs.run import Run
from s2s.tasks.task import Task
from s2s.tensors import Batch, detach, move, tree_leaves, tree_unflatten
from s2s.training.config import TrainingConfig
from s2s.training.endings import remedy
from s2s.training.optimizers import load_optimizer_state, optimizer_state, set_rate
from s2s.training.position import MetricAccumulator, Reason, TrainingResult, TrainingState
from s2s.training.reporters import Plan, Reporter
from s2s.training.seeds import random_state, set_random_state
from s2s.training.signals import StopRequest
from s2s.training.validation import Validation, Validator


class Trainer:
    """Trains `model` on `batches` until a stop of `options` comes.

    task       says what the loss is
    validator  scores the model on held-out data; None trains without looking up
    run        where checkpoints and events go
    reporter   is told of every step and validation
    """

    def __init__(
        self,
        model: Model,
        task: Task,
        batches: Batches | StreamBatches,
        validator: Validator | None,
        run: Run,
        options: TrainingConfig,
        *,
        precision: Precision,
        reporter: Reporter | None = None,
    ) -> None:
        self.model, self.task, self.batches = model.to(precision.device), task, batches
        self.validator, self.run = validator, run
        self.options, self.precision, self.reporter = options, precision, reporter or Reporter()
        self.optimizer = options.optimizer(list(model.named_parameters()))
        self.schedule = options.schedule()
        self.average = options.average(model) if options.average else None
        self.position = TrainingState()
        self.carried: Any = None  # the state after the last batch, where the next one goes on with its text
        self.total_steps = options.total_steps(batches.count(0))
        self.blind = validator.blind(options.select_by) if validator else ""
        self.selects = "loss" if self.blind else options.select_by
        what_to_try = remedy(options, self.optimizer.param_groups[0]["lr"])
        self._recent = MetricAccumulator(
            precision.device, str(run.path), what_to_try, scaled=precision.scaler is not None
        )
        self._looks_always = precision.device.type == "cpu"  # free there; on a GPU a look at the loss is a wait

    # -- the loop ------------------------------------------------------------------------------------

    def fit(self, stop: StopRequest | None = None) -> TrainingResult:
        """Train until a stop comes, or is asked for. Raises TrainingError when a loss, gradient or weight is no number.

        stop  who asks; Ctrl-C and SIGTERM do where it is not given
        """
        here, options = self.position, self.options
        self.reporter.start(Plan(self.total_steps, options.epochs, here.step, self.selects, here.best))
        if self.blind and not here.step:
            self.reporter.message(self.blind)
        self._recent.go_on()
        with stop or StopRequest(signals=True) as request:
            reason = self._finished()
            while reason is None:
                step, from_start = here.step, here.batch == 0
                for group in self._groups():
                    self.learn(group)
                    reason = self._after_step(request)
                    if reason:
                        break
                if here.step == step and from_start:
                    raise self._nothing()
                if reason is None and (reason := self._finished()):
                    self.save()
        if self.validator is None or (here.best is None and reason != "asked"):
            # nobody can say which weights were best: the last are
            self._look()
            with self._averaged():
                self.run.save_weights("best", self.model.state_dict())
        return TrainingResult(reason, self.position)

    def _groups(self) -> Iterator[list[Batch]]:
        """The rest of this pass, in groups of `accumulate` batches; a last short group counts like any other."""
        here = self.position
        size = self.options.accumulate
        count = self.batches.count(here.epoch)
        if count and here.batch >= count:  # a pass that is shorter than when its checkpoint was written
            here.epoch, here.batch = here.epoch + 1, 0
            count = self.batches.count(here.epoch)
        stream = iter(self.batches.epoch(here.epoch, start=here.batch))
        while group := list(itertools.islice(stream, size)):
            here.batch += len(group)
            if here.batch >= count:
                here.epoch, here.batch = here.epoch + 1, 0
            yield group
        if here.batch:  # it gave fewer batches than it counted: it is over all the same
            here.epoch, here.batch = here.epoch + 1, 0

    def _nothing(self) -> TrainingError:
        """What to say of a pass without a batch: going on would be going round in circles."""
        what = f"pass {self.position.epoch + 1} over the training data has no batch to learn from"
        return TrainingError(
            str(self.run.path), what, "see what `data` and max_length leave: s2s train says how many rows"
        )

    def learn(self, group: Sequence[Batch]) -> None:
        """One update of the weights. A group of small batches weighs every token as one large batch would."""
        here, options = self.position, self.options
        here.step += 1
        self.model.train()
        set_rate(self.optimizer, self.schedule.factor(here.step, self.total_steps))
        tokens = sum(batch.tokens for batch in group)
        total = torch.zeros((), device=self.precision.device)
        for batch in group:
            batch = move(batch, self.precision.device)
            with self.precision.autocast():
                output = self.model(batch, None if batch.is_first_chunk else self.carried)
                loss = self.task.loss(output, batch, options.label_smoothing)
            self.carried = detach(output.state) if self.task.streams else None
            self._scaled(loss.total / tokens).backward()
            total += loss.total.detach()
            del output, loss  # or they would fill memory beside those of the next batch of the group
        self._recent.learned(here.step, total, tokens, [row for batch in group for row in batch.example_ids])
        self._update()
        if self.average:
            self.average.update(here.step)
        here.tokens += tokens
        self.reporter.advance(here.step, self._epochs())

    def _scaled(self, loss: Tensor) -> Tensor:
        return self.precision.scaler.scale(loss) if self.precision.scaler else loss

    def _update(self) -> None:
        """Clip, step, forget the gradients. On a CPU nothing is touched where the loss or a gradient is no number."""
        scaler, options = self.precision.scaler, self.options
        parameters = [p for p in self.model.parameters() if p.grad is not None]
        gradients = [p.grad for p in parameters if p.grad is not None]
        if scaler:
            scaler.unscale_(self.optimizer)  # bounds are meant for the true gradients
        if options.clip_value is not None:
            nn.utils.clip_grad_value_(parameters, options.clip_value)
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        self._recent.found(norm)
        if self._looks_always:
            self._recent.check()
        if options.clip_norm is not None:  # as nn.utils.clip_grad_norm_ has it
            torch._foreach_mul_(gradients, (options.clip_norm / (norm + 1e-6)).clamp(max=1.0))
        if scaler:
            scaler.step(self.optimizer)
            scaler.update()
        else:
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def _after_step(self, request: StopRequest) -> Reason | None:
        """Look up where it is time to: log, validate, save. Gives the reason to stop, if there is one."""
        here, options = self.position, self.options
        if here.step % options.log_every == 0:
            self._log()
        reason = self._finished()
        due = here.batch == 0 if options.validate_every is None else here.step % options.validate_every == 0
        if self.validator and (due or (reason and not request.asked)):
            self.validate()
            reason = self._finished()
            self.save()
        elif request.asked or reason or (options.save_every and here.step % options.save_every == 0) or due:
            self.save()
        return "asked" if request.asked and reason is None else reason

    def _finished(self) -> Reason | None:
        here, options = self.position, self.options
        if options.steps is not None and here.step >= options.steps:
            return "steps"
        if options.epochs is not None and here.epoch >= options.epochs:
            return "epochs"
        if options.patience is not None and here.worse >= options.patience:
            return "patience"
        return None

    # -- looking up ----------------------------------------------------------------------------------

    def validate(self) -> None:
        """Score the model, averaged if it is; keep it if it is the best so far."""
        assert self.validator is not None
        self._log()
        self._look()
        if self.average:
            self.average.snapshot()
        with self._averaged():
            found = self.validator(self.model, self.precision)
            best = self._judge(found)
        self.reporter.validation(self.position.step, found.scores, best, found.samples)
        self._recent.go_on()

    def _averaged(self) -> AbstractContextManager[Any]:
        """The model with its averaged weights, where there are any."""
        return self.average.applied(self.model) if self.average else nullcontext()

    def _judge(self, found: Validation) -> bool:
        """Tell the schedule and early stopping; keep the weights where they are the best so far."""
        here, name = self.position, self.selects
        score, loss, higher = found.scores[name], found.scores["loss"], name in found.higher_is_better
        self.schedule.observe(score, higher)
        if not here.improves(score, loss, higher):
            here.worse += 1
            return False
        here.best, here.best_loss, here.best_step, here.worse = score, loss, here.step, 0
        self.run.save_weights("best", self.model.state_dict())
        return True

    def _look(self, weights: Iterable[Tensor] | None = None) -> None:
        """Wait for the device; raise TrainingError where training has gone wrong. Comes before all that is written."""
        self._recent.check(self.model.state_dict().values() if weights is None else weights)
        self.position.seconds += self._recent.lap()

    def _log(self) -> None:
        """Wait for the device, look at the loss, tell the reporters."""
        if self._recent.steps:
            here = self.position
            self._look(())
            self.reporter.step(here.step, self._epochs(), self._recent.scores(self.optimizer.param_groups[0]["lr"]))
            self._recent.forget()

    def _epochs(self) -> float:
        """Passes over the data, with the fraction of this one."""
        here = self.position
        return round(here.epoch + here.batch / max(1, self.batches.count(here.epoch)), 4)

    # -- checkpoints ---------------------------------------------------------------------------------

    def save(self) -> None:
        """Write weights and state, so that fit() can go on from here. Raises TrainingError before it writes."""
        self._look()
        state = {
            "optimizer": optimizer_state(self.optimizer),
            "average": self.average.state_dict() if self.average else None,
            "schedule": self.schedule.state_dict(),
            "scaler": self.precision.scaler.state_dict() if self.precision.scaler else None,
            "random": random_state(self.precision.device),
            "carried": tree_leaves(self.carried),
            "position": dataclasses.asdict(self.position),
        }
        self.run.save_checkpoint(self.model.state_dict(), state)
        if self.position.step:
            self.run.replaced.forget()  # from here on, this run is worth more than one that --fresh replaced
        self._recent.go_on()

    def resume(self) -> None:
        """Go on from the run's last checkpoint."""
        weights, state = self.run.load_checkpoint()
        self.model.load_state_dict(weights)
        load_optimizer_state(self.optimizer, state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        if self.average and state["average"] is not None:
            self.average.load_state_dict(state["average"])
        if self.precision.scaler and state["scaler"]:
            self.precision.scaler.load_state_dict(state["scaler"])
        self.position = TrainingState(**state["position"])
        if self.blind and self.position.best_loss is None:  # an older s2s chose by a score that says nothing
            self.position.best = None
        self.carried = self._carried(state.get("carried", ()))
        set_random_state(state["random"], self.precision.device)
        self.run.rewind_log(self.position.step)  # what came after will be told again

    def accept(self, changed: Collection[str]) -> None:
        """Go on, after resume(), with data of which these splits are others than they were.

        Places in a pass over other rows mean nothing: that pass begins again, with no text carried over. Scores on
        other rows cannot be compared: the next validation is the best so far.
        """
        if "train" in changed:
            self.position.batch, self.carried = 0, None
        if "validation" in changed:
            self.position.best, self.position.best_step, self.position.worse = None, 0, 0
            self.schedule.forget()

    def _carried(self, tensors: Sequence[Tensor]) -> Any:
        """The state that was carried from batch to batch: a checkpoint holds its tensors, a model knows their nest."""
        if not tensors:
            return None
        batch = next(self.batches.epoch(0))
        with self.precision.autocast():
            _, state = self.model.head.start(self.model.encode(move(batch.source, self.precision.device)))
        kinds = [tensor.dtype for tensor in tree_leaves(state)]  # the checkpoint's may be of another precision
        return tree_unflatten(
            state, [t.to(self.precision.device, kind) for t, kind in zip(tensors, kinds, strict=True)]
        )
