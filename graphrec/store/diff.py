"""Compare the edges of a source with those in the graph, in pieces, to write only the differences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.store.connection import Row, Store
from graphrec.store.edges import Column, Integers, SortedEdges, to_python
from graphrec.store.read import MISSING, read_edges_in_pieces, read_ids

#: Batch sizes: edges compared at a time, and start nodes read in one query.
EDGES_A_PIECE = 100_000
NODES_A_PIECE = 5_000

#: The condition on an edge `r` of a source.
OF_SOURCE = "r.source = $source"

NO_NAMES: Mapping[str, str] = {}


@dataclass(frozen=True)
class EdgeDiff:
    """The edges to write and to delete, so that the graph has the target edges.

    Attributes:
        new, changed: edges to create and to update, as positions in the sorted target edges.
        removed: edges to delete, as rows {s, t, c0, …} of `SortedEdges.rows` with the properties of the key.
        duplicates: edges that the graph has several times, as such rows: all are deleted, and one is created again.
        keep_stored_values: whether a changed edge keeps the stored values that are missing in its target.
    """

    new: Integers
    changed: Integers
    removed: list[Row] = field(default_factory=list)
    duplicates: list[Row] = field(default_factory=list)
    keep_stored_values: bool = False

    @property
    def num_removed(self) -> int:
        """The number of edges to delete."""
        return sum(len(row["t"]) for row in self.removed)


def diff_to_empty(edges: SortedEdges) -> EdgeDiff:
    """The difference to a graph that has no edge of the source and type: all edges are new."""
    return EdgeDiff(np.arange(len(edges), dtype=np.int32), np.array([], dtype=np.int32))


def diff_edges(
    store: Store,
    edges: SortedEdges,
    source: str,
    append: bool = False,
    renamed: tuple[Mapping[str, str], ...] = (NO_NAMES,) * 2,
    keep_stored_values: bool | None = None,
) -> EdgeDiff:
    """Compare the target edges of a source and type with those in the graph.

    If `append` is set, only edges of the start nodes of `edges` are read, and no edge is deleted. `renamed` maps the
    ids of start and end nodes in the graph to their new ids. With `keep_stored_values` (by default if `append` is set)
    an edge keeps the stored values that are missing in its target.
    """
    comparison = _Comparison(edges, renamed, append, append if keep_stored_values is None else keep_stored_values)
    starts = _split_starts(store, edges, append, renamed[0])
    for piece in read_edges_in_pieces(store, edges.kind, starts, OF_SOURCE, {"source": source}):
        comparison.add(piece, [*edges.kind.properties])
    return comparison.result()


def read_stored_edges(
    store: Store, edges: SortedEdges, source: str, renamed: tuple[Mapping[str, str], ...] = (NO_NAMES,) * 2
) -> pd.DataFrame:
    """The stored properties of the `edges` that the graph has from the source, as objects, None for missing values.

    The index is the row of the edge in `edges.frame`. If the graph has an edge several times, the first one is used.
    """
    comparison = _Comparison(edges, renamed, True, True)
    names = [*edges.kind.properties]
    parts = [pd.DataFrame(columns=names, dtype=object)]
    starts = _split_starts(store, edges, True, renamed[0])
    for piece in read_edges_in_pieces(store, edges.kind, starts, OF_SOURCE, {"source": source}):
        at, cells = comparison.find(piece, names)
        known = np.flatnonzero(at >= 0)
        columns = {name: [None if cell == MISSING else cell for cell in cells[name][known]] for name in names}
        parts.append(pd.DataFrame(columns, index=edges.order[at[known]], dtype=object))
    stored = pd.concat([part for part in parts if len(part)] or parts)
    return stored[~stored.index.duplicated()]


def _split_starts(store: Store, edges: SortedEdges, append: bool, renamed: Mapping[str, str]) -> Iterator[list[str]]:
    """The ids of the start nodes to read, in pieces with about EDGES_A_PIECE edges."""
    stored = read_ids(store, edges.kind.source) if renamed or not append else edges.starts
    degree = pd.Series(np.bincount(edges.start, minlength=len(edges.starts)), index=edges.starts)
    new_ids = pd.Index([renamed.get(id_, id_) for id_ in stored], dtype=object) if renamed else stored
    size = np.cumsum(degree.reindex(new_ids, fill_value=0).to_numpy() + EDGES_A_PIECE // NODES_A_PIECE)
    for begin, stop in pairwise([0, *(np.flatnonzero(np.diff(size // EDGES_A_PIECE)) + 1).tolist(), len(stored)]):
        yield stored[begin:stop].tolist()


class _Comparison:
    """Compares stored edges, piece by piece, with the target edges and collects the differences."""

    def __init__(
        self, edges: SortedEdges, renamed: Sequence[Mapping[str, str]], append: bool, keep_stored_values: bool
    ) -> None:
        self.edges = edges
        self.append = append
        self.keep_stored_values = keep_stored_values
        self.renamed = renamed
        self.key = _Key(edges)
        self.seen = np.zeros(len(edges), dtype=bool)
        self.changed = np.zeros(len(edges), dtype=bool)
        self.duplicated = np.zeros(len(edges), dtype=bool)
        self.removed: list[Row] = []

    def add(self, piece: list[Row], names: list[str]) -> None:
        """Compare all stored edges of some start nodes."""
        at, cells = self.find(piece, names)
        known = np.flatnonzero(at >= 0)
        edge = at[known]
        first = ~pd.Series(edge).duplicated().to_numpy() & ~self.seen[edge]
        self.duplicated[edge[~first]] = True
        self.seen[edge] = True
        for name in names:
            if name not in self.key.names:
                target = self.edges.column(name, edge)
                differs = _find_differences(cells[name][known], target)
                self.changed[edge] |= differs & target.notna().to_numpy() if self.keep_stored_values else differs
        self._add_removed(piece, [len(row["t"]) for row in piece], np.flatnonzero(at < 0), cells)

    def find(self, piece: list[Row], names: list[str]) -> tuple[Integers, dict[str, npt.NDArray[np.object_]]]:
        """The position of each stored edge in the target edges, −1 if it is not among them, and its properties."""
        counts = [len(row["t"]) for row in piece]
        start = self._find_positions(0, [row["s"] for row in piece]).repeat(counts)
        end = self._find_positions(1, list(chain.from_iterable(row["t"] for row in piece)))
        cells = {
            name: _to_array(list(chain.from_iterable(row[f"c{number}"] for row in piece)))
            for number, name in enumerate(names)
        }
        return self.key.find(start, end, cells), cells

    def result(self) -> EdgeDiff:
        """The differences of all edges that were added."""
        new = np.flatnonzero(~self.seen | self.duplicated)
        changed = np.flatnonzero(self.changed & ~self.duplicated)
        duplicates = self.edges.rows(np.flatnonzero(self.duplicated), self.key.names)
        return EdgeDiff(new, changed, [] if self.append else self.removed, duplicates, self.keep_stored_values)

    def _find_positions(self, side: int, ids: list[str]) -> npt.NDArray[np.int64]:
        known = (self.edges.starts, self.edges.ends)[side]
        if renamed := self.renamed[side]:
            ids = [renamed.get(id_, id_) for id_ in ids]
        return known.get_indexer(pd.Index(ids, dtype=object)).astype(np.int64)

    def _add_removed(self, piece: list[Row], counts: list[int], rows: Integers, cells: dict[str, Any]) -> None:
        owner = np.arange(len(piece)).repeat(counts)[rows]
        offset = np.cumsum([0, *counts])
        for position in np.unique(owner):
            mine = rows[owner == position]
            ends = [piece[position]["t"][row - offset[position]] for row in mine]
            keys = {f"c{number}": cells[name][mine].tolist() for number, name in enumerate(self.key.names)}
            self.removed.append({"s": piece[position]["s"], "t": ends, **keys})


class _Key:
    """An index of edges by their ends and the properties of their key, which identify an edge."""

    def __init__(self, edges: SortedEdges) -> None:
        self.names = [*(edges.kind.key or ())]
        self.width = max(len(edges.ends), 1)
        everything = np.arange(len(edges))
        self.known = [pd.Index(_to_stored(edges.frame[name].drop_duplicates())) for name in self.names]
        parts = [
            known.get_indexer(pd.Index(_to_stored(edges.column(name, everything))))
            for name, known in zip(self.names, self.known, strict=True)
        ]
        code = self._encode(edges.start.astype(np.int64), edges.end, parts)
        # Without a key the edges are already sorted by their code.
        self.order = np.argsort(code, kind="stable") if self.names else everything
        self.sorted = code[self.order]

    def find(self, start: npt.NDArray[np.int64], end: npt.NDArray[np.int64], cells: Mapping[str, Any]) -> Integers:
        """The position of each edge in the target edges, −1 if it is not among them."""
        parts = [known.get_indexer(pd.Index(cells[name])) for name, known in zip(self.names, self.known, strict=True)]
        known = (start >= 0) & (end >= 0)
        for part in parts:
            known &= part >= 0
        code = self._encode(start, end, parts)
        at = np.searchsorted(self.sorted, code)
        at[at == len(self.sorted)] = 0
        exists = known & (self.sorted[at] == code) if len(self.sorted) else np.zeros(len(code), dtype=bool)
        return np.where(exists, self.order[at] if len(self.order) else -1, -1)

    def _encode(self, start: Integers, end: Integers, parts: Sequence[Integers]) -> npt.NDArray[np.int64]:
        code = start * self.width + end
        for part, known in zip(parts, self.known, strict=True):
            code = code * max(len(known), 1) + part
        return code.astype(np.int64)


def _to_array(stored: list[Any]) -> npt.NDArray[np.object_]:
    cells = np.empty(len(stored), dtype=object)
    cells[:] = stored
    return cells


def _find_differences(stored: npt.NDArray[np.object_], target: Column) -> npt.NDArray[np.bool_]:
    return np.asarray(stored != _to_stored(target), dtype=bool)


def _to_stored(column: Column) -> npt.NDArray[np.object_]:
    """The values of a column as the database returns them, MISSING for missing values."""
    return _to_array([MISSING if value is None else value for value in to_python(column)])
