"""How interactions are divided into train, validation and test without looking into the future."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True)
class Split:
    """Three disjoint parts that together are the whole, over the same users and items.

    `cut` is the time of the first interaction after train where the split is by global time, else None:
    no edge of any relation at or after it may be in what a model sees.
    """

    train: Interactions
    validation: Interactions
    test: Interactions
    cut: int | None = None


def by_time(
    interactions: Interactions,
    rng: np.random.Generator,  # noqa: ARG001  # every split has this signature
    validation: float = 0.1,
    test: float = 0.1,
) -> Split:
    """The last `test` of all interactions by global time, the `validation` before them, the rest is train.

    Interactions of one second stay together, so that nothing in train is as late as anything after it."""
    time = _need_time(interactions, "by time")
    order = np.sort(time)
    first_validation = order[_position(len(order), 1 - validation - test)]
    first_test = order[_position(len(order), 1 - test)]
    later = time >= first_test
    middle = (time >= first_validation) & ~later
    return Split(
        interactions.take(~(later | middle)), interactions.take(middle), interactions.take(later), int(first_validation)
    )


def at_random(
    interactions: Interactions, rng: np.random.Generator, validation: float = 0.1, test: float = 0.1
) -> Split:
    """A random part of all interactions for test, another for validation, the rest is train."""
    draw = rng.permutation(len(interactions))
    last = len(draw) - _position(len(draw), 1 - test)
    middle = len(draw) - last - _position(len(draw), 1 - validation - test)
    return Split(
        interactions.take(np.sort(draw[last + middle :])),
        interactions.take(np.sort(draw[last : last + middle])),
        interactions.take(np.sort(draw[:last])),
    )


def leave_last_out(interactions: Interactions, rng: np.random.Generator) -> Split:
    """The last interaction of each user for test, the one before for validation; users with fewer than three
    interactions are all train. Where there is no time, a random interaction counts as the last."""
    time = rng.permutation(len(interactions)) if interactions.time is None else interactions.time
    order = np.lexsort((rng.permutation(len(interactions)), time, interactions.user_index))
    user = interactions.user_index[order]
    degree = interactions.user_degree()
    position_from_end = np.cumsum(degree)[user] - 1 - np.arange(len(order))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.where(degree[user] >= 3, position_from_end, len(order) + 2)
    return Split(interactions.take(rank > 1), interactions.take(rank == 1), interactions.take(rank == 0))


#: The splits by the name that a command takes; `time` is the default.
SPLITS: dict[str, Callable[[Interactions, np.random.Generator], Split]] = {
    "time": by_time,
    "random": at_random,
    "leave-last-out": leave_last_out,
}


def _position(length: int, share: float) -> int:
    if length < 3:
        raise DataError(f"{length} interactions cannot be split into train, validation and test; load more")
    # 1 - 0.1 - 0.1 is 0.8 only up to rounding, so the product is rounded before it is cut.
    return min(int(round(length * share, 6)), length - 1)


def _need_time(interactions: Interactions, name: str) -> IndexArray:
    if interactions.time is None:
        raise DataError(f"a split {name} needs times, but these interactions have none; split at random instead")
    return interactions.time
