"""Nodes as the page shows them: users and items that match a text, an item, and an attribute value with its items."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphrec.behaviours import BEHAVIOURS
from graphrec.schema import ITEM, NO_BEHAVIOUR, SYSTEM_LABELS, SYSTEM_PROPERTIES, SYSTEM_RELATIONS, USER
from graphrec.serving.user_context import UserContext
from graphrec.store import Store
from graphrec.store.connection import Row, quote
from graphrec.store.read import main_label

#: Time limit of a query, in seconds; Neo4j ends it in the database too.
SECONDS = 5.0

#: Maximum number of items of a value, of interactions, and of friends or values that are shown.
MAX_ITEMS, MAX_HISTORY, MAX_NEIGHBOURS = 60, 30, 40

_NAME = "coalesce({node}.title, {node}.name)"

_USERS = f"""
MATCH (user:{USER})
WHERE toLower(user.id) CONTAINS $text OR toLower(toString(coalesce({_NAME.format(node="user")}, ''))) CONTAINS $text
RETURN user.id AS id, {_NAME.format(node="user")} AS title
ORDER BY size(user.id), user.id LIMIT $limit
"""

_SOME_USERS = f"""
MATCH (user:{USER}) WITH user LIMIT 200
WITH user, COUNT {{{{ (user)-[:{{relation}}]->() }}}} AS number WHERE number >= 3
RETURN user.id AS id, {_NAME.format(node="user")} AS title ORDER BY abs(number - 30), user.id LIMIT $limit
"""

_NAMES = f"UNWIND $ids AS id MATCH (node:{{label}} {{{{id: id}}}}) RETURN id, {_NAME.format(node='node')} AS title"

#: Incoming behaviour is left out by type before its users are read: a popular item has hundreds of thousands.
_ITEM = f"""
MATCH (item:{ITEM} {{{{id: $id}}}})
RETURN properties(item) AS properties, COUNT {{{{ (item)<-[:{{relation}}]-() }}}} AS number,
    [(item)-[edge]->(value) WHERE NOT type(edge) IN $other AND NOT value:{ITEM} AND value.id IS NOT NULL
        | [labels(value), value.id, {_NAME.format(node="value")}]] +
    [(item)<-[edge]-(value) WHERE NOT type(edge) IN $other AND NOT value:{USER} AND NOT value:{ITEM}
        AND value.id IS NOT NULL | [labels(value), value.id, {_NAME.format(node="value")}]] AS values
"""

_VALUE = f"""
MATCH (value:{{label}} {{{{id: $id}}}}) RETURN {_NAME.format(node="value")} AS title
"""

_VALUE_ITEMS = f"""
MATCH (value:{{label}} {{{{id: $id}}}})--(item:{ITEM})
WITH DISTINCT item
RETURN item.id AS item, item.title AS title, COUNT {{{{ (item)<-[:{{relation}}]-() }}}} AS number
ORDER BY number DESC, item LIMIT $limit
"""


@dataclass(frozen=True)
class NamedNode:
    """A node with its label, id and title if it has one."""

    label: str
    id: str
    title: str | None = None

    @property
    def name(self) -> str:
        """The title, or the id if there is no title."""
        return self.title or self.id


@dataclass(frozen=True)
class ItemProfile:
    """An item: properties, attribute nodes by label, and the number of its interactions."""

    node: NamedNode
    properties: Mapping[str, Any]
    values: Mapping[str, list[NamedNode]]
    num_interactions: int


def find_items(titles: Mapping[str, Any], text: str, limit: int) -> list[NamedNode]:
    """The items whose title or id contains a text, in any case: equal ones first, then those that begin with it."""
    wanted = text.strip().casefold()
    found = []
    for id_, title in titles.items():
        name = str(title).casefold() if title is not None else ""
        if wanted in name or wanted in id_.casefold():
            rank = 0 if wanted in (name, id_.casefold()) else 1 if name.startswith(wanted) else 2
            found.append((rank, len(name) or len(id_), id_))
    return [named(ITEM, id_, titles[id_]) for _, _, id_ in sorted(found)[:limit]]


def find_users(store: Store, text: str, limit: int) -> list[NamedNode]:
    """The users whose id, title or name contains a text, in any case; one whose id is the text first."""
    exact = store.read(_NAMES.format(label=USER), {"ids": [text]})
    rows = store.read(_USERS, {"text": text.strip().lower(), "limit": limit}, SECONDS)
    by_id = {str(row["id"]): row["title"] for row in (*exact, *rows)}
    return [named(USER, id_, title) for id_, title in by_id.items()][:limit]


def choose_users(store: Store, relation: str, limit: int) -> list[NamedNode]:
    """Users to begin with: of the first 200, those whose number of interactions by a behaviour is nearest to 30."""
    rows = store.read(_SOME_USERS.format(relation=quote(relation)), {"limit": limit}, SECONDS)
    return [named(USER, row["id"], row["title"]) for row in rows]


def name_nodes(store: Store, label: str, ids: Sequence[str]) -> list[NamedNode]:
    """The nodes of a label with some ids, in their order, with titles if the graph has them."""
    rows = store.read(_NAMES.format(label=quote(label)), {"ids": list(ids)})
    titles = {str(row["id"]): row["title"] for row in rows}
    return [named(label, id_, titles.get(id_)) for id_ in ids]


def name_neighbours(store: Store, user: UserContext) -> tuple[list[NamedNode], dict[str, list[NamedNode]]]:
    """A user's friends, and attribute nodes by label; at most MAX_NEIGHBOURS of each."""
    friends = name_nodes(store, USER, user.friend_ids()[:MAX_NEIGHBOURS])
    values = {
        label: name_nodes(store, label, list(dict.fromkeys(ids))[:MAX_NEIGHBOURS])
        for label, ids in user.attribute_ids().items()
    }
    return friends, values


def read_item(store: Store, item_id: str, relation: str) -> ItemProfile | None:
    """An item, with the number of its interactions by a behaviour; None if the graph does not have it."""
    other = [*sorted(SYSTEM_RELATIONS), *NO_BEHAVIOUR, *BEHAVIOURS, relation]
    rows = store.read(_ITEM.format(relation=quote(relation)), {"id": item_id, "other": other}, SECONDS)
    if not rows:
        return None
    values: dict[str, dict[str, NamedNode]] = {}
    for labels, id_, title in rows[0]["values"]:
        label = main_label(labels)
        if label and label not in SYSTEM_LABELS:
            values.setdefault(label, {})[str(id_)] = named(label, id_, title)
    properties = rows[0]["properties"]
    return ItemProfile(
        named(ITEM, item_id, properties.get("title")),
        visible_properties(properties),
        {label: list(nodes.values())[:MAX_NEIGHBOURS] for label, nodes in sorted(values.items())},
        rows[0]["number"],
    )


def read_value(store: Store, label: str, id_: str, relation: str) -> tuple[NamedNode, list[Row]] | None:
    """An attribute node and the items that have it, those with most interactions first; None if there is no such node.

    Each item is a record of item, title and number, the number of interactions by `relation`.
    """
    rows = store.read(_VALUE.format(label=quote(label)), {"id": id_})
    if not rows:
        return None
    statement = _VALUE_ITEMS.format(label=quote(label), relation=quote(relation))
    return named(label, id_, rows[0]["title"]), store.read(statement, {"id": id_, "limit": MAX_ITEMS}, SECONDS)


def visible_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that people read: neither ids and vectors, nor values of single sources (`source:name`)."""
    hidden = SYSTEM_PROPERTIES | {"id", "keys", "title", "name"}
    return {name: value for name, value in sorted(properties.items()) if name not in hidden and ":" not in name}


def named(label: str, id_: object, title: object) -> NamedNode:
    """A node; texts of id and title, whatever the graph has."""
    return NamedNode(label, str(id_), None if title is None or title == "" else str(title))


def titled(titles: Mapping[str, Any], ids: Iterable[str]) -> list[NamedNode]:
    """Items by their ids, with the titles of a snapshot."""
    return [named(ITEM, id_, titles.get(id_)) for id_ in ids]
