"""How alike the items of lists are: sums of cosines over all pairs of a list, exactly, without a loop over users."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.vocabulary import IndexArray

Floats = npt.NDArray[np.float64]

#: Numbers, of 8 to 16 bytes, held at one time: cosines of a block of items, or summed vectors of some users.
NUMBERS_AT_ONCE = 4_000_000


def unit_rows(matrix: sparse.csr_array) -> sparse.csr_array:
    """The rows of a matrix divided by their lengths, float64; a row of zeros stays so."""
    counts = np.diff(matrix.indptr)
    row = np.repeat(np.arange(matrix.shape[0]), counts)
    data = matrix.data.astype(np.float64)
    length = np.sqrt(np.bincount(row, data**2, minlength=matrix.shape[0]))
    return sparse.csr_array((data / np.where(length > 0, length, 1)[row], matrix.indices, matrix.indptr), matrix.shape)


def sums_of_cosines(item_index: IndexArray, vectors: sparse.csr_array, ks: Iterable[int]) -> Mapping[int, Floats]:
    """Σ of the cosines over all pairs of items among the first k, for each list [num_users], by k.

    `item_index` [num_users, n] with -1 for empty places; `vectors` [num_items, n] are unit vectors or zero. Either by
    the cosines of all items that are shown, or by (|Σ v|² − number of vectors) / 2 over the vectors v of a list:
    whichever multiplies less. For items by who had them it is mostly the first, for genres the second.
    """
    ks = tuple(ks)
    lists = item_index[:, : max(ks)]
    times = np.bincount(lists[lists >= 0], minlength=vectors.shape[0])
    shown = np.flatnonzero(times)
    vectors = sparse.csr_array(vectors[shown])
    local = np.append(np.cumsum(times > 0) - 1, len(shown))[
        lists
    ]  # positions in `shown`; its length for an empty place
    products_of_pairs = float((np.bincount(vectors.indices).astype(np.float64) ** 2).sum())
    sizes = np.append(np.diff(vectors.indptr), 0)[local]
    products_of_sums = float(sum(sizes[:, :k].sum() for k in ks))
    if products_of_pairs <= products_of_sums:
        return _by_pairs(local, vectors, ks)
    return {k: _by_sums(local[:, :k], vectors) for k in ks}


def _by_pairs(lists: IndexArray, vectors: sparse.csr_array, ks: tuple[int, ...]) -> Mapping[int, Floats]:
    """The sums from the cosine of each item with those before it in the list; positions from num_items on are empty."""
    (num_users, width), num_items = lists.shape, vectors.shape[0]
    by_item, ends = _sorted(lists.ravel(), num_items)
    before = np.zeros(num_users * width)
    turned = sparse.csr_array(vectors.T)
    shape = (turned.shape[0], num_items + 1)  # the cosine with an empty place is 0
    turned = sparse.csr_array((turned.data, turned.indices, turned.indptr), shape)
    size = max(1, NUMBERS_AT_ONCE // (num_items + 1))
    room = np.empty((size, num_items + 1))
    for start in range(0, num_items, size):
        block = sparse.csr_array(vectors[start : start + size]) @ turned
        cosines = block.toarray(out=room[: block.shape[0]]).ravel()
        last = ends[min(start + size, num_items)]
        for some in _slices(ends[start], last, NUMBERS_AT_ONCE // (4 * width)):
            row, place = np.divmod(by_item[some], width)
            mine = (lists[row, place] - start) * (num_items + 1)
            with_all = cosines.take(mine[:, None] + lists[row])
            before[by_item[some]] = np.where(np.arange(width) < place[:, None], with_all, 0).sum(axis=1)
    sums = np.cumsum(before.reshape(num_users, width), axis=1)
    return {k: sums[:, min(k, width) - 1] for k in ks}


def _sorted(items: IndexArray, num_items: int) -> tuple[IndexArray, IndexArray]:
    """The places of items [n] in the order of the items, and where those of each item start and end [num_items + 2]."""
    entries = sparse.csr_array((np.arange(len(items)), items, np.arange(len(items) + 1)), (len(items), num_items + 1))
    columns = entries.tocsc()  # counts, where sorting would compare
    return columns.data, columns.indptr.astype(np.int64)


def _by_sums(lists: IndexArray, vectors: sparse.csr_array) -> Floats:
    """The sums from the length of the sum of all vectors of a list; positions from num_items on are empty."""
    length = np.append(np.diff(vectors.indptr), 0)
    heaviest = int(length[lists].sum(axis=1).max(initial=1))
    size = max(1, NUMBERS_AT_ONCE // max(min(heaviest, vectors.shape[1]), 1))
    parts = [np.empty(0)]
    for start in range(0, len(lists), size):
        some = lists[start : start + size]
        total = chosen(np.where(some < vectors.shape[0], some, -1), vectors.shape[0]) @ vectors
        squares = np.asarray(total.multiply(total).sum(axis=1)).ravel()
        parts.append((squares - (length[some] > 0).sum(axis=1)) / 2)
    return np.concatenate(parts)


def chosen(lists: IndexArray, num_items: int) -> sparse.csr_array:
    """The items of lists [num_users, n], -1 for empty places, as a matrix [num_users, num_items] of ones."""
    there = lists >= 0
    ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    return sparse.csr_array((np.ones(int(ends[-1])), lists[there], ends), shape=(len(lists), num_items))


def _slices(start: int, stop: int, size: int) -> Iterable[slice]:
    for first in range(start, stop, max(size, 1)):
        yield slice(first, min(first + max(size, 1), stop))
