"""What a search for the best items goes by, and what it finds."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.ranking.options import TopKOptions
from graphrec.ranking.scorer import Scorer
from graphrec.vocabulary import IndexArray

#: Bytes of a place in the answer: the position of an item, and its score.
BYTES_PER_PLACE = 12


@dataclass(frozen=True, eq=False)
class TopKQuery:
    """What is the same for all users: places to fill, items left out, the rank among equals, and the last resort."""

    num_items: int
    width: int
    forbidden: Tensor  # [n], positions on the model's device
    order: Tensor | None  # [num_items]
    by_popularity: IndexArray  # the items that may be recommended, the most popular first
    exact: bool

    @classmethod
    def of(cls, model: Scorer, seen: sparse.csr_array, k: int, choice: TopKOptions) -> Self:
        """The search for k items; DataError where the choice names items that are not there."""
        num_items = int(seen.shape[1])
        forbidden = choice.forbidden(num_items)
        order = np.arange(num_items) if choice.order is None else choice.order
        popularity = np.bincount(seen.indices, minlength=num_items)
        by_popularity = np.lexsort((order, -popularity))
        if len(forbidden):
            by_popularity = by_popularity[~np.isin(by_popularity, forbidden)]
        return cls(
            num_items,
            min(k, num_items),
            torch.from_numpy(forbidden).to(model.device),
            None if choice.order is None else torch.from_numpy(order).to(model.device),
            by_popularity,
            choice.precision == "float32",
        )


@dataclass(frozen=True, eq=False)
class Block:
    """The best of some users: their places [batch] among those asked for, items and scores [batch, width], best first.

    If there are fewer items that may be recommended, or the model knows nothing of the rest, any items are at the end.
    `largest` [batch] is the largest absolute score of each user, seen items included, as far as it matters: a score of
    at most `ROUNDING_ERROR` times it is no preference.
    """

    place: IndexArray
    item_index: Tensor
    score: Tensor
    largest: Tensor
