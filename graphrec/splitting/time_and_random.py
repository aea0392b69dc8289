"""Splits by global time, by the last interactions of each user, and at random."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.vocabulary import IndexArray

#: The part of each interaction [n], one of the four numbers below.
Labels = npt.NDArray[np.int8]

TRAIN, VALIDATION, TEST, LEFT_OUT = 0, 1, 2, 3


@dataclass(frozen=True)
class Split:
    """Three disjoint parts over the same users and items, which together are all interactions except those that a
    rolling window or files leave out.

    `cut` is the time of the first interaction after train if the split is by global time, else None:
    a model must not see an edge of any relation at or after it. `measured` is the part of validation by which settings
    are chosen, None for all of it.
    """

    train: Interactions
    validation: Interactions
    test: Interactions
    cut: int | None = None
    measured: Interactions | None = None


def divide(interactions: Interactions, labels: Labels, chronological: bool = False) -> Split:
    """The Split of interactions by their labels, with the cut if it is `chronological`."""
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
    """The last share `test` of all interactions by global time is test, the share before it validation, the rest train.

    Interactions of one second stay together, so that nothing in train is as late as anything after it. A pair that a
    user repeats may be in train and, later, in test; evaluation counts only items that are new to the user.
    """
    return divide(
        interactions, label_by_time(require_time(interactions, "by time"), validation, test), chronological=True
    )


def label_by_time(time: IndexArray, validation: float, test: float, end: float = 1.0) -> Labels:
    """Labels of a split by time whose test part ends at the share `end` of all interactions; the rest is left out."""
    order = np.sort(time)
    first_validation = order[count_share(len(order), end - validation - test)]
    first_test = order[count_share(len(order), end - test)]
    labels = np.full(len(time), TEST, dtype=np.int8)
    labels[time < first_test] = VALIDATION
    labels[time < first_validation] = TRAIN
    if end < 1.0:
        labels[time >= order[count_share(len(order), end)]] = LEFT_OUT
    return labels


def at_random(
    interactions: Interactions, rng: np.random.Generator, validation: float = 0.1, test: float = 0.1
) -> Split:
    """A random share of all interactions is test, another validation, the rest train.

    Rows are drawn independently, so rows of one pair may be in train and in test; `splits("random", …)` keeps them
    together.
    """
    return divide(interactions, label_at_random(len(interactions), rng, validation, test))


def label_at_random(
    size: int, rng: np.random.Generator, validation: float, test: float, what: str = "interactions"
) -> Labels:
    """Labels [size] with the given shares, drawn without replacement; `what` names the labelled units in an error."""
    draw = rng.permutation(size)
    last = size - count_share(size, 1 - test, what)
    middle = size - last - count_share(size, 1 - validation - test, what)
    labels = np.full(size, TRAIN, dtype=np.int8)
    labels[draw[:last]] = TEST
    labels[draw[last : last + middle]] = VALIDATION
    return labels


def leave_last_out(interactions: Interactions, rng: np.random.Generator) -> Split:
    """The last interaction of each user is test, the one before it validation, the rest train; users with fewer than
    three interactions are all in train. Without times, a random interaction counts as the last.

    The last may repeat an earlier one; evaluation counts only items that are new to the user.
    """
    return divide(interactions, label_last(interactions, rng))


def label_last(interactions: Interactions, rng: np.random.Generator, number: int = 1) -> Labels:
    """Labels by which the last `number` interactions of each user are test, as many before them validation, and the
    rest, at least one, train; users with fewer are all in train. Interactions of one time are in random order."""
    later = count_later(interactions, rng)
    enough = interactions.user_degree()[interactions.user_index] > 2 * number
    labels = np.full(len(interactions), TRAIN, dtype=np.int8)
    labels[(later < 2 * number) & enough] = VALIDATION
    labels[(later < number) & enough] = TEST
    return labels


def count_later(interactions: Interactions, rng: np.random.Generator) -> IndexArray:
    """The number of later interactions of the same user [len(interactions)], 0 for the last; interactions of one time,
    or without times, are in random order."""
    time = rng.permutation(len(interactions)) if interactions.time is None else interactions.time
    order = np.lexsort((rng.permutation(len(interactions)), time, interactions.user_index))
    later = np.empty(len(order), dtype=np.int64)
    later[order] = np.cumsum(interactions.user_degree())[interactions.user_index[order]] - 1 - np.arange(len(order))
    return later


#: Name of a split in commands -> its function.
SPLITS: dict[str, Callable[[Interactions, np.random.Generator], Split]] = {
    "time": by_time,
    "random": at_random,
    "leave-last-out": leave_last_out,
}


def count_share(length: int, share: float, what: str = "interactions") -> int:
    """The size of a share of `length` units, rounded down and below `length`; DataError for fewer than three units."""
    if length < 3:
        raise DataError(f"{length} {what} cannot be split into train, validation and test; load more")
    # 1 - 0.1 - 0.1 is 0.8 only up to rounding, so the product is rounded before it is cut.
    return min(int(round(length * share, 6)), length - 1)


def require_time(interactions: Interactions, name: str) -> IndexArray:
    """The times of interactions; DataError if they have no times."""
    if interactions.time is None:
        raise DataError(f"a split {name} needs times, but these interactions have none; split at random instead")
    return interactions.time
