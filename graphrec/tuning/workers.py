"""Runs trials, in this process or in worker processes; shares costly fits between configs and stops poor ones early."""

import multiprocessing
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import optuna
import psutil
import torch

from graphrec.models.base import EpochCallback, Model
from graphrec.tuning.trial import Quality, Trial, Validation, combine

#: Caps on the cache of fitted models that variants are derived from: their number, and the bytes of these models and a
#: variant, which needs 1.5 times the largest fit; also capped by half of the free memory. The cache saves time and does
#: not change results.
MAX_CACHED, MAX_CACHED_BYTES = 3, 1_100_000_000

#: Number of measurements during a training.
NUM_STEPS = 4

#: Minimum number of other trainings before the median pruner stops one.
MIN_TRAININGS = 4

Config = Any  # a frozen dataclass; each model has its own


@dataclass(frozen=True)
class ExecutionConfig:
    """The seed of every trial, and the device that models are fitted on."""

    seed: int
    device: str = "cpu"


@dataclass(frozen=True, eq=False)
class Task:
    """The common inputs of all trials: model class, validations and execution."""

    kind: type[Model[Any]]
    validations: tuple[Validation, ...]
    execution: ExecutionConfig


class TrialRunner:
    """Fits configs of one model and measures them; caches the last fits to derive variants from them."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._fitted: list[tuple[Validation, Model[Any]]] = []
        self._max_cached = MAX_CACHED * len(task.validations)
        self._largest = 0  # bytes of the largest model seen
        self._cache_bytes = min(MAX_CACHED_BYTES, psutil.virtual_memory().available // 2)

    def run(self, config: Config, other_steps: Sequence[Mapping[int, float]]) -> Trial:
        """The trial of a config, pruned by comparison with `other_steps`, the steps of other trainings."""
        started = time.perf_counter()
        steps: dict[int, float] = {}
        last: list[dict[str, Quality]] = []
        parts: dict[str, Quality] = {}
        selected, stop_epoch = config, 0
        try:
            for position, validation in enumerate(self.task.validations):

                def callback_for(model: Model[Any], validation: Validation = validation) -> EpochCallback:
                    return self._watch(model, validation, steps, last, other_steps)

                # a training is pruned by its first validation, whose steps those of other trainings compare with; this
                # one also selects the number of epochs
                model = self.fit(selected, validation, callback_for if position == 0 else None)
                measured = validation.measure(model)
                best = max(steps, key=lambda part: steps[part], default=0)
                if position == 0 and best and steps[best] > combine(measured).ndcg:
                    stop_epoch = round(best * config.epochs / NUM_STEPS)
                    measured, selected = last[list(steps).index(best)], replace(config, stop_epoch=stop_epoch)
                parts |= measured
        except optuna.TrialPruned:
            return Trial(asdict(config), last[-1], time.perf_counter() - started, steps, pruned=True)
        return Trial(asdict(config), parts, time.perf_counter() - started, steps, stop_epoch=stop_epoch)

    def fit(
        self, config: Config, validation: Validation, callback_for: Callable[[Model[Any]], EpochCallback] | None = None
    ) -> Model[Any]:
        """The model of a config fitted to a validation of the task, as a variant of an earlier fit if possible.

        `callback_for` returns the callback of a training in epochs; without it, the training is not measured.
        """
        cached = self._variant(config, validation)
        if cached is not None:
            return cached
        task = self.task
        model = task.kind(task.kind.config_to_share(config), task.execution.device)
        self._shrink_cache(self._max_cached - 1, self._largest)  # frees memory before the next fit
        if callback_for is not None:
            model.watch_training(callback_for(model))
        model.fit_for_variants(validation.graph, validation.train, np.random.default_rng(task.execution.seed))
        variant = model.variant(config)
        if variant is None:
            return model
        self._fitted.append((validation, model))
        self._largest = max(self._largest, model.nbytes, variant.nbytes)
        return variant

    def _variant(self, config: Config, validation: Validation) -> Model[Any] | None:
        """The model of a config as a variant of a cached fit; None if no cached fit has this variant."""
        for base in [model for fitted_on, model in self._fitted if fitted_on is validation]:
            variant = base.variant(config)
            if variant is not None:
                self._largest = max(self._largest, base.nbytes, variant.nbytes)
                self._shrink_cache(self._max_cached, 0)
                return variant
        return None

    def _shrink_cache(self, max_fits: int, required: int) -> None:
        """Drop the oldest fits until at most `max_fits` remain and `required` bytes are free."""
        limit = self._cache_bytes - self._largest * 3 // 2
        while self._fitted and (
            len(self._fitted) > max_fits or sum(model.nbytes for _, model in self._fitted) + required > limit
        ):
            if not required and len(self._fitted) == 1:
                return  # keep the last fit: the next config is most likely a variant of it
            self._fitted.pop(0)

    def _watch(
        self,
        model: Model[Any],
        validation: Validation,
        steps: dict[int, float],
        last: list[dict[str, Quality]],
        other_steps: Sequence[Mapping[int, float]],
    ) -> EpochCallback:
        trial = _create_trial(other_steps)

        def measure(part: int) -> None:
            last.append(validation.measure(model))
            steps[part] = combine(last[-1]).ndcg
            trial.report(steps[part], part)
            if trial.should_prune():
                raise optuna.TrialPruned

        return EpochCallback(NUM_STEPS, measure)


def _create_trial(other_steps: Sequence[Mapping[int, float]]) -> optuna.Trial:
    """A trial of a new Optuna study whose other trials had these steps, with which the median pruner compares it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = optuna.pruners.MedianPruner(MIN_TRAININGS, n_warmup_steps=0)
    study = optuna.create_study(direction="maximize", pruner=pruner)
    study.add_trials(
        [
            optuna.trial.create_trial(value=list(steps.values())[-1], intermediate_values=dict(steps))
            for steps in other_steps
            if steps
        ]
    )
    return study.ask()


class WorkerPool:
    """Worker processes that run trials in parallel, each with an equal share of the threads; a context manager.

    With `number` 1 trials run in this process.
    """

    def __init__(self, task: Task, number: int = 1) -> None:
        self.number = number
        self._runner = TrialRunner(task) if number == 1 else None
        self._pool = None
        if number > 1:
            # forked processes hang in the OpenMP runtime if the parent has used it
            spawn = multiprocessing.get_context("spawn")
            threads = max(torch.get_num_threads() // number, 1)
            self._pool = ProcessPoolExecutor(number, spawn, _start_worker, (task, threads))

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def run(self, configs: Iterable[Config], other_steps: Sequence[Mapping[int, float]]) -> list[Trial]:
        """The trials of configs, in the same order."""
        if self._runner is not None:
            return [self._runner.run(config, other_steps) for config in configs]
        assert self._pool is not None
        return [job.result() for job in [self._pool.submit(_run_trial, config, other_steps) for config in configs]]


_worker: list[TrialRunner] = []  # the runner of this worker process, which a pool can only pass by a global variable


def _start_worker(task: Task, threads: int) -> None:
    torch.set_num_threads(threads)
    _worker.append(TrialRunner(task))


def _run_trial(config: Config, other_steps: Sequence[Mapping[int, float]]) -> Trial:
    return _worker[0].run(config, other_steps)
