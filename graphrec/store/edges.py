"""Edge tables whose ends are integer positions, which are compared, sorted and sent faster than ids."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.schema import EdgeType
from graphrec.tables import EdgeTable

Integers: TypeAlias = npt.NDArray[np.integer[Any]]
Column: TypeAlias = "pd.Series[Any]"  # of any dtype


@dataclass(frozen=True)
class SortedEdges:
    """The edges of a table, sorted by start node and then by end node.

    Attributes:
        kind: their type.
        frame: the table in its original order.
        starts: the ids of the start nodes; `start` [E] has positions in it.
        ends: the ids of the end nodes; `end` [E] has positions in it.
        order: the row in `frame` of each sorted edge [E].
    """

    kind: EdgeType
    frame: pd.DataFrame
    starts: "pd.Index[str]"
    ends: "pd.Index[str]"
    start: Integers
    end: Integers
    order: Integers

    @classmethod
    def from_table(cls, table: EdgeTable) -> "SortedEdges":
        """Sort the edges of a table."""
        (start, starts), (end, ends) = (_factorize(table.frame[side]) for side in ("source_id", "target_id"))
        order = np.argsort(start.astype(np.int64) * max(len(ends), 1) + end, kind="stable").astype(np.int32)
        return cls(table.type, table.frame, starts, ends, start[order], end[order], order)

    def __len__(self) -> int:
        return len(self.order)

    def column(self, name: str, chosen: Integers) -> Column:
        """The values of a property for some of the sorted edges."""
        return self.frame[name].iloc[self.order[chosen]]

    def rows(self, chosen: Integers, names: Sequence[str], position: Integers | None = None) -> list[dict[str, Any]]:
        """Some of the sorted edges, grouped by start node: rows {s: start id, t: [end ids], c0: [values], …}.

        `chosen` must be sorted. If `position` [len(chosen)] is given, `t` contains it instead of the end ids.
        """
        start = self.start[chosen]
        targets = self.ends[self.end[chosen]].tolist() if position is None else position.tolist()
        columns = {f"c{number}": to_python(self.column(name, chosen)) for number, name in enumerate(names)}
        borders = np.flatnonzero(np.diff(start, prepend=-1, append=-1))
        ids = self.starts[start[borders[:-1]]].tolist()
        return [
            {"s": id_, "t": targets[begin:stop], **{name: cells[begin:stop] for name, cells in columns.items()}}
            for id_, begin, stop in zip(ids, borders[:-1].tolist(), borders[1:].tolist(), strict=True)
        ]


def split_into_blocks(edges: SortedEdges, chosen: Integers, parts: int) -> Iterator[list[Integers]]:
    """Split the chosen edges into rounds of at most `parts` blocks; blocks of a round share no start or end node.

    So writers with one block each never wait for a node that another writer has locked.
    """
    if parts == 1:
        yield [chosen]
        return
    same = edges.kind.source == edges.kind.target
    start = edges.start[chosen] % parts
    end = (edges.starts.get_indexer(edges.ends)[edges.end[chosen]] if same else edges.end[chosen]) % parts
    remaining = [(i, j) for i in range(parts) for j in range(parts)]
    while remaining:
        in_use: set[tuple[str, int]] = set()
        blocks = []
        for i, j in remaining:
            touched = {("node", i), ("node", j)} if same else {("start", i), ("end", j)}
            if not touched & in_use:
                in_use |= touched
                blocks.append((i, j))
        remaining = [block for block in remaining if block not in blocks]
        yield [chosen[(start == i) & (end == j)] for i, j in blocks]


def to_python(column: Column) -> list[Any]:
    """A column as a list of plain Python values, None for missing ones."""
    plain: list[Any] = column.tolist()
    if column.hasnans:
        for at in np.flatnonzero(column.isna().to_numpy()):
            plain[at] = None
    return plain


def _factorize(column: "pd.Series[str]") -> tuple[Integers, "pd.Index[str]"]:
    codes, unique = pd.factorize(column)
    return codes.astype(np.int32), pd.Index(unique, dtype=object)
