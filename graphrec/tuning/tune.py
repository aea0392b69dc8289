"""Selects a config on held-out parts: tries a model's candidates, then searches around the best of them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphrec.hetero import HeteroGraph
from graphrec.models import model_class
from graphrec.models.base import Model
from graphrec.progress import Progress
from graphrec.tuning.guard import Guard, relative_gain
from graphrec.tuning.halving import is_halved, rounds, successive_halving
from graphrec.tuning.search import Trials, search
from graphrec.tuning.study import StudyFile, fingerprint
from graphrec.tuning.trial import Trial, Validation
from graphrec.tuning.workers import ExecutionConfig

#: Number of interactions above which a search makes LARGE_TRIALS trials beyond the candidates, if no number is given:
#: each takes many seconds, and adds little to the candidates.
LARGE, LARGE_TRIALS = 500_000, 10


@dataclass(frozen=True)
class TuningBudget:
    """The number of configs to try, and how to run them.

    num_trials: number of configs tried beyond the candidates; None for eight per setting of the model's search space,
        capped by the model's `trials`, and by LARGE_TRIALS for many interactions.
    budget: total number of configs, the same for every model; overrides `num_trials`, and candidates beyond it are
        dropped. None for no total.
    device: device that models are fitted on.
    workers: number of processes that run trials in parallel. It determines which configs are tried, so results repeat
        for the same seed and the same number of workers.
    study: file that every trial is saved in; a search resumes from the trials in it.
    """

    num_trials: int | None = None
    budget: int | None = None
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
    validations: Sequence[Validation],
    rng: np.random.Generator,
    progress: Progress | None = None,
    effort: TuningBudget = TuningBudget(),  # frozen
    guards: Sequence[Validation] = (),
) -> Tuning:
    """The best config of a model on held-out parts (`select` has the rule); without a trial if the model has one
    candidate and no search space.

    All candidates are tried (many of a model that is trained in epochs by successive halving, unless there is a total
    number of trials), then configs around the best admissible one. A training in epochs is stopped early if it is below
    the median of the other trials on the first validation (Optuna's median pruner). On the parts of `guards` configs
    need not be better than the default, only not worse (`Guard`).

    Raises:
        UnknownNameError: the model does not exist.
        DataError: the study belongs to another search, or is in use.
        GraphrecError: the study cannot be read or written.
    """
    kind = model_class(name)
    graph = validations[0].graph
    candidates = _allowed_candidates(kind, graph, effort)
    tried_first = _num_candidate_trials(kind, candidates, effort)
    more = num_trials(kind, graph, effort) - tried_first
    if len(candidates) == 1 and not more:
        return Tuning(asdict(candidates[0]), (), 0.0)
    started = time.perf_counter()
    execution = ExecutionConfig(int(rng.integers(1 << 62)), effort.device)
    with _open_study(name, [*validations, *guards], execution, effort) as study:
        trials = Trials(kind, validations, execution, study)
        with trials.use_workers(effort.workers):
            guard = Guard(kind, guards, execution, study)
            best = _run_trials(trials, guard, candidates, (tried_first, more), progress)
        if study is not None:
            study.finish(trials.trials[best].settings)
    return Tuning(trials.trials[best].settings, tuple(trials.trials), time.perf_counter() - started)


def num_trials(kind: type[Model[Any]], graph: HeteroGraph, effort: TuningBudget) -> int:
    """The number of configs of a model to try: its candidates and those of the search; 1 for a single config."""
    configs, space = _allowed_candidates(kind, graph, effort), kind.space(graph)
    candidates = _num_candidate_trials(kind, configs, effort)
    if effort.budget is not None:
        return max(effort.budget, 1) if space else candidates
    most = LARGE_TRIALS if graph.data[graph.target].num_edges > LARGE else kind.trials
    more = min(kind.trials, most, 8 * len(space)) if effort.num_trials is None else effort.num_trials
    return candidates + (more if space else 0)


def _num_candidate_trials(kind: type[Model[Any]], candidates: Sequence[Any], effort: TuningBudget) -> int:  # configs
    """The number of trials before the search: one of each candidate, or those of successive halving."""
    halved = effort.budget is None and is_halved(kind, candidates)
    return 1 + sum(rounds(len(candidates) - 1)) if halved else len(candidates)


def _allowed_candidates(kind: type[Model[Any]], graph: HeteroGraph, effort: TuningBudget) -> list[Any]:  # configs
    """The candidates of a model within a budget."""
    return kind.candidates(graph)[: None if effort.budget is None else max(effort.budget, 1)]


@contextmanager
def _open_study(
    name: str, validations: Sequence[Validation], execution: ExecutionConfig, effort: TuningBudget
) -> Iterator[StudyFile | None]:
    if effort.study is None:
        yield None
        return
    digests = [
        f"{part} {getattr(measure, 'digest', '')}"
        for validation in validations
        for part, measure in validation.measures.items()
    ]
    graph, train = validations[0].graph, validations[0].train
    with StudyFile(effort.study, name, fingerprint(name, graph, train, " ".join(digests), execution.seed)) as study:
        yield study


def _run_trials(
    trials: Trials,
    guard: Guard,
    candidates: list[Any],  # configs of the model's own class
    numbers: tuple[int, int],
    progress: Progress | None,
) -> int:
    """The position of the selected trial, after trying all candidates and configs of the search; `numbers` are the
    numbers of both."""
    tried_first, more = numbers

    def step() -> None:
        if progress is not None:
            progress(min(len(trials.trials), tried_first + more), tried_first + more)

    if tried_first > len(candidates):
        successive_halving(trials, candidates, step)
    else:
        parallel = trials.workers.number
        for start in range(0, len(candidates), parallel):
            trials.evaluate_all(candidates[start : start + parallel])
            step()

    def accepts(position: int) -> bool:
        return guard.accepts(trials.selected(position), trials.selected(0))

    if more:
        space = trials.kind.space(trials.task.validations[0].graph)
        start = trials.best(accepts, range(len(trials.trials))) or 0
        search(trials, trials.configs[start], space, accepts, more, step)
    return select(trials.trials, accepts)


def select(trials: Sequence[Trial], accepts: Callable[[int], bool] = lambda _: True) -> int:
    """The position of the selected config; the first trial is that of the default config.

    Differences from the default are paired over users. A config is admissible if on no part it is worse than the
    default by more than one standard error, and if `accepts` agrees to its position (`Guard`). Of the
    admissible configs, the one with the largest mean relative gain over the parts is selected if this gain is more than
    one standard error, otherwise the default: on parts with few users smaller differences are noise. The standard error
    of the mean gain is the mean of those of the parts, which is its upper bound, since parts share users. Pruned trials
    are not selected; of equal ones the first is.
    """
    better = []
    for position, trial in enumerate(trials[1:], start=1):
        default = trials[0].parts
        gains = [relative_gain(trial.parts[name], default[name]) for name in default if name in trial.parts]
        if trial.pruned or any(gain < -error for gain, error in gains):
            continue
        gain, error = np.mean(gains, axis=0)
        if gain > max(error, 0.0):
            better.append((-float(gain), position))
    return next((position for _, position in sorted(better) if accepts(position)), 0)
