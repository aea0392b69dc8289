"""Return types of the explanation methods of `Model`, and an attribution that needs nothing but `fold_in`."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from torch import Tensor

from graphrec.vocabulary import IndexArray

#: Relation of contributions and walks that begin at an item of the user's own history.
HISTORY = "history"

#: Ways from an item to the target besides the relations of the graph: through users who have both, and through the
#: eigenvectors of the whole graph.
USERS, SPECTRUM = "users", "spectrum"

#: Batch size of the histories that `divide_fold_in` scores.
BATCH = 256

#: Proportional shares are meaningful if the sum of the single-item scores is above this share of their absolute sum.
LEAST_AGREEMENT = 0.2

Amounts = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HistoryAttribution:
    """The contribution of each item of a user's history to one score.

    amount: contributions [n] in the order of the history's indices; None if the model cannot attribute the score.
    exact: whether they are terms of the model's own sum, not an approximation.
    """

    amount: Amounts | None
    exact: bool


@dataclass(frozen=True, eq=False)
class Contributions:
    """Contributions [n] that add up to one score.

    origin: `history`, or the social or user-attribute relation that a walk begins with.
    node: position of the history item, friend or attribute value.
    via: `users`, `spectrum`, an item-attribute or an item-item relation.
    value: position of the shared attribute value, -1 for other ways.
    amount: sum of the contributions of the walks of this kind.
    """

    origin: tuple[str, ...]
    node: IndexArray
    via: tuple[str, ...]
    value: IndexArray
    amount: Amounts

    def __len__(self) -> int:
        return len(self.amount)

    def by_node(self, origin: str = HISTORY) -> tuple[IndexArray, Amounts]:
        """The nodes [m] of one origin in ascending order, and the total contribution of each, [m]."""
        mine = np.array([name == origin for name in self.origin], dtype=bool)
        nodes, place = np.unique(self.node[mine], return_inverse=True)
        return nodes.astype(np.int64), np.bincount(place, self.amount[mine], minlength=len(nodes)).astype(np.float64)


@dataclass(frozen=True, eq=False)
class WalkStarts:
    """The users [n] whose behaviour a walk follows: the user, then each friend, then each user with a shared value.

    relation: `history`, or the social or user-attribute relation to that user.
    node: position of the friend or attribute value, -1 for the history.
    person: position of the user whose behaviour is followed.
    carried: signal [n, m] that this user's behaviour puts on m items.
    """

    relation: tuple[str, ...]
    node: IndexArray
    person: IndexArray
    carried: sparse.csr_array


@dataclass(frozen=True, eq=False)
class WalkEnds:
    """The ways [n] from an item to the target: a user who has both, a value that both share, an item-item relation.

    via: `users` or the relation.
    value: position of the user or attribute value, -1 for item-item relations.
    amount: contribution [n, m] of one unit of signal on each of m items.
    """

    via: tuple[str, ...]
    value: IndexArray
    amount: sparse.csr_array


@dataclass(frozen=True, eq=False)
class Walks:
    """One score as Σ_h Σ_o carried[o, h] · (Σ_w amount[w, h] + longer[h]) over items h, starts o and ends w.

    items: positions of the items h, [m].
    longer: contribution [m] of one unit of signal on each item over walks that are longer than those of `ends`.
    """

    user_index: int
    item_index: int
    items: IndexArray
    starts: WalkStarts
    ends: WalkEnds
    longer: Amounts

    @property
    def total(self) -> Amounts:
        """Contribution of one unit of signal on each item to the score, [m]."""
        found: Amounts = self.ends.amount.sum(axis=0) + self.longer
        return found

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, eq=False)
class TopReasons:
    """The node with the largest contribution to each of m scores.

    relation: [m] `history`, a social or a user-attribute relation; an empty text if no contribution is positive.
    node: [m] position of the item, friend or attribute value; -1 if no contribution is positive.
    """

    relation: tuple[str, ...]
    node: IndexArray


#: Scores [batch, num_items] of histories [batch, num_items].
FoldIn = Callable[[sparse.csr_array], Tensor]


def score_single_items(fold_in: FoldIn, history: sparse.csr_array, item_index: int) -> Amounts:
    """The scores [n] that one item gets from each of the n items of a history [1, num_items] alone."""
    items = history.indices
    shape = (len(items), int(history.shape[1]))
    return _scores(fold_in, sparse.csr_array((history.data, (np.arange(len(items)), items)), shape=shape), item_index)


def divide_fold_in(fold_in: FoldIn, history: sparse.csr_array, item_index: int) -> Amounts:
    """The score that `fold_in` gives one item, divided among the n items of a history [1, num_items].

    The shares are proportional to the scores that each item gives alone, which is exact for a mean of item vectors. If
    proportional shares are meaningless (negative contributions), they are leave-one-out differences.
    """
    alone = score_single_items(fold_in, history, item_index)
    whole = float(_scores(fold_in, history, item_index)[0])
    if whole > 0 and alone.sum() > LEAST_AGREEMENT * np.abs(alone).sum():
        return np.asarray(alone * (whole / alone.sum()), dtype=np.float64)
    n = len(alone)
    kept = ~np.eye(n, dtype=bool)
    columns = np.broadcast_to(history.indices, (n, n))[kept]
    indptr = np.arange(n + 1) * (n - 1)
    without = sparse.csr_array((np.ones(len(columns), dtype=np.float32), columns, indptr), shape=(n, history.shape[1]))
    return whole - _scores(fold_in, without, item_index)


def _scores(fold_in: FoldIn, histories: sparse.csr_array, item_index: int) -> Amounts:
    """The scores [rows] of one item for histories [rows, num_items]."""
    starts = range(0, histories.shape[0], BATCH)
    parts = [fold_in(histories[start : start + BATCH])[:, item_index].double().cpu().numpy() for start in starts]
    return np.concatenate(parts) if parts else np.empty(0)
