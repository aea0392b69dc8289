"""The leading right singular vectors of a sparse matrix, in seconds on two cores."""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.models.base import csr_tensor
from graphrec.models.threads import one_thread

#: Columns of the random subspace beyond the rank that is asked for.
OVERSAMPLING = 32

#: Products with NᵀN; four give Gowalla the same recall as a converged SVD.
ITERATIONS = 4

#: Up to this length of the shorter side a dense eigendecomposition is faster, and exact.
DENSE = 1000


def spectrum(matrix: sparse.csr_array, rank: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Vectors V [columns, k] with orthonormal columns, and eigenvalues σ² [k] descending, of the leading part of
    NᵀN for a matrix N [rows, columns]; k ≤ rank, directions without any weight are left out.

    Halko, Martinsson and Tropp, 2011, algorithm 4.4, on NᵀN with a Rayleigh-Ritz step at the end; orthonormalised
    by the Gram matrix after every second product instead of QR after each, which takes a third of the time.
    """
    shorter = min(matrix.shape)
    if shorter <= max(DENSE, rank + OVERSAMPLING):
        return _dense(matrix, rank)
    forward, backward = csr_tensor(matrix), csr_tensor(matrix.T.tocsr())
    start = rng.standard_normal((matrix.shape[0], rank + OVERSAMPLING), dtype=np.float32)
    x = backward @ torch.from_numpy(start)  # [columns, rank + oversampling]
    for step in range(ITERATIONS):
        if step % 2 == 0:
            x = x @ _whitening(x)
        x = backward @ (forward @ x)
    basis = _whitening(x)
    image = forward @ x
    gram = basis.T @ (image.T @ image) @ basis
    values, vectors = _descending(gram, rank)
    return x @ (basis @ vectors), values


def _dense(matrix: sparse.csr_array, rank: int) -> tuple[Tensor, Tensor]:
    wide = matrix.shape[0] <= matrix.shape[1]
    gram = (matrix @ matrix.T if wide else matrix.T @ matrix).toarray()
    values, vectors = _descending(torch.from_numpy(gram), rank)
    if wide:  # NᵀU = VΣ
        vectors = csr_tensor(matrix.T.tocsr()) @ vectors / values.sqrt()
    return vectors, values


def _whitening(x: Tensor) -> Tensor:
    """W [columns, k] such that x W has orthonormal columns; directions that float32 cannot resolve are dropped."""
    gram = (x.T @ x).double()
    with one_thread():
        factor, failed = torch.linalg.cholesky_ex(gram)
    diagonal = factor.diagonal()
    if not failed and diagonal.min() > 1e-3 * diagonal.max():
        identity = torch.eye(len(gram), dtype=gram.dtype)
        inverse: Tensor = torch.linalg.solve_triangular(factor, identity, upper=False)
        return inverse.T.float()
    with one_thread():
        values, vectors = torch.linalg.eigh(gram)
    keep = values > 1e-6 * values[-1]
    whitening: Tensor = vectors[:, keep] / values[keep].sqrt()
    return whitening.float()


def _descending(gram: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The largest eigenvalues, at most `rank`, and their vectors, without those that are zero up to rounding."""
    with one_thread():
        values, vectors = torch.linalg.eigh(gram.double())
    values, vectors = values.flip(0)[:rank], vectors.flip(1)[:, :rank]
    keep = values > max(1e-6 * float(values[0]), 1e-12) if len(values) else values > 0
    return values[keep].float(), vectors[:, keep].float()
