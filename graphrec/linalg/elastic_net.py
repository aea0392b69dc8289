"""Many small regressions with squared and absolute penalties and without negative coefficients, at the same time."""

import torch
from torch import Tensor

#: Sweeps over all coefficients, at most.
SWEEPS = 200

#: The descent ends when no coefficient of the batch has changed by more than this in a sweep.
TOLERANCE = 1e-4


def solve(gram: Tensor, target: Tensor, sparsity: float, regularisation: float) -> Tensor:
    """The minima x [batch, m] of ½ xᵀGx − xᵀt + λ₁ Σx + λ₂/2 ‖x‖² with x ≥ 0, for each t [m] of `target` [batch, m].

    `gram` [m, batch, m] holds row k of all G at position k, which is how they are read; a target of -inf keeps its
    coefficient at 0. Coordinate descent (Friedman et al., 2010), the same coordinate of all problems in one step.
    """
    num_coefficients = len(gram)
    solution = torch.zeros_like(target.T)  # [m, batch]
    rest = target - sparsity  # t − λ₁ − Gx [batch, m]
    own = gram.diagonal(dim1=0, dim2=2).T.contiguous()  # G_kk [m, batch]
    damped = own + regularisation
    for _ in range(SWEEPS):
        largest = target.new_zeros(())
        for k in range(num_coefficients):
            better = ((rest[:, k] + own[k] * solution[k]) / damped[k]).clamp_(min=0.0)
            change = better - solution[k]
            rest.addcmul_(change[:, None], gram[k], value=-1.0)
            solution[k] = better
            largest = torch.maximum(largest, change.abs().max())
        if float(largest) <= TOLERANCE:
            break
    return solution.T
