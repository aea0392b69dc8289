"""Write the edges of a source: create the new ones, update the changed ones, delete those that it no longer has.

Rows are grouped by start node and sent as columns. After an interrupted load the next one compares again and writes the
rest, so no edge is written twice.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from graphrec.errors import StoreError
from graphrec.progress import StageProgress, silent
from graphrec.schema import EdgeType
from graphrec.store.batches import AdaptiveBatchSize, send_batches, split_into_batches
from graphrec.store.connection import Row, Store, quote
from graphrec.store.diff import EdgeDiff
from graphrec.store.edges import Integers, SortedEdges, split_into_blocks
from graphrec.store.nodes import EDGES_DELETED_A_BATCH, WriteCounts
from graphrec.store.read import MISSING, read_ids

#: Batch size: start nodes whose edges are deleted in one statement.
ROWS_A_BATCH = 2_000

Payload = tuple[str, Mapping[str, Any], int]


def count_written(kind: EdgeType, difference: EdgeDiff) -> WriteCounts:
    """The numbers of edges that a difference creates, changes and deletes."""
    sizes = (len(difference.new), len(difference.changed), difference.num_removed)
    return WriteCounts(kind.relation, *sizes, target=kind.target)


def write_edges(
    store: Store,
    edges: SortedEdges,
    source: str,
    difference: EdgeDiff,
    writers: int = 1,
    progress: StageProgress = silent,
) -> None:
    """Write the difference of a source's edges of a type: create, update and delete edges.

    With several `writers`, each writes edges that share no node with those that the others write at the same time.

    Raises StoreError if the database refuses or goes away, or if a node of an edge has vanished from the graph.
    """
    kind = edges.kind
    written = _SharedProgress(
        progress, f"writing {kind.relation} → {kind.target}", len(difference.new) + len(difference.changed)
    )
    _send_rows(store, _delete_statement(kind), difference.duplicates, source)
    batch_size = AdaptiveBatchSize()

    def create(payload: Payload) -> None:
        statement, parameters, number = payload
        if store.write(statement, parameters)[0]["number"] != number:
            raise StoreError(
                f"{kind.relation}: nodes of new edges vanished from the graph during the load; "
                "load again when no other program changes the graph"
            )
        written.add(number)

    def change(payload: Payload) -> None:
        store.write(payload[0], payload[1])
        written.add(payload[2])

    for blocks in split_into_blocks(edges, difference.new, writers):
        with ThreadPoolExecutor(len(blocks)) as pool:
            tasks = [
                pool.submit(_send_edges, _prepare_create(edges, source), edges, block, create, batch_size)
                for block in blocks
            ]
            for task in tasks:
                task.result()
    _send_edges(
        _prepare_update(edges, source, difference.keep_stored_values), edges, difference.changed, change, batch_size
    )
    _send_rows(store, _delete_statement(kind), difference.removed, source)


def delete_edges(store: Store, kind: EdgeType, source: str) -> None:
    """Delete all edges of a type that a source has, in batches of start nodes."""
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
    """The number of edges of a type that a source has."""
    each = f"MATCH (:{quote(kind.source)})-[r:{quote(kind.relation)}]->(:{quote(kind.target)}) WHERE r.source = $source"
    number: int = store.read(f"{each} RETURN count(r) AS number", {"source": source})[0]["number"]
    return number


class _SharedProgress:
    """A thread-safe StageProgress for several writers."""

    def __init__(self, progress: StageProgress, what: str, total: int) -> None:
        self._progress, self._what, self._total, self._done = progress, what, total, 0
        self._lock = threading.Lock()
        if total:
            progress(what, 0, total)

    def add(self, number: int) -> None:
        with self._lock:
            self._done += number
            self._progress(self._what, self._done, self._total)


def _send_edges(
    prepare: Callable[[Integers], Payload],
    edges: SortedEdges,
    chosen: Integers,
    send: Callable[[Payload], None],
    batch_size: AdaptiveBatchSize,
) -> None:
    send_batches(split_into_batches(edges, chosen, batch_size), prepare, send, batch_size)


def _prepare_create(edges: SortedEdges, source: str) -> Callable[[Integers], Payload]:
    """A function that builds the statement and parameters to create some edges.

    Each end node of a batch is looked up once, and rows refer to it by position. If one is missing, positions would be
    wrong, so nothing is created.
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


def _prepare_update(edges: SortedEdges, source: str, keep_stored_values: bool) -> Callable[[Integers], Payload]:
    kind = edges.kind
    cell = "coalesce(row.c{1}[k], r.{0})" if keep_stored_values else "row.c{1}[k]"
    values = ", ".join(
        f"r.{quote(name)} = {cell.format(quote(name), number)}" for number, name in enumerate(kind.properties)
    )
    statement = (
        _match_statement(kind, {name: kind.properties.index(name) for name in kind.key or ()}) + f" SET {values}"
    )

    def prepare(chosen: Integers) -> Payload:
        return statement, {"rows": edges.rows(chosen, kind.properties), "source": source}, len(chosen)

    return prepare


def _send_rows(store: Store, statement: str, rows: list[Row], source: str) -> None:
    for begin in range(0, len(rows), ROWS_A_BATCH):
        store.write(statement, {"rows": rows[begin : begin + ROWS_A_BATCH], "source": source})


def _delete_statement(kind: EdgeType) -> str:
    return _match_statement(kind, {name: number for number, name in enumerate(kind.key or ())}) + " DELETE r"


def _match_statement(kind: EdgeType, columns: dict[str, int]) -> str:
    # A key may be null, and null equals nothing, not even null.
    tests = "".join(
        f" AND coalesce(r.{quote(name)}, '{MISSING}') = coalesce(row.c{number}[k], '{MISSING}')"
        for name, number in columns.items()
    )
    return (
        f"UNWIND $rows AS row MATCH (a:{quote(kind.source)} {{id: row.s}}) UNWIND range(0, size(row.t) - 1) AS k "
        f"MATCH (a)-[r:{quote(kind.relation)}]->(b:{quote(kind.target)} {{id: row.t[k]}}) "
        f"WHERE r.source = $source{tests}"
    )
