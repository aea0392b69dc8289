"""Initial vectors of users and items from the leading singular vectors of the interaction matrix."""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.linalg.csr import csr_tensor
from graphrec.linalg.svd import spectrum

#: Exponents b and e of N = D_U^-b R D_I^-e, the defaults of graph_filter.
USER_EXPONENT, ITEM_EXPONENT = 0.35, 0.5

#: α of the response α − λ to an eigenvalue λ, the default of graph_filter.
PLATEAU = 1.2


def compute_spectral_init(
    matrix: sparse.csr_array, dim: int, std: float, rng: np.random.Generator, equal: bool = False
) -> Tensor:
    """Initial vectors [num_users + num_items, dim] whose dot products are a low-rank graph filter, up to a factor.

    The singular value decomposition N = D_U^-b R D_I^-e = U Σ Vᵀ of an interaction matrix R gives users U Σ g^½ and
    items V g^½, with the response g = α − σ²/σ₁² of graph_filter. Users and items are each scaled to the root mean
    square `std`; if `equal`, each vector is, as for cosines. Nodes without interactions are normally distributed with
    standard deviation `std`, columns beyond the rank of R with a hundredth of it.
    """
    degree = [np.maximum(matrix.sum(axis=axis), 1).astype(np.float32) for axis in (1, 0)]
    scaled = sparse.diags_array(degree[0] ** -USER_EXPONENT) @ matrix @ sparse.diags_array(degree[1] ** -ITEM_EXPONENT)
    n = sparse.csr_array(scaled)
    vectors, squares = spectrum(n, dim, rng)  # [num_items, k], [k]
    items = vectors * (PLATEAU - squares / squares[:1]).sqrt()
    users = csr_tensor(n) @ items
    start = torch.from_numpy(rng.normal(0.0, std, (sum(matrix.shape), dim)).astype(np.float32))
    num_edges = torch.from_numpy(
        np.concatenate([np.diff(matrix.indptr), np.bincount(matrix.indices, minlength=len(items))])
    )
    spectral = torch.cat([part * (std / _root_mean_square(part, equal)) for part in (users, items)])
    start[num_edges > 0, spectral.shape[1] :] *= 0.01
    start[num_edges > 0, : spectral.shape[1]] = spectral[num_edges > 0]
    return start


def _root_mean_square(x: Tensor, by_row: bool) -> Tensor:
    squares = x.square()
    return (squares.mean(1, keepdim=True) if by_row else squares.mean()).sqrt().clamp(min=1e-12)
