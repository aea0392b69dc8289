"""The choice of a config on validation: a model's candidates, then a search around the best of them."""

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
from graphrec.models.base import Model, Progress
from graphrec.tuning.search import Trials, search
from graphrec.tuning.study import StudyFile, fingerprint
from graphrec.tuning.trial import Measure, Quality, Trial
from graphrec.tuning.workers import ExecutionConfig


@dataclass(frozen=True)
class TuningBudget:
    """How a config is looked for.

    num_trials: configs tried beyond the candidates; None: eight for each setting of the model's space, at most what
        the model itself says (`trials`).
    budget: configs tried in all, the same for every model, whatever `num_trials` says; candidates beyond it are left
        out. None: as many as `num_trials` makes.
    wary: for a test part that no held-out part is quite like. Only configs that validation orders reliably are tried.
    device: where models are fitted.
    workers: processes that try configs side by side. The number decides which ones are tried, so the same seed gives
        the same numbers with the same number of workers.
    study: a file that every trial is kept in; a search that finds its trials there goes on with them.
    """

    num_trials: int | None = None
    budget: int | None = None
    wary: bool = False
    device: str = "cpu"
    workers: int = 1
    study: Path | None = None


@dataclass(frozen=True)
class Tuning:
    """The config chosen, every trial in the order of trying, the seconds in all, and the file that keeps the trials."""

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
    """The best config of a model on validation; a model with one candidate and nothing to search gets it untried.

    All candidates are tried, then more by a search around the best. `graph` must hold nothing later than `train`. A
    training in epochs that is below the median of the others half way is given up (Optuna's median pruner).

    Raises:
        UnknownNameError: there is no such model.
        DataError: the study is of another search, or in use.
        GraphrecError: the study cannot be read or written.
    """
    kind = model_class(name)
    candidates = _candidates(kind, graph, effort)
    more = num_trials(kind, graph, effort) - len(candidates)
    if len(candidates) == 1 and not more:
        return Tuning(asdict(candidates[0]), (), 0.0)
    started = time.perf_counter()
    place = ExecutionConfig(int(rng.integers(1 << 62)), effort.device)
    with _kept(name, graph, train, measure, place, effort) as study:
        trials = Trials(kind, graph, train, measure, place, study)
        with trials.working(effort.workers):
            best = _best(trials, candidates, more, effort.wary, progress)
        if study is not None:
            study.finish(trials.trials[best].config)
    return Tuning(trials.trials[best].config, tuple(trials.trials), time.perf_counter() - started)


def num_trials(kind: type[Model[Any]], graph: HeteroGraph, effort: TuningBudget) -> int:
    """How many configs of a model are tried: its candidates, and those of the search; 1 where it has no choice."""
    candidates, space = len(_candidates(kind, graph, effort)), kind.space(graph)
    if effort.budget is not None:
        return max(effort.budget, 1) if space else candidates
    more = min(kind.trials, 8 * len(space)) if effort.num_trials is None else effort.num_trials
    return candidates + (more if space else 0)


def _candidates(kind: type[Model[Any]], graph: HeteroGraph, effort: TuningBudget) -> list[Any]:  # configs
    found = [config for config in kind.candidates(graph) if kind.trusts(config) or not effort.wary]
    return found[: None if effort.budget is None else max(effort.budget, 1)]


@contextmanager
def _kept(
    name: str, graph: HeteroGraph, train: Interactions, measure: Measure, place: ExecutionConfig, effort: TuningBudget
) -> Iterator[StudyFile | None]:
    if effort.study is None:
        yield None
        return
    told = str(getattr(measure, "digest", ""))
    with StudyFile(effort.study, name, fingerprint(name, graph, train, told, place.seed)) as study:
        yield study


def _best(
    trials: Trials,
    candidates: list[Any],
    more: int,
    wary: bool,
    progress: Progress | None,  # configs
) -> int:
    """The position of the best trial, after all candidates and a search of so many more."""

    def step() -> None:
        if progress is not None:
            progress(min(len(trials.trials), len(candidates) + more), len(candidates) + more)

    side = trials.workers.number
    for start in range(0, len(candidates), side):
        trials.of_all(candidates[start : start + side])
        step()
    if more:
        space = trials.kind.trusted_space(trials.graph) if wary else trials.kind.space(trials.graph)
        first = trials.configs[_first_best(trials.qualities())]
        search(trials, first, space, lambda quality: quality.plain, more, step)
    return select(trials.qualities(), [not trial.pruned for trial in trials.trials])


def select(qualities: list[Quality], whole: list[bool]) -> int:
    """The position of the best of the configs that were tried as a whole, of equal ones the first; the default, which
    is the first, where the best is not better by one standard error over the users, as on a part with few of them."""
    best = _first_best(qualities, whole)
    return best if _is_clear(qualities[best], qualities[0]) else 0


def _first_best(qualities: list[Quality], among: list[bool] | None = None) -> int:
    allowed = [position for position in range(len(qualities)) if among is None or among[position]]
    return max(allowed, key=lambda position: (qualities[position].plain, -position), default=0)


def _is_clear(quality: Quality, default: Quality) -> bool:
    if quality.values is None or default.values is None:
        return True
    difference = quality.values - default.values
    return bool(difference.mean() > difference.std(ddof=1) / np.sqrt(len(difference))) if len(difference) > 1 else False
