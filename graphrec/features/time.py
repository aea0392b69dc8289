"""Features from the times of the edges of a node."""

import math

import torch
from torch import Tensor

from graphrec.features.structure import list_outgoing
from graphrec.hetero import HeteroGraph
from graphrec.schema import Triple

DAY = 86_400
WEEK = 7 * DAY


def time_features(graph: HeteroGraph, label: str) -> Tensor | None:
    """Ten columns for each edge type with times that starts at a label, [num_nodes, 10 · num_types] float32; None if
    there is no such edge type.

    known: 1 if the node has an edge with a time; without one all columns are 0.
    first, last: times of the first and the last edge, scaled to 0 … 1 over all edges of the type.
    activity: log(1 + edges with a time / days from the first to the last of them), counting at least one day.
    recency: log(1 + days from the last edge of the node to the last one of the type).
    gap: log(1 + mean days between an edge of the node and the next), 0 with one edge.
    day cosine, day sine, week cosine, week sine: mean of the unit vectors of the edges' times on the circle of the day
        and of the week, in UTC; short for nodes that are active at all hours. The week starts on Thursday, like Unix
        time.
    """
    blocks = [
        _describe_times(graph, triple)
        for triple in list_outgoing(graph, label)
        if "timestamp" in graph.data[triple] and bool(graph.data[triple].timestamp.isfinite().any())
    ]
    return torch.cat(blocks, dim=1) if blocks else None


def _describe_times(graph: HeteroGraph, triple: Triple) -> Tensor:
    """The ten columns of one edge type, [num_nodes, 10] float32."""
    store, num_nodes = graph.data[triple], graph.data[triple[0]].num_nodes
    is_known = store.timestamp.isfinite()  # NaN is an unknown time
    node, moment = store.edge_index[0][is_known], store.timestamp[is_known].double()
    count = torch.bincount(node, minlength=num_nodes).double()
    earliest, latest = moment.min(), moment.max()
    span = (latest - earliest).clamp(min=1)
    bounds = [
        torch.zeros(num_nodes, dtype=torch.float64).scatter_reduce_(0, node, moment, how, include_self=False)
        for how in ("amin", "amax")
    ]
    between = (bounds[1] - bounds[0]) / DAY
    columns = [(count > 0).double()]
    columns += [torch.where(count > 0, (bound - earliest) / span, 0) for bound in bounds]
    columns.append((count / between.clamp(min=1)).log1p())
    columns.append(torch.where(count > 0, ((latest - bounds[1]) / DAY).log1p(), 0))
    columns.append((between / (count - 1).clamp(min=1)).log1p())
    for period in (DAY, WEEK):
        angle = 2 * math.pi * (moment % period) / period
        for part in (angle.cos(), angle.sin()):
            total = torch.zeros(num_nodes, dtype=torch.float64).index_add_(0, node, part)
            columns.append(total / count.clamp(min=1))
    return torch.stack(columns, dim=1).float()
