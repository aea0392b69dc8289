"""Groups of test users by activity, and of test items by popularity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.evaluation.metrics import PerUser, find_hits
from graphrec.vocabulary import IndexArray

#: The parts of the catalogue by popularity, the most popular first.
THIRDS = ("head", "middle", "tail")


@dataclass(frozen=True, eq=False)
class UserGroup:
    """A group of test users: its kind (`user activity`), its name, and the mask of its members [num_users]."""

    kind: str
    name: str
    members: npt.NDArray[np.bool_]


def group_by_activity(degree: IndexArray) -> tuple[UserGroup, ...]:
    """At most four groups of test users by their number of training interactions [num_users], the least active first.

    The cuts are the quartiles of users with training interactions. Users with the same number are in one group, so
    groups differ in size, and equal quartiles make fewer groups. Users without training interactions are in no group.
    """

    def name(low: int, high: int) -> str:
        if low == high:
            return f"{low:,} interaction{'' if low == 1 else 's'}"
        return f"{low:,} to {high:,} interactions"

    warm = degree[degree > 0]
    if not len(warm):
        return ()
    cuts = np.unique(np.quantile(warm, [0.25, 0.5, 0.75, 1.0], method="lower"))
    lows = [int(warm.min()), *(int(cut) + 1 for cut in cuts[:-1])]
    return tuple(
        UserGroup("user activity", name(low, int(high)), (degree >= low) & (degree <= high))
        for low, high in zip(lows, cuts, strict=True)
    )


def popularity_thirds(item_degree: IndexArray) -> Mapping[str, npt.NDArray[np.bool_]]:
    """Masks of the items [num_items] in each third of the training interactions: `head`, `middle` and `tail`.

    Items are ordered by their number of training interactions, ties by position. The head is the fewest first items
    that together have a third of all interactions, the middle the fewest next ones that reach two thirds, the tail all
    others, including items without interactions.
    """
    order = np.argsort(-item_degree, kind="stable")
    before = np.cumsum(item_degree[order]) - item_degree[order]
    part = np.empty(len(item_degree), dtype=np.int64)
    part[order] = np.minimum(3 * before // max(int(item_degree.sum()), 1), 2)
    part[item_degree == 0] = 2
    return {name: part == number for number, name in enumerate(THIRDS)}


def recall_by_popularity(
    item_index: IndexArray, test: sparse.csr_array, item_degree: IndexArray, ks: Iterable[int]
) -> Mapping[str, PerUser]:
    """The recall of test items in each third of the catalogue: `head`, … → `recall@k` → [num_users].

    |L ∩ T ∩ third| / |T ∩ third| with the items of `popularity_thirds`; L is a user's list cut at k, T the user's test
    items. NaN for a user without test items in the third.
    """
    return _recall_by_items(item_index, test, popularity_thirds(item_degree), ks)


def recall_by_item_warmth(
    item_index: IndexArray, test: sparse.csr_array, item_degree: IndexArray, ks: Iterable[int]
) -> Mapping[str, PerUser]:
    """The recall of test items with and without training interactions, `warm items` and `cold items`, as in
    `recall_by_popularity`; empty if no test item is cold. All items compete for the first k places."""
    is_cold = item_degree == 0
    if not is_cold[test.indices].any():
        return {}
    return _recall_by_items(item_index, test, {"warm items": ~is_cold, "cold items": is_cold}, ks)


def _recall_by_items(
    item_index: IndexArray, test: sparse.csr_array, groups: Mapping[str, npt.NDArray[np.bool_]], ks: Iterable[int]
) -> Mapping[str, PerUser]:
    """The recall of the test items in each group of items, given by masks [num_items]."""
    ks = tuple(ks)
    is_hit = find_hits(item_index[:, : max(ks)], test)
    row = np.repeat(np.arange(test.shape[0]), np.diff(test.indptr))
    values = {}
    for name, items in groups.items():
        relevant = np.bincount(row, items[test.indices], minlength=test.shape[0])
        hits = is_hit & items[np.maximum(item_index[:, : is_hit.shape[1]], 0)]
        values[name] = {
            f"recall@{k}": np.where(relevant > 0, hits[:, :k].sum(axis=1) / np.maximum(relevant, 1), np.nan) for k in ks
        }
    return values
