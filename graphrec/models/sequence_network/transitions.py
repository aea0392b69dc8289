"""The graph of transitions between items, and item vectors from its singular vectors."""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.histories import Histories
from graphrec.linalg.svd import spectrum

#: Threshold: transitions over so many steps that their weight is below it are left out.
MIN_WEIGHT = 0.02


def count_transitions(histories: Histories, decay: float) -> sparse.csr_array:
    """C [num_items, num_items]: C_ij is the sum of decay^(q − p − 1) over items i, j at positions p < q of a history.

    Pairs with a weight below MIN_WEIGHT are left out.
    """
    items, user, num_items = histories.items, histories.users, histories.num_items
    longest = 1 + (int(np.log(MIN_WEIGHT) / np.log(decay)) if decay else 0)
    counts = sparse.csr_array(sparse.eye_array(num_items, dtype=np.float32) * np.float32(0))
    for gap in range(1, min(longest, len(items) - 1) + 1):
        same = user[gap:] == user[:-gap]
        weight = np.full(int(same.sum()), decay ** (gap - 1), dtype=np.float32)
        part = sparse.csr_array((weight, (items[:-gap][same], items[gap:][same])), shape=(num_items, num_items))
        counts = sparse.csr_array(counts + part)
    return counts


def compute_transition_init(
    histories: Histories, dim: int, decay: float, std: float, rng: np.random.Generator
) -> Tensor:
    """Initial item vectors [num_items, dim] from the singular vectors V and values Σ of D^-½ (C + Cᵀ) D^-½.

    C are the counts of `count_transitions`, D the row sums of C + Cᵀ. The rows of V Σ^½ are scaled to the root mean
    square `std`. Items without transitions are normally distributed with standard deviation `std`.
    """
    counts = count_transitions(histories, decay)
    both = counts + counts.T
    scale = sparse.diags_array(np.maximum(both.sum(axis=1), 1e-12).astype(np.float32) ** -0.5)
    vectors, squares = spectrum(sparse.csr_array(scale @ both @ scale), dim, rng)  # [num_items, k], [k]
    vectors = vectors * squares.clamp(min=0).sqrt().sqrt()
    start = torch.from_numpy(rng.normal(0.0, std, (histories.num_items, dim)).astype(np.float32))
    length = vectors.norm(dim=1, keepdim=True)
    has_transitions = (length > 1e-9).squeeze(1)
    start[has_transitions] *= 0.01  # columns beyond the rank of the graph
    start[has_transitions, : vectors.shape[1]] = (vectors / length * (std * dim**0.5))[has_transitions]
    return start
