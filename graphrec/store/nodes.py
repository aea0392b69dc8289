"""Write a plan of nodes: rename, change and create nodes, move their relationships, and delete nodes at the end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx
import pandas as pd

from graphrec.errors import StoreError
from graphrec.fusion.plan import NodePlan
from graphrec.progress import StageProgress, silent
from graphrec.schema import SHOWN, SIMILAR_TEXT, SOURCE, SYSTEM_RELATIONS, EdgeType
from graphrec.store.connection import ConstraintError, Store, quote
from graphrec.store.edges import to_python
from graphrec.tables import ENRICHED_URL

#: Batch sizes: nodes written in one transaction, nodes whose moves of records are one transaction, and edges deleted in
#: one transaction.
NODES_A_BATCH = 10_000
MOVES_A_BATCH = 1_000
EDGES_DELETED_A_BATCH = 10_000

#: Prefix of the temporary id of a node whose id another node gets, until its new id is written.
_TEMPORARY = "renaming:"

#: Relationship types that hold no node: graphrec computed them from the nodes.
_COMPUTED = sorted({*SYSTEM_RELATIONS, SIMILAR_TEXT})

Statement = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class WriteCounts:
    """The number of nodes of a label, or edges of a relationship type to the label `target`, that were created, changed
    and deleted."""

    name: str
    created: int
    changed: int
    deleted: int = 0
    target: str | None = None


def ensure_constraint(store: Store, label: str, key: str = "id") -> None:
    """Create the constraint that a property is unique within a label, which also indexes it.

    Raises StoreError if nodes already violate it.
    """
    name = quote(f"{label}_{key}")
    try:
        store.define(f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{quote(label)}) REQUIRE n.{quote(key)} IS UNIQUE")
    except ConstraintError as error:
        raise StoreError(f"{label} nodes are not unique by {key} ({error}); remove the duplicates first") from error


def count_written(plan: NodePlan) -> WriteCounts:
    """The numbers of nodes that a plan writes."""
    return WriteCounts(plan.label, len(plan.created), len(plan.changed), len(plan.deleted))


def write_nodes(store: Store, plan: NodePlan, edges: Sequence[EdgeType], progress: StageProgress = silent) -> None:
    """Write a plan except its deletions, which follow after the edges (`delete_nodes`).

    If a record moves to another node, the relationships of its source move in the same transaction, so that an
    interrupted write leaves every record on exactly one node. `edges` are the types of these relationships.
    """
    ensure_constraint(store, plan.label)
    plan = _assign_temporary_ids(store, plan)
    in_moves = {*plan.moved["from_id"], *plan.moved["to_id"]}
    derived = _read_derived_sources(store) if len(plan.moved) else []
    for group in _group_moves(plan.moved):
        store.write_together(list(_build_moves(plan, group, edges, derived)))
    created = plan.created[~plan.created["id"].isin(in_moves)]
    changed = [(id_, new) for id_, new in plan.changed.items() if id_ not in in_moves]
    total, what = len(created) + len(changed), f"writing {plan.label}"
    if total:
        progress(what, 0, total)
    for begin in range(0, len(created), NODES_A_BATCH):
        store.write(*_build_create(plan.label, created.iloc[begin : begin + NODES_A_BATCH]))
        progress(what, min(begin + NODES_A_BATCH, len(created)), total)
    for begin in range(0, len(changed), NODES_A_BATCH):
        store.write(*_build_change(plan.label, dict(changed[begin : begin + NODES_A_BATCH])))
        progress(what, len(created) + min(begin + NODES_A_BATCH, len(changed)), total)


def delete_nodes(store: Store, plan: NodePlan) -> None:
    """Delete the nodes without records; a node with relationships that no load wrote stays, without keys and without
    the properties `plan.cleared`.

    If another node has its id now, such a node gets its first key as id.
    """
    temporary = _find_temporary_ids(plan)
    ids = [temporary.get(id_, id_) for id_ in plan.deleted]
    derived = _read_derived_sources(store) if ids else []
    for begin in range(0, len(ids), NODES_A_BATCH):
        store.write_together(list(_build_deletes(plan, ids[begin : begin + NODES_A_BATCH], derived)))


def delete_impressions(store: Store, plan: NodePlan) -> None:
    """Delete the SHOWN edges of the nodes that a plan deletes, so that they hold none of these nodes."""
    statement = (
        f"UNWIND $ids AS id MATCH (n:{quote(plan.label)} {{id: id}}) MATCH (n)-[r:{SHOWN}]-() "
        "WITH r LIMIT $limit DELETE r RETURN count(*) AS number"
    )
    for begin in range(0, len(plan.deleted), MOVES_A_BATCH):
        ids = plan.deleted[begin : begin + MOVES_A_BATCH]
        store.write_repeatedly(statement, {"ids": ids}, EDGES_DELETED_A_BATCH)


def count_held(store: Store, plan: NodePlan, sources: Sequence[str]) -> int:
    """The number of nodes that a plan deletes but that stay: other programs' edges, of none of `sources`, hold them."""
    statement = (
        f"UNWIND $ids AS id MATCH (n:{quote(plan.label)} {{id: id}}) WHERE EXISTS {{ MATCH (n)-[r]-() "
        "WHERE NOT type(r) IN $own AND NOT coalesce(r.source, '') IN $sources } RETURN count(n) AS number"
    )
    values = {"own": [*_COMPUTED, SHOWN], "sources": [*sources]}
    batches = (plan.deleted[begin : begin + NODES_A_BATCH] for begin in range(0, len(plan.deleted), NODES_A_BATCH))
    return sum(store.read(statement, {"ids": ids, **values})[0]["number"] for ids in batches)


def _assign_temporary_ids(store: Store, plan: NodePlan) -> NodePlan:
    """Give temporary ids to nodes whose id another node gets; return the plan with the resulting ids."""
    temporary = _find_temporary_ids(plan)
    if temporary:
        store.write(*_build_change(plan.label, {id_: {"id": new} for id_, new in temporary.items()}))
    current = {new: temporary.get(old, old) for old, new in plan.renamed.items()}
    moved = plan.moved.assign(
        from_id=[temporary.get(id_, id_) for id_ in plan.moved["from_id"]],
        to_id=[current.get(id_, id_) for id_ in plan.moved["to_id"]],
    )
    changed = {temporary.get(id_, id_): new for id_, new in plan.changed.items()}
    deleted = [temporary.get(id_, id_) for id_ in plan.deleted]
    emptied = {temporary.get(id_, id_): keys for id_, keys in plan.emptied.items()}
    return replace(plan, changed=changed, moved=moved, deleted=deleted, emptied=emptied)


def _find_temporary_ids(plan: NodePlan) -> dict[str, str]:
    """The temporary ids of nodes whose id another node gets."""
    new_ids = {*plan.renamed.values(), *plan.created["id"]}
    return {id_: f"{_TEMPORARY}{id_}" for id_ in (*plan.renamed, *plan.deleted) if id_ in new_ids}


def _group_moves(moved: pd.DataFrame) -> Iterator[set[str]]:
    """The ids of nodes between which records move, in batches of connected groups."""
    graph: nx.Graph[str] = nx.Graph(list(zip(moved["from_id"], moved["to_id"], strict=True)))
    batch: set[str] = set()
    for group in nx.connected_components(graph):
        batch |= group
        if len(batch) >= MOVES_A_BATCH:
            yield batch
            batch = set()
    if batch:
        yield batch


def _read_derived_sources(store: Store) -> list[str]:
    """The names of sources whose edges a language model drew from texts of the nodes; they hold no node."""
    rows = store.read(f"MATCH (s:{SOURCE}) WHERE s.url = $url RETURN s.id AS name", {"url": ENRICHED_URL})
    return [row["name"] for row in rows]


def _build_moves(plan: NodePlan, group: set[str], edges: Sequence[EdgeType], derived: list[str]) -> Iterator[Statement]:
    """Create the nodes of a group, move relationships between them, then change them (a change may rename)."""
    created = plan.created[plan.created["id"].isin(group)]
    if len(created):
        yield _build_create(plan.label, created)
    rows = plan.moved[plan.moved["from_id"].isin(group)].to_dict("records")
    each = "UNWIND $rows AS row MATCH (n:{0} {{id: row.from_id}}) MATCH (m:{0} {{id: row.to_id}}) "
    for relation in sorted({kind.relation for kind in edges if kind.source == plan.label}):
        out = f"MATCH (n)-[r:{quote(relation)}]->(b) WHERE r.source = row.source CREATE (m)-[s:{quote(relation)}]->(b)"
        yield f"{each.format(quote(plan.label))}{out} SET s = properties(r) DELETE r", {"rows": rows}
    for relation in sorted({kind.relation for kind in edges if kind.target == plan.label}):
        into = f"MATCH (n)<-[r:{quote(relation)}]-(b) WHERE r.source = row.source CREATE (m)<-[s:{quote(relation)}]-(b)"
        yield f"{each.format(quote(plan.label))}{into} SET s = properties(r) DELETE r", {"rows": rows}
    changed = {id_: new for id_, new in plan.changed.items() if id_ in group}
    emptied = {id_: keys for id_, keys in plan.emptied.items() if id_ in group}
    if changed or emptied:
        yield _build_change(plan.label, {**changed, **{id_: {"keys": keys} for id_, keys in emptied.items() if keys}})
    yield from _build_deletes(plan, [id_ for id_, keys in emptied.items() if not keys], derived)


def _build_deletes(plan: NodePlan, ids: list[str], derived: list[str]) -> Iterator[Statement]:
    each = f"UNWIND $ids AS id MATCH (n:{quote(plan.label)} {{id: id}})"
    used = "EXISTS { MATCH (n)-[r]-() WHERE NOT type(r) IN $computed AND NOT coalesce(r.source, '') IN $derived }"
    parameters = {"ids": ids, "computed": _COMPUTED, "derived": derived}
    yield f"{each} WHERE NOT {used} DETACH DELETE n", parameters
    if plan.cleared:
        yield f"{each} SET n += $cleared", {"ids": ids, "cleared": dict.fromkeys(plan.cleared)}
    named = f"size(n.keys) > 0 AND NOT EXISTS {{ MATCH (m:{quote(plan.label)} {{id: n.keys[0]}}) }}"
    temporary = [id_ for id_ in ids if id_.startswith(_TEMPORARY)]
    if temporary:
        yield f"{each} WHERE {named} WITH n, n.keys[0] AS key REMOVE n.keys SET n.id = key", {"ids": temporary}
    yield f"{each} REMOVE n.keys", {"ids": ids}


def _build_create(label: str, frame: pd.DataFrame) -> Statement:
    columns = {name: to_python(frame[name]) for name in frame.columns if name != "id"}
    properties = [
        {name: cells[at] for name, cells in columns.items() if cells[at] is not None and cells[at] != []}
        for at in range(len(frame))
    ]
    rows = [{"id": id_, "properties": each} for id_, each in zip(frame["id"].tolist(), properties, strict=True)]
    return f"UNWIND $rows AS row CREATE (n:{quote(label)} {{id: row.id}}) SET n += row.properties", {"rows": rows}


def _build_change(label: str, changed: Mapping[str, Mapping[str, Any]]) -> Statement:
    rows = [{"id": id_, "properties": {**new, **_clear_keys(new)}} for id_, new in changed.items()]
    return f"UNWIND $rows AS row MATCH (n:{quote(label)} {{id: row.id}}) SET n += row.properties", {"rows": rows}


def _clear_keys(new: Mapping[str, Any]) -> dict[str, None]:
    return {"keys": None} if new.get("keys") == [] else {}
