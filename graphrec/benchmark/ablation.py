"""Ablation of relations: the same model with and without some relationship types, compared user by user."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphrec.errors import DataError
from graphrec.evaluation.protocol import Evaluation
from graphrec.evaluation.result import Difference
from graphrec.evaluation.significance import PooledValues, compare_pairs
from graphrec.interactions import Interactions

#: Threshold of the group of users with few interactions, used if it has at least ENOUGH test users.
FEW, ENOUGH = 5, 30

#: Quantile of the test users' interactions that is the threshold of the second such group.
QUANTILE = 0.25

#: Names of the two evaluations in a Difference.
WITH, WITHOUT = "with", "without"


@dataclass(frozen=True)
class RelationEffect:
    """What relations add to one metric over a group of test users.

    users: "all", or `with at most 5 interactions`.
    with_it, without_it: means with and without the relations.
    difference: the paired difference of the two.
    """

    users: str
    num_users: int
    with_it: float
    without_it: float
    difference: Difference

    @property
    def gain(self) -> float:
        """The difference relative to the mean without the relations; infinite if that is 0."""
        return self.difference.estimate.value / self.without_it if self.without_it else float("inf")


@dataclass(frozen=True)
class Ablation:
    """A model measured again without some relationship types, and the effect of these relations."""

    without: tuple[str, ...]
    config: Mapping[str, Any]  # int, float, str or bool, as the model's config has it
    metrics: Mapping[str, float]
    seconds: Mapping[str, float]
    effects: tuple[RelationEffect, ...]


def compare_relations(
    train: Interactions,
    with_it: Evaluation,
    without_it: Evaluation,
    rng: np.random.Generator,
    metrics: tuple[str, ...] = ("recall@20", "ndcg@20"),
) -> tuple[RelationEffect, ...]:
    """The effects in some metrics on all test users and on those with few training interactions: at most FEW, if there
    are ENOUGH such users, and at most the lower quartile of the test users.

    Raises DataError if the two evaluations are of different users.
    """
    users = with_it.user_index
    if not np.array_equal(users, without_it.user_index):
        raise DataError(
            f"the evaluations are of different users ({len(users):,} and {len(without_it.user_index):,}), so they "
            "cannot be compared user by user; measure both on one split"
        )
    degree = train.user_degree()[users]
    thresholds = {FEW} if (degree <= FEW).sum() >= ENOUGH else set()
    thresholds |= {int(np.quantile(degree, QUANTILE, method="lower"))}
    groups = {"all": np.ones(len(users), dtype=bool)}
    groups |= {f"with at most {limit} interactions": degree <= limit for limit in sorted(thresholds)}

    effects = []
    for name, mask in groups.items():
        values = {
            key: PooledValues(users[mask], {metric: measured.per_user[metric][mask] for metric in metrics})
            for key, measured in ((WITH, with_it), (WITHOUT, without_it))
        }
        for change in compare_pairs(values, {metric: [(WITH, WITHOUT)] for metric in metrics}, rng):
            with_mean, without_mean = (float(values[key].per_user[change.metric].mean()) for key in (WITH, WITHOUT))
            effects.append(RelationEffect(name, int(mask.sum()), with_mean, without_mean, change))
    return tuple(sorted(effects, key=lambda effect: metrics.index(effect.difference.metric)))
