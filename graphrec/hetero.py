"""The property graph as a PyG HeteroData with vocabularies: build, save and load it."""

import copy
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from graphrec.atomic_write import atomic_write
from graphrec.behaviours import behaviour_type
from graphrec.errors import DataError, GraphrecError, UnknownNameError
from graphrec.heterodata import BaseStorage, EdgeStorage, HeteroData, NodeStorage
from graphrec.interactions import Interactions
from graphrec.schema import Triple, reverse_name
from graphrec.tables import EdgeTable, GraphTables
from graphrec.vocabulary import Vocabulary

Column: TypeAlias = "pd.Series[Any]"  # a column of any type
Mask: TypeAlias = npt.NDArray[np.bool_]

#: The classes in a saved HeteroData besides tensors; torch unpickles no other classes from an export.
PYG_CLASSES = [HeteroData, BaseStorage, NodeStorage, EdgeStorage]


@dataclass(frozen=True, eq=False)
class HeteroGraph:
    """A HeteroData, the ids behind its positions, and the behaviour that models predict.

    Node types are labels and edge types are (source label, relationship type, target label), as in the database; each
    edge type has a reverse type `rev_…` with the same properties. `vocabularies` maps a label to the ids of its nodes,
    and `RELATION.property` to the texts of a coded edge property. `sources` names the sources of the graph; None:
    unknown.
    """

    data: HeteroData
    vocabularies: Mapping[str, Vocabulary]
    target: Triple
    sources: tuple[str, ...] | None = None

    @property
    def users(self) -> Vocabulary:
        """The ids of the users."""
        return self.vocabularies[self.target[0]]

    @property
    def items(self) -> Vocabulary:
        """The ids of the items."""
        return self.vocabularies[self.target[2]]


def build(tables: GraphTables, relation: str | None = None) -> HeteroGraph:
    """A HeteroGraph of all tables; numbers become tensors, texts on edges become codes with a vocabulary.

    Texts on nodes (titles) are left out. A missing number is NaN, which makes its column float64. `relation` is the
    behaviour to predict; None: the strongest in the tables.

    Raises:
        DataError: there is no behaviour between users and items.
        UnknownNameError: `relation` is not among the behaviours.
    """
    target = _find_target(tables, relation)
    data = HeteroData()
    vocabularies: dict[str, Vocabulary] = {}
    for nodes in tables.nodes:
        label = nodes.type.label
        vocabularies[label] = Vocabulary.of(label, nodes.frame["id"])
        data[label].num_nodes = len(nodes.frame)
        for name in nodes.type.properties:
            if _is_number(nodes.frame[name]):
                data[label][name] = _to_tensor(nodes.frame[name])
    for name, values in _collect_texts(tables.edges).items():
        vocabularies[name] = Vocabulary.of(name, values)
    for edges in tables.edges:
        _add_edges(data, edges, vocabularies)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a label without edges, such as items before the first rating, is no error
        data.validate(raise_on_error=True)
    return HeteroGraph(data, vocabularies, target, tuple(source.name for source in tables.sources))


def drop_reverse_types(graph: HeteroGraph) -> HeteroGraph:
    """The graph without the edge types `rev_…`; the input is not changed.

    PyG's `ToUndirected` expects this, since it would add the reverse of a reverse type.
    """
    data = copy.copy(graph.data)
    forward = set(data.edge_types)
    for triple in graph.data.edge_types:
        source, relation, target = triple
        name = relation.removeprefix(reverse_name(""))
        if name != relation and (target, name, source) in forward:
            del data[triple]
    return HeteroGraph(data, graph.vocabularies, graph.target)


def with_vectors(
    graph: HeteroGraph, label: str, name: str, ids: Sequence[str], vectors: npt.NDArray[np.float32]
) -> HeteroGraph:
    """The graph with a property of vectors [num_nodes, dim] float32 on a label, 0 for nodes that are not among `ids`;
    the input is not changed."""
    data = copy.copy(graph.data)
    x = torch.zeros(int(data[label].num_nodes), vectors.shape[1])
    x[torch.from_numpy(graph.vocabularies[label].index(ids))] = torch.from_numpy(vectors)
    data[label][name] = x
    return replace(graph, data=data)


def interactions(graph: HeteroGraph) -> Interactions:
    """The target behaviour of a graph as Interactions, with weight and time if its edges have them."""
    store = graph.data[graph.target]
    user_index, item_index = store.edge_index.numpy()
    names = behaviour_type(graph.target[1]).weight_properties
    weight = next((store[name] for name in names if name in store), None)
    time = store.get("timestamp")
    if time is not None and time.is_floating_point():  # some edges have no time, so there is no global order
        time = None
    return Interactions(
        user_index.astype(np.int64),
        item_index.astype(np.int64),
        len(graph.users),
        len(graph.items),
        None if weight is None else weight.numpy().astype(np.float32),
        None if time is None else time.numpy().astype(np.int64),
    )


def save(graph: HeteroGraph, path: Path) -> None:
    """Write a graph, with the reverse edges that it has, to a file that `torch.load(…, weights_only=False)` opens as a
    HeteroData with `vocabularies` and `target` inside.

    The file is complete or absent. Raises GraphrecError if it cannot be written.
    """
    stored = copy.copy(graph.data)
    stored.vocabularies = {name: list(vocabulary.ids) for name, vocabulary in graph.vocabularies.items()}
    stored.target = list(graph.target)
    if graph.sources is not None:
        stored.sources = list(graph.sources)
    with atomic_write(path) as partial, partial.open("wb") as file:  # opened here: torch hides the reason of a failure
        torch.save(stored, file)


def load(path: Path) -> HeteroGraph:
    """The graph that `save` wrote. Raises GraphrecError if the file is missing or is not such a graph."""
    try:
        with torch.serialization.safe_globals(PYG_CLASSES):
            data = torch.load(path, weights_only=True)
        vocabularies = {name: Vocabulary.of(name, ids) for name, ids in data.vocabularies.items()}
        source, relation, target = data.target
    except FileNotFoundError as error:
        raise GraphrecError(f"there is no file {path}; `graphrec export --out {path}` writes it") from error
    except Exception as error:  # torch raises many kinds of errors for other files
        raise GraphrecError(f"{path} is not a graph that graphrec exported: {_first_line(error)}") from error
    sources = tuple(data.sources) if "sources" in data else None  # earlier versions did not save them
    del data.vocabularies, data.target
    if sources is not None:
        del data.sources
    return HeteroGraph(data, vocabularies, (source, relation, target), sources)


def _find_target(tables: GraphTables, relation: str | None) -> Triple:
    behaviours = tables.schema.behaviours()
    if not behaviours:
        raise DataError(
            "the graph has no relationships from User to Item, so there is nothing to learn from; "
            "load a source with behaviour first, for example `graphrec load movielens`"
        )
    if relation is None:
        return behaviours[0].triple
    matches = [edge for edge in behaviours if edge.relation == relation]
    if not matches:
        raise UnknownNameError("behaviour", relation, [edge.relation for edge in behaviours])
    return matches[0].triple


def _add_edges(data: HeteroData, edges: EdgeTable, vocabularies: Mapping[str, Vocabulary]) -> None:
    kind, frame = edges.type, edges.frame
    ends = np.stack(
        [vocabularies[kind.source].index(frame["source_id"]), vocabularies[kind.target].index(frame["target_id"])]
    )
    order = np.lexsort((ends[1], ends[0]))  # by source, so that a CSR view needs no sorting
    forward = data[kind.triple]
    forward.edge_index = torch.from_numpy(ends[:, order])
    for name in [column for column in frame.columns if column not in ("source_id", "target_id")]:
        values = frame[name].iloc[order]
        if _is_number(values):
            forward[name] = _to_tensor(values)
        else:
            forward[name] = _encode_texts(values, vocabularies[property_key(kind.relation, name)])
    backward = data[reverse(kind.triple)]
    by_target = torch.from_numpy(np.lexsort((ends[0][order], ends[1][order])))
    for name, value in forward.items():
        backward[name] = value.flip(0)[:, by_target] if name == "edge_index" else value[by_target]


def _collect_texts(tables: Iterable[EdgeTable]) -> dict[str, "pd.Index[str]"]:
    """The distinct texts of each coded edge property, sorted, over all tables of one relationship type."""
    texts: dict[str, pd.Index[str]] = {}
    for table in tables:
        for column in table.frame.columns:
            values = table.frame[column]
            if column not in ("source_id", "target_id") and not _is_number(values):
                key = property_key(table.type.relation, column)
                distinct = pd.Index(values.dropna().astype("str").unique(), dtype="str")
                texts[key] = (texts[key].union(distinct) if key in texts else distinct).sort_values()
    return texts


def property_key(relation: str, name: str) -> str:
    """The key in `HeteroGraph.vocabularies` of a coded edge property."""
    return f"{relation}.{name}"


def reverse(triple: Triple) -> Triple:
    """The reverse type of an edge type."""
    source, relation, target = triple
    return (target, reverse_name(relation), source)


def _is_number(values: Column) -> bool:
    return pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)


def _to_tensor(values: Column) -> Tensor:
    array = values.to_numpy(dtype=np.float64, na_value=np.nan) if values.isna().any() else values.to_numpy()
    return torch.from_numpy(np.array(array))


def _encode_texts(values: Column, vocabulary: Vocabulary) -> Tensor:
    """Positions of texts in their vocabulary, -1 for missing texts."""
    return torch.from_numpy(np.asarray(vocabulary.ids.get_indexer(pd.Index(values, dtype="str")), dtype=np.int64))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
