"""Groups of test users, and of what they are to find."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.evaluation.metrics import PerUser, hits
from graphrec.vocabulary import IndexArray

#: The parts of the items by popularity, the most popular first.
THIRDS = ("head", "middle", "tail")


@dataclass(frozen=True, eq=False)
class UserGroup:
    """Which of the test users [num_users] are in a group; kind: `user activity`; name: as it is shown."""

    kind: str
    name: str
    chosen: npt.NDArray[np.bool_]


def by_activity(degree: IndexArray) -> tuple[UserGroup, ...]:
    """At most four groups of test users by their training interactions [num_users], the least active first.

    The cuts are the quartiles of those with any; users with equally many are in one group, so groups are not equally
    large, and where quartiles are equal there are fewer. Users without training interactions are in none.
    """
    warm = degree[degree > 0]
    if not len(warm):
        return ()
    cuts = np.unique(np.quantile(warm, [0.25, 0.5, 0.75, 1.0], method="lower"))
    lows = [int(warm.min()), *(int(cut) + 1 for cut in cuts[:-1])]
    return tuple(
        UserGroup("user activity", _interactions(low, int(high)), (degree >= low) & (degree <= high))
        for low, high in zip(lows, cuts, strict=True)
    )


def thirds(item_degree: IndexArray) -> Mapping[str, npt.NDArray[np.bool_]]:
    """The items [num_items] of each third of the training interactions: `head`, `middle` and `tail`.

    Items stand in the order of their training interactions, the most first and equal ones by position; the head is the
    fewest first items that together have a third of all interactions, the middle the fewest next ones that fill two
    thirds, the tail all others, those without any interaction included.
    """
    order = np.argsort(-item_degree, kind="stable")
    before = np.cumsum(item_degree[order]) - item_degree[order]
    part = np.empty(len(item_degree), dtype=np.int64)
    part[order] = np.minimum(3 * before // max(int(item_degree.sum()), 1), 2)
    part[item_degree == 0] = 2
    return {name: part == number for number, name in enumerate(THIRDS)}


def by_popularity(
    item_index: IndexArray, truth: sparse.csr_array, item_degree: IndexArray, ks: Iterable[int]
) -> Mapping[str, PerUser]:
    """The recall of test items of each third of popularity: `head`, … → `recall@k` → [num_users].

    |L ∩ T ∩ third| / |T ∩ third|, with `thirds` of the items; NaN for a user without test items of the third.
    """
    ks = tuple(ks)
    found = hits(item_index[:, : max(ks)], truth)
    row = np.repeat(np.arange(truth.shape[0]), np.diff(truth.indptr))
    values = {}
    for name, items in thirds(item_degree).items():
        wanted = np.bincount(row, items[truth.indices], minlength=truth.shape[0])
        of_third = found & items[np.maximum(item_index[:, : found.shape[1]], 0)]
        values[name] = {
            f"recall@{k}": np.where(wanted > 0, of_third[:, :k].sum(axis=1) / np.maximum(wanted, 1), np.nan) for k in ks
        }
    return values


def _interactions(low: int, high: int) -> str:
    if low == high:
        return f"{low:,} interaction{'' if low == 1 else 's'}"
    return f"{low:,} to {high:,} interactions"
