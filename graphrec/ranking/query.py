"""A top-k search in tensors: the inputs that all users share, and the results of one block of users."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.ranking.options import TopKOptions
from graphrec.ranking.scorer import Scorer
from graphrec.vocabulary import IndexArray

#: Bytes of one result: the position of an item, and its score.
BYTES_PER_RESULT = 12


@dataclass(frozen=True, eq=False)
class TopKQuery:
    """The inputs of a top-k search that all users share."""

    num_items: int
    width: int  # the smaller of k and num_items
    forbidden: Tensor  # [n] positions of items that may not be recommended, on the model's device
    order: Tensor | None  # [num_items] rank of each item among items of equal score
    by_popularity: IndexArray  # the items that may be recommended, the most popular first; they fill up short lists
    exact: bool  # whether approximate scores may not be used

    @classmethod
    def build(cls, model: Scorer, seen: sparse.csr_array, k: int, options: TopKOptions) -> Self:
        """The search for k items with some options. Raises DataError if these name items that do not exist."""
        num_items = int(seen.shape[1])
        forbidden = options.find_forbidden(num_items)
        order = np.arange(num_items) if options.order is None else options.order
        popularity = np.bincount(seen.indices, minlength=num_items)
        by_popularity = np.lexsort((order, -popularity))
        if len(forbidden):
            by_popularity = by_popularity[~np.isin(by_popularity, forbidden)]
        return cls(
            num_items,
            min(k, num_items),
            torch.from_numpy(forbidden).to(model.device),
            None if options.order is None else torch.from_numpy(order).to(model.device),
            by_popularity,
            options.precision == "float32",
        )


@dataclass(frozen=True, eq=False)
class TopKBlock:
    """Results of some users: their rows [batch] in `user_index`, items and scores [batch, width], best first.

    If fewer than `width` items may be recommended or have a preference, the last results are arbitrary items. `largest`
    [batch] is the largest absolute score of each user over all items, or a value by which the same results are rounding
    errors: those of at most `ROUNDING_ERROR` times it, which are no preferences.
    """

    rows: IndexArray
    item_index: Tensor
    score: Tensor
    largest: Tensor
