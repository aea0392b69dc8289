"""How the edges of a source in the graph differ from those that are to be there, read and compared piece by piece."""

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

#: SortedEdges compared at once, and start nodes asked for at once.
EDGES_A_PIECE = 100_000
NODES_A_PIECE = 5_000

#: The condition on an edge `r` of a source.
OF_SOURCE = "r.source = $source"

NO_NAMES: Mapping[str, str] = {}


@dataclass(frozen=True)
class EdgeDiff:
    """What is to be written, as positions in the sorted edges: new and changed ones; and what is to be deleted.

    `gone` and `doubled` are rows {s, t, c0, …} as `SortedEdges.rows` makes them, with the properties of the key. An edge of
    `doubled` stands several times in the graph: all of them are deleted, and it is among the new ones.
    With `completing` a changed edge keeps the values that the wanted one lacks.
    """

    new: Integers
    changed: Integers
    gone: list[Row] = field(default_factory=list)
    doubled: list[Row] = field(default_factory=list)
    completing: bool = False

    @property
    def deleted(self) -> int:
        """The number of edges that go."""
        return sum(len(row["t"]) for row in self.gone)


def diff_to_empty(edges: SortedEdges) -> EdgeDiff:
    """The difference to a graph that has none of the source's edges of the type."""
    return EdgeDiff(np.arange(len(edges), dtype=np.int32), np.array([], dtype=np.int32))


def diff_edges(
    store: Store,
    edges: SortedEdges,
    source: str,
    append: bool = False,
    renamed: tuple[Mapping[str, str], ...] = (NO_NAMES,) * 2,
    completing: bool | None = None,
) -> EdgeDiff:
    """How the graph's edges of a source and a type differ from `edges`.

    Where `append` is set, only the edges of the start nodes of `edges` are read, and none is gone. `renamed` has new
    start and end ids by those that the graph still has. With `completing` (by default where rows are appended) an edge
    keeps the values that the wanted one lacks.
    """
    comparison = _Comparison(edges, renamed, append, append if completing is None else completing)
    asked = _starts(store, edges, append, renamed[0])
    for piece in read_edges_in_pieces(store, edges.kind, asked, OF_SOURCE, {"source": source}):
        comparison.add(piece, [*edges.kind.properties])
    return comparison.result()


def read_stored_edges(
    store: Store, edges: SortedEdges, source: str, renamed: tuple[Mapping[str, str], ...] = (NO_NAMES,) * 2
) -> pd.DataFrame:
    """Those of `edges` that the graph has of the source: its properties as objects, None where one is missing.

    The index is the row of the edge in `edges.frame`; of an edge that is in the graph several times, the first counts.
    """
    meeting = _Comparison(edges, renamed, True, True)
    names = [*edges.kind.properties]
    parts = [pd.DataFrame(columns=names, dtype=object)]
    asked = _starts(store, edges, True, renamed[0])
    for piece in read_edges_in_pieces(store, edges.kind, asked, OF_SOURCE, {"source": source}):
        at, cells = meeting.find(piece, names)
        met = np.flatnonzero(at >= 0)
        columns = {name: [None if cell == MISSING else cell for cell in cells[name][met]] for name in names}
        parts.append(pd.DataFrame(columns, index=edges.order[at[met]], dtype=object))
    found = pd.concat([part for part in parts if len(part)] or parts)
    return found[~found.index.duplicated()]


def _starts(store: Store, edges: SortedEdges, append: bool, renamed: Mapping[str, str]) -> Iterator[list[str]]:
    """The ids of start nodes to ask for, some at a time, with about as many edges as are compared at once."""
    there = read_ids(store, edges.kind.source) if renamed or not append else edges.starts
    degree = pd.Series(np.bincount(edges.start, minlength=len(edges.starts)), index=edges.starts)
    now = pd.Index([renamed.get(id_, id_) for id_ in there], dtype=object) if renamed else there
    size = np.cumsum(degree.reindex(now, fill_value=0).to_numpy() + EDGES_A_PIECE // NODES_A_PIECE)
    for begin, stop in pairwise([0, *(np.flatnonzero(np.diff(size // EDGES_A_PIECE)) + 1).tolist(), len(there)]):
        yield there[begin:stop].tolist()


class _Comparison:
    """Meets the stored edges piece by piece and remembers which of the wanted ones were among them."""

    def __init__(
        self, edges: SortedEdges, renamed: Sequence[Mapping[str, str]], append: bool, completing: bool
    ) -> None:
        self.edges = edges
        self.append = append
        self.completing = completing
        self.renamed = renamed
        self.key = _Key(edges)
        self.seen = np.zeros(len(edges), dtype=bool)
        self.changed = np.zeros(len(edges), dtype=bool)
        self.again = np.zeros(len(edges), dtype=bool)
        self.gone: list[Row] = []

    def add(self, piece: list[Row], names: list[str]) -> None:
        """Meet the edges of some start nodes."""
        at, cells = self.find(piece, names)
        met = np.flatnonzero(at >= 0)
        edge = at[met]
        first = ~pd.Series(edge).duplicated().to_numpy() & ~self.seen[edge]
        self.again[edge[~first]] = True
        self.seen[edge] = True
        for name in names:
            if name not in self.key.names:
                wanted = self.edges.column(name, edge)
                differs = _differ(cells[name][met], wanted)
                self.changed[edge] |= differs & wanted.notna().to_numpy() if self.completing else differs
        self._note_gone(piece, [len(row["t"]) for row in piece], np.flatnonzero(at < 0), cells)

    def find(self, piece: list[Row], names: list[str]) -> tuple[Integers, dict[str, npt.NDArray[np.object_]]]:
        """The position of each edge of some start nodes among the wanted ones (-1: it is none), and its properties."""
        counts = [len(row["t"]) for row in piece]
        start = self._positions(0, [row["s"] for row in piece]).repeat(counts)
        end = self._positions(1, list(chain.from_iterable(row["t"] for row in piece)))
        cells = {
            name: _cells(list(chain.from_iterable(row[f"c{number}"] for row in piece)))
            for number, name in enumerate(names)
        }
        return self.key.find(start, end, cells), cells

    def result(self) -> EdgeDiff:
        """What the stored edges that were met lack, have otherwise, or have too many."""
        new = np.flatnonzero(~self.seen | self.again)
        changed = np.flatnonzero(self.changed & ~self.again)
        doubled = self.edges.rows(np.flatnonzero(self.again), self.key.names)
        return EdgeDiff(new, changed, [] if self.append else self.gone, doubled, self.completing)

    def _positions(self, side: int, ids: list[str]) -> npt.NDArray[np.int64]:
        known = (self.edges.starts, self.edges.ends)[side]
        if renamed := self.renamed[side]:
            ids = [renamed.get(id_, id_) for id_ in ids]
        return known.get_indexer(pd.Index(ids, dtype=object)).astype(np.int64)

    def _note_gone(self, piece: list[Row], counts: list[int], rows: Integers, cells: dict[str, Any]) -> None:
        owner = np.arange(len(piece)).repeat(counts)[rows]
        offset = np.cumsum([0, *counts])
        for position in np.unique(owner):
            mine = rows[owner == position]
            ends = [piece[position]["t"][row - offset[position]] for row in mine]
            keys = {f"c{number}": cells[name][mine].tolist() for number, name in enumerate(self.key.names)}
            self.gone.append({"s": piece[position]["s"], "t": ends, **keys})


class _Key:
    """Finds edges by their ends and the properties of their key, which together tell them apart."""

    def __init__(self, edges: SortedEdges) -> None:
        self.names = [*(edges.kind.key or ())]
        self.width = max(len(edges.ends), 1)
        everything = np.arange(len(edges))
        self.known = [pd.Index(_comparable(edges.frame[name].drop_duplicates())) for name in self.names]
        parts = [
            known.get_indexer(pd.Index(_comparable(edges.column(name, everything))))
            for name, known in zip(self.names, self.known, strict=True)
        ]
        code = self._code(edges.start.astype(np.int64), edges.end, parts)
        # Without a key the edges are sorted by their code already.
        self.order = np.argsort(code, kind="stable") if self.names else everything
        self.sorted = code[self.order]

    def find(self, start: npt.NDArray[np.int64], end: npt.NDArray[np.int64], cells: Mapping[str, Any]) -> Integers:
        """The position of each edge among the wanted ones, -1 where it is none of them."""
        parts = [known.get_indexer(pd.Index(cells[name])) for name, known in zip(self.names, self.known, strict=True)]
        known = (start >= 0) & (end >= 0)
        for part in parts:
            known &= part >= 0
        code = self._code(start, end, parts)
        at = np.searchsorted(self.sorted, code)
        at[at == len(self.sorted)] = 0
        found = known & (self.sorted[at] == code) if len(self.sorted) else np.zeros(len(code), dtype=bool)
        return np.where(found, self.order[at] if len(self.order) else -1, -1)

    def _code(self, start: Integers, end: Integers, parts: Sequence[Integers]) -> npt.NDArray[np.int64]:
        code = start * self.width + end
        for part, known in zip(parts, self.known, strict=True):
            code = code * max(len(known), 1) + part
        return code.astype(np.int64)


def _cells(stored: list[Any]) -> npt.NDArray[np.object_]:
    cells = np.empty(len(stored), dtype=object)
    cells[:] = stored
    return cells


def _differ(stored: npt.NDArray[np.object_], wanted: Column) -> npt.NDArray[np.bool_]:
    return np.asarray(stored != _comparable(wanted), dtype=bool)


def _comparable(column: Column) -> npt.NDArray[np.object_]:
    """The values of a column as the database gives them, MISSING where one is missing."""
    return _cells([MISSING if value is None else value for value in to_python(column)])
