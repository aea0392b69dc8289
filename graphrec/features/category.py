"""Which genres, tags, brands … a node has."""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.features.reduction import inverse_frequency, reduce
from graphrec.hetero import HeteroGraph
from graphrec.relations import build_relations


def attributes(graph: HeteroGraph, label: str) -> dict[str, sparse.csr_array]:
    """The attribute matrices [num_nodes, num_values] of users or items by relation; empty for other labels."""
    found = build_relations(graph)
    if label == graph.target[0]:
        return dict(found.user_attributes)
    return dict(found.item_attributes) if label == graph.target[2] else {}


def category_features(graph: HeteroGraph, label: str, rng: np.random.Generator, width: int = 64) -> Tensor | None:
    """The attributes of each node, [num_nodes, dim ≤ width for each relation] float32; None where it has none.

    A relation with at most `width` values gives one column for each value (one-hot, or multi-hot where a node has
    several; 0 or 1, whatever the count). A wider one is weighted by inverse frequency and cut to its leading
    `width` principal coordinates.
    """
    blocks = []
    for matrix in attributes(graph, label).values():
        present = sparse.csr_array(
            (np.ones(matrix.nnz, dtype=np.float32), matrix.indices, matrix.indptr), shape=matrix.shape
        )
        wide = matrix.shape[1] > width
        blocks.append(reduce(inverse_frequency(present) if wide else present, width, rng))
    return torch.cat(blocks, dim=1) if blocks else None
