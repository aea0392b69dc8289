"""Evaluation protocol: all items are ranked, training items are masked (unless repeats count), and warm users are
measured."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.errors import DataError
from graphrec.evaluation.beyond_accuracy import coverage
from graphrec.evaluation.metrics import PerUser, per_user
from graphrec.interactions import Interactions
from graphrec.models.base import Model
from graphrec.progress import Progress
from graphrec.ranking.options import TopKOptions
from graphrec.ranking.topk import MEMORY_BUDGET, search_top_k, top_k
from graphrec.tuning.trial import Quality
from graphrec.vocabulary import IndexArray

#: Default cut-offs.
KS = (10, 20)

#: Cap on the users ranked to choose a config.
VALIDATION_USERS = 2000


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Means over warm users by `metric@k`, the values per user [num_users] behind them, and the number of cold users.

    A warm user has a test item that is new to them and at least one training interaction; `num_cold` users have such a
    test item but no training interaction.
    """

    metrics: Mapping[str, float]
    per_user: PerUser
    user_index: IndexArray
    num_cold: int


def evaluate(
    model: Model[Any],
    train: Interactions,
    test: Interactions,
    ks: tuple[int, ...] = KS,
    memory_budget: int = MEMORY_BUDGET,
    progress: Progress | None = None,
) -> Evaluation:
    """The metrics of a model's first k items for each warm user; items in `train` are masked and not counted as test.

    Raises DataError if no user is warm.
    """
    users, num_cold = warm_users(train, test)
    if not len(users):
        raise DataError(
            f"none of the {num_cold:,} users with test interactions has any in training, so no model can be measured; "
            "load more data or choose another split"
        )
    best = top_k(model, train, users, max(ks), memory_budget, progress)
    values = per_user(best.item_index, _counted_pairs(train, test)[users], ks)
    metrics = {name: float(value.mean()) for name, value in values.items()}
    metrics |= {f"coverage@{k}": coverage(best.item_index, train.num_items, k) for k in ks}
    return Evaluation(metrics, values, users, num_cold)


@dataclass(frozen=True, eq=False)
class RankedLists:
    """A model's lists for all test users, warm and cold.

    user_index: the users [n].
    item_index: the first k items of each [n, k], -1 for an empty rank.
    test: the test items that count for each user [n, num_items]: new ones, or all.
    warm: which users [n] have training interactions.
    """

    user_index: IndexArray
    item_index: IndexArray
    test: sparse.csr_array
    warm: npt.NDArray[np.bool_]


def rank_test_users(
    model: Model[Any],
    train: Interactions,
    test: Interactions,
    k: int,
    memory_budget: int = MEMORY_BUDGET,
    progress: Progress | None = None,
    repeats: bool = False,
) -> RankedLists:
    """The lists of all users with a test item that is new to them; with `repeats`, items that they had count too.

    Raises DataError if no user has one.
    """
    new = _counted_pairs(train, test, repeats)
    users = np.flatnonzero(np.diff(new.indptr) > 0)
    if not len(users):
        raise DataError(
            "no user has a test interaction with an item that is new to them; load more or choose another split"
        )
    options = TopKOptions(memory_budget=memory_budget, allow_seen=repeats)
    best = search_top_k(model, train, users, k, options, progress)
    return RankedLists(users, best.item_index, new[users], train.user_degree()[users] > 0)


def warm_users(train: Interactions, test: Interactions, repeats: bool = False) -> tuple[IndexArray, int]:
    """The users [n] with training interactions and new test items, and the number of users with new test items only.

    With `repeats` items that the users had count as new.
    """
    has_new = np.diff(_counted_pairs(train, test, repeats).indptr) > 0
    trained = train.user_degree() > 0
    return np.flatnonzero(has_new & trained), int((has_new & ~trained).sum())


def validation_measure(
    train: Interactions,
    validation: Interactions,
    rng: np.random.Generator,
    cold: bool = False,
    num_users: int = VALIDATION_USERS,
    repeats: bool = False,
) -> "ValidationMeasure":
    """A measure of NDCG@20 on at most `num_users` warm users.

    With `cold`, users without training interactions are measured if no user is warm, as in a split by users. With
    `repeats`, items that users had are ranked and count. Raises DataError if there is no user to measure.
    """
    users, num_cold = warm_users(train, validation, repeats)
    if cold and num_cold and not len(users):
        users = np.unique(validation.user_index)
    if not len(users):
        raise DataError("no user has interactions in both training and validation; load more or choose another split")
    chosen = np.sort(rng.permutation(users)[:num_users])
    return ValidationMeasure(train, chosen, _counted_pairs(train, validation, repeats)[chosen], repeats)


@dataclass(frozen=True, eq=False)
class ValidationMeasure:
    """Measures the quality of a fitted model on validation; can be sent to worker processes.

    train: interactions to mask.
    users: the users measured [n].
    validation: their validation items [n, num_items].
    repeats: whether items of `train` are not masked.
    """

    train: Interactions
    users: IndexArray
    validation: sparse.csr_array
    repeats: bool = False

    def __call__(self, model: Model[Any]) -> Quality:
        """The quality of a fitted model."""
        options = TopKOptions(allow_seen=self.repeats)
        best = search_top_k(model, self.train, self.users, 20, options).item_index
        values = per_user(best, self.validation, [20])["ndcg@20"]
        return Quality(float(values.mean()), values)

    @property
    def digest(self) -> str:
        """A hash of the users and their validation items, to recognise the same search again."""
        parts = (self.users, self.validation.indptr, self.validation.indices)
        return hashlib.sha256(b"".join(np.asarray(part, dtype=np.int64).tobytes() for part in parts)).hexdigest()


def _counted_pairs(
    train: Interactions, test: Interactions, repeats: bool = False
) -> Any:  # a csr_array; the stubs lose the type in the difference
    """The test matrix, without pairs of the training matrix unless `repeats`."""
    pairs = test.matrix()
    if repeats:
        return pairs
    pairs = (pairs - pairs.multiply(train.matrix())).tocsr()
    pairs.eliminate_zeros()
    return pairs
