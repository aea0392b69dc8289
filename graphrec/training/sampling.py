"""Negative sampling: items that a user did not choose."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.vocabulary import IndexArray

#: Maximum number of redraws; afterwards a user who chose nearly all items may keep a positive as a negative.
ATTEMPTS = 20


@dataclass(frozen=True, eq=False)
class Positives:
    """All interactions as sorted keys user · num_items + item, for lookups."""

    keys: IndexArray
    num_items: int

    @classmethod
    def of(cls, matrix: sparse.csr_array) -> "Positives":
        """The keys of an interaction matrix [num_users, num_items]."""
        num_users, num_items = matrix.shape
        users = np.repeat(np.arange(num_users, dtype=np.int64), np.diff(matrix.indptr))
        return cls(np.sort(users * num_items + matrix.indices), int(num_items))

    def contain(self, user_index: IndexArray, item_index: IndexArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each pair is an interaction, [n]."""
        keys = user_index * self.num_items + item_index
        position = np.searchsorted(self.keys, keys)
        return np.asarray(self.keys[np.minimum(position, len(self.keys) - 1)] == keys)


def uniform_negatives(user_index: IndexArray, positives: Positives, rng: np.random.Generator) -> IndexArray:
    """One item [n] for each user, uniform among the items that the user did not choose.

    Positives are redrawn up to ATTEMPTS times; a user who chose nearly all items may keep one.
    """
    negative = rng.integers(positives.num_items, size=len(user_index))
    pending = np.flatnonzero(positives.contain(user_index, negative))
    for _ in range(ATTEMPTS):
        if not len(pending):
            break
        negative[pending] = rng.integers(positives.num_items, size=len(pending))
        pending = pending[positives.contain(user_index[pending], negative[pending])]
    return negative
