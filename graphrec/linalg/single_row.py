"""Products for a single history in plain numpy, which avoids the overhead of scipy and torch matrices."""

from collections.abc import Iterator
from threading import Thread

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from graphrec.interactions import FloatArray

#: Block size in rows of a thread, about 0.2 ms of work.
ROWS = 2048

#: Threshold in matrix entries above which a second thread, which needs 0.1 ms to start, is used.
THREADS_FROM = 1 << 22


def copy_to_huge_pages(matrix: Tensor) -> Tensor:
    """A contiguous float32 copy of a matrix in memory that numpy allocates: numpy requests pages of 2 MiB from Linux,
    torch does not, and reading 126 MB in pages of 4 KiB needs a third more time."""
    copy = torch.from_numpy(np.empty(matrix.shape, dtype=np.float32))
    return copy.copy_(matrix)


def multiply_vector(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """The product [rows] float32 of a matrix [rows, k] and a vector [k].

    Reading the matrix dominates: 126 MB need 4.3 ms by numpy's vecdot, 3.4 ms by vecdot in two threads, and 5.0 ms by
    numpy's matrix product in two threads. Threads take the next free block, so that a delayed thread does not delay the
    result.
    """
    product = np.empty(len(matrix), dtype=np.float32)
    starts = iter(range(0, len(matrix), ROWS))
    if matrix.size < THREADS_FROM or torch.get_num_threads() == 1:
        _multiply_blocks(starts, matrix, vector, product)
        return product
    second = Thread(target=_multiply_blocks, args=(starts, matrix, vector, product))
    second.start()
    _multiply_blocks(starts, matrix, vector, product)
    second.join()
    return product


def sum_weighted_rows(
    matrix: sparse.csr_array, rows: npt.NDArray[np.integer], weights: FloatArray
) -> npt.NDArray[np.float64]:
    """The sum [columns] float64 of some rows [n] of a CSR matrix, each multiplied by its weight [n]."""
    starts, ends = matrix.indptr[rows], matrix.indptr[rows + 1]
    parts = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
    if not parts:
        return np.zeros(matrix.shape[1])
    column = np.concatenate([matrix.indices[part] for part in parts])
    values = np.concatenate([matrix.data[part] for part in parts]) * np.repeat(weights, ends - starts)
    return np.bincount(column, values, minlength=matrix.shape[1]).astype(np.float64, copy=False)


def _multiply_blocks(starts: Iterator[int], matrix: FloatArray, vector: FloatArray, product: FloatArray) -> None:
    """Fill `product` for blocks of rows until the shared iterator of their starts is exhausted."""
    for start in starts:
        np.vecdot(matrix[start : start + ROWS], vector, out=product[start : start + ROWS])
