"""Edges of a graph for the audit: arrays with times, the role of each type, and examples as text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from graphrec.behaviours import BEHAVIOURS
from graphrec.evaluation.audit.findings import Check
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.schema import SOCIAL, SYSTEM_RELATIONS, Triple, reverse_name
from graphrec.vocabulary import IndexArray

Mask = npt.NDArray[np.bool_]

#: target, reverse: the behaviour to predict and its reverse; behaviour: other edges from users to items and their
#: reverses; backward: other edges from items to users and their reverses; event: other behaviour and social edges;
#: system: edges that graphrec published; attribute: all others.
Role = Literal["target", "reverse", "behaviour", "backward", "event", "system", "attribute"]

#: Cap on the examples of a check.
MAX_EXAMPLES = 5

_REVERSE = reverse_name("")


@dataclass(frozen=True, eq=False)
class TypedEdges:
    """Edges of one type: positions [n] of both ends, and Unix seconds [n] (NaN if unknown) or None."""

    triple: Triple
    source: IndexArray
    target: IndexArray
    time: npt.NDArray[Any] | None  # int64 or float64

    def __len__(self) -> int:
        return len(self.source)

    def ends(self, target: Triple) -> tuple[IndexArray, IndexArray]:
        """The users and the items of edges between users and items, in either direction."""
        return (self.source, self.target) if self.triple[0] == target[0] else (self.target, self.source)

    def is_late(self, cut: int | None) -> Mask:
        """Mask [n] of the edges at or after the cut."""
        if cut is None or self.time is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(self.time >= cut)

    def num_timed(self) -> int:
        """The number of edges with a known time."""
        return 0 if self.time is None else int(len(self) - np.isnan(self.time).sum())


def read_edges(graph: HeteroGraph, triple: Triple) -> TypedEdges:
    """The edges of one type of a graph, as views of its tensors."""
    store = graph.data[triple]
    source, target = store.edge_index.numpy()
    return TypedEdges(triple, source, target, store.timestamp.numpy() if "timestamp" in store else None)


def as_edges(rows: Interactions, target: Triple) -> TypedEdges:
    """Interactions as edges of the behaviour to predict."""
    return TypedEdges(target, rows.user_index, rows.item_index, rows.time)


def edges_with_role(graph: HeteroGraph, *roles: Role) -> Iterator[TypedEdges]:
    """The edges of all types with one of the roles, in the order of the graph."""
    for triple in graph.data.edge_types:
        if role_of(triple, graph.target) in roles and "edge_index" in graph.data[triple]:
            yield read_edges(graph, triple)


def role_of(triple: Triple, target: Triple) -> Role:
    """The role of an edge type relative to the behaviour to predict."""
    source, relation, destination = triple
    name = relation.removeprefix(_REVERSE)
    forward = triple if name == relation else (destination, name, source)
    labels = (forward[0], forward[2])
    if name in SYSTEM_RELATIONS:
        return "system"
    if forward == target:
        return "target" if name == relation else "reverse"
    if labels == (target[0], target[2]):
        return "behaviour"
    if labels == (target[2], target[0]):
        return "backward"
    if name in BEHAVIOURS or name in SOCIAL or labels == (target[0], target[0]):
        return "event"
    return "attribute"


def summarise_check(graph: HeteroGraph, kind: str, num_checked: int, found: Iterable[tuple[TypedEdges, Mask]]) -> Check:
    """The Check of a kind from masks of leaking edges, with the first few as examples."""
    num_leaks = 0
    examples: list[str] = []
    for edges, mask in found:
        rows = np.flatnonzero(mask)
        num_leaks += len(rows)
        examples += [_describe_edge(graph, edges, int(row)) for row in rows[: MAX_EXAMPLES - len(examples)]]
    return Check(kind, num_checked, num_leaks, tuple(examples))


def _describe_edge(graph: HeteroGraph, edges: TypedEdges, row: int) -> str:
    """One edge as text: `ann -[RATED]-> alien (2024-03-01 12:00:00 UTC)`."""
    label, relation, other = edges.triple
    source = graph.vocabularies[label].ids[int(edges.source[row])]
    target = graph.vocabularies[other].ids[int(edges.target[row])]
    when = ""
    if edges.time is not None and not np.isnan(edges.time[row]):
        when = f" ({str(np.datetime64(int(edges.time[row]), 's')).replace('T', ' ')} UTC)"
    return f"{source} -[{relation}]-> {target}{when}"
