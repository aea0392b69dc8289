"""Properties of recommendation lists besides accuracy: coverage, novelty, diversity, calibration and others.

`item_index` [num_users, n] holds the positions of recommended items, best first, without repeats, -1 for an empty
rank; ranks from n up to k are empty too. A metric of kind `beyond_accuracy` in `metric_registry` is a function of
`ListsToMeasure` and the cut-offs that returns by k either one value per user [num_users] or one for all lists.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.evaluation.calibration import calibration, normalise_rows
from graphrec.evaluation.list_similarity import sum_cosines, unit_rows
from graphrec.evaluation.metric_registry import metrics_of
from graphrec.vocabulary import IndexArray

Floats = npt.NDArray[np.float64]

#: Share of training interactions in the head, which is the fewest items that have it; all others are the long tail.
HEAD_SHARE = 0.8


@dataclass(frozen=True, eq=False)
class CatalogueStats:
    """Statistics of the training data that lists are compared with, computed once per split.

    history: the training matrix [num_users, num_items], 1 for an interaction.
    information: -log₂ of the share of users who had the item [num_items].
    tail: whether the item is in the long tail [num_items].
    vectors: unit vectors of the items [num_items, n], over attributes if there are any, else over users.
    attributes: shares of the attributes of each item [num_items, num_attributes], or None.
    """

    history: sparse.csr_array
    information: Floats
    tail: npt.NDArray[np.bool_]
    vectors: sparse.csr_array
    attributes: sparse.csr_array | None


@dataclass(frozen=True, eq=False)
class ListsToMeasure:
    """Recommendation lists of some users.

    item_index: the lists [num_users, n].
    user_index: the rows of the users [num_users] in the training matrix.
    counted: which lists [num_users] are included in values over all lists.
    """

    item_index: IndexArray
    user_index: IndexArray
    catalogue: CatalogueStats
    counted: npt.NDArray[np.bool_]

    @property
    def num_items(self) -> int:
        """The size of the catalogue."""
        return int(self.catalogue.history.shape[1])


@dataclass(frozen=True, eq=False)
class BeyondAccuracy:
    """Values per user [num_users] (novelty, diversity, tail share, calibration) and over all lists together (coverage,
    Gini, personalisation), both keyed like `novelty@10`."""

    per_user: Mapping[str, Floats]
    scalars: Mapping[str, float]


def catalogue_stats(train: sparse.csr_array, attributes: sparse.csr_array | None = None) -> CatalogueStats:
    """The CatalogueStats of a training matrix [num_users, num_items] and item attributes [num_items, num_attributes].

    Attributes without entries count as no attributes.
    """
    degree = np.bincount(train.indices, minlength=train.shape[1])
    known = None if attributes is None or not attributes.nnz else attributes
    return CatalogueStats(
        history=train,
        information=information(degree, int((np.diff(train.indptr) > 0).sum())),
        tail=tail(degree),
        vectors=unit_rows(sparse.csr_array(train.T) if known is None else known),
        attributes=None if known is None else normalise_rows(known),
    )


def beyond_accuracy(
    item_index: IndexArray,
    user_index: IndexArray,
    catalogue: CatalogueStats,
    ks: Iterable[int],
    counted: npt.NDArray[np.bool_] | None = None,
) -> BeyondAccuracy:
    """All metrics besides accuracy for the lists of users, `user_index` [num_users] in the training matrix; metrics
    over all lists together include the lists `counted` [num_users] (None: all).

    A user has NaN in a metric that is undefined for them: without a list, with fewer than two items for diversity,
    without attributes for calibration.
    """
    ks = tuple(ks)
    if counted is None:
        counted = np.ones(len(item_index), dtype=bool)
    lists = ListsToMeasure(item_index, user_index, catalogue, counted)
    values = {metric.name: metric.load()(lists, ks) for metric in metrics_of("beyond_accuracy")}
    users: dict[str, Floats] = {}
    scalars: dict[str, float] = {}
    for k in ks:
        for name, by_k in values.items():
            if k in by_k and np.ndim(by_k[k]):
                users[f"{name}@{k}"] = by_k[k]
            elif k in by_k:
                scalars[f"{name}@{k}"] = float(by_k[k])
    return BeyondAccuracy(users, scalars)


def compute_coverage(lists: ListsToMeasure, ks: Sequence[int]) -> Mapping[int, float]:
    """`coverage` by k."""
    counted = lists.item_index[lists.counted]
    return {k: coverage(counted, lists.num_items, k) for k in ks}


def compute_gini(lists: ListsToMeasure, ks: Sequence[int]) -> Mapping[int, float]:
    """`gini` by k."""
    counted = lists.item_index[lists.counted]
    return {k: gini(counted, lists.num_items, k) for k in ks}


def compute_novelty(lists: ListsToMeasure, ks: Sequence[int]) -> Mapping[int, Floats]:
    """`novelty` per user by k."""
    return {k: novelty(lists.item_index, lists.catalogue.information, k) for k in ks}


def compute_diversity(lists: ListsToMeasure, ks: Sequence[int]) -> Mapping[int, Floats]:
    """`diversity` per user by k."""
    return diversity(lists.item_index, lists.catalogue.vectors, ks)


def compute_personalisation(lists: ListsToMeasure, ks: Sequence[int]) -> Mapping[int, float]:
    """`personalisation` by k."""
    counted = lists.item_index[lists.counted]
    return {k: personalisation(counted, k) for k in ks}


def compute_tail_share(lists: ListsToMeasure, ks: Sequence[int]) -> Mapping[int, Floats]:
    """`tail_share` per user by k."""
    return {k: tail_share(lists.item_index, lists.catalogue.tail, k) for k in ks}


def compute_calibration(lists: ListsToMeasure, ks: Sequence[int]) -> Mapping[int, Floats]:
    """`calibration` per user by k; empty if items have no attributes."""
    catalogue = lists.catalogue
    if catalogue.attributes is None:
        return {}
    return calibration(lists.item_index, catalogue.history[lists.user_index], catalogue.attributes, ks)


def coverage(item_index: IndexArray, num_items: int, k: int) -> float:
    """The share of all items that are among the first k of at least one list: |∪ L| / num_items."""
    return float(np.count_nonzero(_count_recommendations(item_index, num_items, k)) / num_items)


def gini(item_index: IndexArray, num_items: int, k: int) -> float:
    """The Gini coefficient of how often each of the n items is among the first k of a list.

    Σ (2 i − n − 1) x_i / (n Σ x_i), where x_i is the i-th smallest count: 0 if all items are recommended equally often,
    (n − 1) / n if all lists have one and the same item, NaN if no list has an item.
    """
    counts = np.sort(_count_recommendations(item_index, num_items, k)).astype(np.float64)
    if not counts.any():
        return float("nan")
    position = np.arange(1, num_items + 1)
    return float(((2 * position - num_items - 1) * counts).sum() / (num_items * counts.sum()))


def personalisation(item_index: IndexArray, k: int) -> float:
    """1 − the mean cosine |A ∩ B| / √(|A| |B|) of two lists A and B cut at k, over all pairs of users with a list.

    If all lists are full this is 1 − the mean share of items that two users have in common. In closed form, with
    w_i = Σ 1 / √|A| over the lists A with item i out of n lists, the mean is (Σ w_i² − n) / (n (n − 1)). NaN for fewer
    than two lists.
    """
    shown = item_index[:, :k]
    length = (shown >= 0).sum(axis=1)
    num_lists = int((length > 0).sum())
    if num_lists < 2:
        return float("nan")
    weight = np.bincount(shown[shown >= 0], np.repeat(1 / np.sqrt(np.maximum(length, 1)), length))
    return float(1 - ((weight**2).sum() - num_lists) / (num_lists * (num_lists - 1)))


def novelty(item_index: IndexArray, self_information: Floats, k: int) -> Floats:
    """The mean self-information of the first k items, in bits, per user [num_users]; NaN without a list."""
    return _average_over_lists(item_index, self_information, k)


def information(degree: IndexArray, num_users: int) -> Floats:
    """-log₂(share of `num_users` who had the item) for each item [num_items], from the number of its users.

    An item without interactions counts as if one user had it, so that the value is finite.
    """
    return np.asarray(-np.log2(np.maximum(degree, 1) / max(num_users, 1)), dtype=np.float64)


def tail_share(item_index: IndexArray, in_tail: npt.NDArray[np.bool_], k: int) -> Floats:
    """The share of long-tail items among the first k, per user [num_users]; NaN without a list."""
    return _average_over_lists(item_index, in_tail.astype(np.float64), k)


def tail(degree: IndexArray, head_share: float = HEAD_SHARE) -> npt.NDArray[np.bool_]:
    """Whether an item is in the long tail [num_items].

    The head is the fewest items, in order of popularity and then of position, that together have `head_share` of all
    training interactions; every other item is in the tail.
    """
    order = np.argsort(-degree, kind="stable")
    before = np.cumsum(degree[order]) - degree[order]
    in_tail = np.empty(len(degree), dtype=bool)
    # tolerance for rounding: 0.7 · 10 is 7, not 7.000000000000001
    in_tail[order] = before >= head_share * degree.sum() * (1 - 1e-12)
    return in_tail


def diversity(item_index: IndexArray, vectors: sparse.csr_array, ks: Iterable[int]) -> Mapping[int, Floats]:
    """1 − the mean cosine of two items among the first k, per user [num_users], by k.

    `vectors` [num_items, n] are unit vectors, or zero for an item without attributes or users, whose cosines are 0. NaN
    for lists with fewer than two items.
    """
    values = {}
    for k, total in sum_cosines(item_index, vectors, ks).items():
        length = (item_index[:, :k] >= 0).sum(axis=1)
        pairs = length * (length - 1) / 2
        values[k] = np.where(pairs > 0, 1 - total / np.maximum(pairs, 1), np.nan)
    return values


def _count_recommendations(item_index: IndexArray, num_items: int, k: int) -> IndexArray:
    listed = item_index[:, :k]
    return np.bincount(listed[listed >= 0], minlength=num_items)


def _average_over_lists(item_index: IndexArray, value: Floats, k: int) -> Floats:
    listed = item_index[:, :k]
    filled = listed >= 0
    total = np.where(filled, value[np.maximum(listed, 0)], 0.0).sum(axis=1)
    length = filled.sum(axis=1)
    return np.where(length > 0, total / np.maximum(length, 1), np.nan)
