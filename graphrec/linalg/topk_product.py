"""Sparse products whose rows are cut to their strongest entries, compiled by numba and made in all threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.linalg import topk_kernels as kernels
from graphrec.linalg.csr import csr_of
from graphrec.linalg.topk_kernels import BINS, Positions, Words
from graphrec.vocabulary import IndexArray

Finish = Callable[[sparse.csr_array, int], None]

#: Entries of a product that exist at one time in each thread before they are cut: so many stay in the cache.
BLOCK = 1 << 18


def product(left: sparse.csr_array, right: sparse.csr_array, k: int, finish: Finish | None = None) -> sparse.csr_array:
    """left · right [rows, columns] with the k > 0 largest entries of each row, columns in order.

    Sums are added in the order of scipy's product and equal its to the last bit; entries that are zero are left out.
    `finish(rows, start)` may change the values of a block of rows, whose columns are in no order, before it is cut, and
    must bear to be called by several threads.
    """
    columns = int(right.shape[1])
    bound = np.empty(left.shape[0], dtype=np.int64)
    kernels.multiplications(left.indptr, left.indices, right.indptr, bound)
    np.minimum(bound, columns, out=bound)
    longest = int(np.diff(right.indptr).max(initial=0))  # is noted before the bound is looked at

    def block(scratch: _Scratch, first: int, last: int) -> sparse.csr_array:
        rows = scratch.multiply(left, right, first, last)
        if finish is not None:
            finish(rows, first)
        return rows

    return _cut_in_blocks(block, bound, columns, k, max(BLOCK, int(bound.max(initial=0))) + longest + 1)


def top_k_per_row(
    matrix: sparse.csr_array, k: int, revalue: Callable[[sparse.csr_array, int], sparse.csr_array] | None = None
) -> sparse.csr_array:
    """The k > 0 largest entries of each row of a matrix, columns in order, of equal ones those of the first columns.

    `revalue(rows, start)` gives the rows to cut in the place of a block of rows, with as many entries or fewer, in
    arrays of their own; several threads call it.
    """

    def block(_: _Scratch, first: int, last: int) -> sparse.csr_array:
        place = slice(matrix.indptr[first], matrix.indptr[last])
        indptr = matrix.indptr[first : last + 1] - matrix.indptr[first]
        rows = sparse.csr_array((matrix.data[place], matrix.indices[place], indptr), shape=(last - first, columns))
        return rows if revalue is None else revalue(rows, first)

    columns = int(matrix.shape[1])
    return _cut_in_blocks(block, np.diff(matrix.indptr).astype(np.int64), columns, k, 0)


def can(*matrices: sparse.csr_array) -> bool:
    """Whether matrices have what is compiled for: float32 values and 32-bit positions."""
    wanted = (np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.int32))
    return all((m.data.dtype, m.indices.dtype, m.indptr.dtype) == wanted for m in matrices)


def _cut_in_blocks(
    block: "Callable[[_Scratch, int, int], sparse.csr_array]", entries: IndexArray, columns: int, k: int, room: int
) -> sparse.csr_array:
    """The k largest entries of each row of blocks(scratch, first, last) that have at most so many `entries` [rows]."""
    most, rows = min(k, columns), len(entries)
    indices, data = np.empty(rows * most, dtype=np.int32), np.empty(rows * most, dtype=np.float32)
    lengths = np.zeros(rows, dtype=np.int64)
    starts = _blocks(entries)
    workers = torch.get_num_threads()

    def work(worker: int) -> None:
        scratch = _Scratch.of(columns, room)
        for first, last in zip(starts[worker:-1:workers], starts[worker + 1 :: workers], strict=True):
            place = slice(int(first) * most, int(last) * most)
            found = block(scratch, int(first), int(last))
            scratch.cut(found, most, indices[place], data[place], lengths[first:last])

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    end = _close_gaps(indices, data, starts * most, indptr[starts])
    indices.resize(end, refcheck=False)  # gives the rest of the memory back without a copy
    data.resize(end, refcheck=False)
    return csr_of(data, indices, indptr, (rows, columns))


def _blocks(entries: IndexArray) -> IndexArray:
    """Where blocks of rows begin that have at most BLOCK entries or one row, and where the last ends."""
    upto = np.cumsum(entries)
    starts = [0]
    while starts[-1] < len(entries):
        before = upto[starts[-1]] - entries[starts[-1]]
        starts.append(max(int(np.searchsorted(upto, before + BLOCK, side="right")), starts[-1] + 1))
    return np.array(starts, dtype=np.int64)


def _close_gaps(indices: Positions, data: FloatArray, starts: IndexArray, targets: IndexArray) -> int:
    """Move the entries of blocks from their starts to their targets, never to the right; the end of the last."""
    for here, there, end in zip(starts[:-1].tolist(), targets[:-1].tolist(), targets[1:].tolist(), strict=True):
        if here != there:
            indices[there:end] = indices[here : here + end - there]
            data[there:end] = data[here : here + end - there]
    return int(targets[-1])


@dataclass(frozen=True, eq=False)
class _Scratch:
    """Memory of one thread. All of `sums` and `marks` are zero between two calls."""

    sums: FloatArray  # [columns]
    marks: Words  # a bit of each column
    indices: Positions
    data: FloatArray
    keys: Positions  # [columns], as `kept`
    kept: Positions
    histogram: Positions = field(default_factory=lambda: np.zeros(BINS, dtype=np.int32))

    @classmethod
    def of(cls, columns: int, entries: int) -> "_Scratch":
        """For rows of so many columns, and blocks of so many entries."""
        return cls(
            np.zeros(columns, dtype=np.float32),
            np.zeros(columns // 64 + 1, dtype=np.uint64),
            np.empty(entries, dtype=np.int32),
            np.empty(entries, dtype=np.float32),
            np.empty(columns + 1, dtype=np.int32),
            np.empty(columns + 1, dtype=np.int32),
        )

    def multiply(self, left: sparse.csr_array, right: sparse.csr_array, first: int, last: int) -> sparse.csr_array:
        """Rows first to last of left · right, in memory that the next call uses again; columns are in no order."""
        indptr = np.zeros(last - first + 1, dtype=np.int32)
        operands = (left.indptr, left.indices, left.data, right.indptr, right.indices, right.data)
        kernels.multiply(*operands, first, last, self.sums, indptr, self.indices, self.data)
        parts = (self.data[: indptr[-1]], self.indices[: indptr[-1]], indptr)
        return sparse.csr_array(parts, shape=(last - first, right.shape[1]))

    def cut(self, rows: sparse.csr_array, k: int, indices: Positions, data: FloatArray, lengths: IndexArray) -> None:
        """Write the k largest entries of each row one after the other, columns in order, and how many there are."""
        kernels.cut(
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
