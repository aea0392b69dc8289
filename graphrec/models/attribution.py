"""Return types of the explanation methods of `Model`, and an attribution that needs only `fold_in`."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from torch import Tensor

from graphrec.vocabulary import IndexArray

#: Relation of contributions and walks that begin at an item of the user's own history.
HISTORY = "history"

#: Routes from an item to the target besides the relations of the graph: through users who have both items, and through
#: the eigenvectors of the whole graph.
USERS, SPECTRUM = "users", "spectrum"

#: Batch size in histories that are scored at once.
BATCH = 256

#: Threshold: proportional shares are used if the sum of single-item scores is above this share of their absolute sum.
MIN_AGREEMENT = 0.2

Amounts = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HistoryAttribution:
    """The contribution of each item of a user's history to one score.

    amount: contributions [n] in the order of the history's indices; None if the model cannot attribute the score.
    exact: whether the score is the sum of the contributions, instead of being approximated by it.
    """

    amount: Amounts | None
    exact: bool


@dataclass(frozen=True, eq=False)
class Contributions:
    """Contributions [n] that add up to one score.

    origin: first relation of the walks: `history`, a social or a user-attribute relation.
    node: position of the history item, friend or attribute value that the walks pass first.
    via: last part of the walks: `users`, `spectrum`, an item-attribute or an item-item relation.
    value: position of the shared attribute value; -1 unless `via` is an item-attribute relation.
    amount: sum of the contributions of these walks.
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
        mask = np.array([name == origin for name in self.origin], dtype=bool)
        nodes, index = np.unique(self.node[mask], return_inverse=True)
        return nodes.astype(np.int64), np.bincount(index, self.amount[mask], minlength=len(nodes)).astype(np.float64)


@dataclass(frozen=True, eq=False)
class WalkStarts:
    """The users [n] whose behaviour walks follow: the user, then friends, then users who share an attribute value.

    relation: `history`, or the social or user-attribute relation that leads to this user.
    node: position of the friend or attribute value; -1 for the history.
    person: position of the user whose behaviour is followed.
    carried: signal [n, m] that this user's behaviour puts on m items.
    """

    relation: tuple[str, ...]
    node: IndexArray
    person: IndexArray
    carried: sparse.csr_array


@dataclass(frozen=True, eq=False)
class WalkEnds:
    """The routes [n] from items to the target: a user who has both, an attribute value of both, an item-item relation.

    via: `users` or the name of the relation.
    value: position of the user or attribute value; -1 for item-item relations.
    amount: contribution [n, m] of one unit of signal on each of m items.
    """

    via: tuple[str, ...]
    value: IndexArray
    amount: sparse.csr_array


@dataclass(frozen=True, eq=False)
class EventOrder:
    """What a model that reads the order of events knows of the m items of `Walks`.

    steps: number of events from the user's last event of each item to the end of the history, [m]: 1 for the last
        event, 0 if the user has no event of the item.
    followers: number of users who went from each item to the target, [m].
    """

    steps: IndexArray
    followers: IndexArray


@dataclass(frozen=True, eq=False)
class Walks:
    """One score as Σ_h Σ_o carried[o, h] · (Σ_w amount[w, h] + longer[h]) over items h, starts o and ends w.

    user_index, item_index: the user and the item of the score.
    items: positions of the items h, [m].
    starts: `carried` and the users that it comes from.
    ends: `amount` and the users, values or relations that it leads over.
    longer: contribution [m] of one unit of signal on each item over walks that are longer than those of `ends`.
    order: the order of events; None if the model does not read it.
    """

    user_index: int
    item_index: int
    items: IndexArray
    starts: WalkStarts
    ends: WalkEnds
    longer: Amounts
    order: EventOrder | None = None

    @property
    def total(self) -> Amounts:
        """Contribution of one unit of signal on each item to the score, [m]."""
        total: Amounts = self.ends.amount.sum(axis=0) + self.longer
        return total

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, eq=False)
class InputContributions:
    """One score as a sum over the inputs of a model that ranks candidates of other models.

    group: text of the reason that each input belongs to, such as `place 3 of ials`, [n].
    name: name and value of each input, such as `rank 3`, [n].
    amount: contributions [n]; their sum is the score.
    """

    group: tuple[str, ...]
    name: tuple[str, ...]
    amount: Amounts


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
    """The scores [n] of one item for n histories, each of which has one of the n items of a history [1, num_items]."""
    items = history.indices
    shape = (len(items), int(history.shape[1]))
    return _score_item(
        fold_in, sparse.csr_array((history.data, (np.arange(len(items)), items)), shape=shape), item_index
    )


def divide_fold_in(fold_in: FoldIn, history: sparse.csr_array, item_index: int) -> Amounts:
    """The score that `fold_in` gives one item, divided among the n items of a history [1, num_items].

    The shares [n] are proportional to the scores that single items give, which is exact for a mean of item vectors. If
    proportional shares are meaningless (negative contributions), they are leave-one-out differences.
    """
    single = score_single_items(fold_in, history, item_index)
    score = float(_score_item(fold_in, history, item_index)[0])
    if score > 0 and single.sum() > MIN_AGREEMENT * np.abs(single).sum():
        return np.asarray(single * (score / single.sum()), dtype=np.float64)
    n = len(single)
    is_other = ~np.eye(n, dtype=bool)
    columns = np.broadcast_to(history.indices, (n, n))[is_other]
    indptr = np.arange(n + 1) * (n - 1)
    leave_one_out = sparse.csr_array(
        (np.ones(len(columns), dtype=np.float32), columns, indptr), shape=(n, history.shape[1])
    )
    return score - _score_item(fold_in, leave_one_out, item_index)


def _score_item(fold_in: FoldIn, histories: sparse.csr_array, item_index: int) -> Amounts:
    """The scores [rows] of one item for histories [rows, num_items]."""
    starts = range(0, histories.shape[0], BATCH)
    parts = [fold_in(histories[start : start + BATCH])[:, item_index].double().cpu().numpy() for start in starts]
    return np.concatenate(parts) if parts else np.empty(0)
