"""How interactions are divided into train, validation and test without looking into the future."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.vocabulary import IndexArray

#: To which part each interaction belongs: [n] of the four numbers below.
Labels = npt.NDArray[np.int8]

TRAIN, VALIDATION, TEST, LEFT_OUT = 0, 1, 2, 3


@dataclass(frozen=True)
class Split:
    """Three disjoint parts over the same users and items, that together are the whole (or, of a rolling window and of
    files, what is not left out).

    `cut` is the time of the first interaction after train where the split is by global time, else None:
    no edge of any relation at or after it may be in what a model sees.
    """

    train: Interactions
    validation: Interactions
    test: Interactions
    cut: int | None = None


def divided(interactions: Interactions, labels: Labels, chronological: bool = False) -> Split:
    """The interactions by their labels; with the cut if the split is `chronological`."""
    cut = None
    after = (labels == VALIDATION) | (labels == TEST)
    if chronological and interactions.time is not None and after.any():
        cut = int(interactions.time[after].min())
    train, validation, test = (interactions.take(labels == part) for part in (TRAIN, VALIDATION, TEST))
    return Split(train, validation, test, cut)


def by_time(
    interactions: Interactions,
    rng: np.random.Generator,  # noqa: ARG001  # every split has this signature
    validation: float = 0.1,
    test: float = 0.1,
) -> Split:
    """The last `test` of all interactions by global time, the `validation` before them, the rest is train.

    Interactions of one second stay together, so that nothing in train is as late as anything after it. A pair that a
    user repeats may be in train and, later, in test; evaluation counts only items that are new to the user.
    """
    return divided(
        interactions, time_labels(require_time(interactions, "by time"), validation, test), chronological=True
    )


def time_labels(time: IndexArray, validation: float, test: float, end: float = 1.0) -> Labels:
    """The labels of a split by time whose test part ends at the share `end` of all; what is later is left out."""
    order = np.sort(time)
    first_validation = order[position(len(order), end - validation - test)]
    first_test = order[position(len(order), end - test)]
    labels = np.full(len(time), TEST, dtype=np.int8)
    labels[time < first_test] = VALIDATION
    labels[time < first_validation] = TRAIN
    if end < 1.0:
        labels[time >= order[position(len(order), end)]] = LEFT_OUT
    return labels


def at_random(
    interactions: Interactions, rng: np.random.Generator, validation: float = 0.1, test: float = 0.1
) -> Split:
    """A random part of all interactions for test, another for validation, the rest is train.

    Each row is drawn for itself: of a pair that occurs several times, one may come to train and one to test.
    `splits("random", …)` keeps them together.
    """
    return divided(interactions, random_labels(len(interactions), rng, validation, test))


def random_labels(
    size: int, rng: np.random.Generator, validation: float, test: float, what: str = "interactions"
) -> Labels:
    """Labels [size] with the given shares, drawn without replacement; `what` they are of, for the error."""
    draw = rng.permutation(size)
    last = size - position(size, 1 - test, what)
    middle = size - last - position(size, 1 - validation - test, what)
    labels = np.full(size, TRAIN, dtype=np.int8)
    labels[draw[:last]] = TEST
    labels[draw[last : last + middle]] = VALIDATION
    return labels


def leave_last_out(interactions: Interactions, rng: np.random.Generator) -> Split:
    """The last interaction of each user for test, the one before for validation; users with fewer than three
    interactions are all train. Without times, a random interaction counts as the last.

    The last may repeat an earlier one; evaluation counts only items that are new to the user.
    """
    return divided(interactions, last_labels(interactions, rng))


def last_labels(interactions: Interactions, rng: np.random.Generator) -> Labels:
    """The labels of `leave_last_out`; what has one time is in random order."""
    left, enough = from_last(interactions, rng), interactions.user_degree()[interactions.user_index] >= 3
    labels = np.full(len(interactions), TRAIN, dtype=np.int8)
    labels[(left == 1) & enough] = VALIDATION
    labels[(left == 0) & enough] = TEST
    return labels


def from_last(interactions: Interactions, rng: np.random.Generator) -> IndexArray:
    """How many interactions of the same user come after each [len(interactions)], 0 for the last; what has one time, or
    none, is in random order."""
    time = rng.permutation(len(interactions)) if interactions.time is None else interactions.time
    order = np.lexsort((rng.permutation(len(interactions)), time, interactions.user_index))
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.cumsum(interactions.user_degree())[interactions.user_index[order]] - 1 - np.arange(len(order))
    return found


#: The splits by the name that a command takes; `time` is the default.
SPLITS: dict[str, Callable[[Interactions, np.random.Generator], Split]] = {
    "time": by_time,
    "random": at_random,
    "leave-last-out": leave_last_out,
}


def position(length: int, share: float, what: str = "interactions") -> int:
    """The number of `length` things that make a share, fewer than all; DataError if there are fewer than three."""
    if length < 3:
        raise DataError(f"{length} {what} cannot be split into train, validation and test; load more")
    # 1 - 0.1 - 0.1 is 0.8 only up to rounding, so the product is rounded before it is cut.
    return min(int(round(length * share, 6)), length - 1)


def require_time(interactions: Interactions, name: str) -> IndexArray:
    """The times of interactions; DataError where they have none."""
    if interactions.time is None:
        raise DataError(f"a split {name} needs times, but these interactions have none; split at random instead")
    return interactions.time
