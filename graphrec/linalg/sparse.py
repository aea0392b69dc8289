"""Sparse matrices: products cut to the largest entries of each row, scaling, and dense results."""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from graphrec.interactions import FloatArray
from graphrec.linalg.csr import build_csr, csr_tensor, in_32_bits
from graphrec.vocabulary import IndexArray

#: Block size in rows of products before they are cut; larger blocks leave the cache: 2,048 rows took a third longer.
BLOCK = 512

#: Thresholds in multiplications and in entries to cut from which loops compiled by numba are used. They need a quarter
#: of scipy's time, but 0.4 s to load and, once per machine, three seconds to compile.
COMPILED_WORK, COMPILED_ENTRIES = 1 << 25, 1 << 23


#: Function of a block of rows and the position of its first row that returns rows with other values, in new arrays.
Revalue = Callable[[sparse.csr_array, int], sparse.csr_array]


def top_k_per_row(matrix: sparse.csr_array, k: int, revalue: Revalue | None = None) -> sparse.csr_array:
    """The k largest entries of each row of a matrix, with sorted columns; all entries if k is 0.

    Of equal entries, those of the first columns are kept. `revalue` changes the values before the cut; for a large
    matrix it is called block by block and by several threads, which avoids a second matrix of its size.
    """
    if k > 0 and matrix.nnz >= COMPILED_ENTRIES:
        from graphrec.linalg import topk_product

        if topk_product.is_supported(matrix):
            return topk_product.top_k_per_row(matrix, k, revalue)
    if revalue is not None:
        matrix = revalue(matrix, 0)
    if k <= 0:
        return in_32_bits(matrix.sorted_indices())  # a copy, since other matrices may share the index arrays
    lengths = np.diff(matrix.indptr)
    keep = np.ones(matrix.nnz, dtype=bool)
    for row in np.flatnonzero(lengths > k):
        entries = slice(matrix.indptr[row], matrix.indptr[row + 1])
        values = matrix.data[entries]
        # the limit only: np.argpartition needs three times as long
        limit = np.partition(values, len(values) - k)[len(values) - k]
        kept = values >= limit
        if np.count_nonzero(kept) > k:
            kept = _keep_first_ties(values, matrix.indices[entries], limit, k)
        keep[entries] = kept
    indptr = np.concatenate([[0], np.cumsum(np.minimum(lengths, k))])
    cut = in_32_bits(sparse.csr_array((matrix.data[keep], matrix.indices[keep], indptr), shape=matrix.shape))
    cut.sort_indices()
    return cut


def top_k_magnitudes(matrix: sparse.csr_array, k: int) -> sparse.csr_array:
    """The k entries of each row with the largest absolute values, with sorted columns; all entries if k is 0."""
    if k <= 0:
        return top_k_per_row(matrix, k)
    magnitudes = sparse.csr_array((np.abs(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
    cut = top_k_per_row(magnitudes, k)
    cut.data = np.copysign(cut.data, lookup_values(matrix, cut))
    return cut


def _keep_first_ties(
    values: npt.NDArray[np.floating], columns: npt.NDArray[np.integer], limit: np.floating, k: int
) -> npt.NDArray[np.bool_]:
    """Mask of the k entries of a row to keep: those above the limit and, of those equal to it, the first columns."""
    kept = values > limit
    equal = np.flatnonzero(values == limit)
    kept[equal[np.argsort(columns[equal])[: k - int(kept.sum())]]] = True
    return kept


def topk_gram(
    left: sparse.csr_array,
    right: sparse.csr_array,
    k: int,
    finish: Callable[[sparse.csr_array, int], None] | None = None,
) -> sparse.csr_array:
    """leftᵀ · right [num_items, num_items], computed block by block and cut to the k largest entries of each row.

    `finish(rows, start)` may change the values of a block of rows, the first of which is item `start`, before the cut;
    several threads may call it.
    """
    transposed, right = in_32_bits(left.T.tocsr()), in_32_bits(right)
    if k > 0 and float(np.diff(left.indptr).astype(np.int64) @ np.diff(right.indptr)) >= COMPILED_WORK:
        from graphrec.linalg import topk_product

        if topk_product.is_supported(transposed, right):
            return topk_product.multiply(transposed, right, k, finish)

    def multiply_block(start: int) -> sparse.csr_array:
        rows = (transposed[start : start + BLOCK] @ right).tocsr()
        if finish is not None:
            finish(rows, start)
        return top_k_per_row(rows, k)

    shape = (transposed.shape[0], right.shape[1])
    blocks = map(multiply_block, range(0, shape[0], BLOCK))
    if k <= 0:
        return sparse.csr_array(sparse.vstack(list(blocks), format="csr"))
    data = np.empty(shape[0] * min(k, shape[1]), dtype=np.result_type(left.dtype, right.dtype))
    return _stack_blocks(blocks, data, shape)


def _stack_blocks(
    blocks: Iterable[sparse.csr_array], data: npt.NDArray[np.floating], shape: tuple[int, int]
) -> sparse.csr_array:
    """Blocks of rows as one matrix; each is released before the next is computed. `data` has room for all values."""
    indices = np.empty(len(data), dtype=np.int32)
    lengths, end = [np.zeros(1, dtype=np.int64)], 0
    for part in blocks:
        indices[end : end + part.nnz], data[end : end + part.nnz] = part.indices, part.data
        lengths.append(np.diff(part.indptr))
        end += part.nnz
    indices.resize(end, refcheck=False)  # releases the rest of the memory without a copy
    data.resize(end, refcheck=False)
    return build_csr(data, indices, np.cumsum(np.concatenate(lengths)), shape)


def add_sparse(scores: Tensor, matrix: sparse.csr_array, weight: float = 1.0) -> Tensor:
    """`scores` [batch, num_items] after adding `weight` times a matrix of the same shape, in place."""
    rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    position = rows * matrix.shape[1] + matrix.indices
    flat = scores.view(-1)
    if scores.device.type != "cpu":
        index, values = torch.from_numpy(position), torch.from_numpy(matrix.data.astype(np.float32))
        flat.index_add_(0, index.to(scores.device), values.to(scores.device), alpha=weight)
        return scores
    # a product of CSR matrices has each position once, so indexed addition is correct
    flat.numpy()[position] += np.float32(weight) * matrix.data
    return scores


def dense_product(
    left: sparse.csr_array, right: sparse.csr_array, weight: float = 1.0, out: Tensor | None = None
) -> Tensor:
    """`weight` · left · right [rows, columns] as a dense float32 tensor on the CPU, in the memory of `out` if given.

    MKL adds to the dense rows in all threads and needs no index arrays: a third of scipy's time.
    """
    out = torch.empty(left.shape[0], right.shape[1]) if out is None else out
    if not torch.backends.mkl.is_available():  # type: ignore[no-untyped-call]  # torch has no type for it
        return add_sparse(out.zero_(), sparse.csr_array(left @ right), weight)
    return torch.addmm(out, csr_tensor(left), csr_tensor(right), beta=0, alpha=weight, out=out)


def dense(matrix: sparse.csr_array) -> Tensor:
    """A CSR matrix [batch, num_items] as a float32 tensor."""
    return torch.from_numpy(matrix.toarray().astype(np.float32, copy=False))


def zero_diagonal(rows: sparse.csr_array, start: int) -> None:
    """Set the diagonal entries of a block of rows to zero; its first row is item `start`."""
    item = start + np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    rows.data[item == rows.indices] = 0.0


def normalise_rows(matrix: sparse.csr_array) -> sparse.csr_array:
    """The matrix with each row divided by its sum, which is not negative; empty rows stay empty."""
    total = np.asarray(matrix.sum(axis=1), dtype=np.float64)
    return scale(matrix, rows=np.where(total > 0, 1.0 / np.where(total > 0, total, 1.0), 1.0))


def scale(
    matrix: sparse.csr_array,
    rows: npt.NDArray[np.float64] | None = None,
    columns: npt.NDArray[np.float64] | None = None,
) -> sparse.csr_array:
    """The matrix, float32, with rows and columns multiplied by factors."""
    data = np.empty(matrix.nnz, dtype=np.float32)
    for first in range(0, matrix.shape[0], BLOCK):  # in float64 block by block, to save memory
        indptr = matrix.indptr[first : first + BLOCK + 1]
        place = slice(indptr[0], indptr[-1])
        values = matrix.data[place].astype(np.float64)
        if rows is not None:
            values *= np.repeat(rows[first : first + BLOCK], np.diff(indptr))
        if columns is not None:
            values *= columns[matrix.indices[place]]
        data[place] = values
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def normalise(
    matrix: sparse.csr_array, item_degree: FloatArray, user_exponent: float, item_exponent: float
) -> sparse.csr_array:
    """N = D_U^-b R D_I^-e [num_users, num_items] float32 with user exponent b and item exponent e; a degree of zero
    counts as one."""
    user_degree = np.asarray(matrix.sum(axis=1), dtype=np.float32)
    damping = np.where(user_degree > 0, user_degree, 1.0) ** -user_exponent
    scaled = scale_columns(matrix, item_degree**-item_exponent)
    scaled.data *= np.repeat(damping, np.diff(matrix.indptr)).astype(np.float32)
    return scaled


def scale_columns(matrix: sparse.csr_array, column_factor: npt.NDArray[np.floating]) -> sparse.csr_array:
    """The matrix, float32, with columns multiplied by factors [columns]."""
    data = (matrix.data * column_factor[matrix.indices]).astype(np.float32, copy=False)
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def flat_positions(matrix: sparse.csr_array) -> IndexArray:
    """Flat positions row · num_columns + column of the entries of a CSR matrix."""
    rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    return rows * int(matrix.shape[1]) + matrix.indices


def normalise_symmetric(matrix: sparse.csr_array) -> sparse.csr_array:
    """D^-½ S D^-½ of an item-item relation S [num_items, num_items] with row sums D; its eigenvalues are in [-1, 1]."""
    degree = np.maximum(matrix.sum(axis=1), 1.0).astype(np.float32)
    return scale_columns(sparse.csr_array(sparse.diags_array(degree**-0.5) @ matrix), degree**-0.5)


def lookup_values(matrix: sparse.csr_array, pattern: sparse.csr_array) -> FloatArray:
    """The values of a matrix at the entries of a `pattern` of the same shape, in their order; 0 without an entry."""
    stored, requested = flat_positions(matrix), flat_positions(pattern)
    order = np.argsort(stored, kind="stable")
    stored = stored[order]
    index = np.minimum(np.searchsorted(stored, requested), max(len(stored) - 1, 0))
    if not len(stored):
        return np.zeros(len(requested), dtype=np.float32)
    return np.where(stored[index] == requested, matrix.data[order][index], 0.0).astype(np.float32)
