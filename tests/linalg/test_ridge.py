"""Ridge regressions of many histories at once, against the dense system of each alone."""

import numpy as np
import pytest
import torch
from scipy import sparse

from graphrec.linalg.ridge import Basis, solve


@pytest.mark.parametrize("dim", [3, 40])
def test_histories_of_unequal_lengths_are_each_solved_alone(dim: int) -> None:
    """Rows that are filled up in a batch, with histories longer and shorter than the vectors, and an empty one."""
    rng = np.random.default_rng(0)
    chosen = rng.random((8, 12)) < 0.5
    chosen[3] = False
    basis = Basis.of(torch.from_numpy(rng.normal(size=(12, dim)).astype(np.float32)))
    penalty = rng.random(8).astype(np.float32) + 0.5
    found = solve(basis, sparse.csr_array(chosen.astype(np.float32)), 0.2, torch.from_numpy(penalty))
    vectors = basis.vectors.double().numpy()
    for row in range(8):
        own = vectors[chosen[row]]
        system = own.T @ own + 0.2 * vectors.T @ vectors + penalty[row] * np.eye(dim)
        np.testing.assert_allclose(found[row], np.linalg.solve(system, own.sum(axis=0)), atol=1e-4)
