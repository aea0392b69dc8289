"""An order of users and items in which those that share edges are near one another, so that what one edge fetched from
memory is still in the cache when the next edge asks for it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from graphrec.interactions import FloatArray
from graphrec.linalg.csr import in_32_bits

#: Times that numbers are averaged there and back: after eight, those of one region are closer than those of two.
AVERAGED = 8

Order = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Locality:
    """The rows [num_rows] and columns [num_columns] of a matrix in their new order, by position in the old one."""

    rows: Order
    columns: Order

    def place(self) -> Order:
        """The position [num_columns] of each column in the new order."""
        return inverse(self.columns)

    def applied(self, matrix: sparse.csr_array) -> sparse.csr_array:
        """The matrix [num_rows, num_columns] in the new order."""
        rows = sparse.csr_array(in_32_bits(matrix)[self.rows])
        found = sparse.csr_array((rows.data, self.place()[rows.indices], rows.indptr), shape=matrix.shape)
        found.sort_indices()
        return found


def spectral_order(matrix: sparse.csr_array, rng: np.random.Generator) -> Locality:
    """Rows and columns sorted by what random numbers on the columns become when they are averaged along the edges, to
    the rows and back, a few times.

    That is the power iteration for the second eigenvector of the random walk, by which spectral seriation orders
    (Atkins, Boman and Hendrickson, 1998), stopped early: numbers even out within a region of the graph long before they
    do between regions. On a graph without regions the order is no worse than any other.
    """
    ones = sparse.csr_array((np.ones(matrix.nnz, dtype=np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)
    in_row = np.maximum(np.diff(matrix.indptr), 1).astype(np.float32)
    in_column = np.maximum(np.bincount(matrix.indices, minlength=matrix.shape[1]), 1).astype(np.float32)
    by_column: FloatArray = rng.standard_normal(matrix.shape[1], dtype=np.float32)
    by_row: FloatArray = np.zeros(matrix.shape[0], dtype=np.float32)
    for _ in range(AVERAGED):
        by_row = np.asarray(ones @ by_column, dtype=np.float32) / in_row
        by_column = np.asarray(ones.T @ by_row, dtype=np.float32) / in_column
    return Locality(_sorted(by_row), _sorted(by_column))


def inverse(order: Order) -> Order:
    """The inverse of a permutation [n]."""
    found = np.empty(len(order), dtype=np.int32)
    found[order] = np.arange(len(order), dtype=np.int32)
    return found


def _sorted(values: FloatArray) -> Order:
    return np.argsort(values, kind="stable").astype(np.int32)
