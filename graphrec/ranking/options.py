"""Options of a top-k search: candidate, excluded and seen items, precision, order of equal scores, memory budget."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from graphrec.errors import DataError, first_few
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.vocabulary import IndexArray, Vocabulary

BoolArray = npt.NDArray[np.bool_]

#: Items as positions [n] or as a mask [num_items].
ItemSelection: TypeAlias = IndexArray | BoolArray

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True, eq=False)
class TopKOptions:
    """Options of a top-k search.

    candidates: the only items that may be recommended; None: all.
    excluded: items that may not be recommended.
    precision: float32 is exact; bfloat16 finds candidates by the model's approximate scores, if it has any, and
        rescores them exactly.
    order: the rank [num_items] of each item among items of equal score; None: its position.
    memory_budget: bytes for the search besides the model and the interactions.
    allow_seen: whether items of a user's history may be recommended too, such as goods that are bought again.

    Raises:
        DataError: the precision is unknown, or the budget is below one byte.
    """

    candidates: ItemSelection | None = None
    excluded: ItemSelection | None = None
    precision: str = "float32"
    order: IndexArray | None = None
    memory_budget: int = MEMORY_BUDGET
    allow_seen: bool = False

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise DataError(f"the precision is one of {', '.join(PRECISIONS)}, not {self.precision!r}")
        if self.memory_budget < 1:
            raise DataError(f"a memory budget of {self.memory_budget} bytes is too small; give more, such as 1GiB")

    def find_forbidden(self, num_items: int) -> IndexArray:
        """The positions [n] of the items that may not be recommended, ascending.

        Raises DataError if a position is out of range or a mask does not have `num_items` values.
        """
        allowed = np.ones(num_items, dtype=bool) if self.candidates is None else _to_mask(self.candidates, num_items)
        if self.excluded is not None:
            allowed &= ~_to_mask(self.excluded, num_items)
        return np.flatnonzero(~allowed)


def rank_by_id(items: Vocabulary) -> IndexArray | None:
    """The rank [num_items] of each position when ids are sorted as text; None if the positions are in that order."""
    if items.ids.is_monotonic_increasing:
        return None
    order = np.empty(len(items), dtype=np.int64)
    order[np.argsort(items.ids.to_numpy(dtype=object), kind="stable")] = np.arange(len(items))
    return order


def _to_mask(items: ItemSelection, num_items: int) -> BoolArray:
    if items.dtype == np.bool_:
        if len(items) != num_items:
            raise DataError(f"a mask of items has {len(items):,} values, but there are {num_items:,} items")
        return items.astype(np.bool_)
    invalid = items[(items < 0) | (items >= num_items)]
    if len(invalid):
        raise DataError(f"{len(invalid):,} positions of items are not in 0..{num_items - 1}: {first_few(invalid)}")
    mask = np.zeros(num_items, dtype=bool)
    mask[items] = True
    return mask
