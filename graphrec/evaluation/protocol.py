"""How a model is measured: all items ranked, seen ones masked, users that the model knows."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.errors import DataError
from graphrec.evaluation.beyond_accuracy import coverage
from graphrec.evaluation.metrics import PerUser, per_user, weighted_ndcg
from graphrec.interactions import FloatArray, Interactions
from graphrec.models.base import Model, Progress
from graphrec.ranking.topk import MEMORY_BUDGET, top_k
from graphrec.tuning.trial import Quality
from graphrec.vocabulary import IndexArray

#: The cut-offs of every table.
KS = (10, 20)

#: At most so many users are ranked to choose a config, unless told otherwise.
VALIDATION_USERS = 2000


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Means over warm users by `metric@k`, the values of each user [num_users] behind them, and who was left out.

    A warm user has a test item that is new to them and at least one training interaction; `num_cold` users have
    such a test item but no training interaction.
    """

    metrics: Mapping[str, float]
    per_user: PerUser
    user_index: IndexArray
    num_cold: int


def evaluate(
    model: Model[Any],
    seen: Interactions,
    truth: Interactions,
    ks: tuple[int, ...] = KS,
    memory_budget: int = MEMORY_BUDGET,
    progress: Progress | None = None,
) -> Evaluation:
    """How well the first k items that a model gives each warm user hit the truth; items in `seen` are no truth.

    Raises DataError where there is no warm user.
    """
    users, num_cold = warm_users(seen, truth)
    if not len(users):
        raise DataError(
            f"none of the {num_cold:,} users with test interactions has any in training, so nothing can be measured; "
            "load more data or choose another split"
        )
    best = top_k(model, seen, users, max(ks), memory_budget, progress)
    wanted = _new(seen, truth)[users]
    values = per_user(best.item_index, wanted, ks)
    metrics = {name: float(value.mean()) for name, value in values.items()}
    metrics |= {f"coverage@{k}": coverage(best.item_index, seen.num_items, k) for k in ks}
    return Evaluation(metrics, values, users, num_cold)


@dataclass(frozen=True, eq=False)
class RankedLists:
    """What a model gives to test users, warm and cold: the users [n], the first k items of each [n, k] (-1 for an empty
    place), the test items that are new to each [n, num_items], and who is warm [n]."""

    user_index: IndexArray
    item_index: IndexArray
    wanted: sparse.csr_array
    warm: npt.NDArray[np.bool_]


def ranked_lists(
    model: Model[Any],
    seen: Interactions,
    truth: Interactions,
    k: int,
    memory_budget: int = MEMORY_BUDGET,
    progress: Progress | None = None,
) -> RankedLists:
    """The lists of all users who have a test item that is new to them. Raises DataError where there is none."""
    wanted = _new(seen, truth)
    users = np.flatnonzero(np.diff(wanted.indptr) > 0)
    if not len(users):
        raise DataError(
            "no user has a test interaction with an item that is new to them; load more or choose another split"
        )
    best = top_k(model, seen, users, k, memory_budget, progress)
    return RankedLists(users, best.item_index, wanted[users], seen.user_degree()[users] > 0)


def warm_users(seen: Interactions, truth: Interactions) -> tuple[IndexArray, int]:
    """The users [n] with new test items and training interactions, and how many have test items but no training."""
    with_truth = np.diff(_new(seen, truth).indptr) > 0
    trained = seen.user_degree() > 0
    return np.flatnonzero(with_truth & trained), int((with_truth & ~trained).sum())


def validation_measure(
    train: Interactions,
    validation: Interactions,
    rng: np.random.Generator,
    cold: bool = False,
    num_users: int = VALIDATION_USERS,
) -> "ValidationMeasure":
    """A measure of NDCG@20 on at most `num_users` warm users, plain and with pairs weighted by √(item degree); with
    `cold` on users without training interactions where there are no others, as in a split by users.

    Raises DataError where there is nobody to measure.
    """
    users, num_cold = warm_users(train, validation)
    if cold and num_cold and not len(users):
        users = np.unique(validation.user_index)
    if not len(users):
        raise DataError("no user has interactions in both training and validation; load more or choose another split")
    chosen = np.sort(rng.permutation(users)[:num_users])
    weight = np.sqrt(np.maximum(train.item_degree(), 1)).astype(np.float32)
    return ValidationMeasure(train, chosen, _new(train, validation)[chosen], weight)


@dataclass(frozen=True, eq=False)
class ValidationMeasure:
    """A measure that other processes can be given: what is seen, users [n], their held-out items [n, num_items], and
    weights of items [num_items]."""

    train: Interactions
    users: IndexArray
    wanted: sparse.csr_array
    weight: FloatArray

    def __call__(self, model: Model[Any]) -> Quality:
        """The quality of a fitted model."""
        best = top_k(model, self.train, self.users, 20).item_index
        values = per_user(best, self.wanted, [20])["ndcg@20"]
        return Quality(float(values.mean()), weighted_ndcg(best, self.wanted, self.weight, 20), values)

    @property
    def digest(self) -> str:
        """A text that other users or other held-out items would change."""
        parts = (self.users, self.wanted.indptr, self.wanted.indices)
        return hashlib.sha256(b"".join(np.asarray(part, dtype=np.int64).tobytes() for part in parts)).hexdigest()


def bootstrap(
    difference: npt.NDArray[np.float64], rng: np.random.Generator, repeats: int = 1000
) -> tuple[float, float]:
    """The 95 % percentile interval of the mean of paired differences [num_users], users drawn with replacement."""
    means = np.empty(repeats)
    for repeat in range(repeats):
        means[repeat] = difference[rng.integers(len(difference), size=len(difference))].mean()
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _new(seen: Interactions, truth: Interactions) -> Any:  # a csr_array; the stubs lose the type in the difference
    wanted, known = truth.matrix(), seen.matrix()
    wanted = (wanted - wanted.multiply(known)).tocsr()
    wanted.eliminate_zeros()
    return wanted
