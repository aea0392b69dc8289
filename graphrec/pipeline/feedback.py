"""What users did with the items they were shown, measured from the log in the graph."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphrec.evaluation.impressions import read_log
from graphrec.evaluation.off_policy import AttributionWindow, RunFeedback, measure
from graphrec.store import Store


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
