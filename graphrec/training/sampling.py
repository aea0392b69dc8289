"""Negative sampling: items that a user did not choose."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from graphrec.vocabulary import IndexArray

#: Draws after which a user who chose nearly everything keeps a positive as a negative.
ATTEMPTS = 20


@dataclass(frozen=True, eq=False)
class Positives:
    """The sorted keys user · num_items + item of all interactions, to look pairs up in."""

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
        wanted = user_index * self.num_items + item_index
        found = np.searchsorted(self.keys, wanted)
        return np.asarray(self.keys[np.minimum(found, len(self.keys) - 1)] == wanted)


def uniform_negatives(user_index: IndexArray, positives: Positives, rng: np.random.Generator) -> IndexArray:
    """One item [n] for each user, uniform among the items that the user did not choose.

    Draws again where a positive was drawn; a user who chose nearly all items may keep one after 20 draws.
    """
    negative = rng.integers(positives.num_items, size=len(user_index))
    pending = np.flatnonzero(positives.contain(user_index, negative))
    for _ in range(ATTEMPTS):
        if not len(pending):
            break
        negative[pending] = rng.integers(positives.num_items, size=len(pending))
        pending = pending[positives.contain(user_index[pending], negative[pending])]
    return negative
