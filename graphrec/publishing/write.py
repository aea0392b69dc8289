"""Write and delete lists, in batches grouped by start node; the next batch is prepared while the server works."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from graphrec.errors import StoreError
from graphrec.progress import StageProgress, silent
from graphrec.publishing.lists import TargetLists
from graphrec.schema import RUN, WITHDRAWN, EdgeType
from graphrec.store import Store
from graphrec.store.batches import AdaptiveBatchSize, send_batches, split_into_batches
from graphrec.store.connection import quote
from graphrec.store.edges import Integers

#: Batch size: edges created in one transaction. In a larger batch more edges end at the same item, whose page is then
#: written once. The embedded server needed 22 µs of processor time for each edge in batches of 60,000, 31 µs in batches
#: of 20,000; with 200,000 all of Gowalla was published in 9.4 s, with 100,000 in 10.2 s.
EDGES_A_BATCH = 200_000

#: Batch size: lists deleted, or start nodes marked as withdrawn, in one transaction.
LISTS_A_BATCH = 1_000

#: Batch size: WITHDRAWN edges deleted in one transaction.
WITHDRAWALS_A_BATCH = 10_000

#: Batch size: edges of an earlier version of graphrec deleted in one transaction.
OLD_EDGES_A_BATCH = 10_000

#: The element ids of nodes, by label and id.
ElementIds = Mapping[str, Mapping[str, str]]

#: A start node and the layers whose lists of it are to be deleted.
ObsoleteLists = tuple[str, tuple[int, ...]]


def write_lists(
    store: Store, target: TargetLists, chosen: Integers, layer: int, nodes: ElementIds, progress: StageProgress = silent
) -> int:
    """Create the edges of the chosen target lists in a new layer; return the number of edges.

    Raises StoreError if the database refuses or goes away, or if a node has vanished from the graph.
    """
    edges, kind = target.edges, target.edges.kind
    positions = target.find_edges(chosen)
    statement = _create_statement(kind)
    done = 0

    def prepare(piece: Integers) -> tuple[dict[str, Any], int]:
        present, end = np.unique(edges.end[piece], return_inverse=True)
        rows = edges.rows(piece, kind.properties, end)
        for row in rows:
            row["n"] = nodes[kind.source][row["s"]]
        ids = edges.ends[present].tolist()
        ends = [nodes[kind.target][id_] for id_ in ids]
        return {"ids": ids, "ends": ends, "rows": rows, "version": layer}, len(piece)

    def send(payload: tuple[dict[str, Any], int]) -> None:
        nonlocal done
        parameters, number = payload
        if store.write(statement, parameters)[0]["number"] != number:
            raise StoreError(
                f"{kind.relation}: nodes of the run vanished from the graph during the publication; "
                "publish again when no other program changes the graph"
            )
        done += number
        progress(f"publishing {kind.relation}", done, len(positions))

    size = EDGES_A_BATCH if store.embedded else EDGES_A_BATCH // 2  # as fast on Neo4j, with less heap
    batch_size = AdaptiveBatchSize(size, size)
    send_batches(split_into_batches(edges, positions, batch_size), prepare, send, batch_size)
    return len(positions)


def _create_statement(kind: EdgeType) -> str:
    """The statement that creates the edges of a batch.

    Nodes are found by element id, and their ids are checked, as servers reuse element ids. Each end node of a batch is
    looked up once, and rows refer to it by position (as in `store.write`).
    """
    names = [quote(name) for name in kind.properties]
    cells = "".join(f", row.c{number}[k] AS c{number}" for number in range(len(names)))
    pairs = "".join(f"{name}: c{number}, " for number, name in enumerate(names))
    return (
        f"UNWIND $ends AS end MATCH (b:{quote(kind.target)}) WHERE elementId(b) = end "
        "WITH collect(b) AS ends WHERE [b IN ends | b.id] = $ids "
        f"UNWIND $rows AS row MATCH (a:{quote(kind.source)}) WHERE elementId(a) = row.n AND a.id = row.s "
        f"UNWIND range(0, size(row.t) - 1) AS k WITH a, ends[row.t[k]] AS b{cells} "
        f"CREATE (a)-[r:{quote(kind.relation)} {{{pairs}version: $version}}]->(b) RETURN count(r) AS number"
    )


def remove_lists(
    store: Store, kind: EdgeType, obsolete: Sequence[ObsoleteLists], progress: StageProgress = silent
) -> int:
    """Delete lists, given by start node and layers, in batches; return the number of edges."""
    statement = (
        f"UNWIND $rows AS row MATCH (:{quote(kind.source)} {{id: row.s}})-[r:{quote(kind.relation)}]->() "
        "WHERE r.version IN row.layers DELETE r RETURN count(*) AS number"
    )
    number = 0
    for begin in range(0, len(obsolete), LISTS_A_BATCH):
        part = obsolete[begin : begin + LISTS_A_BATCH]
        rows = [{"s": start, "layers": list(layers)} for start, layers in part]
        number += store.write(statement, {"rows": rows})[0]["number"]
        progress(f"removing {kind.relation}", begin + len(part), len(obsolete))
    return number


def mark_withdrawn(store: Store, label: str, ids: Sequence[str], version: str) -> None:
    """Mark nodes of a label as having no list in a version, although older layers have one."""
    for begin in range(0, len(ids), LISTS_A_BATCH):
        store.write(
            f"MATCH (run:{RUN} {{id: $run}}) UNWIND $ids AS id MATCH (n:{quote(label)} {{id: id}}) "
            f"CREATE (n)-[:{WITHDRAWN}]->(run)",
            {"run": version, "ids": ids[begin : begin + LISTS_A_BATCH]},
        )


def remove_old_format(store: Store, relation: str) -> None:
    """Delete the edges that an earlier version of graphrec published: they have the number `run` and no `version`."""
    store.write_repeatedly(
        f"MATCH ()-[r:{quote(relation)}]->() WHERE r.run > 0 AND r.version IS NULL "
        "WITH r LIMIT $limit DELETE r RETURN count(*) AS number",
        {},
        OLD_EDGES_A_BATCH,
    )


def remove_withdrawals(store: Store, kept: Collection[str]) -> None:
    """Delete the WITHDRAWN edges of all versions except those kept."""
    rows = store.read(
        f"MATCH (run:{RUN})<-[:{WITHDRAWN}]-() WHERE NOT run.id IN $kept RETURN DISTINCT run.id AS id",
        {"kept": list(kept)},
    )
    for row in rows:
        store.write_repeatedly(
            f"MATCH (:{RUN} {{id: $id}})<-[r:{WITHDRAWN}]-() WITH r LIMIT $limit DELETE r RETURN count(*) AS number",
            {"id": row["id"]},
            WITHDRAWALS_A_BATCH,
        )
