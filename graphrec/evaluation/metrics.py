"""Accuracy of ranked lists, for each user and on average: binary gains, full ranking.

In every formula L is the list of a user, cut at k, and T their test items.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.vocabulary import IndexArray

Floats = npt.NDArray[np.float64]

#: Values of each user [num_users], keyed like `ndcg@10`; NaN for a user of whom a metric says nothing.
PerUser = Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class Found:
    """The hits [num_users, k] of lists cut at k, best first, and the number of test items of each user [num_users]."""

    hits: npt.NDArray[np.bool_]
    wanted: Floats

    @property
    def k(self) -> int:
        """The cut-off."""
        return int(self.hits.shape[1])


def recall(found: Found) -> Floats:
    """|L ∩ T| / |T|. The denominator is |T| also where it is more than k (some divide by min(k, |T|))."""
    return _ratio(found.hits.sum(axis=1), found.wanted)


def precision(found: Found) -> Floats:
    """|L ∩ T| / k. The denominator is k also where the list is shorter, as in trec_eval."""
    return np.asarray(found.hits.sum(axis=1) / found.k, dtype=np.float64)


def ndcg(found: Found) -> Floats:
    """Σ 1 / log₂(rank + 1) over the hits, divided by the same sum over the ranks 1 … min(k, |T|).

    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002, with the discount of
    trec_eval and of LightGCN: the first rank has the discount 1.
    """
    best = np.concatenate([[0.0], np.cumsum(_discount(found.k))])
    return _ratio(found.hits @ _discount(found.k), best[np.minimum(found.wanted, found.k).astype(np.int64)])


def average_precision(found: Found) -> Floats:
    """Σ (hits up to the rank / rank) over the ranks of hits, divided by |T|, as in trec_eval (`map_cut`).

    Its mean over users is MAP@k. Some divide by min(k, |T|), which gives more where |T| > k.
    """
    ranks = np.arange(1, found.k + 1)
    precisions = np.cumsum(found.hits, axis=1) / ranks
    return _ratio((precisions * found.hits).sum(axis=1), found.wanted)


def reciprocal_rank(found: Found) -> Floats:
    """1 / rank of the first hit, 0 where there is none up to k; its mean over users is MRR@k."""
    first: IndexArray = found.hits.argmax(axis=1) + 1
    return hit_rate(found) / first


def hit_rate(found: Found) -> Floats:
    """1 where there is a hit up to k, else 0; its mean is the share of users with a hit."""
    return np.asarray(found.hits.any(axis=1), dtype=np.float64)


#: The metrics by their names in tables.
METRICS: Mapping[str, Callable[[Found], Floats]] = {
    "recall": recall,
    "precision": precision,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": reciprocal_rank,
    "hit_rate": hit_rate,
}


def per_user(item_index: IndexArray, truth: sparse.csr_array, ks: Iterable[int]) -> PerUser:
    """All metrics of each user [num_users], keyed like `ndcg@10`.

    `item_index` [num_users, n] holds recommended positions, best first, none twice, -1 where there are none; what it
    lacks up to k is empty too, so k may be larger than the catalogue. `truth` [num_users, num_items] holds the test
    items. A user without test items has NaN in every metric (nothing can be found; trec_eval leaves such users out), a
    user with test items and without recommendations has 0.
    """
    ks = tuple(ks)
    found = hits(item_index[:, : max(ks)], truth)
    found = np.pad(found, ((0, 0), (0, max(ks) - found.shape[1])))
    wanted = np.diff(truth.indptr).astype(np.float64)
    values = {f"{name}@{k}": metric(Found(found[:, :k], wanted)) for k in ks for name, metric in METRICS.items()}
    return {name: np.where(wanted > 0, value, np.nan) for name, value in values.items()}


def hits(item_index: IndexArray, truth: sparse.csr_array) -> npt.NDArray[np.bool_]:
    """Which places [num_users, n] of the lists hold a test item of their user."""
    num_users, num_items = truth.shape
    row = np.arange(num_users, dtype=np.int64)
    # a pair of user and item as one number; an empty place is -1 and so is no pair, not the last of the user before
    wanted = np.sort(np.repeat(row, np.diff(truth.indptr)) * num_items + truth.indices)
    shown = np.where(item_index < 0, -1, row[:, None] * num_items + item_index)
    if not len(wanted):
        return np.zeros(shown.shape, dtype=bool)
    place = np.searchsorted(wanted, shown)
    found: npt.NDArray[np.bool_] = wanted[np.minimum(place, len(wanted) - 1)] == shown
    return found


def weighted_ndcg(
    item_index: IndexArray, truth: sparse.csr_array, item_weight: npt.NDArray[np.float32], k: int
) -> float:
    """The mean NDCG@k where a hit counts by the weight of its item [num_items]; 0 where there are no users.

    Σ weight / log₂(rank + 1) over the hits, divided by the most that can be had: the heaviest test items first.
    """
    if not len(item_index):
        return 0.0
    shown = item_index[:, :k]
    weight = item_weight.astype(np.float64)
    gain = np.where(hits(shown, truth), weight[np.maximum(shown, 0)], 0.0) @ _discount(shown.shape[1])
    counts = np.diff(truth.indptr)
    row = np.repeat(np.arange(len(counts)), counts)
    heaviest = weight[truth.indices][np.lexsort((-weight[truth.indices], row))]
    rank = np.arange(len(row)) - np.repeat(truth.indptr[:-1], counts)
    first = rank < k
    ideal = np.bincount(row[first], heaviest[first] * _discount(k)[rank[first]], minlength=len(counts))
    return float(_ratio(gain, ideal).mean())


def _discount(k: int) -> Floats:
    return np.asarray(1 / np.log2(np.arange(2, k + 2)), dtype=np.float64)


def _ratio(above: npt.NDArray[np.generic], below: npt.NDArray[np.generic]) -> Floats:
    """0 where there is nothing to divide by."""
    numbers, parts = above.astype(np.float64), below.astype(np.float64)
    return np.divide(numbers, parts, out=np.zeros_like(numbers), where=parts > 0)
