"""Lists as the graph has them, and as they are to be: for each start node the best end nodes with their scores."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from graphrec.schema import ITEM, RECOMMENDED, SIMILAR, USER, EdgeType
from graphrec.store import Store
from graphrec.store.connection import quote
from graphrec.store.edges import Integers, SortedEdges, to_python
from graphrec.store.read import read_edges_in_pieces

RECOMMENDATIONS = EdgeType(USER, RECOMMENDED, ITEM, ("score", "rank"))
SIMILAR_ITEMS = EdgeType(ITEM, SIMILAR, ITEM, ("score", "rank"))

#: Start nodes asked for at once.
NODES_A_PIECE = 2_000

#: A list's cells by column: `t` the end nodes, `score`, `rank`, and whatever else its edges have.
Cells = Mapping[str, list[Any]]


@dataclass(frozen=True)
class TargetLists:
    """The lists to be published: edges sorted by start node and then by rank, with the first and last of each list."""

    edges: SortedEdges
    offsets: Integers  # [num_lists + 1], positions in edges

    @classmethod
    def of(cls, kind: EdgeType, frame: pd.DataFrame) -> "TargetLists":
        """The lists of a table with source_id, target_id, score and rank; further columns become properties too.

        A list has the order of its ranks, and its edges get their places in it, 1 to n, for ranks.
        """
        start, starts = pd.factorize(frame["source_id"])
        end, ends = pd.factorize(frame["target_id"])
        order = np.lexsort((frame["rank"].to_numpy(), start))
        offsets = np.searchsorted(start[order], np.arange(len(starts) + 1))
        rank = np.empty(len(frame), dtype=np.int64)
        rank[order] = np.arange(len(frame)) - offsets[start[order]] + 1
        extra = tuple(name for name in frame.columns if name not in ("source_id", "target_id", "score", "rank"))
        edges = SortedEdges(
            EdgeType(kind.source, kind.relation, kind.target, (*kind.properties, *extra)),
            frame.assign(rank=rank),
            pd.Index(starts, dtype=object),
            pd.Index(ends, dtype=object),
            start[order].astype(np.int32),
            end[order].astype(np.int32),
            order.astype(np.int32),
        )
        return cls(edges, offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def find_edges(self, chosen: Integers) -> Integers:
        """The positions of the edges of some lists, ascending."""
        mine = np.zeros(len(self), dtype=bool)
        mine[chosen] = True
        return np.flatnonzero(mine[self.edges.start])

    def cells(self) -> Cells:
        """The end nodes and the properties of all edges in their order."""
        everything = np.arange(len(self.edges))
        columns = {name: to_python(self.edges.column(name, everything)) for name in self.edges.kind.properties}
        return {"t": self.edges.ends[self.edges.end].tolist(), **columns}


@dataclass(frozen=True)
class StoredList:
    """A list of the graph: the start node's id, the layer it stands in, and its cells."""

    start: str
    layer: int
    cells: Cells


def find_starts_with_lists(store: Store, kind: EdgeType, starts: Sequence[str]) -> Sequence[str]:
    """Those of all start nodes that have lists, or all where that would take longer to find out than it saves."""
    (edges,) = store.read(f"MATCH ()-[r:{quote(kind.relation)}]->() RETURN count(r) AS number")
    if edges["number"] >= len(starts):
        return starts
    (row,) = store.read(
        f"MATCH (a:{quote(kind.source)})-[:{quote(kind.relation)}]->() RETURN collect(DISTINCT a.id) AS ids"
    )
    found: list[str] = row["ids"]
    return found


def read_lists(store: Store, kind: EdgeType, starts: Sequence[str]) -> Iterator[list[StoredList]]:
    """The lists that start nodes have in all layers, those of NODES_A_PIECE start nodes at a time.

    SortedEdges without a number as `version` were not written by graphrec, and are left out.
    """
    columns = {"t": "t", **{f"c{number}": name for number, name in enumerate(kind.properties)}}
    pieces = (starts[begin : begin + NODES_A_PIECE] for begin in range(0, len(starts), NODES_A_PIECE))
    for rows in read_edges_in_pieces(store, kind, pieces, "r.version > 0", group=("layer", "r.version")):
        yield [
            StoredList(row["s"], row["layer"], {name: row[column] for column, name in columns.items()}) for row in rows
        ]
