"""Elastic-net regressions with non-negative coefficients, many small ones at once."""

import torch
from torch import Tensor

#: Maximum number of sweeps over all coefficients.
SWEEPS = 200

#: Tolerance: the descent ends if no coefficient of the batch changes by more than this in a sweep.
TOLERANCE = 1e-4


def solve(gram: Tensor, target: Tensor, sparsity: float, regularisation: float) -> Tensor:
    """The minima x [batch, m] of ½ xᵀGx − xᵀt + λ₁ Σx + λ₂/2 ‖x‖² with x ≥ 0, for each t [m] of `target` [batch, m].

    Coordinate descent (Friedman, Hastie and Tibshirani, 2010) that updates the same coordinate of all problems at once.

    Args:
        gram: the matrices G; [m, batch, m] with row k of all G at position k.
        target: the vectors t, [batch, m]; an entry of -inf keeps its coefficient at 0.
        sparsity: λ₁.
        regularisation: λ₂.
    """
    num_coefficients = len(gram)
    solution = torch.zeros_like(target.T)  # [m, batch]
    residual = target - sparsity  # t − λ₁ − Gx [batch, m]
    diagonal = gram.diagonal(dim1=0, dim2=2).T.contiguous()  # G_kk [m, batch]
    denominator = diagonal + regularisation
    for _ in range(SWEEPS):
        largest = target.new_zeros(())
        for k in range(num_coefficients):
            updated = ((residual[:, k] + diagonal[k] * solution[k]) / denominator[k]).clamp_(min=0.0)
            change = updated - solution[k]
            residual.addcmul_(change[:, None], gram[k], value=-1.0)
            solution[k] = updated
            largest = torch.maximum(largest, change.abs().max())
        if float(largest) <= TOLERANCE:
            break
    return solution.T
