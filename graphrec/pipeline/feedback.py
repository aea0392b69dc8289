"""What users did with the items they were shown, measured from the log in the graph."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphrec.evaluation.impressions import ImpressionLog, read_log, read_log_of_runs
from graphrec.evaluation.interleaved_clicks import InterleavedComparison, compare_interleaved
from graphrec.evaluation.off_policy import AttributionWindow, RunFeedback, find_clicks, measure
from graphrec.evaluation.sequential import DEFAULT, ClickComparison, SequentialConfig, compare_click_rates
from graphrec.store import Store
from graphrec.store.experiment import ListedExperiment


@dataclass(frozen=True)
class Feedback:
    """The feedback on each run, the behaviour that counts as clicks, and how many such edges have no timestamp."""

    runs: tuple[RunFeedback, ...]
    relations: tuple[str, ...]
    num_untimed: int


def measure_feedback(
    store: Store, relations: Sequence[str], window: AttributionWindow, rng: np.random.Generator
) -> Feedback:
    """The feedback on each run that was shown; `relations` count as clicks, by default the strongest with times.

    Raises GraphrecError if nothing was shown, DataError or UnknownNameError if the graph lacks the behaviour.
    """
    log = read_log(store, relations)
    runs = measure(log.shown, log.behaviour, window, rng)
    return Feedback(runs, tuple(log.relations), log.num_untimed)


@dataclass(frozen=True)
class Period:
    """A comparison of two runs in time, in Unix seconds.

    first_from, first_to: when impressions of the first run count; second_from: from when on those of the second do.
    until: the time of the comparison. Impressions count if their attribution window has passed by then.
    """

    first_from: int
    first_to: int
    second_from: int
    until: int


def compare_clicks(
    store: Store,
    runs: tuple[str, str],
    period: Period,
    window: int,
    relations: Sequence[str] = (),
    config: SequentialConfig = DEFAULT,
) -> ClickComparison:
    """The click rates of two runs compared at any time.

    Raises DataError or UnknownNameError if the graph lacks the behaviour.
    """
    return compare_click_rates(*runs, read_clicks(store, runs, period, window, relations).shown, config)


def read_clicks(
    store: Store, runs: tuple[str, str], period: Period, window: int, relations: Sequence[str] = ()
) -> ImpressionLog:
    """The impressions of two runs that count, with a column `clicked`.

    An impression counts if its window has passed, not only by `period.until` but also by the last event that is in the
    graph: if a stream of events is late, clicks on the newest impressions are missing.

    Raises DataError or UnknownNameError if the graph lacks the behaviour.
    """
    first, second = runs
    since = min(period.first_from, period.second_from)
    log = read_log_of_runs(store, runs, since, period.until, relations)
    shown, behaviour = log.shown, log.behaviour
    newest = max((int(frame["timestamp"].max()) for frame in (shown, behaviour) if len(frame)), default=period.until)
    ripe = min(period.until, newest) - window
    shown = shown.assign(clicked=find_clicks(shown, behaviour[behaviour["timestamp"] <= period.until], window))
    at, run = shown["timestamp"], shown["run"]
    is_first = (run == first) & (at >= period.first_from) & (at <= period.first_to)
    is_second = (run == second) & (at >= period.second_from)
    shown = shown[(is_first | is_second) & (at <= ripe)].reset_index(drop=True)
    return ImpressionLog(shown, behaviour, log.relations, 0)


#: How the runs of an experiment are compared for people to read: with fewer users than for a decision.
READ_BY_PEOPLE = SequentialConfig(min_users=30)


@dataclass(frozen=True)
class ExperimentFeedback:
    """What users did in an experiment: the comparison of its mode, of the active run with the other one.

    relations: the behaviours that count as clicks. num_outside: impressions left out, of users who are assigned
    otherwise, such as of answers from before the start.
    """

    experiment: ListedExperiment
    relations: tuple[str, ...]
    num_outside: int
    split: ClickComparison | None = None
    interleaved: InterleavedComparison | None = None


def measure_experiment(
    store: Store,
    experiment: ListedExperiment,
    window: int,
    relations: Sequence[str] = (),
    until: int | None = None,
    config: SequentialConfig = READ_BY_PEOPLE,
) -> ExperimentFeedback:
    """Clicks in an experiment, by the runs that its users are assigned to, until a time (Unix seconds; None: now).

    In both modes the differences are those of the active run to the other one.

    Raises DataError or UnknownNameError if the graph lacks the behaviour.
    """
    runs = (experiment.other, experiment.active)
    begin, now = experiment.started_at // 1000, int(time.time()) if until is None else until
    ended = now if experiment.ended_at is None else experiment.ended_at // 1000
    log = read_clicks(store, runs, Period(begin, ended, begin, max(now, begin)), window, relations)
    shown = log.shown[log.shown["timestamp"] <= ended]
    assigned = shown["user_id"].map(experiment.is_assigned).astype(bool)
    if experiment.mode == "split":
        inside = shown[(shown["run"] == experiment.other) == assigned]
        found = compare_click_rates(*runs, inside, config)
        return ExperimentFeedback(experiment, log.relations, len(shown) - len(inside), split=found)
    inside = shown[assigned]
    preferred = compare_interleaved(*runs, inside, config)
    return ExperimentFeedback(experiment, log.relations, len(shown) - len(inside), interleaved=preferred)
