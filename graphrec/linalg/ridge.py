"""Ridge regressions of many users or items at once: those of implicit matrix factorisation."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.linalg.threads import one_thread
from graphrec.vocabulary import IndexArray

#: Batch size in entries of gathered vectors, by device; batches that fit the processor's cache are fastest.
BATCH = {"cpu": 1 << 19, "cuda": 1 << 26}


@dataclass(frozen=True, eq=False)
class Basis:
    """Vectors in the basis in which their Gram matrix is diagonal.

    table: the vectors and a last one of zeros, which pads histories of unequal length, [n + 1, dim].
    eigenvalues: the diagonal of the Gram matrix, [dim].
    """

    table: Tensor
    eigenvalues: Tensor

    @classmethod
    def of(cls, vectors: Tensor) -> Self:
        """The vectors [n, dim] rotated to the eigenbasis of their Gram matrix, which keeps their dot products."""
        with one_thread():
            values, rotation = torch.linalg.eigh((vectors.T @ vectors).double())
        return cls.from_rotated(vectors @ rotation.to(vectors.dtype), values.clamp(min=0).to(vectors.dtype))

    @classmethod
    def from_rotated(cls, vectors: Tensor, eigenvalues: Tensor) -> Self:
        """Vectors [n, dim] that are in this basis already, with their eigenvalues."""
        return cls(torch.cat([vectors, vectors.new_zeros(1, vectors.shape[1])]), eigenvalues)

    @property
    def vectors(self) -> Tensor:
        """The vectors [n, dim] without the padding."""
        return self.table[:-1]


def solve(basis: Basis, history: sparse.csr_array, unobserved_weight: float, penalty: Tensor) -> Tensor:
    """The minima x [rows, dim] of Σ_{i ∈ H} (x·v_i − 1)² + α Σ_i (x·v_i)² + penalty ‖x‖² for the history H of each row.

    Exact in float32; a row with a history of m items needs about m² dim operations, or m dim² if m is above dim. Rows
    with an empty history are 0.

    Args:
        basis: the vectors v_i, [n, dim].
        history: the histories, as non-zero entries, [rows, n].
        unobserved_weight: α.
        penalty: [rows].
    """
    solution = torch.zeros(history.shape[0], basis.table.shape[1], device=basis.table.device)
    damping = unobserved_weight * basis.eigenvalues

    def fill(rows: IndexArray) -> None:
        index = torch.from_numpy(rows).to(solution.device)
        diagonal = damping + penalty[index, None]  # [batch, dim]
        vectors = basis.table[torch.from_numpy(_pad_histories(history, rows)).to(solution.device)]  # [batch, m, dim]
        is_short = vectors.shape[1] < vectors.shape[2]
        solution[index] = _solve_short(vectors, diagonal) if is_short else _solve_long(vectors, diagonal)

    batches = _split_batches(history, basis.table.shape[1], BATCH["cpu" if solution.device.type == "cpu" else "cuda"])
    workers = torch.get_num_threads() if solution.device.type == "cpu" else 1
    if min(len(batches), workers) <= 1:
        for rows in batches:
            fill(rows)
        return solution
    with one_thread(), ThreadPoolExecutor(workers) as pool:  # batches are independent
        list(pool.map(fill, batches))
    return solution


def _solve_short(vectors: Tensor, diagonal: Tensor) -> Tensor:
    """x = A⁻¹Cᵀ(I + C A⁻¹ Cᵀ)⁻¹ 1 for vectors C [batch, m, dim] and a diagonal A [batch, dim] (Woodbury identity)."""
    root = diagonal.rsqrt()
    scaled = vectors * root[:, None]
    gram = scaled @ scaled.mT  # [batch, m, m]
    gram.diagonal(dim1=1, dim2=2).add_(1.0)
    weights = _solve_positive(gram, gram.new_ones(gram.shape[0], gram.shape[1], 1))
    return (scaled.mT @ weights)[..., 0] * root


def _solve_long(vectors: Tensor, diagonal: Tensor) -> Tensor:
    """The same x as (A + CᵀC)⁻¹ Cᵀ1, for histories that are longer than the vectors."""
    system = vectors.mT @ vectors  # [batch, dim, dim]
    system.diagonal(dim1=1, dim2=2).add_(diagonal)
    return _solve_positive(system, vectors.sum(1)[..., None])[..., 0]


def _solve_positive(system: Tensor, right: Tensor) -> Tensor:
    """The solutions of positive definite systems, in float64 if one is singular in float32."""
    factor, failed = torch.linalg.cholesky_ex(system)
    if bool(failed.any()):  # the penalty is too small for float32
        exact: Tensor = torch.linalg.solve(system.double(), right.double())
        return exact.to(system.dtype)
    solution: Tensor = torch.cholesky_solve(right, factor)
    return solution


def _split_batches(history: sparse.csr_array, dim: int, size: int) -> list[IndexArray]:
    """Rows with a history, in batches of similar length, the longest first."""
    lengths = np.diff(history.indptr).astype(np.int64)
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    negative_lengths = -lengths[order]
    batches = []
    start = 0
    while start < len(order):
        longest = -int(negative_lengths[start])
        # padding to the longest row of the batch adds at most a tenth, or four items
        similar = int(np.searchsorted(negative_lengths, -min(longest / 1.1, longest - 4), side="right"))
        end = min(max(similar, start + 1), start + max(size // (longest * dim), 1))
        batches.append(order[start:end].astype(np.int64))
        start = end
    return batches


def _pad_histories(history: sparse.csr_array, rows: IndexArray) -> IndexArray:
    """The items [batch, m] of the histories of some rows, padded with n, the position of the zero vector."""
    starts = history.indptr[rows].astype(np.int64)
    lengths = history.indptr[rows + 1].astype(np.int64) - starts
    offset = np.arange(int(lengths.max()))
    inside = offset < lengths[:, None]
    position = np.where(inside, starts[:, None] + offset, 0)
    return np.where(inside, history.indices[position], history.shape[1]).astype(np.int64)
