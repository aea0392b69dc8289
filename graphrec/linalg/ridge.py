"""Ridge regressions of many users (or items) at once, each on the vectors of its own history and on all vectors."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.linalg.threads import one_thread
from graphrec.vocabulary import IndexArray

#: Numbers in the gathered vectors of one batch; what fits into the processor's cache is solved fastest.
BATCH = {"cpu": 1 << 19, "cuda": 1 << 26}


@dataclass(frozen=True, eq=False)
class Basis:
    """Vectors [n + 1, dim] in the basis in which their Gram matrix is the diagonal `eigenvalues` [dim]; the last one
    is zero and fills up batches of unequal histories."""

    table: Tensor
    eigenvalues: Tensor

    @classmethod
    def of(cls, vectors: Tensor) -> Self:
        """The vectors [n, dim] in the eigenbasis of their Gram matrix; their dot products stay as they are."""
        with one_thread():
            values, rotation = torch.linalg.eigh((vectors.T @ vectors).double())
        return cls.restored(vectors @ rotation.to(vectors.dtype), values.clamp(min=0).to(vectors.dtype))

    @classmethod
    def restored(cls, vectors: Tensor, eigenvalues: Tensor) -> Self:
        """Vectors [n, dim] that are in this basis already."""
        return cls(torch.cat([vectors, vectors.new_zeros(1, vectors.shape[1])]), eigenvalues)

    @property
    def vectors(self) -> Tensor:
        """The vectors [n, dim] without the zero."""
        return self.table[:-1]


def solve(basis: Basis, history: sparse.csr_array, unobserved_weight: float, penalty: Tensor) -> Tensor:
    """The minima x [rows, dim] of Σ_{i in history} (x·v_i − 1)² + α Σ_i (x·v_i)² + penalty ‖x‖², one for each row.

    `history` [rows, n] says by its non-zeros which vectors a row has chosen, `penalty` is [rows]; a row that has
    chosen none gets zeros. Exact up to float32: a row with m choices costs m²·dim, at most dim²·m operations.
    """
    solution = torch.zeros(history.shape[0], basis.table.shape[1], device=basis.table.device)
    damping = unobserved_weight * basis.eigenvalues

    def fill(rows: IndexArray) -> None:
        index = torch.from_numpy(rows).to(solution.device)
        diagonal = damping + penalty[index, None]  # [batch, dim]
        chosen = basis.table[torch.from_numpy(_padded(history, rows)).to(solution.device)]  # [batch, m, dim]
        narrow = chosen.shape[1] < chosen.shape[2]
        solution[index] = _by_choices(chosen, diagonal) if narrow else _by_dimensions(chosen, diagonal)

    batches = _batches(history, basis.table.shape[1], BATCH["cpu" if solution.device.type == "cpu" else "cuda"])
    workers = torch.get_num_threads() if solution.device.type == "cpu" else 1
    if min(len(batches), workers) <= 1:
        for rows in batches:
            fill(rows)
        return solution
    with one_thread(), ThreadPoolExecutor(workers) as pool:  # batches share nothing, so no thread waits for another
        list(pool.map(fill, batches))
    return solution


def _by_choices(chosen: Tensor, diagonal: Tensor) -> Tensor:
    """x = A⁻¹Cᵀ(I + C A⁻¹ Cᵀ)⁻¹ 1 for C = chosen [batch, m, dim] and A = the diagonal [batch, dim] (Woodbury)."""
    root = diagonal.rsqrt()
    scaled = chosen * root[:, None]
    gram = scaled @ scaled.mT  # [batch, m, m]
    gram.diagonal(dim1=1, dim2=2).add_(1.0)
    weights = _positive_solve(gram, gram.new_ones(gram.shape[0], gram.shape[1], 1))
    return (scaled.mT @ weights)[..., 0] * root


def _by_dimensions(chosen: Tensor, diagonal: Tensor) -> Tensor:
    """x = (A + CᵀC)⁻¹ Cᵀ1, for histories that are longer than the vectors."""
    system = chosen.mT @ chosen  # [batch, dim, dim]
    system.diagonal(dim1=1, dim2=2).add_(diagonal)
    return _positive_solve(system, chosen.sum(1)[..., None])[..., 0]


def _positive_solve(system: Tensor, right: Tensor) -> Tensor:
    factor, failed = torch.linalg.cholesky_ex(system)
    if bool(failed.any()):  # a penalty so small that the system is singular in float32
        exact: Tensor = torch.linalg.solve(system.double(), right.double())
        return exact.to(system.dtype)
    solution: Tensor = torch.cholesky_solve(right, factor)
    return solution


def _batches(history: sparse.csr_array, dim: int, size: int) -> list[IndexArray]:
    """Rows with choices, those with similar numbers of them together, the longest first."""
    lengths = np.diff(history.indptr).astype(np.int64)
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    falling = -lengths[order]
    batches = []
    start = 0
    while start < len(order):
        longest = -int(falling[start])
        # shorter rows are filled up with zeros to the longest of their batch: at most a tenth, or four
        similar = int(np.searchsorted(falling, -min(longest / 1.1, longest - 4), side="right"))
        end = min(max(similar, start + 1), start + max(size // (longest * dim), 1))
        batches.append(order[start:end].astype(np.int64))
        start = end
    return batches


def _padded(history: sparse.csr_array, rows: IndexArray) -> IndexArray:
    """The choices [batch, m] of some rows; padded with the position after the last if a row has fewer than m."""
    starts = history.indptr[rows].astype(np.int64)
    lengths = history.indptr[rows + 1].astype(np.int64) - starts
    place = np.arange(int(lengths.max()))
    inside = place < lengths[:, None]
    position = np.where(inside, starts[:, None] + place, 0)
    return np.where(inside, history.indices[position], history.shape[1]).astype(np.int64)
