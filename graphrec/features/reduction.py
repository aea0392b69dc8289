"""Wide sparse matrices as a few dense columns."""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

#: Columns of the random subspace beyond the width that is asked for.
OVERSAMPLING = 16

#: Products with MᵀM before the subspace counts as found.
ITERATIONS = 4


def standardise(x: Tensor) -> Tensor:
    """The columns [n, dim] float32 with mean 0 and variance 1; a column of one value becomes 0."""
    centred = x.double() - x.double().mean(0)
    deviation = centred.std(0, unbiased=False)
    return (centred / deviation.where(deviation > 1e-9, torch.inf)).float()


def inverse_frequency(matrix: sparse.csr_array) -> sparse.csr_array:
    """The matrix [n, m] with column j times log((1 + n) / (1 + n_j)) + 1 for its n_j entries, and rows of length 1.

    The smoothed form of Salton and Buckley, 1988: terms of few rows weigh more than terms of all.
    """
    count = np.bincount(matrix.indices, minlength=matrix.shape[1])
    weight = np.log((1 + matrix.shape[0]) / (1 + count)) + 1
    weighted = sparse.csr_array(matrix @ sparse.diags_array(weight), dtype=np.float64)
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return sparse.csr_array(sparse.diags_array(1 / np.where(length > 0, length, 1)) @ weighted)


def reduce(matrix: sparse.csr_array, width: int, rng: np.random.Generator) -> Tensor:
    """The matrix [n, m] itself, dense, where m ≤ width, else its leading `width` principal coordinates U Σ [n, width].

    float32. Randomised SVD (Halko, Martinsson and Tropp, 2011, algorithm 4.4), orthonormalised by QR; each right
    vector points where its largest entry is positive, so that the random start decides no sign.
    """
    if matrix.shape[1] <= width:
        return torch.from_numpy(matrix.toarray().astype(np.float32))
    columns = min(width + OVERSAMPLING, *matrix.shape)
    basis = np.linalg.qr(matrix.T @ rng.standard_normal((matrix.shape[0], columns)))[0]  # [m, columns]
    for _ in range(ITERATIONS):
        basis = np.linalg.qr(matrix.T @ (matrix @ basis))[0]
    _, _, right = np.linalg.svd(matrix @ basis, full_matrices=False)
    vectors = basis @ right[: min(width, columns)].T  # [m, width]
    largest = np.abs(vectors).argmax(axis=0)
    vectors *= np.where(vectors[largest, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
    found = np.zeros((matrix.shape[0], width), dtype=np.float32)  # fewer rows than columns leave the last ones 0
    found[:, : vectors.shape[1]] = matrix @ vectors
    return torch.from_numpy(found)
