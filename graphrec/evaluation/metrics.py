"""Accuracy of ranked lists per user: binary relevance, full ranking; and the errors of predicted ratings.

In every formula L is a user's list cut at k, and T the set of the user's test items. A metric of kind `accuracy` in
`metric_registry` is a function of `Hits` that returns one value per user; one of kind `rating` is a function of the
errors p − r [num_pairs] of all test pairs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.evaluation.metric_registry import metrics_of
from graphrec.vocabulary import IndexArray

Floats = npt.NDArray[np.float64]

#: Values per user [num_users], keyed like `ndcg@10`; NaN if a metric is undefined for a user.
PerUser = Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class Hits:
    """What accuracy is computed from: is_hit [num_users, k], best rank first, and num_relevant [num_users] = |T|."""

    is_hit: npt.NDArray[np.bool_]
    num_relevant: Floats

    @property
    def k(self) -> int:
        """The cut-off."""
        return int(self.is_hit.shape[1])


def recall(hits: Hits) -> Floats:
    """|L ∩ T| / |T|. The denominator is |T| even if it exceeds k (some implementations divide by min(k, |T|))."""
    return _divide(hits.is_hit.sum(axis=1), hits.num_relevant)


def precision(hits: Hits) -> Floats:
    """|L ∩ T| / k. The denominator is k even if the list is shorter, as in trec_eval."""
    return np.asarray(hits.is_hit.sum(axis=1) / hits.k, dtype=np.float64)


def ndcg(hits: Hits) -> Floats:
    """Σ 1 / log₂(rank + 1) over the hits, divided by the same sum over the ranks 1 … min(k, |T|).

    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002, with the discount of
    trec_eval and of LightGCN: the first rank has the discount 1.
    """
    ideal = np.concatenate([[0.0], np.cumsum(_discount(hits.k))])
    return _divide(hits.is_hit @ _discount(hits.k), ideal[np.minimum(hits.num_relevant, hits.k).astype(np.int64)])


def average_precision(hits: Hits) -> Floats:
    """Σ (hits up to the rank / rank) over the ranks of hits, divided by |T|, as in trec_eval (`map_cut`).

    Its mean over users is MAP@k. Some implementations divide by min(k, |T|), which is larger if |T| > k.
    """
    ranks = np.arange(1, hits.k + 1)
    precisions = np.cumsum(hits.is_hit, axis=1) / ranks
    return _divide((precisions * hits.is_hit).sum(axis=1), hits.num_relevant)


def reciprocal_rank(hits: Hits) -> Floats:
    """1 / rank of the first hit, 0 without a hit among the first k; its mean over users is MRR@k."""
    first: IndexArray = hits.is_hit.argmax(axis=1) + 1
    return hit_rate(hits) / first


def hit_rate(hits: Hits) -> Floats:
    """1 with a hit among the first k, else 0; its mean is the share of users with a hit."""
    return np.asarray(hits.is_hit.any(axis=1), dtype=np.float64)


def rmse(error: Floats) -> float:
    """√(Σ (p − r)² / n) of the errors [n] of predicted ratings p against true ratings r."""
    return float(np.sqrt(np.mean(error**2)))


def mae(error: Floats) -> float:
    """Σ |p − r| / n of the errors [n] of predicted ratings p against true ratings r."""
    return float(np.mean(np.abs(error)))


def per_user(item_index: IndexArray, test: sparse.csr_array, ks: Iterable[int]) -> PerUser:
    """All metrics of accuracy per user [num_users], keyed like `ndcg@10`.

    `item_index` [num_users, n] holds the positions of recommended items, best first, without repeats, -1 for an empty
    rank; ranks beyond n are empty too, so k may exceed the size of the catalogue. `test` [num_users, num_items] holds
    the test items. A user without test items has NaN in every metric (trec_eval leaves such users out); a user with
    test items and without recommendations has 0.
    """
    ks = tuple(ks)
    is_hit = find_hits(item_index[:, : max(ks)], test)
    is_hit = np.pad(is_hit, ((0, 0), (0, max(ks) - is_hit.shape[1])))
    num_relevant = np.diff(test.indptr).astype(np.float64)
    values: dict[str, Floats] = {}
    for k in ks:
        hits = Hits(is_hit[:, :k], num_relevant)
        for metric in metrics_of("accuracy"):
            values[f"{metric.name}@{k}"] = np.where(num_relevant > 0, metric.load()(hits), np.nan)
    return values


def find_hits(item_index: IndexArray, test: sparse.csr_array) -> npt.NDArray[np.bool_]:
    """Which ranks [num_users, n] of the lists have a test item of their user."""
    num_users, num_items = test.shape
    row = np.arange(num_users, dtype=np.int64)
    # Each (user, item) pair is one number. An empty rank stays -1, which is no pair; otherwise it would become the last
    # item of the previous user.
    relevant = np.sort(np.repeat(row, np.diff(test.indptr)) * num_items + test.indices)
    listed = np.where(item_index < 0, -1, row[:, None] * num_items + item_index)
    if not len(relevant):
        return np.zeros(listed.shape, dtype=bool)
    index = np.searchsorted(relevant, listed)
    is_hit: npt.NDArray[np.bool_] = relevant[np.minimum(index, len(relevant) - 1)] == listed
    return is_hit


def _discount(k: int) -> Floats:
    return np.asarray(1 / np.log2(np.arange(2, k + 2)), dtype=np.float64)


def _divide(numerator: npt.NDArray[np.generic], denominator: npt.NDArray[np.generic]) -> Floats:
    """The quotients, 0 for a denominator of 0."""
    above, below = numerator.astype(np.float64), denominator.astype(np.float64)
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
