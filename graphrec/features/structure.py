"""What the number of edges says about a node."""

import torch
from torch import Tensor

from graphrec.hetero import HeteroGraph
from graphrec.schema import Triple


def leaving(graph: HeteroGraph, label: str) -> list[Triple]:
    """The edge types that start at a label, reversed ones among them, in the order of the graph."""
    return [triple for triple in graph.data.edge_types if triple[0] == label]


def degree(graph: HeteroGraph, triple: Triple) -> Tensor:
    """How many edges of a type start at each node, [num_nodes of its source] float32."""
    start = graph.data[triple].edge_index[0]
    return torch.bincount(start, minlength=graph.data[triple[0]].num_nodes).float()


def structure_features(graph: HeteroGraph, label: str) -> Tensor | None:
    """Two columns for each edge type that starts at a label, [num_nodes, 2 · edge types] float32, None without any.

    log(1 + degree) of the node, and the mean of log(1 + degree) of its neighbours by the same edges: whether it
    meets the popular or the rare. An undirected relation is read in both directions, as the graph holds it.
    """
    columns = []
    for triple in leaving(graph, label):
        start, end = graph.data[triple].edge_index
        mine = degree(graph, triple)
        received = torch.bincount(end, minlength=graph.data[triple[2]].num_nodes).float().log1p()
        total = torch.zeros_like(mine).index_add_(0, start, received[end])
        columns += [mine.log1p(), total / mine.clamp(min=1)]
    return torch.stack(columns, dim=1) if columns else None
