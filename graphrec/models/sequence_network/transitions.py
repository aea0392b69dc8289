"""The graph of transitions between items, and item vectors from its singular vectors."""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.histories import Histories
from graphrec.linalg.events import Events
from graphrec.linalg.svd import spectrum
from graphrec.linalg.transitions import PairWeights, sum_transitions

#: Threshold: transitions over so many steps that their weight is below it are left out.
MIN_WEIGHT = 0.02


def sum_undirected(histories: Histories, decay: float) -> sparse.csr_array:
    """C + Cᵀ [num_items, num_items] float32: C_ij is the sum of decay^(q − p − 1) over items i, j at positions p < q of
    a history, without pairs that weigh less than MIN_WEIGHT."""
    window = 1 + (int(np.log(MIN_WEIGHT) / np.log(decay)) if decay else 0)
    num_items = histories.num_items
    events = Events.of(histories.indptr, histories.items, num_items)
    return sum_transitions(events, PairWeights(decay, 1.0, window), np.ones(num_items, dtype=np.float32), num_items)


def compute_transition_init(
    histories: Histories, dim: int, decay: float, std: float, rng: np.random.Generator
) -> Tensor:
    """Initial item vectors [num_items, dim] from the singular vectors V and values Σ of D^-½ (C + Cᵀ) D^-½.

    C + Cᵀ is that of `sum_undirected`, and D are its row sums. The rows of V Σ^½ are scaled to the root mean
    square `std`. Items without transitions are normally distributed with standard deviation `std`.
    """
    both = sum_undirected(histories, decay)
    scale = sparse.diags_array(np.maximum(both.sum(axis=1), 1e-12).astype(np.float32) ** -0.5)
    vectors, squares = spectrum(sparse.csr_array(scale @ both @ scale), dim, rng)  # [num_items, k], [k]
    vectors = vectors * squares.clamp(min=0).sqrt().sqrt()
    start = torch.from_numpy(rng.normal(0.0, std, (histories.num_items, dim)).astype(np.float32))
    length = vectors.norm(dim=1, keepdim=True)
    has_transitions = (length > 1e-9).squeeze(1)
    start[has_transitions] *= 0.01  # columns beyond the rank of the graph
    start[has_transitions, : vectors.shape[1]] = (vectors / length * (std * dim**0.5))[has_transitions]
    return start
