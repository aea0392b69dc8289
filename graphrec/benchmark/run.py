"""A model on a published split: tuned on a part of train, fitted to all of it, tested once; with what it costs."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from graphrec.benchmark.ablation import Ablation, differences
from graphrec.benchmark.datasets import Dataset
from graphrec.benchmark.literature import LiteratureResult
from graphrec.benchmark.rating_metrics import rating_error, tune_ratings
from graphrec.benchmark.validation import hold_out
from graphrec.errors import DataError, GraphrecError
from graphrec.evaluation.assembly import num_edges
from graphrec.evaluation.audit import audit, require_clean
from graphrec.evaluation.environment import load, machine, peak_mib, versions
from graphrec.evaluation.protocol import Evaluation, evaluate, validation_measure
from graphrec.evaluation.trial import Steps
from graphrec.models import make
from graphrec.models.base import Model
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.tuning import TuningBudget, choose

#: The cut-off of every published figure.
K = 20

#: At most so many users are ranked to choose a config: what two good ones differ by is lost in the noise of fewer.
CHOOSING_USERS = 4000


@dataclass(frozen=True)
class Conditions:
    """How a model is measured: `settings` given instead of tuned (None: tuned), the configs that a search tries beyond
    the model's candidates (None: the search's own number), the seed, the device, the bytes that scores may take at one
    time, and the name of the result in a table ("" for the model's)."""

    settings: Mapping[str, str] | None = None
    num_trials: int | None = None
    seed: int = 0
    device: str = "cpu"
    memory_budget: int = MEMORY_BUDGET
    label: str = ""


@dataclass(frozen=True)
class Result:
    """One model on one data set.

    trials: configs that were tried on validation; none where settings were given or there is nothing to choose.
    metrics: on test, by `metric@20` (rmse and mae for ratings).
    seconds: of tune, fit and recommend (the first 20 items of all test users; for ratings, to foretell all test pairs).
    peak_mib: the largest memory of this process up to the end of read, tune, fit and recommend, in MiB; it holds
        Python, torch and the data too. On a GPU also `gpu`, the largest memory of tensors there.
    counts: users, items, known and test interactions, test users and cold ones left out, or test pairs of cold ones.
    load: how many processes wanted to run on the machine when it began, on average over a minute; -1 where unknown.
    edges, cut: by relationship type, what the model saw and what was taken out since it would tell the test part.
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
class Measured:
    """A result, and the values of each test user behind it (None for ratings)."""

    result: Result
    evaluation: Evaluation | None = field(repr=False)


@dataclass(frozen=True)
class SettingChoice:
    """The config chosen, how many were tried (none where settings were given), and the seconds in all."""

    config: Mapping[str, Any]  # int, float, str or bool, or all of them as text
    tried: int
    seconds: float


@dataclass(frozen=True, eq=False)
class _Tested:
    """Metrics on test, further counts, seconds until all was recommended or foretold, which leaves out the metrics, and
    the values of each user (None for ratings)."""

    metrics: Mapping[str, float]
    counts: Mapping[str, int]
    seconds: float
    evaluation: Evaluation | None


def benchmark(
    dataset: Dataset,
    model: str,
    conditions: Conditions = Conditions(),
    ablate: tuple[tuple[str, ...], ...] = (),
    progress: Steps | None = None,
) -> Result:
    """The quality and the cost of a model on a data set, and for each group of relationship types in `ablate` what is
    lost without them: tuned, fitted and tested in the same way, with the differences of the same users.

    Raises:
        UnknownNameError: there is no such model, setting or relation.
        DataError: an ablation is asked of ratings.
        LeakError: what the model sees tells of the test part.
        GraphrecError: the device is not there.
    """
    _need_device(conditions.device)
    make(model, **(conditions.settings or {}))  # a wrong name is said before anything is measured
    require_clean(audit(dataset.graph, dataset.known, dataset.truth, None, whole=dataset.graph))
    lesser = [dataset.without(names) for names in ablate]
    if ablate and dataset.task == "rating":
        raise DataError(f"{dataset.name}: ratings have no ablation; measure with and without --without RELATION")
    measured = measure(dataset, model, conditions, progress)
    found = []
    for names, part in zip(ablate, lesser, strict=True):
        other = measure(part, model, conditions, progress)
        if measured.evaluation is not None and other.evaluation is not None:
            rng = np.random.default_rng(conditions.seed)
            values = differences(dataset.known, measured.evaluation, other.evaluation, rng)
            result = other.result
            found.append(Ablation(names, result.config, result.metrics, result.seconds, values))
    return replace(measured.result, ablations=tuple(found))


def measure(dataset: Dataset, model: str, conditions: Conditions, progress: Steps | None = None) -> Measured:
    """One model tuned (unless settings are given), fitted and tested; errors as in `benchmark`."""
    step = progress or (lambda _what, _done, _total: None)
    rng = np.random.default_rng(conditions.seed)
    peaks = {"read": peak_mib()}
    choice = tune(dataset, model, conditions, rng, step)
    peaks["tune"] = peak_mib()
    fitted = make(model, conditions.device, **choice.config)
    began = time.perf_counter()
    fitted.fit(dataset.graph, dataset.known, rng, lambda done, total: step("fit", done, total))
    fitted.forget_variants()
    trained = time.perf_counter()
    peaks["fit"] = peak_mib()
    tested = _test(dataset, fitted, conditions, step)
    seconds = {"tune": choice.seconds, "fit": trained - began, "recommend": tested.seconds}
    peaks["recommend"] = peak_mib()
    if fitted.device.type == "cuda":
        peaks["gpu"] = int(torch.cuda.max_memory_allocated(fitted.device) >> 20)
    result = _result(dataset, model, conditions)
    return Measured(
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


def tune(
    dataset: Dataset, model: str, conditions: Conditions, rng: np.random.Generator, step: Steps | None = None
) -> SettingChoice:
    """The config that is best on a part of what is known, fitted to the rest; the given one where there is."""
    if conditions.settings is not None:
        return SettingChoice(dict(conditions.settings), 0, 0.0)
    told = step or (lambda _what, _done, _total: None)
    if dataset.task == "rating":
        ratings = tune_ratings(dataset, model, rng, conditions.device, lambda done, total: told("tune", done, total))
        return SettingChoice(ratings.config, len(ratings.trials), ratings.seconds)
    held = hold_out(dataset, rng)
    measured = validation_measure(held.rest, held.part, rng, num_users=CHOOSING_USERS)
    effort = TuningBudget(conditions.num_trials, wary=not held.likeness, device=conditions.device)
    tuning = choose(model, held.graph, held.rest, measured, rng, lambda done, total: told("tune", done, total), effort)
    return SettingChoice(tuning.config, len(tuning.trials), tuning.seconds)


def _need_device(name: str) -> None:
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        reason = str(error).strip().splitlines()[0][:160]
        raise GraphrecError(f"device '{name}' cannot be used here: {reason}; cpu can") from error


def _test(dataset: Dataset, model: Model[Any], conditions: Conditions, step: Steps) -> _Tested:  # of any config
    began = time.perf_counter()
    if dataset.task == "rating":
        error = rating_error(model, dataset.known, dataset.truth)
        counts = {"cold_user_pairs": error.num_cold_users, "cold_item_pairs": error.num_cold_items}
        return _Tested({"rmse": error.rmse, "mae": error.mae}, counts, time.perf_counter() - began, None)
    ended = [began]

    def told(done: int, total: int) -> None:
        ended.append(time.perf_counter())
        step("recommend", done, total)

    evaluation = evaluate(model, dataset.known, dataset.truth, (K,), conditions.memory_budget, told)
    counts = {"test_users": len(evaluation.user_index), "cold_users": evaluation.num_cold}
    return _Tested(evaluation.metrics, counts, ended[-1] - began, evaluation)


def _result(dataset: Dataset, model: str, conditions: Conditions) -> Result:
    """The result before anything is measured."""
    known = dataset.known
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
        counts={"users": known.num_users, "items": known.num_items, "known": len(known), "test": len(dataset.truth)},
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
