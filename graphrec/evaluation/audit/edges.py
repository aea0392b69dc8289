"""The edges of a graph as an audit reads them: which part each type plays, and in words."""

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

#: target, reverse: the behaviour to predict, and the same read backwards; behaviour: others from users to items, with
#: their reverses; backward: edges from items to users that are no reverse (and theirs); event: other behaviour and
#: social edges; system: what graphrec published; attribute: all else.
Role = Literal["target", "reverse", "behaviour", "backward", "event", "system", "attribute"]

#: How many examples a check has.
SHOWN = 5

_REVERSE = reverse_name("")


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges of one type: positions [n] of both ends, and Unix seconds [n] (NaN where not known) or None."""

    triple: Triple
    source: IndexArray
    target: IndexArray
    time: npt.NDArray[Any] | None  # int64 or float64

    def __len__(self) -> int:
        return len(self.source)

    def ends(self, target: Triple) -> tuple[IndexArray, IndexArray]:
        """The users and the items of edges that join them, whichever comes first."""
        return (self.source, self.target) if self.triple[0] == target[0] else (self.target, self.source)

    def late(self, cut: int | None) -> Mask:
        """Which edges lie at or after the cut."""
        if cut is None or self.time is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(self.time >= cut)

    def num_timed(self) -> int:
        """How many edges have a known time."""
        return 0 if self.time is None else int(len(self) - np.isnan(self.time).sum())


def read(graph: HeteroGraph, triple: Triple) -> Edges:
    """The edges of one type of a graph, which share its memory."""
    store = graph.data[triple]
    source, target = store.edge_index.numpy()
    return Edges(triple, source, target, store.timestamp.numpy() if "timestamp" in store else None)


def as_edges(rows: Interactions, target: Triple) -> Edges:
    """Interactions as edges of the behaviour to predict."""
    return Edges(target, rows.user_index, rows.item_index, rows.time)


def having(graph: HeteroGraph, *roles: Role) -> Iterator[Edges]:
    """The edges of all types of a graph that play one of the roles, in the order of the graph."""
    for triple in graph.data.edge_types:
        if role(triple, graph.target) in roles and "edge_index" in graph.data[triple]:
            yield read(graph, triple)


def role(triple: Triple, target: Triple) -> Role:
    """The part that an edge type plays beside the behaviour to predict."""
    source, relation, destination = triple
    name = relation.removeprefix(_REVERSE)
    forward = triple if name == relation else (destination, name, source)
    joined = (forward[0], forward[2])
    if name in SYSTEM_RELATIONS:
        return "system"
    if forward == target:
        return "target" if name == relation else "reverse"
    if joined == (target[0], target[2]):
        return "behaviour"
    if joined == (target[2], target[0]):
        return "backward"
    if name in BEHAVIOURS or name in SOCIAL or joined == (target[0], target[0]):
        return "event"
    return "attribute"


def check(graph: HeteroGraph, kind: str, looked_at: int, found: Iterable[tuple[Edges, Mask]]) -> Check:
    """The check of a kind from the edges that leak: how many, and the first few in words."""
    leaks = 0
    shown: list[str] = []
    for edges, mask in found:
        rows = np.flatnonzero(mask)
        leaks += len(rows)
        shown += [_said(graph, edges, int(row)) for row in rows[: SHOWN - len(shown)]]
    return Check(kind, looked_at, leaks, tuple(shown))


def _said(graph: HeteroGraph, edges: Edges, row: int) -> str:
    """One edge in words: `ann -[RATED]-> alien (2024-03-01 12:00:00 UTC)`."""
    label, relation, other = edges.triple
    source = graph.vocabularies[label].ids[int(edges.source[row])]
    target = graph.vocabularies[other].ids[int(edges.target[row])]
    when = ""
    if edges.time is not None and not np.isnan(edges.time[row]):
        when = f" ({str(np.datetime64(int(edges.time[row]), 's')).replace('T', ' ')} UTC)"
    return f"{source} -[{relation}]-> {target}{when}"
