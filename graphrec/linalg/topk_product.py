"""Sparse products cut to the k largest entries of each row, by loops that numba compiles, in all threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.linalg import topk_kernels as kernels
from graphrec.linalg.csr import build_csr
from graphrec.linalg.topk_kernels import BINS, Positions, Words
from graphrec.vocabulary import IndexArray

Finish = Callable[[sparse.csr_array, int], None]

#: Block size in entries of a product of each thread before they are cut, chosen to fit the cache.
BLOCK = 1 << 18


def multiply(left: sparse.csr_array, right: sparse.csr_array, k: int, finish: Finish | None = None) -> sparse.csr_array:
    """left · right [rows, columns], cut to the k > 0 largest entries of each row, with sorted columns.

    Sums are computed in the order of scipy's product and equal its sums bit by bit; zeros are left out. `finish(rows,
    start)` may change the values of a block of rows with unsorted columns before the cut; several threads call it.
    """
    columns = int(right.shape[1])
    bound = np.empty(left.shape[0], dtype=np.int64)
    kernels.count_multiplications(left.indptr, left.indices, right.indptr, bound)
    np.minimum(bound, columns, out=bound)
    longest = int(np.diff(right.indptr).max(initial=0))  # entries that a row may list before the bound is checked

    def multiply_block(scratch: Scratch, first: int, last: int) -> sparse.csr_array:
        rows = scratch.multiply(left, right, first, last)
        if finish is not None:
            finish(rows, first)
        return rows

    return cut_in_blocks(multiply_block, bound, columns, k, max(BLOCK, int(bound.max(initial=0))) + longest + 1)


def top_k_per_row(
    matrix: sparse.csr_array, k: int, revalue: Callable[[sparse.csr_array, int], sparse.csr_array] | None = None
) -> sparse.csr_array:
    """The k > 0 largest entries of each row of a matrix, with sorted columns; of equal ones those of the first columns.

    `revalue(rows, start)` returns the rows to cut instead of a block of rows, with at most as many entries and in new
    arrays; several threads call it.
    """

    def select_block(_: Scratch, first: int, last: int) -> sparse.csr_array:
        entries = slice(matrix.indptr[first], matrix.indptr[last])
        indptr = matrix.indptr[first : last + 1] - matrix.indptr[first]
        rows = sparse.csr_array((matrix.data[entries], matrix.indices[entries], indptr), shape=(last - first, columns))
        return rows if revalue is None else revalue(rows, first)

    columns = int(matrix.shape[1])
    return cut_in_blocks(select_block, np.diff(matrix.indptr).astype(np.int64), columns, k, 0)


def is_supported(*matrices: sparse.csr_array) -> bool:
    """Whether matrices have the types that the loops are compiled for: float32 values and 32-bit indices."""
    types = (np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.int32))
    return all((m.data.dtype, m.indices.dtype, m.indptr.dtype) == types for m in matrices)


def cut_in_blocks(
    compute_block: "Callable[[Scratch, int, int], sparse.csr_array]",
    entries: IndexArray,
    columns: int,
    k: int,
    capacity: int,
) -> sparse.csr_array:
    """The k largest entries of each row of a matrix.

    Args:
        compute_block: function (scratch, first, last) that returns rows `first` to `last` of the matrix.
        entries: maximum number of entries of each row, [rows].
        columns: number of columns.
        k: number of entries to keep.
        capacity: maximum number of entries of a block in scratch memory.
    """
    max_entries, rows = min(k, columns), len(entries)
    begins = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.minimum(entries, max_entries))])
    indices, data = np.empty(begins[-1], dtype=np.int32), np.empty(begins[-1], dtype=np.float32)
    lengths = np.zeros(rows, dtype=np.int64)
    starts = _split_blocks(entries)
    workers = torch.get_num_threads()

    def work(worker: int) -> None:
        scratch = Scratch.of(columns, capacity)
        for first, last in zip(starts[worker:-1:workers], starts[worker + 1 :: workers], strict=True):
            target = slice(int(begins[first]), int(begins[last]))
            block = compute_block(scratch, int(first), int(last))
            scratch.cut(block, max_entries, indices[target], data[target], lengths[first:last])

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    end = _close_gaps(indices, data, begins[starts], indptr[starts])
    indices.resize(end, refcheck=False)  # releases the rest of the memory without a copy
    data.resize(end, refcheck=False)
    return build_csr(data, indices, indptr, (rows, columns))


def _split_blocks(entries: IndexArray) -> IndexArray:
    """The first rows of blocks of at most BLOCK entries, or of one row, and the end of the last block."""
    total = np.cumsum(entries)
    starts = [0]
    while starts[-1] < len(entries):
        before = total[starts[-1]] - entries[starts[-1]]
        starts.append(max(int(np.searchsorted(total, before + BLOCK, side="right")), starts[-1] + 1))
    return np.array(starts, dtype=np.int64)


def _close_gaps(indices: Positions, data: FloatArray, starts: IndexArray, targets: IndexArray) -> int:
    """Move the entries of blocks from their starts to their targets, never to the right; returns the last end."""
    for source, target, end in zip(starts[:-1].tolist(), targets[:-1].tolist(), targets[1:].tolist(), strict=True):
        if source != target:
            indices[target:end] = indices[source : source + end - target]
            data[target:end] = data[source : source + end - target]
    return int(targets[-1])


@dataclass(frozen=True, eq=False)
class Scratch:
    """The memory of one thread.

    sums: sum of each column, zero between calls, [columns].
    marks: one bit per column, zero between calls.
    indices, data: entries of a block of the product.
    keys, kept: memory of the selection in a row, [columns + 1].
    """

    sums: FloatArray
    marks: Words
    indices: Positions
    data: FloatArray
    keys: Positions
    kept: Positions
    histogram: Positions = field(default_factory=lambda: np.zeros(BINS, dtype=np.int32))

    @classmethod
    def of(cls, columns: int, entries: int) -> "Scratch":
        """Memory for rows of `columns` columns and blocks of `entries` entries."""
        return cls(
            np.zeros(columns, dtype=np.float32),
            np.zeros(columns // 64 + 1, dtype=np.uint64),
            np.empty(entries, dtype=np.int32),
            np.empty(entries, dtype=np.float32),
            np.empty(columns + 1, dtype=np.int32),
            np.empty(columns + 1, dtype=np.int32),
        )

    def multiply(self, left: sparse.csr_array, right: sparse.csr_array, first: int, last: int) -> sparse.csr_array:
        """Rows `first` to `last` of left · right with unsorted columns, in memory that the next call overwrites."""
        indptr = np.zeros(last - first + 1, dtype=np.int32)
        operands = (left.indptr, left.indices, left.data, right.indptr, right.indices, right.data)
        kernels.multiply(*operands, first, last, self.sums, indptr, self.indices, self.data)
        parts = (self.data[: indptr[-1]], self.indices[: indptr[-1]], indptr)
        return sparse.csr_array(parts, shape=(last - first, right.shape[1]))

    def cut(self, rows: sparse.csr_array, k: int, indices: Positions, data: FloatArray, lengths: IndexArray) -> None:
        """Write the k largest entries of each row with sorted columns, row by row, and their number to `lengths`."""
        kernels.cut_rows(
            rows.indptr,
            rows.indices,
            rows.data,
            k,
            self.sums,
            self.marks,
            self.keys,
            self.kept,
            self.histogram,
            indices,
            data,
            lengths,
        )
