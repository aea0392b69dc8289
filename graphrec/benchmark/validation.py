"""Validation sets for published splits, drawn the way the test set was drawn."""

from dataclasses import dataclass

import numpy as np

from graphrec.benchmark.datasets import Dataset
from graphrec.errors import DataError
from graphrec.evaluation.protocol import warm_users
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.splitting import count_later
from graphrec.splitting.coherent import Mask, coherent_holdout
from graphrec.train_view import restrict

#: Share of the training interactions in a random validation part.
RANDOM_SHARE = 0.1

#: Minimum interactions of an item to be included in `is_random_part`.
MIN_INTERACTIONS = 20

#: Threshold of `is_random_part`: the ratio of observed variance to that of a random draw.
MAX_VARIANCE_RATIO = 1.5


@dataclass(frozen=True, eq=False)
class ValidationSet:
    """The training interactions of a data set in two parts, and the graph that a model may see.

    graph: without the validation interactions.
    train: interactions to fit to.
    validation: interactions to select a config by.
    matches_test_distribution: True if `validation` was drawn as the test part was; False if it is only closer to the
        test part than a random part would be.
    """

    graph: HeteroGraph
    train: Interactions
    validation: Interactions
    matches_test_distribution: bool


def hold_out(dataset: Dataset, rng: np.random.Generator) -> ValidationSet:
    """A validation set drawn from the training interactions, without looking at which test items are relevant.

    If the test part has one interaction per user: one of each user with at least two, the last by time if there are
    times. If it is a random part: a random tenth. Else topically coherent parts of the histories. The validation pairs
    are removed from other behaviours too, as the test pairs are.

    Raises DataError if no user would have interactions in both parts.
    """
    interactions, matches = dataset.train, True
    if dataset.test.user_degree().max() == 1:
        mask = hold_out_last(interactions, rng)
    elif is_random_part(interactions, dataset.test):
        mask = hold_out_at_random(interactions, rng)
    else:
        mask, matches = coherent_holdout(interactions, rng), False
    train, validation = interactions.take(~mask), interactions.take(mask)
    if not len(warm_users(train, validation)[0]):
        raise DataError(
            "too few training interactions to hold some out and select settings on them; give settings with "
            "--set NAME=VALUE, or use --defaults"
        )
    return ValidationSet(restrict(dataset.graph, train, None, validation), train, validation, matches)


def hold_out_last(interactions: Interactions, rng: np.random.Generator) -> Mask:
    """Mask [len(interactions)] of the last interaction of each user with at least two; a random one without times."""
    mask: Mask = (count_later(interactions, rng) == 0) & (interactions.user_degree()[interactions.user_index] >= 2)
    return mask


def hold_out_at_random(interactions: Interactions, rng: np.random.Generator) -> Mask:
    """Mask [len(interactions)] of a random tenth, rounded down."""
    mask = np.zeros(len(interactions), dtype=bool)
    mask[rng.permutation(len(interactions))[: int(RANDOM_SHARE * len(interactions))]] = True
    return mask


def is_random_part(train: Interactions, test: Interactions) -> bool:
    """Whether the test part may have been drawn at random, judged by how much the items' shares in it vary.

    For an item with n interactions of which t are in the test part, and the overall share p, the mean over items of
    (t − n p)² / (n p (1 − p)) is 1 for a random part, with standard deviation √(2 / items). In the published test part
    of Gowalla, which holds each user's last interactions, it is 2.7; in those of Last.fm and Douban-Book 1.1 and 1.0.
    """
    in_test = test.item_degree()
    degree = train.item_degree() + in_test
    frequent = degree >= MIN_INTERACTIONS
    if not frequent.any():
        return True
    in_test, degree = in_test[frequent], degree[frequent]
    share = in_test.sum() / degree.sum()
    if share in (0, 1):  # all interactions of frequent items are in one part
        return True
    ratio = np.mean((in_test - degree * share) ** 2 / (degree * share * (1 - share)))
    return bool(ratio < max(MAX_VARIANCE_RATIO, 1 + 6 * np.sqrt(2 / len(degree))))
