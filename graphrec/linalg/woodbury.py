"""The inverse of a regularised item-item Gram matrix by the Woodbury identity, for few users."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular
from torch import Tensor

from graphrec.linalg.csr import State, csr_tensor

#: Batch size in columns of the triangular solves in double precision.
BLOCK = 2048


@dataclass(frozen=True, eq=False)
class WoodburyInverse:
    """P = (RᵀR + Λ)⁻¹ as its factors: P = Λ⁻¹ − ZᵀZ with Z = L⁻¹ R Λ⁻¹ and L Lᵀ = I + R Λ⁻¹ Rᵀ (Woodbury identity).

    R [num_users, num_items] is the interaction matrix, Λ the diagonal matrix of penalties. Memory is users · items
    instead of items², and the number of operations grows with users³ instead of items³.

    factor: Z [num_users, num_items].
    scale: the diagonal of Λ⁻¹, [num_items].
    diagonal: the diagonal of P, [num_items].
    """

    factor: Tensor
    scale: Tensor
    diagonal: Tensor

    @classmethod
    def of(cls, history: sparse.csr_array, penalty: npt.NDArray[np.float32], device: torch.device) -> "WoodburyInverse":
        """The inverse for an interaction matrix R [num_users, num_items] and the diagonal of Λ, [num_items]."""
        scale = 1.0 / penalty.astype(np.float64)
        scaled = history.astype(np.float64) @ sparse.diags_array(scale)
        lower = cholesky(np.eye(history.shape[0]) + (scaled @ history.T).toarray(), lower=True, overwrite_a=True)
        factor = np.empty(history.shape, dtype=np.float32)
        diagonal = np.empty(history.shape[1])
        columns = scaled.tocsc()
        for start in range(0, history.shape[1], BLOCK):
            solved = solve_triangular(lower, columns[:, start : start + BLOCK].toarray(), lower=True, overwrite_b=True)
            factor[:, start : start + BLOCK] = solved
            diagonal[start : start + BLOCK] = scale[start : start + BLOCK] - np.square(solved).sum(axis=0)
        values = (factor, scale.astype(np.float32), diagonal.astype(np.float32))
        return cls(*(torch.from_numpy(value).to(device) for value in values))

    def score(self, history: sparse.csr_array) -> Tensor:
        """EASE's scores H (I − P diag(P)⁻¹) [batch, num_items] of histories H [batch, num_items]."""
        rows = csr_tensor(history).to(self.factor.device)
        items = np.unique(history.indices)  # of one user few: their columns are copied, not the whole factor
        part = self.factor[:, torch.from_numpy(items).to(self.factor.device)]
        signal = csr_tensor(sparse.csr_array(history[:, items])).to(self.factor.device)
        product = (signal @ part.T) @ self.factor  # [batch, num_items]
        dense = rows.to_dense()
        return dense.mul(1.0 - self.scale / self.diagonal).add_(product.div_(self.diagonal))

    def state(self) -> State:
        """The three tensors on the CPU."""
        return {field.name: getattr(self, field.name).cpu() for field in fields(self)}

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor], device: torch.device) -> "WoodburyInverse":
        """The inverse of a `state`."""
        return cls(*(state[field.name].to(device) for field in fields(cls)))
