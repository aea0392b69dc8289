"""Prequential evaluation: replay a period of events in order; recommend, see what happened, then learn from it.

The period is divided into steps such as weeks. Before each step every model is fitted to all events before it, ranks
for the users who have events in it, and is measured on these; then the events of the step become part of the training.
So a model is tested on what came after its training, as in operation, and each event is a test event once (Dawid, 1984:
Statistical theory: the prequential approach; Gama et al., 2013: On evaluating stream learning algorithms). Each step is
audited for leaks.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graphrec.errors import DataError
from graphrec.evaluation.audit import audit, require_clean
from graphrec.evaluation.protocol import Evaluation, evaluate, warm_users
from graphrec.evaluation.result import Estimate
from graphrec.evaluation.significance import INTERVAL_REPEATS, estimate_means
from graphrec.evaluation.trial import Contender
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions
from graphrec.models import make, settings_for
from graphrec.time_format import moment_text
from graphrec.train_view import restrict

DAY = 86_400

#: Seconds of the steps that have a name.
STEPS = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}

#: Cap on the steps of a period; each fits every model once.
MAX_STEPS = 1_000


@dataclass(frozen=True)
class ReplayConfig:
    """How a period is replayed.

    start, end: Unix seconds of its first event and after its last one; None: the last year of the events.
    step: `day`, `week` or `month` (30 days).
    k: length of the lists.
    """

    start: int | None = None
    end: int | None = None
    step: str = "week"
    k: int = 10


@dataclass(frozen=True)
class Step:
    """One model in one step.

    start, end: Unix seconds.
    num_train, num_test: events before and in the step. num_users: users measured, who have events before and new items
        in the step; num_cold: users with new items and without earlier events.
    metrics: means with intervals by `metric@k`; empty if no user is measured.
    """

    model: str
    start: int
    end: int
    num_train: int
    num_test: int
    num_users: int
    num_cold: int
    metrics: Mapping[str, Estimate]


@dataclass(frozen=True)
class Replay:
    """All steps of all models, and for each model the means over all user-steps with intervals over users."""

    relation: str
    k: int
    start: int
    end: int
    step: str
    steps: tuple[Step, ...]
    overall: Mapping[str, Mapping[str, Estimate]]


def replay(
    graph: HeteroGraph,
    models: Sequence[Contender],
    config: ReplayConfig,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> Replay:
    """Replay a period of the target behaviour of a graph for some models, which keep their settings: the default ones,
    or those of a run.

    Raises:
        DataError: the events have no times, the period has no event, or nothing is before it.
        UnknownNameError: there is no such model or setting.
        LeakError: test events of a step can be inferred from what a model sees.
    """
    events = interactions(graph)
    if events.time is None or not len(events):
        raise DataError(f"not all {graph.target[1]} events have a time, so they cannot be replayed in order")
    end = int(events.time.max()) + 1 if config.end is None else config.end
    start = end - 365 * DAY if config.start is None else config.start
    bounds = _divide(start, end, config.step)
    if not ((events.time >= start) & (events.time < end)).any():
        first, last = moment_text(int(events.time.min())), moment_text(int(events.time.max()))
        raise DataError(f"no {graph.target[1]} event is in the period; the events are from {first} to {last}")
    if not (events.time < start).any():
        raise DataError(f"no {graph.target[1]} event is before the period, so no model can be fitted; begin later")
    seed = int(rng.integers(2**31))
    steps: list[Step] = []
    values: dict[str, list[Evaluation]] = {}
    for number, (begin, until) in enumerate(bounds):
        train, test = events.take(events.time < begin), events.take((events.time >= begin) & (events.time < until))
        if not len(test):
            continue
        visible = restrict(graph, train, begin, test)
        require_clean(audit(visible, train, test, begin, None, graph))
        for position, contender in enumerate(models):
            seeded = np.random.default_rng([seed, number, zlib.crc32(contender.name.encode())])
            step, found = _measure(visible, contender, train, test, (begin, until), config.k, seeded)
            steps.append(step)
            if found is not None:
                values.setdefault(contender.name, []).append(found)
            if progress is not None:
                progress(number * len(models) + position + 1, len(bounds) * len(models))
    overall = {name: dict(_summarise(parts, rng)) for name, parts in values.items()}
    return Replay(graph.target[1], config.k, start, end, config.step, tuple(steps), overall)


def _divide(start: int, end: int, step: str) -> list[tuple[int, int]]:
    """The begin and the end of each step; the last one may be shorter."""
    if step not in STEPS:
        raise DataError(f"a step is {', '.join(STEPS)}, not '{step}'")
    if start >= end:
        raise DataError(f"the period ends ({moment_text(end)}) before it begins ({moment_text(start)})")
    number = -(-(end - start) // STEPS[step])
    if number > MAX_STEPS:
        raise DataError(f"the period has {number:,} steps, at most {MAX_STEPS:,} are replayed; choose longer steps")
    return [(begin, min(begin + STEPS[step], end)) for begin in range(start, end, STEPS[step])]


def _measure(
    visible: HeteroGraph,
    contender: Contender,
    train: Interactions,
    test: Interactions,
    bounds: tuple[int, int],
    k: int,
    rng: np.random.Generator,
) -> tuple[Step, Evaluation | None]:
    """One model in one step, and its values by user; None if no user is measured."""
    users, num_cold = warm_users(train, test)
    if not len(users):
        return Step(contender.name, *bounds, len(train), len(test), 0, num_cold, {}), None
    model = make(contender.model, **settings_for(contender.model, visible, contender.settings or {}))
    model.fit(visible, train, rng)
    model.forget_variants()
    found = evaluate(model, train, test, (k,))
    metrics = estimate_means(found.per_user, rng)
    step = Step(contender.name, *bounds, len(train), len(test), len(found.user_index), found.num_cold, metrics)
    return step, found


def _summarise(parts: Sequence[Evaluation], rng: np.random.Generator) -> Iterator[tuple[str, Estimate]]:
    """Means over all users of all steps, by metric; the bootstrap draws users with all their steps, as these are not
    independent."""
    users = np.concatenate([part.user_index for part in parts])
    _, position = np.unique(users, return_inverse=True)
    count = np.bincount(position).astype(np.float64)
    drawn = rng.integers(len(count), size=(INTERVAL_REPEATS, len(count)))
    for metric in parts[0].per_user:
        column = np.concatenate([part.per_user[metric] for part in parts]).astype(np.float64)
        total = np.bincount(position, weights=column)
        means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        yield metric, Estimate(float(column.mean()), float(low), float(high))
