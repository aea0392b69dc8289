"""Metrics of ranked lists by PyG's definitions, for each user and on average."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor
from torch_geometric.metrics import (
    LinkPredCoverage,
    LinkPredHitRatio,
    LinkPredMRR,
    LinkPredNDCG,
    LinkPredRecall,
)
from torch_geometric.metrics.link_pred import LinkPredMetricData

from graphrec.vocabulary import IndexArray

#: recall = hits / |T|; ndcg = Σ 1/log₂(rank + 1) over hits / the same sum of min(k, |T|) ideal hits; hit_rate =
#: whether there is a hit; mrr = 1 / rank of the first hit, else 0. T: the test items of a user. LightGCN's definitions.
METRICS = {"recall": LinkPredRecall, "ndcg": LinkPredNDCG, "hit_rate": LinkPredHitRatio, "mrr": LinkPredMRR}

PerUser = Mapping[str, npt.NDArray[np.float64]]


def per_user(item_index: IndexArray, truth: sparse.csr_array, ks: Iterable[int]) -> PerUser:
    """Metrics of each user [num_users], keyed like `ndcg@10`.

    `item_index` [num_users, ≥ max k] holds recommended positions, best first, -1 where there are none; `truth`
    [num_users, num_items] the test items, at least one for each user.
    """
    ranked = _ranked(item_index, truth)
    data = LinkPredMetricData(ranked, _pairs(truth))
    # `update` and `compute` give the mean alone; the values of users are what intervals are made of
    return {f"{name}@{k}": _values(kind(k), data) for k in ks for name, kind in METRICS.items()}


def weighted_ndcg(
    item_index: IndexArray, truth: sparse.csr_array, item_weight: npt.NDArray[np.float32], k: int
) -> float:
    """The mean NDCG@k where a hit counts by the weight of its item [num_items]; 0 where there are no users."""
    if not len(item_index):
        return 0.0
    weight = torch.from_numpy(item_weight[truth.indices])
    data = LinkPredMetricData(_ranked(item_index, truth), _pairs(truth), weight)
    return float(_values(LinkPredNDCG(k, weighted=True), data).mean())


def coverage(item_index: IndexArray, num_items: int, k: int) -> float:
    """The share of all items that somebody gets among the first k."""
    metric = LinkPredCoverage(1, num_items)
    shown = item_index[:, :k]
    metric.update(torch.from_numpy(shown[shown >= 0])[:, None], torch.empty(2, 0, dtype=torch.long))
    return float(metric.compute())


def _ranked(item_index: IndexArray, truth: sparse.csr_array) -> Tensor:
    # an empty place counts as an item beyond the last one, which is nobody's truth; -1 could hit another user's
    return torch.from_numpy(np.where(item_index < 0, truth.shape[1], item_index))


def _pairs(truth: sparse.csr_array) -> Tensor:
    rows = np.repeat(np.arange(truth.shape[0], dtype=np.int64), np.diff(truth.indptr))
    return torch.from_numpy(np.stack([rows, truth.indices.astype(np.int64)]))


def _values(
    metric: LinkPredRecall | LinkPredNDCG | LinkPredHitRatio | LinkPredMRR, data: LinkPredMetricData
) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = metric._compute(data).numpy().astype(np.float64)
    return values
