"""Interactions of users with items, as arrays of positions, weights and times."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.errors import DataError
from graphrec.vocabulary import IndexArray

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Interactions:
    """Rows (user_index, item_index, weight, time), each array [n]; `time` in Unix seconds or None.

    Raises:
        DataError: the arrays differ in length or a position is out of range.
    """

    user_index: IndexArray
    item_index: IndexArray
    num_users: int
    num_items: int
    weight: FloatArray | None = None
    time: IndexArray | None = None

    def __post_init__(self) -> None:
        lengths = {len(a) for a in (self.user_index, self.item_index, self.weight, self.time) if a is not None}
        if len(lengths) > 1:
            raise DataError(f"interactions: the columns have different lengths: {sorted(lengths)}")
        for name, index, size in (
            ("user", self.user_index, self.num_users),
            ("item", self.item_index, self.num_items),
        ):
            if len(index) and (index.min() < 0 or index.max() >= size):
                raise DataError(
                    f"interactions: {name} positions reach from {index.min()} to {index.max()}, "
                    f"but there are {size} {name}s"
                )

    def __len__(self) -> int:
        return len(self.user_index)

    def take(self, rows: IndexArray | npt.NDArray[np.bool_]) -> "Interactions":
        """The interactions of some rows, over the same users and items."""
        return Interactions(
            self.user_index[rows],
            self.item_index[rows],
            self.num_users,
            self.num_items,
            None if self.weight is None else self.weight[rows],
            None if self.time is None else self.time[rows],
        )

    def matrix(self) -> sparse.csr_array:
        """The interaction matrix [num_users, num_items] float32, 1 if the user has any interaction with the item."""
        if self.num_users == 1:  # as in serving: without scipy's conversion, which takes longer than all else
            columns = np.unique(self.item_index)
            ones = np.ones(len(columns), dtype=np.float32)
            return sparse.csr_array((ones, columns, np.array([0, len(columns)])), shape=(1, self.num_items))
        ones = np.ones(len(self), dtype=np.float32)
        matrix = sparse.csr_array((ones, (self.user_index, self.item_index)), shape=(self.num_users, self.num_items))
        matrix.sum_duplicates()
        matrix.data[:] = 1.0
        return matrix

    def user_degree(self) -> IndexArray:
        """The number of interactions of each user [num_users]."""
        return np.bincount(self.user_index, minlength=self.num_users).astype(np.int64)

    def item_degree(self) -> IndexArray:
        """The number of interactions of each item [num_items]."""
        return np.bincount(self.item_index, minlength=self.num_items).astype(np.int64)


def join(first: Interactions, second: Interactions) -> Interactions:
    """The rows of both, over the same users and items (train and validation, for refitting)."""

    def concat(a: npt.NDArray[np.generic] | None, b: npt.NDArray[np.generic] | None) -> npt.NDArray[np.generic] | None:
        return None if a is None or b is None else np.concatenate([a, b])

    return Interactions(
        np.concatenate([first.user_index, second.user_index]),
        np.concatenate([first.item_index, second.item_index]),
        first.num_users,
        first.num_items,
        concat(first.weight, second.weight),  # type: ignore[arg-type]  # concatenation keeps the dtype
        concat(first.time, second.time),  # type: ignore[arg-type]
    )
