"""Products with fixed sparse matrices, whose gradients are CSR products too."""

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
    """A matrix [rows, columns] that is not learned, and its transposed, both as CSR tensors on one device.

    torch transposes a CSR matrix again in each backward step, which takes three times as long as the product.
    """

    matrix: Tensor
    transposed: Tensor

    @classmethod
    def of(cls, matrix: sparse.csr_array, device: torch.device) -> "Product":
        """The product with a scipy matrix."""
        both = (matrix, sparse.csr_array(matrix.T.tocsr()))
        return cls(*(csr_tensor(part).to(device) for part in both))

    def __matmul__(self, x: Tensor) -> Tensor:
        """matrix · x, [rows, dim] for x [columns, dim], with a gradient for x."""
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


def normalised(matrix: sparse.csr_array, row_exponent: float, column_exponent: float) -> sparse.csr_array:
    """D_r^{-a} M D_c^{-b} float32 of a matrix M without negative entries: D its row and column sums, a and b the
    exponents. (1, 0) gives the means over rows, (½, ½) LightGCN's smoothing; empty rows and columns stay empty."""
    scale = []
    for axis, exponent in ((1, row_exponent), (0, column_exponent)):
        total = np.asarray(matrix.sum(axis=axis), dtype=np.float64).ravel()
        scale.append(np.where(total > 0, total, 1.0) ** -exponent)
    scaled = sparse.diags_array(scale[0]) @ matrix @ sparse.diags_array(scale[1])
    return sparse.csr_array(scaled, dtype=np.float32)
