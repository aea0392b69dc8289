"""Initial vectors of users and items from the leading singular vectors of the interaction matrix."""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.linalg.csr import csr_tensor
from graphrec.linalg.svd import spectrum

#: N = D_U^{-b} R D_I^{-e}: the exponents that graph_filter uses.
USER_EXPONENT, ITEM_EXPONENT = 0.35, 0.5

#: The response to the eigenvalue λ is PLATEAU − λ.
PLATEAU = 1.2


def spectral_start(
    matrix: sparse.csr_array, dim: int, std: float, rng: np.random.Generator, equal: bool = False
) -> Tensor:
    """Vectors [num_users + num_items, dim] whose dot products are a low-rank graph filter, up to their scale.

    N = U Σ Vᵀ = D_U^{-b} R D_I^{-e} of an interaction matrix R gives users U Σ g^½ and items V g^½ with graph_filter's
    response g = 1.2 − σ²/σ₁². Users and items are scaled to the root mean square `std`, or each single one where all
    shall be `equal`, as for cosines. Nodes without interactions are normal with that deviation, columns beyond the
    rank of R with a hundredth of it.
    """
    degree = [np.maximum(matrix.sum(axis=axis), 1).astype(np.float32) for axis in (1, 0)]
    damped = sparse.diags_array(degree[0] ** -USER_EXPONENT) @ matrix @ sparse.diags_array(degree[1] ** -ITEM_EXPONENT)
    n = sparse.csr_array(damped)
    vectors, squares = spectrum(n, dim, rng)  # [num_items, k], [k]
    items = vectors * (PLATEAU - squares / squares[:1]).sqrt()
    users = csr_tensor(n) @ items
    start = torch.from_numpy(rng.normal(0.0, std, (sum(matrix.shape), dim)).astype(np.float32))
    known = torch.from_numpy(
        np.concatenate([np.diff(matrix.indptr), np.bincount(matrix.indices, minlength=len(items))])
    )
    found = torch.cat([part * (std / _root_mean_square(part, equal)) for part in (users, items)])
    start[known > 0, found.shape[1] :] *= 0.01
    start[known > 0, : found.shape[1]] = found[known > 0]
    return start


def _root_mean_square(x: Tensor, of_rows: bool) -> Tensor:
    squares = x.square()
    return (squares.mean(1, keepdim=True) if of_rows else squares.mean()).sqrt().clamp(min=1e-12)
