"""Ranked lists in the graph and to publish; a list has the best end nodes of a start node, with scores."""

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

#: Batch size: start nodes whose lists are read in one query.
NODES_A_PIECE = 2_000

#: The columns of a list: `t` (the end nodes), `score`, `rank` and the other properties of its edges.
Columns = Mapping[str, list[Any]]


@dataclass(frozen=True)
class TargetLists:
    """The lists to publish: edges sorted by start node and then by rank.

    Attributes:
        edges: the edges of all lists.
        offsets: positions in `edges`: list i has those from offsets[i] up to offsets[i + 1] [num_lists + 1].
    """

    edges: SortedEdges
    offsets: Integers

    @classmethod
    def from_frame(cls, kind: EdgeType, frame: pd.DataFrame) -> "TargetLists":
        """The lists of a table with source_id, target_id, score and rank; further columns become edge properties.

        Lists are sorted by rank, and their ranks are renumbered from 1 to n.
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
        """The positions of the edges of the chosen lists, ascending."""
        is_chosen = np.zeros(len(self), dtype=bool)
        is_chosen[chosen] = True
        return np.flatnonzero(is_chosen[self.edges.start])

    def columns(self) -> Columns:
        """The end nodes and the properties of all edges, in the order of `edges`."""
        everything = np.arange(len(self.edges))
        columns = {name: to_python(self.edges.column(name, everything)) for name in self.edges.kind.properties}
        return {"t": self.edges.ends[self.edges.end].tolist(), **columns}


@dataclass(frozen=True)
class StoredList:
    """A list in the graph: the id of its start node, its layer and its columns."""

    start: str
    layer: int
    columns: Columns


def find_starts_with_lists(store: Store, kind: EdgeType, starts: Sequence[str]) -> Sequence[str]:
    """The start nodes that have lists; all of `starts` if there are so many edges that the query would not pay off."""
    (edges,) = store.read(f"MATCH ()-[r:{quote(kind.relation)}]->() RETURN count(r) AS number")
    if edges["number"] >= len(starts):
        return starts
    (row,) = store.read(
        f"MATCH (a:{quote(kind.source)})-[:{quote(kind.relation)}]->() RETURN collect(DISTINCT a.id) AS ids"
    )
    ids: list[str] = row["ids"]
    return ids


def read_lists(store: Store, kind: EdgeType, starts: Sequence[str]) -> Iterator[list[StoredList]]:
    """The lists that start nodes have in all layers, those of NODES_A_PIECE start nodes at a time.

    Edges without a number as `version` were not written by graphrec and are left out.
    """
    columns = {"t": "t", **{f"c{number}": name for number, name in enumerate(kind.properties)}}
    pieces = (starts[begin : begin + NODES_A_PIECE] for begin in range(0, len(starts), NODES_A_PIECE))
    for rows in read_edges_in_pieces(store, kind, pieces, "r.version > 0", group=("layer", "r.version")):
        yield [
            StoredList(row["s"], row["layer"], {name: row[column] for column, name in columns.items()}) for row in rows
        ]
