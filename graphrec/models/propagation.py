"""Light graph convolution on a symmetric CSR matrix, for all rows or for those of a batch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.autograd import Function

from graphrec.linalg.autograd import Product
from graphrec.linalg.csr import csr_tensor
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True, eq=False)
class Adjacency:
    """Ã = D^-½ A D^-½ [n, n] of users, then items: as a scipy matrix, to select rows, and as a tensor, to multiply."""

    matrix: sparse.csr_array
    tensor: Tensor

    @classmethod
    def of(cls, interactions: sparse.csr_array, device: torch.device) -> "Adjacency":
        """The normalised adjacency of an interaction matrix [num_users, num_items] (He et al., SIGIR 2020, eq. 3)."""
        damping = [np.maximum(interactions.sum(axis=axis), 1).astype(np.float32) ** -0.5 for axis in (1, 0)]
        half = sparse.diags_array(damping[0]) @ interactions @ sparse.diags_array(damping[1])
        matrix = sparse.csr_array(sparse.block_array([[None, half], [half.T, None]], format="csr"))
        return cls(matrix, csr_tensor(matrix).to(device))


def compute_layers(x: Tensor, adjacency: Adjacency, num_layers: int) -> list[Tensor]:
    """[x, Ãx, Ã²x, …], num_layers + 1 matrices of the shape of x [n, dim]."""
    layers = [x]
    for _ in range(num_layers):
        layers.append(adjacency.tensor @ layers[-1])
    return layers


def propagate(x: Tensor, adjacency: Adjacency, num_layers: int, rows: IndexArray | None) -> Tensor:
    """The mean of the layers 0 … K of x [n, dim] at some rows, or at all for None: [len(rows), dim].

    He et al., SIGIR 2020, eq. 4 with αₖ = 1/(K+1) and K = num_layers, in Horner's form (x + Ã(x + Ã(x + …)))/(K+1). The
    last product is computed for `rows` only, and so is the first product of the gradient, since Ã is symmetric.
    """
    function = _PropagateAll if rows is None else _PropagateRows
    arguments = (x, adjacency, num_layers) if rows is None else (x, adjacency, num_layers, rows)
    result: Tensor = function.apply(*arguments)  # type: ignore[no-untyped-call]
    return result


def multiply(adjacency: Adjacency, x: Tensor) -> Tensor:
    """Ãx [n, dim]; the gradient is a product with Ã too, since Ã is symmetric."""
    return Product(adjacency.tensor, adjacency.tensor) @ x


class _PropagateAll(Function):
    """The smoothing of all rows; it is symmetric, so its gradient is the same function."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, adjacency: Adjacency, num_layers: int) -> Tensor:  # ctx: torch's own
        ctx.saved = (adjacency, num_layers)
        return _horner(x, x, adjacency, num_layers) / (num_layers + 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:  # ctx: torch's own
        adjacency, num_layers = ctx.saved
        gradient = gradients[0].contiguous()
        return _horner(gradient, gradient, adjacency, num_layers) / (num_layers + 1), None, None


class _PropagateRows(Function):
    """The smoothing of some rows, with its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, adjacency: Adjacency, num_layers: int, rows: IndexArray) -> Tensor:  # ctx: torch's
        selected = adjacency.matrix[rows]
        index = torch.from_numpy(rows).to(x.device)
        ctx.saved = (adjacency, selected, num_layers, index, x.shape)
        result = x[index]
        if num_layers:
            z = _horner(x, x, adjacency, num_layers - 1)
            result = result + csr_tensor(selected).to(x.device) @ z  # [rows, n] · [n, dim]
        return result / (num_layers + 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:  # ctx: torch's own
        adjacency, selected, num_layers, index, shape = ctx.saved
        gradient = gradients[0] / (num_layers + 1)
        full = gradient.new_zeros(shape).index_add_(0, index, gradient)
        if not num_layers:
            return full, None, None, None
        first = csr_tensor(selected.T.tocsr()).to(gradient.device) @ gradient  # Ã · full, by its non-zero rows
        return _horner(full, full + first, adjacency, num_layers - 1), None, None, None


def _horner(x: Tensor, start: Tensor, adjacency: Adjacency, times: int) -> Tensor:
    """z after `times` steps z ← x + Ãz from z = start, [n, dim]."""
    z = start
    for _ in range(times):
        z = torch.addmm(x, adjacency.tensor, z)
    return z
