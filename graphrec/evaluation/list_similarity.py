"""Similarity of the items within lists: exact sums of cosines over all pairs of a list, without a loop over users."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.vocabulary import IndexArray

Floats = npt.NDArray[np.float64]

#: Cap on the numbers in memory at once, of 8 to 16 bytes: cosines of a block of items, or summed vectors of some users.
NUMBERS_AT_ONCE = 4_000_000


def unit_rows(matrix: sparse.csr_array) -> sparse.csr_array:
    """The rows of a matrix divided by their lengths, float64; a row of zeros is unchanged."""
    counts = np.diff(matrix.indptr)
    row = np.repeat(np.arange(matrix.shape[0]), counts)
    data = matrix.data.astype(np.float64)
    length = np.sqrt(np.bincount(row, data**2, minlength=matrix.shape[0]))
    return sparse.csr_array((data / np.where(length > 0, length, 1)[row], matrix.indices, matrix.indptr), matrix.shape)


def sum_cosines(item_index: IndexArray, vectors: sparse.csr_array, ks: Iterable[int]) -> Mapping[int, Floats]:
    """Σ of the cosines over all pairs of items among the first k, for each list [num_users], by k.

    `item_index` [num_users, n] has -1 for empty ranks; `vectors` [num_items, n] are unit vectors or zero. Computed from
    the cosines of all listed items, or as (|Σ v|² − number of vectors) / 2 over the vectors v of a list, whichever
    needs fewer multiplications: mostly the first for vectors over users, the second for vectors over genres.
    """
    ks = tuple(ks)
    lists = item_index[:, : max(ks)]
    counts = np.bincount(lists[lists >= 0], minlength=vectors.shape[0])
    listed = np.flatnonzero(counts)
    vectors = sparse.csr_array(vectors[listed])
    position = np.append(np.cumsum(counts > 0) - 1, len(listed))  # in `listed`; its length for an empty rank
    lists = position[lists]
    products_of_pairs = float((np.bincount(vectors.indices).astype(np.float64) ** 2).sum())
    sizes = np.append(np.diff(vectors.indptr), 0)[lists]
    products_of_sums = float(sum(sizes[:, :k].sum() for k in ks))
    if products_of_pairs <= products_of_sums:
        return _sum_pairs(lists, vectors, ks)
    return {k: _sum_by_length(lists[:, :k], vectors) for k in ks}


def _sum_pairs(lists: IndexArray, vectors: sparse.csr_array, ks: tuple[int, ...]) -> Mapping[int, Floats]:
    """The sums from the cosine of each item with the items before it in the list; positions from num_items on are
    empty ranks."""
    (num_users, width), num_items = lists.shape, vectors.shape[0]
    by_item, ends = _group_by_item(lists.ravel(), num_items)
    sums_before = np.zeros(num_users * width)
    transposed = sparse.csr_array(vectors.T)
    shape = (transposed.shape[0], num_items + 1)  # the cosine with an empty rank is 0
    transposed = sparse.csr_array((transposed.data, transposed.indices, transposed.indptr), shape)
    size = max(1, NUMBERS_AT_ONCE // (num_items + 1))
    buffer = np.empty((size, num_items + 1))
    for start in range(0, num_items, size):
        block = sparse.csr_array(vectors[start : start + size]) @ transposed
        cosines = block.toarray(out=buffer[: block.shape[0]]).ravel()
        last = ends[min(start + size, num_items)]
        for batch in _slices(ends[start], last, NUMBERS_AT_ONCE // (4 * width)):
            row, rank = np.divmod(by_item[batch], width)
            offset = (lists[row, rank] - start) * (num_items + 1)
            with_all = cosines.take(offset[:, None] + lists[row])
            sums_before[by_item[batch]] = np.where(np.arange(width) < rank[:, None], with_all, 0).sum(axis=1)
    sums = np.cumsum(sums_before.reshape(num_users, width), axis=1)
    return {k: sums[:, min(k, width) - 1] for k in ks}


def _group_by_item(items: IndexArray, num_items: int) -> tuple[IndexArray, IndexArray]:
    """The positions of items [n], ordered by item, and the bounds of each item in this order [num_items + 2]."""
    entries = sparse.csr_array((np.arange(len(items)), items, np.arange(len(items) + 1)), (len(items), num_items + 1))
    columns = entries.tocsc()  # a counting sort, faster than a comparison sort
    return columns.data, columns.indptr.astype(np.int64)


def _sum_by_length(lists: IndexArray, vectors: sparse.csr_array) -> Floats:
    """The sums from the length of the sum of all vectors of a list; positions from num_items on are empty ranks."""
    sizes = np.append(np.diff(vectors.indptr), 0)
    largest = int(sizes[lists].sum(axis=1).max(initial=1))
    batch_size = max(1, NUMBERS_AT_ONCE // max(min(largest, vectors.shape[1]), 1))
    parts = [np.empty(0)]
    for start in range(0, len(lists), batch_size):
        batch = lists[start : start + batch_size]
        total = lists_to_matrix(np.where(batch < vectors.shape[0], batch, -1), vectors.shape[0]) @ vectors
        squares = np.asarray(total.multiply(total).sum(axis=1)).ravel()
        parts.append((squares - (sizes[batch] > 0).sum(axis=1)) / 2)
    return np.concatenate(parts)


def lists_to_matrix(lists: IndexArray, num_items: int) -> sparse.csr_array:
    """The items of lists [num_users, n], -1 for empty ranks, as a matrix [num_users, num_items] of ones."""
    filled = lists >= 0
    ends = np.concatenate([[0], np.cumsum(filled.sum(axis=1))])
    return sparse.csr_array((np.ones(int(ends[-1])), lists[filled], ends), shape=(len(lists), num_items))


def _slices(start: int, stop: int, size: int) -> Iterable[slice]:
    for first in range(start, stop, max(size, 1)):
        yield slice(first, min(first + max(size, 1), stop))
