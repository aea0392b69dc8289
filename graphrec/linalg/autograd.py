"""Products with constant sparse matrices whose gradients are CSR products too."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.autograd import Function

from graphrec.linalg.csr import csr_tensor


@dataclass(frozen=True, eq=False)
class Product:
    """A constant matrix [rows, columns] and its transpose, both as CSR tensors on one device.

    torch would transpose the CSR matrix in every backward step, which needs three times as long as the product.
    """

    matrix: Tensor
    transposed: Tensor

    @classmethod
    def of(cls, matrix: sparse.csr_array, device: torch.device) -> "Product":
        """The product with a scipy matrix."""
        matrices = (matrix, sparse.csr_array(matrix.T.tocsr()))
        return cls(*(csr_tensor(part).to(device) for part in matrices))

    def __matmul__(self, x: Tensor) -> Tensor:
        """matrix · x [rows, dim] for x [columns, dim], differentiable in x."""
        result: Tensor = _Multiply.apply(x, self)  # type: ignore[no-untyped-call]
        return result


class _Multiply(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, product: Product) -> Tensor:  # ctx: torch's own
        ctx.product = product
        return product.matrix @ x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # ctx: torch's own
        return ctx.product.transposed @ gradients[0].contiguous(), None


def normalise_sums(matrix: sparse.csr_array, row_exponent: float, column_exponent: float) -> sparse.csr_array:
    """D_r^-a M D_c^-b float32 for a matrix M without negative entries, the diagonal matrices D_r and D_c of its row and
    column sums, and exponents a and b.

    (1, 0) makes each row sum to 1, (½, ½) is the normalisation of LightGCN. Empty rows and columns stay empty.
    """
    scale = []
    for axis, exponent in ((1, row_exponent), (0, column_exponent)):
        total = np.asarray(matrix.sum(axis=axis), dtype=np.float64).ravel()
        scale.append(np.where(total > 0, total, 1.0) ** -exponent)
    scaled = sparse.diags_array(scale[0]) @ matrix @ sparse.diags_array(scale[1])
    return sparse.csr_array(scaled, dtype=np.float32)
