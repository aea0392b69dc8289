"""The one training loop: the only place that touches an optimiser."""

import copy
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
    """When to stop early: `measure` after every `every` epochs, and stop after `patience` measures without a new best.

    The parameters of the best measure are put back at the end.
    """

    measure: Callable[[], float]
    every: int = 5
    patience: int = 3


@dataclass(frozen=True)
class TrainSchedule:
    """How long to train, and what happens between epochs.

    epochs: passes over the batches, at most.
    final_rate: what is left of the learning rate in the last epoch; it falls linearly from epoch to epoch.
    progress: called after each epoch.
    stopping: when to stop before the last epoch.
    checkpoints: where the training is kept; a training that is there already goes on.
    rng: the generator that batches and losses draw from; needed for checkpoints, which keep its state.
    watch: called with the number of epochs done after each; what it raises ends the training.
    """

    epochs: int
    final_rate: float = 1.0
    progress: Progress | None = None
    stopping: Stopping | None = None
    checkpoints: Checkpoints | None = None
    rng: np.random.Generator | None = None
    watch: Callable[[int], None] | None = None

    def rate(self, epoch: int) -> float:
        """The share of the learning rate in an epoch, counted from 0."""
        return 1.0 - (1.0 - self.final_rate) * epoch / max(self.epochs - 1, 1)


@dataclass
class _TrainState:
    """How far a training is; changes as it goes on."""

    parameters: list[Tensor]
    history: list[float] = field(default_factory=list)
    best: float = -float("inf")
    kept: list[Tensor] = field(default_factory=list)
    waited: int = 0
    stopped: bool = False

    def measured(self, value: float, patience: int) -> None:
        """Take a measure into account: keep the parameters or wait."""
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
    plan: TrainSchedule,
) -> list[float]:
    """The mean loss of each epoch [epochs done] after training `parameters` in place.

    `batches` gives the batches of one epoch, `loss` the loss of a batch; what device they live on is theirs to know.
    Raises what `Checkpoints` does where the plan has any.
    """
    standing = _resumed(parameters, optimizer, plan)
    rates = [group["lr"] for group in optimizer.param_groups]
    for epoch in range(len(standing.history), plan.epochs):
        if standing.stopped:
            break
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * plan.rate(epoch)
        standing.history.append(_epoch(optimizer, batches(), loss))
        if plan.stopping is not None and (epoch + 1) % plan.stopping.every == 0:
            standing.measured(plan.stopping.measure(), plan.stopping.patience)
        if plan.checkpoints is not None and plan.checkpoints.due(epoch + 1, epoch + 1 == plan.epochs):
            plan.checkpoints.write(_content(standing, optimizer, plan))
        if plan.progress is not None:
            plan.progress(epoch + 1, plan.epochs)
        if plan.watch is not None:
            plan.watch(epoch + 1)
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    if standing.kept:
        with torch.no_grad():
            for parameter, value in zip(parameters, standing.kept, strict=True):
                parameter.copy_(value)
    return standing.history


def _epoch(optimizer: Optimizer, batches: Iterable[Batch], loss: Callable[[Batch], Tensor]) -> float:
    total, count = torch.zeros(()), 0
    for batch in batches:
        optimizer.zero_grad()
        value = loss(batch)
        value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        total += value.detach().cpu()
        count += 1
    return float(total) / max(count, 1)


def _content(standing: _TrainState, optimizer: Optimizer, plan: TrainSchedule) -> Mapping[str, object]:
    return {
        "parameters": [p.detach().cpu() for p in standing.parameters],
        "optimizer": optimizer.state_dict()["state"],
        "history": standing.history,
        "best": standing.best,
        "kept": [p.cpu() for p in standing.kept],
        "waited": standing.waited,
        "stopped": standing.stopped,
        "rng": None if plan.rng is None else plan.rng.bit_generator.state,
    }


def _resumed(parameters: list[Tensor], optimizer: Optimizer, plan: TrainSchedule) -> _TrainState:
    content: dict[str, Any] | None = None if plan.checkpoints is None else plan.checkpoints.read()
    if content is None:
        return _TrainState(parameters)
    with torch.no_grad():
        for parameter, value in zip(parameters, content["parameters"], strict=True):
            parameter.copy_(value)
    # the rates stay those of the plan; a copy, since load_state_dict keeps tensors that are on the right device
    optimizer.load_state_dict({**optimizer.state_dict(), "state": copy.deepcopy(content["optimizer"])})
    if plan.rng is not None:
        plan.rng.bit_generator.state = content["rng"]
    kept = [value.to(parameter.device) for parameter, value in zip(parameters, content["kept"], strict=False)]
    names = ("history", "best", "waited", "stopped")
    return _TrainState(parameters, kept=kept, **{name: content[name] for name in names})
