"""Scores of items without interactions, from their attributes alone."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.kernel import Kernel
from graphrec.models.graph_filter.scoring import FilterScores


def score_new_items(
    config: GraphFilterConfig,
    kernel: Kernel,
    scores: FilterScores,
    signals: sparse.csr_array,
    attributes: Mapping[str, sparse.csr_array],
    degree: float,
) -> Tensor:
    """Scores [batch, n] float32 of new items with a given degree, for signals [batch, num_items].

    `attributes` has rows [n, num_values] of the items by relation; relations that the kernel does not have are ignored.
    """
    rows = scores.damp(signals)
    vectors = scores.eigenvectors()
    profile = torch.from_numpy((rows @ vectors.numpy()).astype(np.float32)) * scores.response().float().cpu()
    total = torch.zeros(rows.shape[0], next(iter(attributes.values())).shape[0] if attributes else 0)
    path_rows = rows if kernel.ridge_diagonal is None else scores.regress(rows, kernel.ridge_diagonal)
    for name in [name for name in attributes if name in kernel.attributes]:
        new = kernel.attributes[name].rows(sparse.csr_array(attributes[name]))
        total += profile @ compute_new_item_vectors(kernel, vectors, name, new).T
        path_scores = (path_rows @ kernel.attributes[name].narrow()) @ new.T
        total += (
            config.path_weight
            / kernel.top_squared_singular_value
            * torch.from_numpy(path_scores.toarray().astype(np.float32))
        )
    return total.mul_(degree**config.target_exponent)


def compute_new_item_vectors(kernel: Kernel, vectors: Tensor, name: str, rows: sparse.csr_array) -> Tensor:
    """V of items without interactions, [n, k], from their scaled rows f [n, num_values] and the V of the other items.

    v = f FᵀV / (λ σ₁²), the row of such an item in the decomposition V = N'ᵀN' V / (λ σ₁²).
    """
    projected = kernel.attributes[name].factor.T @ vectors.numpy()
    new_vectors: npt.NDArray[np.float32] = (rows @ projected) / (
        kernel.eigenvalues.cpu().numpy() * kernel.top_squared_singular_value
    )
    return torch.from_numpy(new_vectors.astype(np.float32))
