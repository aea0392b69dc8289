"""When the edges of a node happened."""

import math

import torch
from torch import Tensor

from graphrec.features.structure import leaving
from graphrec.hetero import HeteroGraph
from graphrec.schema import Triple

DAY = 86_400
WEEK = 7 * DAY

#: Columns for each edge type with times.
WIDTH = 8


def time_features(graph: HeteroGraph, label: str) -> Tensor | None:
    """Eight columns for each edge type with times that starts at a label, [num_nodes, 8 · such types] float32.

    known: 1 where the node has an edge with a time; all others are 0 where it has none.
    first, last: when the first and the last edge happened, 0 to 1 over all edges of the type.
    activity: log(1 + edges with a time / days from the first to the last, at least one day).
    day cosine, day sine, week cosine, week sine: the mean direction of the edges on the circle of the day and of the
        week in UTC; short where a node is active at all hours. The week begins on Thursday, as Unix time does.

    None where no such edge type has a time.
    """
    blocks = [
        _block(graph, triple)
        for triple in leaving(graph, label)
        if "timestamp" in graph.data[triple] and bool(graph.data[triple].timestamp.isfinite().any())
    ]
    return torch.cat(blocks, dim=1) if blocks else None


def _block(graph: HeteroGraph, triple: Triple) -> Tensor:
    store, num_nodes = graph.data[triple], graph.data[triple[0]].num_nodes
    known = store.timestamp.isfinite()  # NaN is an unknown time
    node, moment = store.edge_index[0][known], store.timestamp[known].double()
    count = torch.bincount(node, minlength=num_nodes).double()
    earliest, latest = moment.min(), moment.max()
    span = (latest - earliest).clamp(min=1)
    bounds = [
        torch.zeros(num_nodes, dtype=torch.float64).scatter_reduce_(0, node, moment, how, include_self=False)
        for how in ("amin", "amax")
    ]
    days = ((bounds[1] - bounds[0]) / DAY).clamp(min=1)
    columns = [(count > 0).double()]
    columns += [torch.where(count > 0, (bound - earliest) / span, 0) for bound in bounds]
    columns.append((count / days).log1p())
    for period in (DAY, WEEK):
        angle = 2 * math.pi * (moment % period) / period
        for part in (angle.cos(), angle.sin()):
            total = torch.zeros(num_nodes, dtype=torch.float64).index_add_(0, node, part)
            columns.append(total / count.clamp(min=1))
    return torch.stack(columns, dim=1).float()
