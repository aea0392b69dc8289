"""One config fitted and measured: here or in worker processes, with costly fits shared and hopeless ones given up."""

import multiprocessing
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import optuna
import psutil
import torch

from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models.base import EpochCallback, Model
from graphrec.tuning.trial import Measure, Quality, Trial

#: Fits that are kept to make variants from: at most so many, and as many as leave room for half as much again as the
#: largest of them beside it, since a variant takes that; of a machine with less memory, half of what is free. Which are
#: kept decides the time alone, not what is found.
KEPT, KEPT_BYTES = 3, 1_100_000_000

#: A training is measured after each of so many parts, and given up where it is below the median of so many others.
STEPS = 4
OTHERS = 4

Config = Any  # a frozen dataclass; each model has one of its own


@dataclass(frozen=True)
class ExecutionConfig:
    """Where trials run: on a device, and each from the same seed."""

    seed: int
    device: str = "cpu"


@dataclass(frozen=True, eq=False)
class Task:
    """What all trials have in common: the model, what it may see and learn from, and the measure of it."""

    kind: type[Model[Any]]
    graph: HeteroGraph
    train: Interactions
    measure: Measure
    place: ExecutionConfig


class TrialRunner:
    """Fits the configs of one model and measures them; keeps the last few fits to make variants from."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._fitted: list[Model[Any]] = []
        self._largest = 0  # bytes of the largest model seen
        self._room = min(KEPT_BYTES, psutil.virtual_memory().available // 2)

    def examine(self, config: Config, others: Sequence[Mapping[int, float]]) -> Trial:
        """The trial of a config; `others` are the steps of trainings that it is compared with on its way."""
        began = time.perf_counter()
        steps: dict[int, float] = {}
        last: list[Quality] = []
        try:
            quality = self.task.measure(self._model(config, lambda model: self._watch(model, steps, last, others)))
        except optuna.TrialPruned:
            return Trial(asdict(config), last[-1], time.perf_counter() - began, steps, pruned=True)
        return Trial(asdict(config), quality, time.perf_counter() - began, steps)

    def _model(self, config: Config, callback_for: Callable[[Model[Any]], EpochCallback]) -> Model[Any]:
        found = self._variant(config)
        if found is not None:
            return found
        task = self.task
        model = task.kind(task.kind.shared(config), task.place.device)
        self._drop(KEPT - 1, self._largest)  # its memory is free before the next one is fitted
        model.watch_training(callback_for(model))
        model.fit_to_vary(task.graph, task.train, np.random.default_rng(task.place.seed))
        variant = model.variant(config)
        if variant is None:
            return model
        self._fitted.append(model)
        self._largest = max(self._largest, model.nbytes, variant.nbytes)
        return variant

    def _variant(self, config: Config) -> Model[Any] | None:
        """A variant of a kept fit; None if none of them serves."""
        for base in self._fitted:
            variant = base.variant(config)
            if variant is not None:
                self._largest = max(self._largest, base.nbytes, variant.nbytes)
                self._drop(KEPT, 0)
                return variant
        return None

    def _drop(self, most: int, room: int) -> None:
        """Let go of the oldest fits until there are at most so many, and room for so many bytes if nothing else is."""
        kept = self._room - self._largest * 3 // 2
        while self._fitted and (len(self._fitted) > most or sum(m.nbytes for m in self._fitted) + room > kept):
            if not room and len(self._fitted) == 1:
                return  # the next config is most likely a variant of the last fit
            self._fitted.pop(0)

    def _watch(
        self,
        model: Model[Any],
        steps: dict[int, float],
        last: list[Quality],
        others: Sequence[Mapping[int, float]],
    ) -> EpochCallback:
        trial = _among(others)

        def measured(part: int) -> None:
            last.append(self.task.measure(model))
            steps[part] = last[-1].plain
            trial.report(steps[part], part)
            if trial.should_prune():
                raise optuna.TrialPruned

        return EpochCallback(STEPS, measured)


def _among(others: Sequence[Mapping[int, float]]) -> optuna.Trial:
    """A trial of a study whose other trials went through these steps."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(OTHERS, n_warmup_steps=0))
    study.add_trials(
        [
            optuna.trial.create_trial(value=list(steps.values())[-1], intermediate_values=dict(steps))
            for steps in others
            if steps
        ]
    )
    return study.ask()


class Workers:
    """Processes that examine configs side by side, each with its share of the machine's threads; a context manager.

    One worker is this process itself.
    """

    def __init__(self, task: Task, number: int = 1) -> None:
        self.number = number
        self._here = TrialRunner(task) if number == 1 else None
        self._pool = None
        if number > 1:
            # forked processes hang in the runtime of OpenMP once the parent has used it
            spawn = multiprocessing.get_context("spawn")
            threads = max(torch.get_num_threads() // number, 1)
            self._pool = ProcessPoolExecutor(number, spawn, _begin, (task, threads))

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def examine(self, configs: Iterable[Config], others: Sequence[Mapping[int, float]]) -> list[Trial]:
        """The trials of some configs, in their order."""
        if self._here is not None:
            return [self._here.examine(config, others) for config in configs]
        assert self._pool is not None
        return [job.result() for job in [self._pool.submit(_examine, config, others) for config in configs]]


_worker: list[TrialRunner] = []  # of this process, where it is a worker: the one place that its pool gives it


def _begin(task: Task, threads: int) -> None:
    torch.set_num_threads(threads)
    _worker.append(TrialRunner(task))


def _examine(config: Config, others: Sequence[Mapping[int, float]]) -> Trial:
    return _worker[0].examine(config, others)
