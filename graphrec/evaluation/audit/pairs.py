"""A set of (user, item) pairs with fast lookup among millions of edges."""

from dataclasses import dataclass

import numpy as np

from graphrec.evaluation.audit.edges import Mask
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True, eq=False)
class Pairs:
    """Distinct pairs as sorted codes `user * num_items + item` [n], with the earliest time of each or None.

    users, items: masks [num_users] and [num_items] of users and items in any pair. They exclude most edges before the
        binary search.
    """

    codes: IndexArray
    users: Mask
    items: Mask
    first: IndexArray | None = None

    @classmethod
    def of(
        cls, user: IndexArray, item: IndexArray, num_users: int, num_items: int, time: IndexArray | None = None
    ) -> "Pairs":
        """The distinct pairs of rows [n]."""
        codes = user * num_items + item
        order = np.argsort(codes, kind="stable") if time is None else np.lexsort((time, codes))
        distinct, row = np.unique(codes[order], return_index=True)
        users, items = np.zeros(num_users, dtype=bool), np.zeros(num_items, dtype=bool)
        users[user] = items[item] = True
        return cls(distinct, users, items, None if time is None else time[order][row])

    def without(self, indices: IndexArray) -> "Pairs":
        """The pairs except those at some indices."""
        kept = np.ones(len(self.codes), dtype=bool)
        kept[indices] = False
        first = None if self.first is None else self.first[kept]
        return Pairs(self.codes[kept], self.users, self.items, first)

    def ends(self) -> tuple[IndexArray, IndexArray]:
        """The users and the items of the pairs."""
        return self.codes // len(self.items), self.codes % len(self.items)

    def find(self, user: IndexArray, item: IndexArray) -> IndexArray:
        """The index of each given pair [n] in `codes`, -1 if it is not there."""
        found = np.full(len(user), -1, dtype=np.int64)
        rows = np.flatnonzero(self.users[user] & self.items[item])
        if len(self.codes):
            codes = user[rows] * len(self.items) + item[rows]
            indices = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
            present = self.codes[indices] == codes
            found[rows[present]] = indices[present]
        return found

    def contain(self, user: IndexArray, item: IndexArray) -> Mask:
        """Mask [n] of the given pairs that are in the set."""
        return self.find(user, item) >= 0
