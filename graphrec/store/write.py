"""SortedEdges into the graph: only what is new or changed is written, and what a source no longer has is removed.

Rows are grouped by start node and sent as columns. A load that is cut off leaves a part behind; the next one compares
and writes the rest, so nothing doubles.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from graphrec.errors import StoreError
from graphrec.schema import EdgeType
from graphrec.store.batches import AdaptiveBatchSize, send_batches, split_into_batches
from graphrec.store.connection import Row, Store, quote
from graphrec.store.diff import EdgeDiff
from graphrec.store.edges import Integers, SortedEdges, split_into_blocks
from graphrec.store.nodes import WriteCounts
from graphrec.store.read import MISSING, Progress, read_ids, silent

ROWS_A_BATCH = 2_000

#: SortedEdges deleted in one transaction, whatever the number of start nodes that were asked for.
EDGES_DELETED_A_BATCH = 10_000

Payload = tuple[str, Mapping[str, Any], int]


def count_written(kind: EdgeType, difference: EdgeDiff) -> WriteCounts:
    """What writing a difference writes."""
    sizes = (len(difference.new), len(difference.changed), difference.deleted)
    return WriteCounts(kind.relation, *sizes, target=kind.target)


def write_edges(
    store: Store, edges: SortedEdges, source: str, difference: EdgeDiff, writers: int = 1, progress: Progress = silent
) -> None:
    """Make the graph hold a source's edges of a type: first the new ones, then the changed, then away with the gone.

    With several `writers`, each takes edges that share no node with those that the others write at that time.

    Raises StoreError where the database refuses or goes away, or an edge's node has vanished from the graph.
    """
    kind = edges.kind
    told = _Told(progress, f"writing {kind.relation} → {kind.target}", len(difference.new) + len(difference.changed))
    _send_rows(store, _delete(kind), difference.doubled, source)
    batch_size = AdaptiveBatchSize()

    def create(payload: Payload) -> None:
        statement, parameters, number = payload
        if store.write(statement, parameters)[0]["number"] != number:
            raise StoreError(
                f"{kind.relation}: nodes that edges are to be written to have vanished from the graph meanwhile; "
                "load again when nobody else changes it"
            )
        told.more(number)

    def change(payload: Payload) -> None:
        store.write(payload[0], payload[1])
        told.more(payload[2])

    for now in split_into_blocks(edges, difference.new, writers):
        with ThreadPoolExecutor(len(now)) as pool:
            tasks = [pool.submit(_write, _creating(edges, source), edges, block, create, batch_size) for block in now]
            for task in tasks:
                task.result()
    _write(_changing(edges, source, difference.completing), edges, difference.changed, change, batch_size)
    _send_rows(store, _delete(kind), difference.gone, source)


def delete_edges(store: Store, kind: EdgeType, source: str) -> None:
    """Delete all edges of a type that a source brought, those of some start nodes at a time."""
    statement = (
        f"UNWIND $ids AS id MATCH (a:{quote(kind.source)} {{id: id}}) "
        f"MATCH (a)-[r:{quote(kind.relation)}]->(:{quote(kind.target)}) WHERE r.source = $source "
        "WITH r LIMIT $limit DELETE r RETURN count(*) AS number"
    )
    ids = read_ids(store, kind.source).tolist()
    for begin in range(0, len(ids), ROWS_A_BATCH):
        some = {"ids": ids[begin : begin + ROWS_A_BATCH], "source": source}
        store.write_repeatedly(statement, some, EDGES_DELETED_A_BATCH)


def count_edges(store: Store, kind: EdgeType, source: str) -> int:
    """How many edges of a type a source brought."""
    each = f"MATCH (:{quote(kind.source)})-[r:{quote(kind.relation)}]->(:{quote(kind.target)}) WHERE r.source = $source"
    number: int = store.read(f"{each} RETURN count(r) AS number", {"source": source})[0]["number"]
    return number


class _Told:
    """Progress that several writers report to."""

    def __init__(self, progress: Progress, what: str, total: int) -> None:
        self._progress, self._what, self._total, self._done = progress, what, total, 0
        self._lock = threading.Lock()
        if total:
            progress(what, 0, total)

    def more(self, number: int) -> None:
        with self._lock:
            self._done += number
            self._progress(self._what, self._done, self._total)


def _write(
    prepare: Callable[[Integers], Payload],
    edges: SortedEdges,
    chosen: Integers,
    send: Callable[[Payload], None],
    batch_size: AdaptiveBatchSize,
) -> None:
    send_batches(split_into_batches(edges, chosen, batch_size), prepare, send, batch_size)


def _creating(edges: SortedEdges, source: str) -> Callable[[Integers], Payload]:
    """What makes of some edges a statement that creates them.

    The end nodes of a batch are looked up once each, and the rows name them by position; should one be missing, no
    position could be trusted, and nothing is created.
    """
    kind = edges.kind
    names = [quote(name) for name in kind.properties]
    cells = "".join(f", row.c{number}[k] AS c{number}" for number in range(len(names)))
    pairs = "".join(f", {name}: c{number}" for number, name in enumerate(names))
    statement = (
        f"UNWIND $ends AS id MATCH (b:{quote(kind.target)} {{id: id}}) "
        "WITH collect(b) AS ends WHERE [b IN ends | b.id] = $ends "
        f"UNWIND $rows AS row MATCH (a:{quote(kind.source)} {{id: row.s}}) UNWIND range(0, size(row.t) - 1) AS k "
        f"WITH a, ends[row.t[k]] AS b{cells} "
        f"CREATE (a)-[r:{quote(kind.relation)} {{source: $source{pairs}}}]->(b) RETURN count(r) AS number"
    )

    def prepare(chosen: Integers) -> Payload:
        present, position = np.unique(edges.end[chosen], return_inverse=True)
        rows = edges.rows(chosen, kind.properties, position)
        parameters = {"ends": edges.ends[present].tolist(), "rows": rows, "source": source}
        return statement, parameters, len(chosen)

    return prepare


def _changing(edges: SortedEdges, source: str, completing: bool) -> Callable[[Integers], Payload]:
    kind = edges.kind
    cell = "coalesce(row.c{1}[k], r.{0})" if completing else "row.c{1}[k]"
    values = ", ".join(
        f"r.{quote(name)} = {cell.format(quote(name), number)}" for number, name in enumerate(kind.properties)
    )
    statement = _match(kind, {name: kind.properties.index(name) for name in kind.key or ()}) + f" SET {values}"

    def prepare(chosen: Integers) -> Payload:
        return statement, {"rows": edges.rows(chosen, kind.properties), "source": source}, len(chosen)

    return prepare


def _send_rows(store: Store, statement: str, rows: list[Row], source: str) -> None:
    for begin in range(0, len(rows), ROWS_A_BATCH):
        store.write(statement, {"rows": rows[begin : begin + ROWS_A_BATCH], "source": source})


def _delete(kind: EdgeType) -> str:
    return _match(kind, {name: number for number, name in enumerate(kind.key or ())}) + " DELETE r"


def _match(kind: EdgeType, columns: dict[str, int]) -> str:
    # A key may have no value, and null equals nothing.
    tests = "".join(
        f" AND coalesce(r.{quote(name)}, '{MISSING}') = coalesce(row.c{number}[k], '{MISSING}')"
        for name, number in columns.items()
    )
    return (
        f"UNWIND $rows AS row MATCH (a:{quote(kind.source)} {{id: row.s}}) UNWIND range(0, size(row.t) - 1) AS k "
        f"MATCH (a)-[r:{quote(kind.relation)}]->(b:{quote(kind.target)} {{id: row.t[k]}}) "
        f"WHERE r.source = $source{tests}"
    )
