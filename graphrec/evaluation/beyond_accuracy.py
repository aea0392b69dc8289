"""What lists are like besides accurate: how much of the catalogue they show, how new, varied, different and calibrated.

In all of them `item_index` [num_users, n] holds recommended positions, best first, none twice, -1 where there are
none; what a row lacks up to k is empty too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.evaluation.calibration import calibration, shares
from graphrec.evaluation.list_similarity import sums_of_cosines, unit_rows
from graphrec.vocabulary import IndexArray

Floats = npt.NDArray[np.float64]

#: Long-tail items are those outside the head, the fewest items that together have this share of training interactions.
HEAD_SHARE = 0.8


@dataclass(frozen=True, eq=False)
class CatalogueStats:
    """What lists are held against, made once for a split.

    history: the training matrix [num_users, num_items], 1 where a user had an item.
    information: of each item [num_items], -log₂ of the share of users who had it.
    tail: whether an item is outside the head [num_items].
    vectors: items as unit vectors [num_items, n], by attributes where there are any, else by who had them.
    attributes: shares of the attributes of items [num_items, num_attributes], or None.
    """

    history: sparse.csr_array
    information: Floats
    tail: npt.NDArray[np.bool_]
    vectors: sparse.csr_array
    attributes: sparse.csr_array | None


@dataclass(frozen=True, eq=False)
class BeyondAccuracy:
    """`novelty`, `diversity`, `tail_share` and, with attributes, `calibration` of each user [num_users], and
    `coverage`, `gini` and `personalisation` of all lists together; both keyed like `novelty@10`."""

    per_user: Mapping[str, Floats]
    scalars: Mapping[str, float]


def catalogue(train: sparse.csr_array, attributes: sparse.csr_array | None = None) -> CatalogueStats:
    """The Catalogue of a training matrix [num_users, num_items] and of item attributes [num_items, num_attributes].

    Attributes without any entry count as none.
    """
    degree = np.bincount(train.indices, minlength=train.shape[1])
    described = None if attributes is None or not attributes.nnz else attributes
    return CatalogueStats(
        history=train,
        information=information(degree, int((np.diff(train.indptr) > 0).sum())),
        tail=tail(degree),
        vectors=unit_rows(sparse.csr_array(train.T) if described is None else described),
        attributes=None if described is None else shares(described),
    )


def beyond_accuracy(
    item_index: IndexArray,
    user_index: IndexArray,
    known: CatalogueStats,
    ks: Iterable[int],
    counted: npt.NDArray[np.bool_] | None = None,
) -> BeyondAccuracy:
    """All that is said beyond accuracy of the lists of some users, `user_index` [num_users] in the training matrix;
    what is said of all lists together is of those `counted` [num_users] (None: all).

    A user has NaN where there is nothing to say: no list, less than two items for diversity, no attributes for
    calibration.
    """
    ks, num_items = tuple(ks), known.history.shape[1]
    each: dict[str, Mapping[int, Floats]] = {
        "novelty": {k: novelty(item_index, known.information, k) for k in ks},
        "diversity": diversity(item_index, known.vectors, ks),
        "tail_share": {k: tail_share(item_index, known.tail, k) for k in ks},
    }
    if known.attributes is not None:
        each["calibration"] = calibration(item_index, known.history[user_index], known.attributes, ks)
    lists = item_index if counted is None else item_index[counted]
    scalars: dict[str, float] = {}
    for k in ks:
        scalars[f"coverage@{k}"] = coverage(lists, num_items, k)
        scalars[f"gini@{k}"] = gini(lists, num_items, k)
        scalars[f"personalisation@{k}"] = personalisation(lists, k)
    return BeyondAccuracy({f"{name}@{k}": values[k] for k in ks for name, values in each.items()}, scalars)


def coverage(item_index: IndexArray, num_items: int, k: int) -> float:
    """The share of all items that somebody gets among the first k: |∪ L| / num_items."""
    return float(np.count_nonzero(_times_shown(item_index, num_items, k)) / num_items)


def gini(item_index: IndexArray, num_items: int, k: int) -> float:
    """The Gini coefficient of how often each of all items is among somebody's first k.

    Σ (2 i − n − 1) x_i / (n Σ x_i) over the n items in the order of their numbers x, the least first: 0 where all items
    are shown equally often, (n − 1) / n where one item takes all places, NaN where nothing is shown.
    """
    times = np.sort(_times_shown(item_index, num_items, k)).astype(np.float64)
    if not times.any():
        return float("nan")
    position = np.arange(1, num_items + 1)
    return float(((2 * position - num_items - 1) * times).sum() / (num_items * times.sum()))


def personalisation(item_index: IndexArray, k: int) -> float:
    """1 − the mean cosine |A ∩ B| / √(|A| |B|) of the first k of two users, over all pairs of users with a list.

    Where all lists are full this is 1 − the mean share of items that two users have in common. In closed form: with
    w_i = Σ 1 / √|A| over those of the n users who get item i, the mean is (Σ w_i² − n) / (n (n − 1)). NaN for less than
    two lists.
    """
    shown = item_index[:, :k]
    length = (shown >= 0).sum(axis=1)
    num_lists = int((length > 0).sum())
    if num_lists < 2:
        return float("nan")
    weight = np.bincount(shown[shown >= 0], np.repeat(1 / np.sqrt(np.maximum(length, 1)), length))
    return float(1 - ((weight**2).sum() - num_lists) / (num_lists * (num_lists - 1)))


def novelty(item_index: IndexArray, self_information: Floats, k: int) -> Floats:
    """The mean self-information of the first k of each user [num_users], in bits; NaN without a list."""
    return _mean_of_shown(item_index, self_information, k)


def information(degree: IndexArray, num_users: int) -> Floats:
    """-log₂(share of `num_users` who had an item) for each item [num_items], from how many had it.

    An item that nobody had counts like one that one user had, the most that is finite.
    """
    return np.asarray(-np.log2(np.maximum(degree, 1) / max(num_users, 1)), dtype=np.float64)


def tail_share(item_index: IndexArray, in_tail: npt.NDArray[np.bool_], k: int) -> Floats:
    """The share of long-tail items among the first k of each user [num_users]; NaN without a list."""
    return _mean_of_shown(item_index, in_tail.astype(np.float64), k)


def tail(degree: IndexArray, head_share: float = HEAD_SHARE) -> npt.NDArray[np.bool_]:
    """Whether an item is of the long tail [num_items]: outside the fewest items, the most popular first and equally
    popular ones by position, that together have `head_share` of all training interactions."""
    order = np.argsort(-degree, kind="stable")
    before = np.cumsum(degree[order]) - degree[order]
    found = np.empty(len(degree), dtype=bool)
    # an allowance for rounding: 0.7 of 10 interactions are 7, not 7.000000000000001
    found[order] = before >= head_share * degree.sum() * (1 - 1e-12)
    return found


def diversity(item_index: IndexArray, vectors: sparse.csr_array, ks: Iterable[int]) -> Mapping[int, Floats]:
    """1 − the mean cosine of two items among the first k, for each user [num_users], by k.

    `vectors` [num_items, n] are unit vectors, or zero for an item of which nothing is known; the cosine with such an
    item is 0. NaN where a list has less than two items.
    """
    found = {}
    for k, total in sums_of_cosines(item_index, vectors, ks).items():
        length = (item_index[:, :k] >= 0).sum(axis=1)
        pairs = length * (length - 1) / 2
        found[k] = np.where(pairs > 0, 1 - total / np.maximum(pairs, 1), np.nan)
    return found


def _times_shown(item_index: IndexArray, num_items: int, k: int) -> IndexArray:
    shown = item_index[:, :k]
    return np.bincount(shown[shown >= 0], minlength=num_items)


def _mean_of_shown(item_index: IndexArray, value: Floats, k: int) -> Floats:
    shown = item_index[:, :k]
    there = shown >= 0
    total = np.where(there, value[np.maximum(shown, 0)], 0.0).sum(axis=1)
    length = there.sum(axis=1)
    return np.where(length > 0, total / np.maximum(length, 1), np.nan)
