"""The training loop of all models; no other module calls an optimiser."""

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from graphrec.progress import Progress
from graphrec.training.checkpoints import Checkpoints

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Stopping:
    """Early stopping; at the end, the parameters of the best measurement are restored.

    measure: returns the quality to maximise.
    every: number of epochs between two measurements.
    patience: number of consecutive measurements without a new best after which training stops.
    restored: called at the end with the number of epochs before the best measurement; not called without any.
    """

    measure: Callable[[], float]
    every: int = 5
    patience: int = 3
    restored: Callable[[int], None] = lambda _epoch: None


@dataclass(frozen=True)
class TrainSchedule:
    """The length of a training, and the actions between epochs.

    epochs: number of passes over the batches.
    final_rate: factor on the learning rate in the last epoch; it changes linearly from 1.
    progress: called after each epoch with the numbers of epochs done and in all.
    stopping: early stopping; None trains all epochs.
    checkpoints: the checkpoint file; a training that it contains resumes.
    rng: the generator that batches and losses draw from; checkpoints store its state.
    after_epoch: called after each epoch with the number of epochs done; an exception that it raises ends the training.
    stop_epoch: number of epochs after which training ends, with learning rates as in a training of all `epochs`; 0 for
        all.
    warmup_steps: number of first steps in which the learning rate rises linearly from 0.
    max_norm: maximum Euclidean norm of the gradient of a step; a longer one is scaled down to it.
    """

    epochs: int
    final_rate: float = 1.0
    progress: Progress | None = None
    stopping: Stopping | None = None
    checkpoints: Checkpoints | None = None
    rng: np.random.Generator | None = None
    after_epoch: Callable[[int], None] | None = None
    stop_epoch: int = 0
    warmup_steps: int = 0
    max_norm: float = math.inf

    @property
    def last_epoch(self) -> int:
        """The maximum number of epochs that are trained."""
        return min(self.stop_epoch or self.epochs, self.epochs)

    def rate(self, epoch: int, step: int) -> float:
        """The factor on the learning rate in an epoch and a step of the training, both counted from 0."""
        decay = 1.0 - (1.0 - self.final_rate) * epoch / max(self.epochs - 1, 1)
        return decay * min((step + 1) / max(self.warmup_steps, 1), 1.0)


@dataclass
class _TrainState:
    """The mutable state of a training; the names of its fields are keys of checkpoints.

    parameters: the trained tensors.
    history: mean loss of each epoch.
    steps: number of steps done.
    best: best measurement of early stopping.
    kept: copies of the parameters at the best measurement.
    waited: number of measurements since the best.
    stopped: whether early stopping has ended the training.
    """

    parameters: list[Tensor]
    history: list[float] = field(default_factory=list)
    steps: int = 0
    best: float = -float("inf")
    kept: list[Tensor] = field(default_factory=list)
    waited: int = 0
    stopped: bool = False

    def record(self, value: float, patience: int) -> None:
        """Record a measurement: copy the parameters if it is the best, and decide whether to stop."""
        if value > self.best:
            self.best, self.kept, self.waited = value, [p.detach().clone() for p in self.parameters], 0
        else:
            self.waited += 1
        self.stopped = self.waited >= patience


def train(
    parameters: list[Tensor],
    optimizer: Optimizer,
    batches: Callable[[], Iterable[Batch]],
    loss: Callable[[Batch], Tensor],
    schedule: TrainSchedule,
) -> list[float]:
    """Train `parameters` in place, and return the mean loss of each epoch done.

    `batches` returns the batches of one epoch, `loss` the loss of a batch. Raises the errors of `Checkpoints` if the
    schedule has any.
    """
    state = _load_state(parameters, optimizer, schedule)
    rates = [group["lr"] for group in optimizer.param_groups]
    for epoch in range(len(state.history), schedule.last_epoch):
        if state.stopped:
            break
        state.history.append(_run_epoch(optimizer, batches(), loss, schedule, state, rates))
        if schedule.stopping is not None and (epoch + 1) % schedule.stopping.every == 0:
            state.record(schedule.stopping.measure(), schedule.stopping.patience)
        is_last = epoch + 1 == schedule.last_epoch
        if schedule.checkpoints is not None and schedule.checkpoints.is_due(epoch + 1, is_last):
            schedule.checkpoints.write(_pack_checkpoint(state, optimizer, schedule))
        if schedule.progress is not None:
            schedule.progress(epoch + 1, schedule.last_epoch)
        if schedule.after_epoch is not None:
            schedule.after_epoch(epoch + 1)
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    if state.kept and schedule.stopping is not None:
        with torch.no_grad():
            for parameter, value in zip(parameters, state.kept, strict=True):
                parameter.copy_(value)
        every = schedule.stopping.every
        schedule.stopping.restored((len(state.history) // every - state.waited) * every)
    return state.history


def _run_epoch(
    optimizer: Optimizer,
    batches: Iterable[Batch],
    loss: Callable[[Batch], Tensor],
    schedule: TrainSchedule,
    state: _TrainState,
    rates: list[float],
) -> float:
    """The mean loss of one epoch of steps; `rates` are the full learning rates of the groups of the optimiser."""
    total, count = torch.zeros(()), 0
    for batch in batches:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * schedule.rate(len(state.history), state.steps)
        optimizer.zero_grad()
        value = loss(batch)
        value.backward()  # type: ignore[no-untyped-call]  # untyped in torch
        if math.isfinite(schedule.max_norm):
            torch.nn.utils.clip_grad_norm_(state.parameters, schedule.max_norm)
        optimizer.step()
        total += value.detach().cpu()
        count += 1
        state.steps += 1
    return float(total) / max(count, 1)


def _pack_checkpoint(state: _TrainState, optimizer: Optimizer, schedule: TrainSchedule) -> Mapping[str, object]:
    return {
        "parameters": [p.detach().cpu() for p in state.parameters],
        "optimizer": optimizer.state_dict()["state"],
        "history": state.history,
        "steps": state.steps,
        "best": state.best,
        "kept": [p.cpu() for p in state.kept],
        "waited": state.waited,
        "stopped": state.stopped,
        "rng": None if schedule.rng is None else schedule.rng.bit_generator.state,
    }


def _load_state(parameters: list[Tensor], optimizer: Optimizer, schedule: TrainSchedule) -> _TrainState:
    """The state of the checkpoint, after restoring parameters, optimiser and generator; a new state without one."""
    content: dict[str, Any] | None = None if schedule.checkpoints is None else schedule.checkpoints.read()
    if content is None:
        return _TrainState(parameters)
    with torch.no_grad():
        for parameter, value in zip(parameters, content["parameters"], strict=True):
            parameter.copy_(value)
    # learning rates are those of the schedule; a copy, since load_state_dict keeps tensors that are on the right device
    optimizer.load_state_dict({**optimizer.state_dict(), "state": copy.deepcopy(content["optimizer"])})
    if schedule.rng is not None:
        schedule.rng.bit_generator.state = content["rng"]
    kept = [value.to(parameter.device) for parameter, value in zip(parameters, content["kept"], strict=False)]
    names = ("history", "steps", "best", "waited", "stopped")
    return _TrainState(parameters, kept=kept, **{name: content[name] for name in names})
