"""What may be recommended, how precisely, and how ties are broken."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from graphrec.errors import DataError, first_few
from graphrec.ranking.memory import MEMORY_BUDGET
from graphrec.vocabulary import IndexArray, Vocabulary

BoolArray = npt.NDArray[np.bool_]

#: Items as positions [n] or as a mask [num_items].
Items: TypeAlias = IndexArray | BoolArray

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True, eq=False)
class TopKOptions:
    """Settings of a search for the best items.

    candidates: the only items that may be recommended; None: all.
    excluded: items that may not be recommended.
    precision: float32 is exact; bfloat16 finds candidates by a model's rough scores, where it has any, and rescores
        them.
    order: the rank [num_items] of each item among equals; None: its position.
    memory_budget: bytes that the search may take beside the model and the interactions.

    Raises:
        DataError: the precision is none of these, or the budget is below one byte.
    """

    candidates: Items | None = None
    excluded: Items | None = None
    precision: str = "float32"
    order: IndexArray | None = None
    memory_budget: int = MEMORY_BUDGET

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise DataError(f"the precision is one of {', '.join(PRECISIONS)}, not {self.precision!r}")
        if self.memory_budget < 1:
            raise DataError(f"a memory budget of {self.memory_budget} bytes holds nothing; give more, such as 1GiB")

    def forbidden(self, num_items: int) -> IndexArray:
        """The positions [n] of the items that may not be recommended, ascending.

        Raises DataError where a position is out of range or a mask has another length.
        """
        allowed = np.ones(num_items, dtype=bool) if self.candidates is None else _mask(self.candidates, num_items)
        if self.excluded is not None:
            allowed &= ~_mask(self.excluded, num_items)
        return np.flatnonzero(~allowed)


def rank_by_id(items: Vocabulary) -> IndexArray | None:
    """The rank [num_items] of each position in the order of the ids as text; None where positions are in it already."""
    if items.ids.is_monotonic_increasing:
        return None
    order = np.empty(len(items), dtype=np.int64)
    order[np.argsort(items.ids.to_numpy(dtype=object), kind="stable")] = np.arange(len(items))
    return order


def _mask(items: Items, num_items: int) -> BoolArray:
    if items.dtype == np.bool_:
        if len(items) != num_items:
            raise DataError(f"a mask of items has {len(items):,} values, but there are {num_items:,} items")
        return items.astype(np.bool_)
    wrong = items[(items < 0) | (items >= num_items)]
    if len(wrong):
        raise DataError(f"{len(wrong):,} positions of items are not in 0..{num_items - 1}: {first_few(wrong)}")
    mask = np.zeros(num_items, dtype=bool)
    mask[items] = True
    return mask
