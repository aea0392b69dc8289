"""A set of (user, item) pairs with fast lookup among millions of edges."""

from dataclasses import dataclass

import numpy as np

from graphrec.evaluation.audit.edges import Mask
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True, eq=False)
class Pairs:
    """Distinct pairs as sorted codes `user * num_items + item` [n], with the earliest time of each or None.

    users, items: masks [num_users] and [num_items] of those in any pair. They exclude most edges before the search.
    """

    codes: IndexArray
    users: Mask
    items: Mask
    first: IndexArray | None = None

    @classmethod
    def of(
        cls, user: IndexArray, item: IndexArray, num_users: int, num_items: int, time: IndexArray | None = None
    ) -> "Pairs":
        """The pairs of some rows."""
        codes = user * num_items + item
        order = np.argsort(codes, kind="stable") if time is None else np.lexsort((time, codes))
        distinct, row = np.unique(codes[order], return_index=True)
        users, items = np.zeros(num_users, dtype=bool), np.zeros(num_items, dtype=bool)
        users[user] = items[item] = True
        return cls(distinct, users, items, None if time is None else time[order][row])

    def without(self, places: IndexArray) -> "Pairs":
        """The pairs without those at some places."""
        kept = np.ones(len(self.codes), dtype=bool)
        kept[places] = False
        first = None if self.first is None else self.first[kept]
        return Pairs(self.codes[kept], self.users, self.items, first)

    def ends(self) -> tuple[IndexArray, IndexArray]:
        """The users and the items of the pairs."""
        return self.codes // len(self.items), self.codes % len(self.items)

    def place(self, user: IndexArray, item: IndexArray) -> IndexArray:
        """The place of each given pair [n] among these, -1 if it is not among them."""
        found = np.full(len(user), -1, dtype=np.int64)
        rows = np.flatnonzero(self.users[user] & self.items[item])
        if len(self.codes):
            codes = user[rows] * len(self.items) + item[rows]
            places = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
            present = self.codes[places] == codes
            found[rows[present]] = places[present]
        return found

    def contain(self, user: IndexArray, item: IndexArray) -> Mask:
        """Which of the given pairs [n] are among these."""
        return self.place(user, item) >= 0
