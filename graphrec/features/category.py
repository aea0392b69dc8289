"""Features from attribute values such as genres, tags and brands."""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from graphrec.features.reduction import reduce, weight_by_inverse_frequency
from graphrec.hetero import HeteroGraph
from graphrec.relations import build_relations


def select_attributes(graph: HeteroGraph, label: str) -> dict[str, sparse.csr_array]:
    """The attribute matrices [num_nodes, num_values] of users or items by relation; empty for other labels."""
    graph_relations = build_relations(graph)
    if label == graph.target[0]:
        return dict(graph_relations.user_attributes)
    return dict(graph_relations.item_attributes) if label == graph.target[2] else {}


def category_features(graph: HeteroGraph, label: str, rng: np.random.Generator, width: int = 64) -> Tensor | None:
    """The attribute values of each node, [num_nodes, at most `width` columns per relation] float32; None without
    attributes.

    A relation with at most `width` values has one column per value (one-hot, or multi-hot for nodes with several
    values; counts become 1). A wider relation is weighted by inverse frequency and reduced to its `width` leading
    principal coordinates.
    """
    blocks = []
    for matrix in select_attributes(graph, label).values():
        present = sparse.csr_array(
            (np.ones(matrix.nnz, dtype=np.float32), matrix.indices, matrix.indptr), shape=matrix.shape
        )
        wide = matrix.shape[1] > width
        blocks.append(reduce(weight_by_inverse_frequency(present) if wide else present, width, rng))
    return torch.cat(blocks, dim=1) if blocks else None
