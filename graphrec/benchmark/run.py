"""One model on a published split: tuned on a part of train, fitted to all of train, tested once, with its costs."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graphrec.benchmark.ablation import Ablation, compare_relations
from graphrec.benchmark.datasets import KS, Dataset
from graphrec.benchmark.literature import LiteratureResult
from graphrec.benchmark.rating_metrics import rating_error, tune_ratings
from graphrec.benchmark.validation import hold_out, part_for_weights
from graphrec.errors import DataError, GraphrecError
from graphrec.evaluation.assembly import num_edges
from graphrec.evaluation.audit import audit, require_clean
from graphrec.evaluation.cold_start import evaluate_cold_items
from graphrec.evaluation.environment import load, machine, peak_mib, versions
from graphrec.evaluation.next_item import evaluate_next_items
from graphrec.evaluation.protocol import Evaluation, evaluate
from graphrec.models import make, settings_for
from graphrec.models.base import Model
from graphrec.models.ensemble.members import COMBINED
from graphrec.progress import StageProgress
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.tuning import TuningBudget, choose

#: Cut-off of the measurements of a panel.
K = KS[0]


@dataclass(frozen=True)
class Conditions:
    """How a model is measured.

    settings: settings to use, or the model's default for the graph if it is empty; None to tune them.
    num_trials: configs tried beyond the model's candidates; None for the default of `TuningBudget`.
    memory_budget: bytes for scores in memory at once.
    label: name of the result in tables; "" for the name of the model.
    study: file in which every trial of the tuning is saved; an interrupted tuning continues from it.
    """

    settings: Mapping[str, str] | None = None
    num_trials: int | None = None
    seed: int = 0
    device: str = "cpu"
    memory_budget: int = MEMORY_BUDGET
    label: str = ""
    study: Path | None = None


@dataclass(frozen=True)
class Result:
    """One model on one data set.

    without: relationship types that were left out.
    trials: number of configs tried on validation; 0 if settings were given or the model has one config.
    metrics: on test, by `metric@k` at the cut-offs of the data set (rmse and mae for ratings).
    seconds: of tune, fit and recommend (the first 20 items for all test users; for next items, their ranks; for
        ratings, predicting all test pairs).
    peak_mib: peak memory of the process, in MiB, at the end of read, tune, fit and recommend, including Python, torch
        and the data. On a GPU also `gpu`, the peak memory of tensors there.
    counts: users, items, training and test interactions, test users and cold users left out; for ratings, test pairs of
        cold users and items.
    load: load average of the machine over one minute at the start; -1 if unknown.
    edges, cut: by relationship type, edges that the model saw, and edges removed because they reveal test pairs.
    published: results from the literature.
    """

    data: str
    model: str
    label: str
    without: tuple[str, ...]
    config: Mapping[str, Any]  # int, float, str or bool, as the model's config has it
    trials: int
    metrics: Mapping[str, float]
    seconds: Mapping[str, float]
    peak_mib: Mapping[str, int]
    counts: Mapping[str, int]
    edges: Mapping[str, int]
    cut: Mapping[str, int]
    seed: int
    device: str
    threads: int
    load: float
    versions: Mapping[str, str]
    machine: str
    measured_at: str
    published: tuple[LiteratureResult, ...] = ()
    ablations: tuple[Ablation, ...] = ()


@dataclass(frozen=True, eq=False)
class MeasuredModel:
    """A result with the values per test user behind it (None for ratings)."""

    result: Result
    evaluation: Evaluation | None = field(repr=False)


@dataclass(frozen=True)
class SettingChoice:
    """The config selected, the number tried (0 if settings were given), and the total seconds."""

    config: Mapping[str, Any]  # int, float, str or bool, or all of them as text
    tried: int
    seconds: float


@dataclass(frozen=True, eq=False)
class _TestResult:
    """Metrics and counts on test, the seconds of ranking or predicting without computing metrics, and the values per
    user (None for ratings)."""

    metrics: Mapping[str, float]
    counts: Mapping[str, int]
    seconds: float
    evaluation: Evaluation | None


def benchmark(
    dataset: Dataset,
    model: str,
    conditions: Conditions = Conditions(),
    ablate: tuple[tuple[str, ...], ...] = (),
    progress: StageProgress | None = None,
) -> Result:
    """The quality and the cost of a model on a data set, with an ablation of each group of relationship types in
    `ablate`: the model is tuned, fitted and tested without them, and compared over the same users.

    Raises:
        UnknownNameError: the model, a setting or a relation does not exist.
        DataError: an ablation is requested for ratings.
        LeakError: the graph that the model sees reveals test interactions.
        GraphrecError: the device is not available.
    """
    check(dataset, model, conditions)
    reduced = [dataset.without(names) for names in ablate]
    if ablate and dataset.task == "rating":
        raise DataError(f"{dataset.name}: ratings have no ablation; measure with and without --without RELATION")
    measured = measure(dataset, model, conditions, progress)
    ablations = []
    for names, part in zip(ablate, reduced, strict=True):
        other = measure(part, model, conditions, progress)
        if measured.evaluation is not None and other.evaluation is not None:
            rng = np.random.default_rng(conditions.seed)
            effects = compare_relations(dataset.train, measured.evaluation, other.evaluation, rng, dataset.headline)
            result = other.result
            ablations.append(Ablation(names, result.config, result.metrics, result.seconds, effects))
    return replace(measured.result, ablations=tuple(ablations))


def check(dataset: Dataset, model: str, conditions: Conditions) -> None:
    """Raise the errors of `benchmark` that are known before anything is measured."""
    try:
        torch.empty(0, device=conditions.device)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA raises AssertionError
        reason = str(error).strip().splitlines()[0][:160]
        raise GraphrecError(f"device '{conditions.device}' cannot be used here: {reason}; cpu can") from error
    make(model, **(conditions.settings or {}))
    require_clean(audit(dataset.graph, dataset.train, dataset.test, None, whole=dataset.graph))


def measure(
    dataset: Dataset, model: str, conditions: Conditions, progress: StageProgress | None = None
) -> MeasuredModel:
    """One model tuned (unless settings are given), fitted and tested; raises as `benchmark`."""
    step = progress or (lambda _stage, _done, _total: None)
    rng = np.random.default_rng(conditions.seed)
    peaks = {"read": peak_mib()}
    choice = tune(dataset, model, conditions, rng, step)
    peaks["tune"] = peak_mib()
    fitted = make(model, conditions.device, **_name_part_for_weights(dataset, model, choice.config))
    started = time.perf_counter()
    fitted.fit(dataset.graph, dataset.train, rng, lambda done, total: step("fit", done, total))
    fitted.forget_variants()
    trained = time.perf_counter()
    peaks["fit"] = peak_mib()
    tested = _test_model(dataset, fitted, conditions, step)
    seconds = {"tune": choice.seconds, "fit": trained - started, "recommend": tested.seconds}
    peaks["recommend"] = peak_mib()
    if fitted.device.type == "cuda":
        peaks["gpu"] = int(torch.cuda.max_memory_allocated(fitted.device) >> 20)
    result = _start_result(dataset, model, conditions)
    return MeasuredModel(
        replace(
            result,
            config=asdict(fitted.config),
            trials=choice.tried,
            metrics=tested.metrics,
            seconds={name: round(value, 3) for name, value in seconds.items()},
            peak_mib=peaks,
            counts={**result.counts, **tested.counts},
        ),
        tested.evaluation,
    )


def _name_part_for_weights(dataset: Dataset, model: str, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config, where a model that combines others learns on parts like the test part if none is named."""
    if model not in COMBINED or config.get("validation", "auto") != "auto":
        return config
    return {**config, "validation": part_for_weights(dataset)}


def tune(
    dataset: Dataset, model: str, conditions: Conditions, rng: np.random.Generator, step: StageProgress | None = None
) -> SettingChoice:
    """The config that is best on held-out parts of train (`hold_out`); the given settings if there
    are any, where `{}` means the model's default for the graph."""
    if conditions.settings is not None:
        return SettingChoice(dict(settings_for(model, dataset.graph, conditions.settings)), 0, 0.0)

    def report(done: int, total: int) -> None:
        if step is not None:
            step("tune", done, total)

    if dataset.task == "rating":
        ratings = tune_ratings(dataset, model, rng, conditions.device, report)
        return SettingChoice(ratings.config, len(ratings.trials), ratings.seconds)
    effort = TuningBudget(conditions.num_trials, device=conditions.device, study=conditions.study)
    held_out = hold_out(dataset, rng)
    tuning = choose(model, held_out.validations, rng, report, effort, held_out.guards)
    # trials read from a study count with the seconds that they needed
    seconds = tuning.seconds if conditions.study is None else sum(trial.seconds for trial in tuning.trials)
    return SettingChoice(tuning.config, len(tuning.trials), seconds)


def _test_model(
    dataset: Dataset, model: Model[Any], conditions: Conditions, step: StageProgress
) -> _TestResult:  # of any config
    started = time.perf_counter()
    if dataset.task == "rating":
        error = rating_error(model, dataset.train, dataset.test)
        counts = {"cold_user_pairs": error.num_cold_users, "cold_item_pairs": error.num_cold_items}
        return _TestResult({"rmse": error.rmse, "mae": error.mae}, counts, time.perf_counter() - started, None)
    ended = [started]

    def report(done: int, total: int) -> None:
        ended.append(time.perf_counter())
        step("recommend", done, total)

    train, test, budget = dataset.train, dataset.test, conditions.memory_budget
    if dataset.drawn == "next":
        seen, negatives = dataset.mask_seen, dataset.negatives
        evaluation = evaluate_next_items(model, train, test, seen, negatives, memory_budget=budget, progress=report)
    else:
        evaluation = evaluate(model, dataset.seen, test, dataset.ks, budget, report)
    metrics = dict(evaluation.metrics)
    if dataset.cold_items is not None:
        metrics |= evaluate_cold_items(model, dataset.seen, test, dataset.cold_items, dataset.ks, budget)
    counts = {"test_users": len(evaluation.user_index), "cold_users": evaluation.num_cold}
    return _TestResult(metrics, counts, ended[-1] - started, evaluation)


def _start_result(dataset: Dataset, model: str, conditions: Conditions) -> Result:
    """A Result with everything that is known before the model is measured."""
    train = dataset.train
    return Result(
        data=dataset.name,
        model=model,
        label=conditions.label or model,
        without=dataset.left_out,
        config={},
        trials=0,
        metrics={},
        seconds={},
        peak_mib={},
        counts={"users": train.num_users, "items": train.num_items, "train": len(train), "test": len(dataset.test)},
        edges=num_edges(dataset.graph),
        cut=dataset.cut,
        seed=conditions.seed,
        device=conditions.device,
        threads=torch.get_num_threads(),
        load=load(),
        versions=versions(),
        machine=machine(),
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        published=dataset.published,
    )
