"""Builds a HeteroGraph from arrays of positions, as the files of published splits contain them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from graphrec.hetero import HeteroGraph
from graphrec.heterodata import HeteroData
from graphrec.interactions import Interactions
from graphrec.schema import Triple, reverse_name
from graphrec.vocabulary import IndexArray, Vocabulary


@dataclass(frozen=True, eq=False)
class EdgeArrays:
    """Edges of one type: positions [n] of source and target nodes, and properties of [n] numbers or texts each."""

    triple: Triple
    source: IndexArray
    target: IndexArray
    properties: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)  # numbers of any type, or texts


def edges_of(triple: Triple, pairs: Interactions) -> EdgeArrays:
    """Interactions as edges, with the weight as property `rating` and the time as `timestamp`."""
    properties = {"rating": pairs.weight, "timestamp": pairs.time}
    present = {name: values for name, values in properties.items() if values is not None}
    return EdgeArrays(triple, pairs.user_index, pairs.item_index, present)


def assemble(nodes: Mapping[str, int | Iterable[str]], edges: Iterable[EdgeArrays], target: Triple) -> HeteroGraph:
    """The graph of nodes, given by label as their number or their ids, and of edges, each with its reverse.

    Nodes given as a number have their positions as ids. Edges are sorted by source. A text property is encoded with the
    vocabulary `RELATION.property`, as in a graph exported from the store.
    """
    data = HeteroData()
    vocabularies: dict[str, Vocabulary] = {}
    for label, count_or_ids in nodes.items():
        ids = np.arange(count_or_ids).astype(str) if isinstance(count_or_ids, int) else list(count_or_ids)
        vocabularies[label] = Vocabulary(label, pd.Index(ids, dtype="str"))
        data[label].num_nodes = len(ids)
    for part in edges:
        source, relation, destination = part.triple
        order = np.lexsort((part.target, part.source))
        edge_index = torch.from_numpy(np.stack([part.source, part.target])[:, order])
        values = {name: _encode(relation, name, vocabularies, array) for name, array in part.properties.items()}
        forward, backward = data[part.triple], data[destination, reverse_name(relation), source]
        forward.edge_index, backward.edge_index = edge_index, edge_index.flip(0)
        for name, value in values.items():
            forward[name] = backward[name] = value[torch.from_numpy(order)]
    return HeteroGraph(data, vocabularies, target)


def drop(graph: HeteroGraph, relations: Iterable[str]) -> HeteroGraph:
    """The graph without the edges of some relationship types and their reverses; all nodes are kept."""
    dropped = set(relations)
    dropped |= {reverse_name(name) for name in dropped}
    data = HeteroData()
    for label in graph.data.node_types:
        for name, value in graph.data[label].items():
            data[label][name] = value
    for triple in graph.data.edge_types:
        if triple[1] not in dropped:
            for name, value in graph.data[triple].items():
                data[triple][name] = value
    return HeteroGraph(data, graph.vocabularies, graph.target)


def relation_names(graph: HeteroGraph) -> list[str]:
    """The relationship types of a graph except the one to predict, in the order of the graph."""
    names = (triple[1] for triple in graph.data.edge_types if triple != graph.target)
    return list(dict.fromkeys(name for name in names if not name.startswith("rev_")))


def num_edges(graph: HeteroGraph) -> dict[str, int]:
    """The number of edges of each relationship type, without reverses."""
    counts: dict[str, int] = {}
    for triple in graph.data.edge_types:
        if not triple[1].startswith("rev_"):
            counts[triple[1]] = counts.get(triple[1], 0) + int(graph.data[triple].edge_index.shape[1])
    return counts


def _encode(relation: str, name: str, vocabularies: dict[str, Vocabulary], values: npt.NDArray[Any]) -> Tensor:
    if values.dtype.kind not in "OUST":
        return torch.from_numpy(np.array(values))  # a copy: a column of a table may be read-only
    codes, distinct = pd.factorize(values, sort=True)
    vocabularies[f"{relation}.{name}"] = Vocabulary.of(f"{relation}.{name}", pd.Index(distinct, dtype="str"))
    return torch.from_numpy(codes.astype(np.int64))
