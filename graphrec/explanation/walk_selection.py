"""The strongest single walks of a score; a step there and back over one relationship is taken out of a walk."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.models.graph_filter.contributions import USERS, Amounts
from graphrec.models.graph_filter.walks import Walks
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True, eq=False)
class Chosen:
    """The strongest walks [n]: the place of the origin, of the item and of the way in the Walks; an item and way of -1
    say that the origin's person has the target. `direct`: of all origins; `others`: how many walks are not chosen."""

    origin: IndexArray
    item: IndexArray
    way: IndexArray
    amount: Amounts
    others: int


def strongest(walks: Walks, top: int, nameable: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]) -> Chosen:
    """The `top` walks that add or take most, the greatest first.

    A walk such as user → friend → item → friend → target is the walk user → friend → target: it goes over one
    relationship there and back, which says no more than that the friend has the target. So the walks of an origin that
    return to its person or to the target count as its direct walk, and no walk takes a relationship twice. `nameable`:
    which origins and which ways have names.
    """
    origins, ways = nameable
    carried = _only(walks.origins.carried, origins)
    onward = _only(walks.ways.amount, ways)
    own_way = _own_ways(walks)
    found = [_direct(walks, own_way, origins)]
    carried_by, onward_by = sparse.csc_array(carried), sparse.csc_array(onward)
    total = 0
    for place in np.flatnonzero(walks.items != walks.item_index):
        part, number = _of_item(carried_by, onward_by, own_way, int(place), top)
        total += number
        found.append(part)
    rows = np.concatenate(found)
    rows = rows[rows[:, 3] != 0]
    order = np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0], -np.abs(rows[:, 3])))
    kept = rows[order][:top]
    kept = kept[np.argsort(-kept[:, 3], kind="stable")]
    origin, item, way = (kept[:, column].astype(np.int64) for column in range(3))
    return Chosen(origin, item, way, kept[:, 3], total + int((found[0][:, 3] != 0).sum()) - len(kept))


def direct(walks: Walks) -> Amounts:
    """What each origin adds [n] by its direct walk and by those that return to it."""
    everyone = np.ones(len(walks.origins.person), dtype=bool)
    return _direct(walks, _own_ways(walks), everyone)[:, 3]


def _only(matrix: sparse.csr_array, rows: npt.NDArray[np.bool_]) -> sparse.csr_array:
    """The matrix without the entries of other rows."""
    found = sparse.csr_array(sparse.diags_array(rows.astype(np.float64)) @ matrix)
    found.eliminate_zeros()
    return found


def _own_ways(walks: Walks) -> IndexArray:
    """The way [n] that leads over the person of each origin, -1 where that person has not the target."""
    users = np.flatnonzero([via == USERS for via in walks.ways.via])
    place = {int(user): int(row) for user, row in zip(walks.ways.value[users], users, strict=True)}
    return np.array([place.get(int(person), -1) for person in walks.origins.person], dtype=np.int64)


def _direct(walks: Walks, own_way: IndexArray, origins: npt.NDArray[np.bool_]) -> Amounts:
    """Rows (origin, -1, -1, amount) [n, 4] of the direct walks."""
    carried = walks.origins.carried
    at_target = (walks.items == walks.item_index).astype(np.float64)
    amount = carried @ (walks.total * at_target)
    there = np.flatnonzero(own_way >= 0)
    back = carried[there].multiply(walks.ways.amount[own_way[there]])
    amount[there] += sparse.csr_array(back) @ (1.0 - at_target)
    rows = np.full((len(own_way), 4), -1.0)
    rows[:, 0], rows[:, 3] = np.arange(len(own_way)), amount * origins
    return rows


def _of_item(
    carried: sparse.csc_array, onward: sparse.csc_array, own_way: IndexArray, place: int, top: int
) -> tuple[Amounts, int]:
    """Rows (origin, item, way, amount) [n, 4] of the strongest walks over one item, and how many walks there are."""
    start, end = (slice(m.indptr[place], m.indptr[place + 1]) for m in (carried, onward))
    origins, ways = carried.indices[start].astype(np.int64), onward.indices[end].astype(np.int64)
    mine, theirs = carried.data[start], onward.data[end]
    number = len(origins) * len(ways) - int(np.isin(own_way[origins], ways).sum())
    first, second = (np.argsort(-np.abs(values), kind="stable")[: 2 * top] for values in (mine, theirs))
    row, column = _near_the_corner(len(first), len(second), 2 * top)  # twice, as the way back of an origin is left out
    origins, ways, amount = origins[first[row]], ways[second[column]], mine[first[row]] * theirs[second[column]]
    kept = own_way[origins] != ways
    rows = np.stack([origins, np.full(len(row), place), ways, amount], axis=1)[kept]
    return rows[np.argsort(-np.abs(rows[:, 3]), kind="stable")[:top]], number


def _near_the_corner(rows: int, columns: int, top: int) -> tuple[IndexArray, IndexArray]:
    """The places (i, j) of a table of products of two falling lists among which the `top` largest are: (i + 1)(j + 1)
    products, those further up and to the left, are no smaller than that at (i, j)."""
    width = np.minimum(top // np.arange(1, min(rows, top) + 1), columns)
    row = np.repeat(np.arange(len(width)), width)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(width) - width, width)
