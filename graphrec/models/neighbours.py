"""Item-item matrices of which each row keeps its strongest entries."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from graphrec.models.base import csr_tensor

#: Rows of an item-item product that exist at one time before they are cut.
BLOCK = 2048


def strongest(matrix: sparse.csr_array, k: int) -> sparse.csr_array:
    """The matrix with the k largest entries of each row, columns in order; all entries where k is 0.

    Of equal entries at the limit those of the first columns stay.
    """
    if k <= 0:
        return matrix.sorted_indices()  # a copy: its positions may be shared
    lengths = np.diff(matrix.indptr)
    limits = np.full(len(lengths), -np.inf, dtype=matrix.dtype)
    for row in np.flatnonzero(lengths > k):
        values = matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]]
        # the value alone: to partition positions takes thrice as long
        limits[row] = np.partition(values, len(values) - k)[len(values) - k]
    keep = matrix.data >= np.repeat(limits, lengths)
    before = np.concatenate([[0], np.cumsum(keep)])
    for row in np.flatnonzero(np.diff(before[matrix.indptr]) > np.minimum(lengths, k)):
        start, end = matrix.indptr[row], matrix.indptr[row + 1]
        keep[start:end] = _first_of_equals(matrix.data[start:end], matrix.indices[start:end], limits[row], k)
    indptr = np.concatenate([[0], np.cumsum(np.minimum(lengths, k))])
    cut = sparse.csr_array((matrix.data[keep], matrix.indices[keep], indptr), shape=matrix.shape)
    cut.sort_indices()
    return cut


def _first_of_equals(
    values: npt.NDArray[np.floating], columns: npt.NDArray[np.integer], limit: np.floating, k: int
) -> npt.NDArray[np.bool_]:
    """Which entries of a row are above the limit or, up to k in all, equal it in the first columns."""
    kept = values > limit
    equal = np.flatnonzero(values == limit)
    kept[equal[np.argsort(columns[equal])[: k - int(kept.sum())]]] = True
    return kept


def item_product(
    left: sparse.csr_array,
    right: sparse.csr_array,
    k: int,
    finish: Callable[[sparse.csr_array, int], None] | None = None,
) -> sparse.csr_array:
    """leftᵀ · right [num_items, num_items] with the k largest entries of each row, made a block of rows at a time.

    `finish(rows, start)` may change the values of a block that begins at item `start` before it is cut.
    """
    transposed = left.T.tocsr()
    blocks = []
    for start in range(0, transposed.shape[0], BLOCK):
        rows = (transposed[start : start + BLOCK] @ right).tocsr()
        if finish is not None:
            finish(rows, start)
        blocks.append(strongest(rows, k))
    return sparse.csr_array(sparse.vstack(blocks, format="csr"))


def add_sparse(scores: Tensor, matrix: sparse.csr_array, weight: float = 1.0) -> Tensor:
    """`scores` [batch, num_items] after adding `weight` times a matrix of the same shape to it in place."""
    rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    position = rows * matrix.shape[1] + matrix.indices
    flat = scores.view(-1)
    if scores.device.type != "cpu":
        at, values = torch.from_numpy(position), torch.from_numpy(matrix.data.astype(np.float32))
        flat.index_add_(0, at.to(scores.device), values.to(scores.device), alpha=weight)
        return scores
    # a product of CSR matrices has each position once, so indexed addition loses nothing
    flat.numpy()[position] += np.float32(weight) * matrix.data
    return scores


def dense_product(
    left: sparse.csr_array, right: sparse.csr_array, weight: float = 1.0, out: Tensor | None = None
) -> Tensor:
    """`weight` · left · right [rows, columns] as a dense float32 tensor on the CPU, in the memory of `out` if given.

    MKL adds into the dense rows, in all threads and without positions to sort or keep: a third of scipy's time.
    """
    out = torch.empty(left.shape[0], right.shape[1]) if out is None else out
    if not torch.backends.mkl.is_available():
        return add_sparse(out.zero_(), sparse.csr_array(left @ right), weight)
    return torch.addmm(out, csr_tensor(left), csr_tensor(right), beta=0, alpha=weight, out=out)


def dense(matrix: sparse.csr_array) -> Tensor:
    """A CSR matrix [batch, num_items] as a float32 tensor."""
    return torch.from_numpy(matrix.toarray().astype(np.float32, copy=False))


def without_diagonal(rows: sparse.csr_array, start: int) -> None:
    """Set to zero, in a block of rows that begins at item `start`, what an item has to do with itself."""
    item = start + np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    rows.data[item == rows.indices] = 0.0


def row_normalised(matrix: sparse.csr_array) -> sparse.csr_array:
    """The matrix with each row divided by the sum of its entries, none of which is negative; empty rows stay."""
    total = np.asarray(matrix.sum(axis=1), dtype=np.float64)
    return scaled(matrix, rows=np.where(total > 0, 1.0 / np.where(total > 0, total, 1.0), 1.0))


def scaled(
    matrix: sparse.csr_array,
    rows: npt.NDArray[np.float64] | None = None,
    columns: npt.NDArray[np.float64] | None = None,
) -> sparse.csr_array:
    """The matrix float32 with its rows and its columns multiplied by factors."""
    data = matrix.data.astype(np.float64)
    if rows is not None:
        data *= np.repeat(rows, np.diff(matrix.indptr))
    if columns is not None:
        data *= columns[matrix.indices]
    return sparse.csr_array((data.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)
