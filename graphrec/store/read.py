"""Read the graph as tables, column-wise: at most one record per start node, never one per edge."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.errors import first_few
from graphrec.progress import StageProgress, silent
from graphrec.schema import (
    SHOWN,
    SOURCE,
    SYSTEM_LABELS,
    SYSTEM_PROPERTIES,
    SYSTEM_RELATIONS,
    EdgeType,
    GraphSchema,
    NodeType,
)
from graphrec.schema_names import is_usable
from graphrec.store.connection import Row, Store, quote
from graphrec.tables import ENDS, EdgeTable, GraphTables, NodeTable, Source

logger = logging.getLogger(__name__)

#: Batch size: nodes whose vectors are read in one query.
VECTORS_A_BATCH = 4_000

#: Placeholder for null values, which `collect` would drop, so that a column would no longer match the others.
MISSING = "\x00"


def read_schema(store: Store) -> GraphSchema:
    """The node and edge types of the graph, without those that graphrec itself publishes.

    A node with several labels counts under `User` or `Item` if it has one of them, else under the first by name.
    Labels whose nodes have no `id` were written by another program, and are left out with their edges. Also left out
    are the values of each source on a fused node (`source:property`), since the property itself has the resulting
    value, and the vectors of a published model; and, with a warning in the log, names that cannot be used in a
    statement.
    """
    nodes: dict[str, set[str]] = {}
    for row in store.read("MATCH (n) RETURN labels(n) AS labels, keys(n) AS names, count(*) AS number"):
        nodes.setdefault(main_label(row["labels"]), set()).update(row["names"])
    left_out = {name for names in nodes.values() for name in names if not is_usable(name)}
    nodes = {label: names for label, names in nodes.items() if label and "id" in names and label not in SYSTEM_LABELS}
    edges: dict[tuple[str, str, str], set[str]] = {}
    for relation in _read_relations(store):
        rows = store.read(
            f"MATCH (a)-[r:{quote(relation)}]->(b) "
            "RETURN labels(a) AS labels, labels(b) AS targets, keys(r) AS names, count(*) AS number"
        )
        for row in rows:
            triple = (main_label(row["labels"]), relation, main_label(row["targets"]))
            left_out |= {name for name in row["names"] if not is_usable(name)}
            if triple[0] in nodes and triple[2] in nodes:
                edges.setdefault(triple, set()).update(row["names"])
    if left_out:
        logger.warning(
            "left out, as they cannot be used in a statement: properties called %s", first_few(sorted(left_out))
        )
    return GraphSchema(
        tuple(
            NodeType(
                label,
                tuple(
                    sorted(name for name in names - SYSTEM_PROPERTIES - left_out if name != "id" and ":" not in name)
                ),
            )
            for label, names in sorted(nodes.items())
        ),
        tuple(
            EdgeType(source, relation, target, tuple(sorted(names - left_out)), key=None)
            for (source, relation, target), names in sorted(edges.items())
        ),
    )


def read_tables(store: Store, schema: GraphSchema | None = None, progress: StageProgress = silent) -> GraphTables:
    """The nodes and edges of a schema (by default of the whole graph) with all properties, and the names of the sources
    of the graph.

    Raises DataError if a node has no `id`, or if two have the same.
    """
    schema = read_schema(store) if schema is None else schema
    total = len(schema.nodes) + len(schema.edges)
    nodes: list[NodeTable] = []
    for kind in schema.nodes:
        progress("reading the graph", len(nodes), total)
        nodes.append(NodeTable(kind, read_nodes(store, kind)))
    edges: list[EdgeTable] = []
    for edge in schema.edges:
        progress("reading the graph", len(nodes) + len(edges), total)
        edges.append(EdgeTable(edge, read_edges(store, edge)))
    progress("reading the graph", total, total)
    return GraphTables(tuple(nodes), tuple(edges), read_source_names(store))


def read_source_names(store: Store) -> tuple[Source, ...]:
    """The sources of the graph, with their names only."""
    rows = store.read(f"MATCH (s:{SOURCE}) WHERE s.id IS NOT NULL RETURN toString(s.id) AS name ORDER BY name")
    return tuple(Source(row["name"]) for row in rows if is_usable(row["name"]) and ":" not in row["name"])


def read_nodes(store: Store, kind: NodeType) -> pd.DataFrame:
    """All nodes of a label: columns `id` and the properties of the type, sorted by id as text."""
    names = ["id", *kind.properties]
    # Groups by the last characters of the id: few records, and none of them large.
    columns = ["right(toString(n.id), 2) AS part", *_collect("n", names)]
    rows = store.read(f"MATCH (n:{quote(kind.label)}) RETURN {', '.join(columns)}")
    frame = _to_frame(rows, _make_aliases(names))
    return frame.sort_values("id", ignore_index=True)


def read_ids(store: Store, label: str) -> "pd.Index[str]":
    """The ids of all nodes of a label."""
    rows = store.read(
        f"MATCH (n:{quote(label)}) WHERE n.id IS NOT NULL RETURN right(toString(n.id), 2) AS part, collect(n.id) AS ids"
    )
    ids: pd.Index[str] = pd.Index([id_ for row in rows for id_ in row["ids"]], dtype=object)
    return ids


def read_vectors(
    store: Store, label: str, name: str, progress: StageProgress = silent
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """The ids of the nodes of a label that have a vector property, and the vectors [n, dim] float32.

    Nodes whose vector has another length than most are left out. Ids are read first and vectors in batches, because a
    number of a result needs many times the memory of a float.
    """
    each = f"MATCH (n:{quote(label)}) WHERE n.{quote(name)} IS NOT NULL AND n.id IS NOT NULL"
    sizes = store.read(f"{each} RETURN size(n.{quote(name)}) AS size, count(n) AS number ORDER BY number DESC, size")
    if not sizes:
        return [], np.zeros((0, 0), dtype=np.float32)
    dim = sizes[0]["size"]
    rows = store.read(
        f"{each} AND size(n.{quote(name)}) = $dim RETURN right(toString(n.id), 2) AS part, collect(n.id) AS ids",
        {"dim": dim},
    )
    ids = [id_ for row in rows for id_ in row["ids"]]
    vectors = np.zeros((len(ids), dim), dtype=np.float32)
    for begin in range(0, len(ids), VECTORS_A_BATCH):
        some = ids[begin : begin + VECTORS_A_BATCH]
        (found,) = store.read(
            f"UNWIND $ids AS id MATCH (n:{quote(label)} {{id: id}}) "
            f"RETURN collect(n.id) AS ids, collect(n.{quote(name)}) AS vectors",
            {"ids": some},
        )
        positions = {id_: begin + position for position, id_ in enumerate(some)}
        vectors[[positions[id_] for id_ in found["ids"]]] = found["vectors"]
        progress(f"reading vectors of {label}", begin + len(some), len(ids))
    return ids, vectors


def read_element_ids(store: Store, label: str) -> dict[str, str]:
    """The element id of each node of a label by its id; the server finds nodes faster by element id."""
    rows = store.read(
        f"MATCH (n:{quote(label)}) WHERE n.id IS NOT NULL "
        "RETURN right(toString(n.id), 2) AS part, collect(n.id) AS ids, collect(elementId(n)) AS names"
    )
    return {id_: name for row in rows for id_, name in zip(row["ids"], row["names"], strict=True)}


def read_edges(store: Store, kind: EdgeType, source: str | None = None) -> pd.DataFrame:
    """All edges of a type (of one loader's `source`, if given): `source_id`, `target_id` and its properties."""
    where = "" if source is None else "WHERE r.source = $source "
    names = [name for name in kind.properties if name != "source"]
    # One record for each start node and loader. The subquery builds one at a time, which bounds the server's memory.
    inner = [f"coalesce(r.source, '{MISSING}') AS source", "collect(b.id) AS target_id", *_collect("r", names)]
    outer = ["target_id", *_make_aliases(names)]
    rows = store.read(
        f"MATCH (a:{quote(kind.source)}) CALL (a) {{ "
        f"MATCH (a)-[r:{quote(kind.relation)}]->(b:{quote(kind.target)}) {where}"
        f"RETURN {', '.join(inner)} }} RETURN a.id AS source_id, source, {', '.join(outer)}",
        {"source": source},
    )
    counts = [len(row["target_id"]) for row in rows]
    frame = _to_frame(rows, {"target_id": "target_id", **_make_aliases(names)})
    for name in ("source_id", "source") if "source" in kind.properties else ("source_id",):
        frame[name] = column([row[name] for row in rows]).repeat(counts).array
    return frame[[*ENDS, *kind.properties]]


def read_edges_in_pieces(
    store: Store,
    kind: EdgeType,
    pieces: Iterable[Sequence[str]],
    where: str,
    parameters: Mapping[str, Any] | None = None,
    group: tuple[str, str] | None = None,
) -> Iterator[list[Row]]:
    """The edges of each piece of start ids: rows {s: start id, t: [end ids], c0: [values of the first property], …}.

    A thread reads the next piece while the caller works on this one. One record has the columns of a whole piece,
    because a record costs as much as dozens of edges. Missing values are MISSING; start nodes without edges have none.

    `where` is a condition on the edge `r`; `group`, a name and an expression of `r`, splits the edges of a start node
    into one row for each value, which the row has under that name.
    """
    names = ["t", *_make_aliases(kind.properties)]
    columns = ["collect(b.id) AS t", *_collect("r", kind.properties)]
    if group is not None:
        names.insert(0, group[0])
        columns.insert(0, f"{group[1]} AS {group[0]}")
    start = f"UNWIND $ids AS id MATCH (a:{quote(kind.source)} {{id: id}})"
    edge = f"(a)-[r:{quote(kind.relation)}]->(b:{quote(kind.target)}) WHERE {where}"
    if store.embedded:  # a subquery is three times slower on the embedded server
        each = f"{start} MATCH {edge} WITH a, {', '.join(columns)}"
    else:  # without a subquery Neo4j's planner may begin at the wrong end, which is a hundred times slower
        each = f"{start} CALL (a) {{ MATCH {edge} RETURN {', '.join(columns)} }} WITH * WHERE size(t) > 0"
    statement = f"{each} RETURN collect(a.id) AS s, {', '.join(f'collect({name}) AS {name}' for name in names)}"

    def read(ids: Sequence[str]) -> list[Row]:
        (record,) = store.read(statement, {**(parameters or {}), "ids": list(ids)})
        return [dict(zip(record, cells, strict=True)) for cells in zip(*record.values(), strict=True)]

    with ThreadPoolExecutor(1) as pool:
        pending: Future[list[Row]] | None = None
        for ids in pieces:
            following = pool.submit(read, ids)
            if pending:
                yield pending.result()
            pending = following
        if pending:
            yield pending.result()


def _read_relations(store: Store) -> list[str]:
    rows = store.read("CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType AS name")
    names = sorted(row["name"] for row in rows if row["name"] not in {*SYSTEM_RELATIONS, SHOWN})
    if left_out := [name for name in names if not is_usable(name)]:
        logger.warning("left out, as they cannot be used in a statement: relationships %s", first_few(left_out))
    return [name for name in names if is_usable(name)]


def main_label(labels: list[str]) -> str:
    """The label that a node counts under: User or Item, else the first by name; "" if no label is `is_usable`."""
    found = next((label for label in ("User", "Item") if label in labels), None)
    return min(filter(is_usable, labels), default="") if found is None else found


def _make_aliases(names: Iterable[str]) -> dict[str, str]:
    """Names by alias: results use aliases as columns, since the embedded server parses characters in a quoted variable,
    such as the dot of `price.net`, as operators."""
    return {f"c{number}": name for number, name in enumerate(names)}


def _collect(variable: str, names: Iterable[str]) -> list[str]:
    collected = ((f"{variable}.{quote(name)}", alias) for alias, name in _make_aliases(names).items())
    return [f"collect(coalesce({cell}, '{MISSING}')) AS {alias}" for cell, alias in collected]


def _to_frame(rows: list[Row], names: Mapping[str, str]) -> pd.DataFrame:
    """A table with a column for each name, joined from the lists of all records; `names` maps aliases to names."""
    columns = {name: list(chain.from_iterable(row[alias] for row in rows)) for alias, name in names.items()}
    return pd.DataFrame({name: column(cells) for name, cells in columns.items()})


def column(values: list[Any]) -> "pd.Series[Any]":
    """A column of the narrowest type: int64, float64 or str, with NaN or None for missing values.

    Lists (`keys`), dates and mixed types stay objects; numbers among texts become text.
    """
    if MISSING in values:
        values = [None if value == MISSING else value for value in values]
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    if inferred in ("integer", "boolean", "floating", "mixed-integer-float"):
        return (
            pd.Series(np.array([np.nan if v is None else v for v in values])) if None in values else pd.Series(values)
        )
    if inferred in ("string", "empty"):
        return pd.Series(values, dtype="str")
    if inferred == "mixed-integer":
        return pd.Series([None if value is None else str(value) for value in values], dtype="str")
    return pd.Series(values, dtype="object")
