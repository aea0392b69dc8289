"""Item-item matrices of which each row keeps its strongest entries."""

from collections.abc import Callable

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

#: Rows of an item-item product that exist at one time before they are cut.
BLOCK = 2048


def strongest(matrix: sparse.csr_array, k: int) -> sparse.csr_array:
    """The matrix with the k largest entries of each row, columns in order; all entries where k is 0."""
    if k <= 0:
        matrix.sort_indices()
        return matrix
    lengths = np.diff(matrix.indptr)
    keep = np.ones(matrix.nnz, dtype=bool)
    for row in np.flatnonzero(lengths > k):
        start, end = matrix.indptr[row], matrix.indptr[row + 1]
        weakest = np.argpartition(matrix.data[start:end], end - start - k)[: end - start - k]
        keep[start + weakest] = False
    indptr = np.concatenate([[0], np.cumsum(np.minimum(lengths, k))])
    cut = sparse.csr_array((matrix.data[keep], matrix.indices[keep], indptr), shape=matrix.shape)
    cut.sort_indices()
    return cut


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
    # a product of CSR matrices has each position once, so indexed addition loses nothing
    flat.numpy()[position] += np.float32(weight) * matrix.data
    return scores


def dense(matrix: sparse.csr_array) -> Tensor:
    """A CSR matrix [batch, num_items] as a float32 tensor."""
    return torch.from_numpy(matrix.toarray().astype(np.float32, copy=False))
