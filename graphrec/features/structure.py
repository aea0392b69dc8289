"""Features from the degrees of a node and of its neighbours."""

import torch
from torch import Tensor

from graphrec.hetero import HeteroGraph
from graphrec.schema import Triple


def list_outgoing(graph: HeteroGraph, label: str) -> list[Triple]:
    """The edge types that start at a label, including reverse ones, in the order of the graph."""
    return [triple for triple in graph.data.edge_types if triple[0] == label]


def count_edges(graph: HeteroGraph, triple: Triple) -> Tensor:
    """The number of edges of a type that start at each node, [num_sources] float32."""
    start = graph.data[triple].edge_index[0]
    return torch.bincount(start, minlength=graph.data[triple[0]].num_nodes).float()


def structure_features(graph: HeteroGraph, label: str) -> Tensor | None:
    """Two columns for each edge type that starts at a label, [num_nodes, 2 · num_types] float32; None without any.

    log(1 + degree) of the node, and the mean of log(1 + degree) of its neighbours, which distinguishes popular from
    rare neighbours. An undirected relation counts in both directions, as the graph stores it.
    """
    columns = []
    for triple in list_outgoing(graph, label):
        start, end = graph.data[triple].edge_index
        degree = count_edges(graph, triple)
        neighbour_degree = torch.bincount(end, minlength=graph.data[triple[2]].num_nodes).float().log1p()
        total = torch.zeros_like(degree).index_add_(0, start, neighbour_degree[end])
        columns += [degree.log1p(), total / degree.clamp(min=1)]
    return torch.stack(columns, dim=1) if columns else None
