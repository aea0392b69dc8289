"""Events of users in order, indexed by item: what sums over pairs of events of a history are computed from."""

from dataclasses import dataclass

import numpy as np

from graphrec.interactions import FloatArray
from graphrec.linalg.sequence_kernels import Doubles
from graphrec.linalg.topk_kernels import Positions
from graphrec.vocabulary import IndexArray

DAY = 86_400.0


@dataclass(frozen=True, eq=False)
class Events:
    """The events of all users, those of a user in a row and oldest first.

    items: the item of each event, [num_events].
    starts, ends: the first event of the same user and the one after the last, [num_events].
    weights: the weight of each event, [num_events].
    days: the time of each event in days, [num_events].
    item_starts: [num_items + 1]; the events of item i are those at item_starts[i] … item_starts[i + 1] - 1 of
        `by_item`.
    by_item: the events sorted by item, [num_events].
    """

    items: Positions
    starts: IndexArray
    ends: IndexArray
    weights: FloatArray
    days: Doubles
    item_starts: IndexArray
    by_item: IndexArray

    @classmethod
    def of(
        cls,
        indptr: IndexArray,
        items: Positions,
        num_items: int,
        weights: FloatArray | None = None,
        times: IndexArray | Doubles | None = None,
    ) -> "Events":
        """The events of histories (`graphrec.histories.Histories`), with weights [num_events], 1 if None."""
        lengths = np.diff(indptr)
        return cls(
            items,
            np.repeat(indptr[:-1], lengths),
            np.repeat(indptr[1:], lengths),
            np.ones(len(items), dtype=np.float32) if weights is None else weights,
            np.zeros(len(items)) if times is None else times / DAY,
            np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(items, minlength=num_items))]),
            np.argsort(items, kind="stable").astype(np.int64),
        )

    @property
    def num_items(self) -> int:
        """The number of items."""
        return len(self.item_starts) - 1

    @property
    def num_events_of_item(self) -> IndexArray:
        """The number of events of each item, [num_items]."""
        return np.diff(self.item_starts)

    @property
    def longest(self) -> int:
        """The number of events of the longest history."""
        return int((self.ends - self.starts).max(initial=0))
