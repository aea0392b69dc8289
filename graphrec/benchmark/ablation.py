"""What a relation adds: the same model with and without it, compared user by user."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphrec.errors import DataError
from graphrec.evaluation.protocol import Evaluation, bootstrap
from graphrec.interactions import Interactions

#: The metrics that differences are given for.
COMPARED = ("recall@20", "ndcg@20")

#: A user has few interactions with at most this number, where there are enough such users, ...
FEW, ENOUGH = 5, 30

#: ... and with as many as this quantile of the test users has, or fewer.
QUANTILE = 0.25


@dataclass(frozen=True)
class Difference:
    """Means of a metric over some test users with a relation and without it, and the 95 % interval of the difference.

    The interval is a paired bootstrap over users. `users` says which: "all", or those with few interactions.
    """

    metric: str
    users: str
    num_users: int
    with_it: float
    without_it: float
    difference: float
    low: float
    high: float

    @property
    def gain(self) -> float:
        """The difference as a share of what there is without; infinite where that is nothing."""
        return self.difference / self.without_it if self.without_it else float("inf")


@dataclass(frozen=True)
class Ablation:
    """A model measured again without some relationship types, and what they add."""

    without: tuple[str, ...]
    config: Mapping[str, Any]  # int, float, str or bool, as the model's config has it
    metrics: Mapping[str, float]
    seconds: Mapping[str, float]
    differences: tuple[Difference, ...]


def differences(
    known: Interactions, with_it: Evaluation, without_it: Evaluation, rng: np.random.Generator
) -> tuple[Difference, ...]:
    """The differences of two evaluations of the same test users: over all of them and over those with few interactions:
    at most five (where there are 30 such users), and as few as the lower quartile of the test users has, or fewer.

    Raises DataError where the two are not of the same users.
    """
    users = with_it.user_index
    if not np.array_equal(users, without_it.user_index):
        raise DataError(
            f"the evaluations are of different users ({len(users):,} and {len(without_it.user_index):,}), so they "
            "cannot be compared user by user; measure both on one split"
        )
    degree = known.user_degree()[users]
    few = {FEW} if (degree <= FEW).sum() >= ENOUGH else set()
    few |= {int(np.quantile(degree, QUANTILE, method="lower"))}
    groups = {"all": np.ones(len(users), dtype=bool)}
    groups |= {f"with at most {most} interactions": degree <= most for most in sorted(few)}
    found = []
    for metric in COMPARED:
        first, second = with_it.per_user[metric], without_it.per_user[metric]
        for name, chosen in groups.items():
            change = first[chosen] - second[chosen]
            means = (float(first[chosen].mean()), float(second[chosen].mean()), float(change.mean()))
            found.append(Difference(metric, name, int(chosen.sum()), *means, *bootstrap(change, rng)))
    return tuple(found)
