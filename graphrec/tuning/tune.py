"""Selects a config on validation: tries a model's candidates, then searches around the best of them."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.models import model_class
from graphrec.models.base import Model
from graphrec.progress import Progress
from graphrec.tuning.search import Trials, search
from graphrec.tuning.study import StudyFile, fingerprint
from graphrec.tuning.trial import Measure, Quality, Trial
from graphrec.tuning.workers import ExecutionConfig


@dataclass(frozen=True)
class TuningBudget:
    """The number of configs to try, and how to run them.

    num_trials: number of configs tried beyond the candidates; None for eight per setting of the model's search space,
        capped by the model's `trials`.
    budget: total number of configs, the same for every model; overrides `num_trials`, and candidates beyond it are
        dropped. None for no total.
    robust_only: try only configs whose order on validation is known to hold on test too; for a test part that no
        validation part resembles.
    device: device that models are fitted on.
    workers: number of processes that run trials in parallel. It determines which configs are tried, so results repeat
        for the same seed and the same number of workers.
    study: file that every trial is saved in; a search resumes from the trials in it.
    """

    num_trials: int | None = None
    budget: int | None = None
    robust_only: bool = False
    device: str = "cpu"
    workers: int = 1
    study: Path | None = None


@dataclass(frozen=True)
class Tuning:
    """The config selected, every trial in order, the total seconds, and the file with the trials."""

    config: Mapping[str, Any]  # int, float or str, as the model's config has it
    trials: tuple[Trial, ...]
    seconds: float
    study: Path | None = None


def choose(
    name: str,
    graph: HeteroGraph,
    train: Interactions,
    measure: Measure,
    rng: np.random.Generator,
    progress: Progress | None = None,
    effort: TuningBudget = TuningBudget(),  # frozen
) -> Tuning:
    """The best config of a model on validation; without a trial if the model has one candidate and no search space.

    All candidates are tried, then configs around the best one. `graph` must not contain anything later than `train`.
    Training in epochs is stopped early if it is below the median of the other trials (Optuna's median pruner).

    Raises:
        UnknownNameError: the model does not exist.
        DataError: the study belongs to another search, or is in use.
        GraphrecError: the study cannot be read or written.
    """
    kind = model_class(name)
    candidates = _allowed_candidates(kind, graph, effort)
    more = num_trials(kind, graph, effort) - len(candidates)
    if len(candidates) == 1 and not more:
        return Tuning(asdict(candidates[0]), (), 0.0)
    started = time.perf_counter()
    execution = ExecutionConfig(int(rng.integers(1 << 62)), effort.device)
    with _open_study(name, graph, train, measure, execution, effort) as study:
        trials = Trials(kind, graph, train, measure, execution, study)
        with trials.use_workers(effort.workers):
            best = _run_trials(trials, candidates, more, effort.robust_only, progress)
        if study is not None:
            study.finish(trials.trials[best].config)
    return Tuning(trials.trials[best].config, tuple(trials.trials), time.perf_counter() - started)


def num_trials(kind: type[Model[Any]], graph: HeteroGraph, effort: TuningBudget) -> int:
    """The number of configs of a model to try: its candidates and those of the search; 1 for a single config."""
    candidates, space = len(_allowed_candidates(kind, graph, effort)), kind.space(graph)
    if effort.budget is not None:
        return max(effort.budget, 1) if space else candidates
    more = min(kind.trials, 8 * len(space)) if effort.num_trials is None else effort.num_trials
    return candidates + (more if space else 0)


def _allowed_candidates(kind: type[Model[Any]], graph: HeteroGraph, effort: TuningBudget) -> list[Any]:  # configs
    """The candidates of a model within a budget."""
    allowed = [config for config in kind.candidates(graph) if kind.trusts(config) or not effort.robust_only]
    return allowed[: None if effort.budget is None else max(effort.budget, 1)]


@contextmanager
def _open_study(
    name: str,
    graph: HeteroGraph,
    train: Interactions,
    measure: Measure,
    execution: ExecutionConfig,
    effort: TuningBudget,
) -> Iterator[StudyFile | None]:
    if effort.study is None:
        yield None
        return
    validation = str(getattr(measure, "digest", ""))
    with StudyFile(effort.study, name, fingerprint(name, graph, train, validation, execution.seed)) as study:
        yield study


def _run_trials(
    trials: Trials,
    candidates: list[Any],  # configs of the model's own class
    more: int,
    robust_only: bool,
    progress: Progress | None,
) -> int:
    """The position of the best trial, after trying all candidates and `more` configs of the search."""

    def step() -> None:
        if progress is not None:
            progress(min(len(trials.trials), len(candidates) + more), len(candidates) + more)

    parallel = trials.workers.number
    for start in range(0, len(candidates), parallel):
        trials.evaluate_all(candidates[start : start + parallel])
        step()
    if more:
        space = trials.kind.trusted_space(trials.graph) if robust_only else trials.kind.space(trials.graph)
        first = trials.configs[_first_best(trials.qualities())]
        search(trials, first, space, lambda quality: quality.ndcg, more, step)
    return select(trials.qualities(), [not trial.pruned for trial in trials.trials])


def select(qualities: list[Quality], completed: list[bool]) -> int:
    """The position of the best config among the completed trials, the first one on ties.

    The default config, which is the first, is kept unless the best one is better by more than one standard error over
    users: on a validation part with few users the difference is noise.
    """
    best = _first_best(qualities, completed)
    return best if _is_better(qualities[best], qualities[0]) else 0


def _first_best(qualities: list[Quality], among: list[bool] | None = None) -> int:
    allowed = [position for position in range(len(qualities)) if among is None or among[position]]
    return max(allowed, key=lambda position: (qualities[position].ndcg, -position), default=0)


def _is_better(quality: Quality, default: Quality) -> bool:
    if quality.values is None or default.values is None:
        return True
    difference = quality.values - default.values
    return bool(difference.mean() > difference.std(ddof=1) / np.sqrt(len(difference))) if len(difference) > 1 else False
