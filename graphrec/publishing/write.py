"""Lists into the graph and out of it: rows grouped by start node, the next batch prepared while the server is busy."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from graphrec.errors import StoreError
from graphrec.publishing.lists import TargetLists
from graphrec.schema import RUN, WITHDRAWN, EdgeType
from graphrec.store import Store
from graphrec.store.batches import AdaptiveBatchSize, send_batches, split_into_batches
from graphrec.store.connection import quote
from graphrec.store.edges import Integers
from graphrec.store.read import Progress, silent

#: Edges created in one transaction: the more, the more of them end at the same item, whose page is then written once.
#: The embedded server took 22 µs of processor time for each of 60,000, 31 for each of 20,000; with 200,000 all of
#: Gowalla was published in 9.4 s, with 100,000 in 10.2.
EDGES_A_BATCH = 200_000

#: Lists deleted, and start nodes marked, in one transaction.
LISTS_A_BATCH = 1_000

#: Marks of nodes without a list that are deleted in one transaction.
WITHDRAWALS_A_BATCH = 10_000

#: Edges of an earlier version of graphrec that are deleted in one transaction.
OLD_EDGES_A_BATCH = 10_000

#: The element ids of nodes by label and id.
Nodes = Mapping[str, Mapping[str, str]]

#: A start node and the layers in which it has a list that goes.
ObsoleteLists = tuple[str, tuple[int, ...]]


def write_lists(
    store: Store, wanted: TargetLists, chosen: Integers, layer: int, nodes: Nodes, progress: Progress = silent
) -> int:
    """Create the edges of some of the wanted lists in a new layer, and say how many there are.

    Raises StoreError where the database refuses or goes away, or a node has vanished from the graph.
    """
    edges, kind = wanted.edges, wanted.edges.kind
    positions = wanted.find_edges(chosen)
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
                f"{kind.relation}: nodes of the run have vanished from the graph while it was published; "
                "publish again when nobody else changes it"
            )
        done += number
        progress(f"publishing {kind.relation}", done, len(positions))

    size = EDGES_A_BATCH if store.embedded else EDGES_A_BATCH // 2  # Neo4j is as fast so, with less heap
    batch_size = AdaptiveBatchSize(size, size)
    send_batches(split_into_batches(edges, positions, batch_size), prepare, send, batch_size)
    return len(positions)


def _create_statement(kind: EdgeType) -> str:
    """Nodes are found by element id, and must have the id that they are wanted for: servers use element ids again.

    The end nodes of a batch are looked up once each, and the rows name them by position (as in `store.write`).
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


def remove_lists(store: Store, kind: EdgeType, obsolete: Sequence[ObsoleteLists], progress: Progress = silent) -> int:
    """Delete the lists of some start nodes in some layers, in batches, and say how many edges there were."""
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
    """Say of some nodes of a label that they have no list in a version, whatever older layers have."""
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
    """Delete what was said of the nodes without a list for all versions but some."""
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
