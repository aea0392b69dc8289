"""Models side by side on one graph: tuned on validation, refitted, and tested once."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphrec.errors import UnknownNameError
from graphrec.evaluation.protocol import Evaluation, bootstrap, evaluate, validation_measure
from graphrec.evaluation.tuning import Effort, Tuning, choose
from graphrec.evaluation.tuning.quality import Trial
from graphrec.hetero import HeteroGraph, interactions, restrict
from graphrec.interactions import join
from graphrec.models import make, model_class
from graphrec.splitting import SPLITS, Split

#: What every other model is compared with.
BASELINE = "popularity"

#: The metric that intervals are given for.
HEADLINE = "ndcg@10"

#: Called with what is being done, steps done and steps in all.
Steps = Callable[[str, int, int], None]

Interval = tuple[float, float]


@dataclass(frozen=True)
class ModelResult:
    """One model on test: `metrics` by `metric@k`, 95 % intervals of NDCG@10 and of its difference to popularity (None
    for popularity itself or where it was not asked for), and the seconds of tuning, fitting and recommending."""

    name: str
    config: Mapping[str, Any]  # int, float or str, as the model's config has it
    metrics: Mapping[str, float]
    interval: Interval
    difference: float | None
    difference_interval: Interval | None
    trials: tuple[Trial, ...]
    seconds_tune: float
    seconds_fit: float
    seconds_recommend: float


@dataclass(frozen=True)
class Facts:
    """What was measured on: sizes, the split and its parts, test users counted and left out (cold)."""

    relation: str
    split: str
    num_users: int
    num_items: int
    num_train: int
    num_validation: int
    num_test: int
    num_test_users: int
    num_cold_users: int


@dataclass(frozen=True)
class Comparison:
    """The results of all models in the order asked for, and what they were measured on."""

    facts: Facts
    results: tuple[ModelResult, ...]


def compare(
    graph: HeteroGraph,
    names: Iterable[str],
    split: str,
    rng: np.random.Generator,
    progress: Steps | None = None,
    effort: Effort = Effort(),  # frozen
) -> Comparison:
    """Every model with its config chosen on validation, fitted to train and validation, and tested once.

    Raises:
        UnknownNameError: there is no such model or split.
        DataError: the split needs times that are not there, or leaves nothing to measure.
    """
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        model_class(name)
    parts = divide(graph, split, rng)
    children = rng.spawn(len(wanted) + 1)
    measured: dict[str, tuple[ModelResult, Evaluation]] = {}
    for position, name in enumerate(wanted):
        if progress is not None:
            progress("comparing models", position, len(wanted))
        measured[name] = _measure(graph, parts, name, children[position], effort)
    if progress is not None:
        progress("comparing models", len(wanted), len(wanted))
    results = _with_intervals(measured, children[-1])
    everything = interactions(graph)
    evaluation = measured[wanted[0]][1]
    sizes = (everything.num_users, everything.num_items, len(parts.train), len(parts.validation), len(parts.test))
    facts = Facts(graph.target[1], split, *sizes, len(evaluation.user_index), evaluation.num_cold)
    return Comparison(facts, results)


def divide(graph: HeteroGraph, split: str, rng: np.random.Generator) -> Split:
    """The target behaviour of a graph in three parts; UnknownNameError where there is no such split."""
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    return SPLITS[split](interactions(graph), rng)


def tune(
    graph: HeteroGraph,
    parts: Split,
    name: str,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
    effort: Effort = Effort(),  # frozen
) -> Tuning:
    """The config of a model that is best on the validation part, fitted to what lies before it."""
    measure = validation_measure(parts.train, parts.validation, rng)
    return choose(
        name,
        restrict(graph, parts.train, parts.cut, join(parts.validation, parts.test)),
        parts.train,
        measure,
        rng,
        progress,
        effort,
    )


def test_cut(parts: Split) -> int | None:
    """The time of the first test interaction, from which on no relation may be seen; None without a split by time."""
    if parts.cut is None or parts.test.time is None or not len(parts.test):
        return None
    return int(parts.test.time.min())


def _measure(
    graph: HeteroGraph, parts: Split, name: str, rng: np.random.Generator, effort: Effort
) -> tuple[ModelResult, Evaluation]:
    tuning = tune(graph, parts, name, rng, effort=effort)
    known = join(parts.train, parts.validation)
    visible = restrict(graph, known, test_cut(parts), parts.test)
    model = make(name, effort.device, **tuning.config)
    started = time.perf_counter()
    model.fit(visible, known, rng)
    fitted = time.perf_counter()
    evaluation = evaluate(model, known, parts.test)
    seconds = (tuning.seconds, fitted - started, time.perf_counter() - fitted)
    result = ModelResult(name, tuning.config, evaluation.metrics, (0.0, 0.0), None, None, tuning.trials, *seconds)
    return result, evaluation


def _with_intervals(
    measured: Mapping[str, tuple[ModelResult, Evaluation]], rng: np.random.Generator
) -> tuple[ModelResult, ...]:
    base = measured[BASELINE][1].per_user[HEADLINE] if BASELINE in measured else None
    found = []
    for name, (result, evaluation) in measured.items():
        values = evaluation.per_user[HEADLINE]
        fields = {**result.__dict__, "interval": bootstrap(values, rng)}
        if base is not None and name != BASELINE:
            fields["difference"] = float((values - base).mean())
            fields["difference_interval"] = bootstrap(values - base, rng)
        found.append(ModelResult(**fields))
    return tuple(found)
