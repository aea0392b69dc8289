"""Select the strongest walks of a score; no selected walk goes over a relationship there and back."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.models.attribution import USERS, Amounts, Walks
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True, eq=False)
class SelectedWalks:
    """The strongest walks [n] of a score, by their places in the Walks.

    start, item, end: places of the start, item and end; an item and end of -1 mark the direct walk, on which the
        start's user has the target.
    amount: contributions.
    num_others: number of walks that are not selected.
    """

    start: IndexArray
    item: IndexArray
    end: IndexArray
    amount: Amounts
    num_others: int


def select_walks(
    walks: Walks, top: int, with_names: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
) -> SelectedWalks:
    """The `top` walks of largest absolute contribution, the largest contribution first.

    A walk such as user → friend → item → friend → target goes over one relationship there and back, and so explains
    nothing that user → friend → target does not. The walks of a start that return to its user or to the target are
    therefore counted in its direct walk, and no selected walk goes over a relationship twice.

    Args:
        walks: all walks of the score.
        top: number of walks to select.
        with_names: which starts and which ends have names; the others are not selected.
    """
    starts, ends = with_names
    carried = _keep_rows(walks.starts.carried, starts)
    onward = _keep_rows(walks.ends.amount, ends)
    own_end = _own_ends(walks)
    parts = [_direct_walks(walks, own_end, starts)]
    carried_by, onward_by = sparse.csc_array(carried), sparse.csc_array(onward)
    total = 0
    for place in np.flatnonzero(walks.items != walks.item_index):
        part, number = _find_walks_through(carried_by, onward_by, own_end, int(place), top)
        total += number
        parts.append(part)
    rows = np.concatenate(parts)
    rows = rows[rows[:, 3] != 0]
    order = np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0], -np.abs(rows[:, 3])))
    top_rows = rows[order][:top]
    top_rows = top_rows[np.argsort(-top_rows[:, 3], kind="stable")]
    start, item, end = (top_rows[:, column].astype(np.int64) for column in range(3))
    num_walks = total + int((parts[0][:, 3] != 0).sum())
    return SelectedWalks(start, item, end, top_rows[:, 3], num_walks - len(top_rows))


def direct_contributions(walks: Walks) -> Amounts:
    """The contribution [n] of the direct walk of each start, which includes the walks that return to it."""
    every_start = np.ones(len(walks.starts.person), dtype=bool)
    return _direct_walks(walks, _own_ends(walks), every_start)[:, 3]


def _keep_rows(matrix: sparse.csr_array, rows: npt.NDArray[np.bool_]) -> sparse.csr_array:
    """The matrix without the entries of other rows."""
    masked = sparse.csr_array(sparse.diags_array(rows.astype(np.float64)) @ matrix)
    masked.eliminate_zeros()
    return masked


def _own_ends(walks: Walks) -> IndexArray:
    """The end [n] that is the user of each start; -1 if that user does not have the target."""
    users = np.flatnonzero([via == USERS for via in walks.ends.via])
    place = {int(user): int(row) for user, row in zip(walks.ends.value[users], users, strict=True)}
    return np.array([place.get(int(person), -1) for person in walks.starts.person], dtype=np.int64)


def _direct_walks(walks: Walks, own_end: IndexArray, starts: npt.NDArray[np.bool_]) -> Amounts:
    """Rows (start, -1, -1, amount) [n, 4] of the direct walks."""
    carried = walks.starts.carried
    at_target = (walks.items == walks.item_index).astype(np.float64)
    amount = carried @ (walks.total * at_target)
    returning = np.flatnonzero(own_end >= 0)
    back = carried[returning].multiply(walks.ends.amount[own_end[returning]])
    amount[returning] += sparse.csr_array(back) @ (1.0 - at_target)
    rows = np.full((len(own_end), 4), -1.0)
    rows[:, 0], rows[:, 3] = np.arange(len(own_end)), amount * starts
    return rows


def _find_walks_through(
    carried: sparse.csc_array, onward: sparse.csc_array, own_end: IndexArray, place: int, top: int
) -> tuple[Amounts, int]:
    """Rows (start, item, end, amount) [n, 4] of the strongest walks through one item, and the number of its walks."""
    start, end = (slice(m.indptr[place], m.indptr[place + 1]) for m in (carried, onward))
    starts, ends = carried.indices[start].astype(np.int64), onward.indices[end].astype(np.int64)
    mine, theirs = carried.data[start], onward.data[end]
    number = len(starts) * len(ends) - int(np.isin(own_end[starts], ends).sum())
    first, second = (np.argsort(-np.abs(values), kind="stable")[: 2 * top] for values in (mine, theirs))
    # twice `top`, because walks that return to the user of their start are left out below
    row, column = _largest_products(len(first), len(second), 2 * top)
    starts, ends, amount = starts[first[row]], ends[second[column]], mine[first[row]] * theirs[second[column]]
    kept = own_end[starts] != ends
    rows = np.stack([starts, np.full(len(row), place), ends, amount], axis=1)[kept]
    return rows[np.argsort(-np.abs(rows[:, 3]), kind="stable")[:top]], number


def _largest_products(rows: int, columns: int, top: int) -> tuple[IndexArray, IndexArray]:
    """Places (i, j) that contain the `top` largest entries of the outer product of two descending lists.

    The (i + 1)(j + 1) products above and to the left of (i, j) are no smaller than the one at (i, j), so a place with
    (i + 1)(j + 1) > top is not among the largest.
    """
    width = np.minimum(top // np.arange(1, min(rows, top) + 1), columns)
    row = np.repeat(np.arange(len(width)), width)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(width) - width, width)
