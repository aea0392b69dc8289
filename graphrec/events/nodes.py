"""Create, change and delete single users and items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graphrec.errors import DataError, format_value
from graphrec.events.source import declare
from graphrec.schema import ITEM, REJECTED_EVENT, SOURCE, SYSTEM_LABELS, SYSTEM_PROPERTIES, SYSTEM_RELATIONS, USER
from graphrec.schema_names import require_name
from graphrec.store import Store
from graphrec.store.connection import RunStatement, quote
from graphrec.store.nodes import ensure_constraint

#: A value of a property; None removes it.
PropertyValue: TypeAlias = str | int | float | bool | list[str] | None

#: Properties that no application may set: ids, keys of sources, and what publishing writes.
_PROTECTED = frozenset({"id", "keys"}) | SYSTEM_PROPERTIES

#: Edges that an application wrote have no source, as those made by hand.
_DELETE_ATTRIBUTES = """
MATCH (node:{label} {{id: $id}})-[edge:{relation}]->(value:{value}) WHERE edge.source IS NULL AND NOT value.id IN $ids
DELETE edge
"""

_ADD_ATTRIBUTES = """
MATCH (node:{label} {{id: $id}})
UNWIND $ids AS value_id
MERGE (value:{value} {{id: value_id}})
MERGE (node)-[edge:{relation}]->(value)
"""


@dataclass(frozen=True)
class Change:
    """What a write changed: whether the node is new, and the numbers of properties and attributes given."""

    created: bool
    properties: int
    attributes: int


@dataclass(frozen=True)
class DeletedUser:
    """Numbers of nodes and edges that were deleted."""

    nodes: int
    edges: int


def put_node(
    store: Store,
    label: str,
    identifier: str,
    properties: Mapping[str, PropertyValue],
    attributes: Mapping[str, Sequence[str]],
) -> Change:
    """Create a user or item unless it exists, set properties, and replace the attributes that applications gave it.

    `attributes` has ids of attribute nodes by relationship type, such as {"IN_GENRE": ["drama"]}; unknown attribute
    nodes are created. Edges of sources stay.

    Raises DataError if a property or relationship type cannot be set.
    """
    for name in properties:
        require_name(name, "property")
        if name in _PROTECTED or ":" in name:
            raise DataError(f"the property {format_value(name)} is written by graphrec only; leave it out")
    values = {relation: _find_attribute_label(store, label, relation) for relation in attributes}
    for each in {label, SOURCE, *values.values()}:
        ensure_constraint(store, each)

    def work(run: RunStatement) -> bool:
        created = not run(f"MATCH (n:{label} {{id: $id}}) RETURN 1 AS one", {"id": identifier})
        run(f"MERGE (n:{label} {{id: $id}}) SET n += $properties", {"id": identifier, "properties": dict(properties)})
        for relation, ids in attributes.items():
            names = {"label": label, "relation": quote(relation), "value": quote(values[relation])}
            for statement in (_DELETE_ATTRIBUTES, _ADD_ATTRIBUTES):
                run(statement.format(**names), {"id": identifier, "ids": list(dict.fromkeys(ids))})
        if label == ITEM:
            declare(run, touch=True)
        return created

    created = store.transact(work)
    return Change(created, len(properties), sum(map(len, attributes.values())))


def delete_user(store: Store, identifier: str) -> DeletedUser:
    """Delete a user with all edges, and their rejected events; the numbers are 0 if there is no such user."""
    store.write(f"MATCH (event:{REJECTED_EVENT}) WHERE event.user = $id DELETE event", {"id": identifier})
    rows = store.write(
        f"MATCH (user:{USER} {{id: $id}}) OPTIONAL MATCH (user)-[edge]-() WITH user, count(edge) AS edges "
        "DETACH DELETE user RETURN edges",
        {"id": identifier},
    )
    return DeletedUser(len(rows), sum(row["edges"] for row in rows))


def _find_attribute_label(store: Store, label: str, relation: str) -> str:
    """The label of the attribute nodes that a relationship type leads to from nodes of a label."""
    require_name(relation, "relationship type")
    rows = []
    if relation not in SYSTEM_RELATIONS:
        rows = store.read(f"MATCH (:{label})-[:{quote(relation)}]->(value) RETURN labels(value) AS labels LIMIT 1")
    labels: list[str] = [name for row in rows for name in row["labels"] if name not in {USER, ITEM} | SYSTEM_LABELS]
    if not labels:
        raise DataError(
            f"no {label.lower()} has an attribute by {format_value(relation)}, so its label is unknown; load the first "
            "ones from a source"
        )
    return labels[0]
