"""Standardisation of columns, and reduction of wide sparse matrices to a few dense columns."""

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

#: Oversampling: number of columns of the random subspace beyond the requested width.
OVERSAMPLING = 16

#: Number of products with MᵀM.
ITERATIONS = 4


def standardise(x: Tensor) -> Tensor:
    """The columns [n, dim] float32, shifted and scaled to mean 0 and variance 1; constant columns become 0."""
    centred = x.double() - x.double().mean(0)
    deviation = centred.std(0, unbiased=False)
    return (centred / deviation.where(deviation > 1e-9, torch.inf)).float()


def weight_by_inverse_frequency(matrix: sparse.csr_array) -> sparse.csr_array:
    """The matrix [n, m] with column j multiplied by log((1 + n) / (1 + n_j)) + 1, and rows then scaled to length 1.

    n_j is the number of entries of column j. The smoothed inverse document frequency of Salton and Buckley, 1988.
    """
    count = np.bincount(matrix.indices, minlength=matrix.shape[1])
    weight = np.log((1 + matrix.shape[0]) / (1 + count)) + 1
    weighted = sparse.csr_array(matrix @ sparse.diags_array(weight), dtype=np.float64)
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return sparse.csr_array(sparse.diags_array(1 / np.where(length > 0, length, 1)) @ weighted)


def reduce(matrix: sparse.csr_array, width: int, rng: np.random.Generator) -> Tensor:
    """The matrix [n, m] as a dense float32 tensor if m ≤ width, else its principal coordinates U Σ [n, width]."""
    if matrix.shape[1] <= width:
        return torch.from_numpy(matrix.toarray().astype(np.float32))
    vectors = right_singular_vectors(matrix, width, rng)
    coordinates = np.zeros((matrix.shape[0], width), dtype=np.float32)  # columns beyond the number of rows remain 0
    coordinates[:, : vectors.shape[1]] = matrix @ vectors
    return torch.from_numpy(coordinates)


def right_singular_vectors(matrix: sparse.csr_array, width: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """The leading right singular vectors [m, at most width] of a matrix [n, m].

    Randomised SVD (Halko, Martinsson and Tropp, 2011, algorithm 4.4), orthonormalised by QR. The sign of each right
    singular vector is such that its largest entry is positive, so that it does not depend on the random start.
    """
    columns = min(width + OVERSAMPLING, *matrix.shape)
    basis = np.linalg.qr(matrix.T @ rng.standard_normal((matrix.shape[0], columns)))[0]  # [m, columns]
    for _ in range(ITERATIONS):
        basis = np.linalg.qr(matrix.T @ (matrix @ basis))[0]
    _, _, right = np.linalg.svd(matrix @ basis, full_matrices=False)
    vectors: npt.NDArray[np.float64] = basis @ right[: min(width, columns)].T  # [m, width]
    largest = np.abs(vectors).argmax(axis=0)
    vectors *= np.where(vectors[largest, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
    return vectors
