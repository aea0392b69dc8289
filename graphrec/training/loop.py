"""The one training loop: the only place that touches an optimiser."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch.optim import Optimizer

#: Called with (epochs done, epochs in all).
Progress = Callable[[int, int], None]

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Stopping:
    """When to stop early: `measure` after every `every` epochs, and stop after `patience` measures without a new best.

    The parameters of the best measure are put back at the end.
    """

    measure: Callable[[], float]
    every: int = 5
    patience: int = 3


def train(
    parameters: list[Tensor],
    optimizer: Optimizer,
    batches: Callable[[], Iterable[Batch]],
    loss: Callable[[Batch], Tensor],
    epochs: int,
    progress: Progress | None = None,
    stopping: Stopping | None = None,
) -> list[float]:
    """The mean loss of each epoch [epochs done] after training `parameters` in place.

    `batches` gives the batches of one epoch, `loss` the loss of a batch; what device they live on is theirs to know.
    """
    history: list[float] = []
    best, kept, waited = -float("inf"), [p.detach().clone() for p in parameters] if stopping else [], 0
    for epoch in range(epochs):
        history.append(_epoch(optimizer, batches(), loss))
        if progress is not None:
            progress(epoch + 1, epochs)
        if stopping is None or (epoch + 1) % stopping.every:
            continue
        value = stopping.measure()
        if value > best:
            best, kept, waited = value, [p.detach().clone() for p in parameters], 0
        else:
            waited += 1
        if waited >= stopping.patience:
            break
    if best > -float("inf"):
        with torch.no_grad():
            for parameter, value_kept in zip(parameters, kept, strict=True):
                parameter.copy_(value_kept)
    return history


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
