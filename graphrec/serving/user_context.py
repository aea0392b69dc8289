"""One user's edges in the live graph: behaviour, social ties and attributes."""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphrec.behaviours import EXCLUDING_BEHAVIOURS
from graphrec.schema import ITEM, SHOWN, SYSTEM_LABELS, SYSTEM_RELATIONS, UNDIRECTED, USER
from graphrec.store import Store
from graphrec.store.connection import Row
from graphrec.store.read import main_label

#: Parameters of `EDGES`.
PARAMETERS = {"system": [*sorted(SYSTEM_RELATIONS), SHOWN, "WITHDRAWN"], "undirected": sorted(UNDIRECTED)}

_EDGE = "[type(edge), labels(other), other.id, properties(edge)]"

#: The columns with the edges of `user`. Incoming edges are read only if undirected or from an attribute node; followers
#: say nothing about the followed user's taste.
EDGES = f"""
    [(user)-[edge]->(other) WHERE NOT type(edge) IN $system AND other.id IS NOT NULL | {_EDGE}] AS outgoing,
    [(user)<-[edge]-(other) WHERE NOT type(edge) IN $system AND other.id IS NOT NULL
        AND (type(edge) IN $undirected OR NOT other:{USER}) | {_EDGE}] AS incoming"""

#: Whether an edge `met` excludes its item from the recommendations of its user now; parameters: `exclusion_parameters`.
EXCLUDES = (
    "any(rule IN $excluding "
    "WHERE rule[0] = type(met) AND (rule[1] IS NULL OR coalesce(met.timestamp, rule[1]) >= rule[1]))"
)

_CONTEXT = f"MATCH (user:{USER} {{id: $user_id}}) RETURN properties(user) AS properties, {EDGES}"

#: Edge properties with the strength of a social tie; an edge whose strength is not positive is no tie.
_TRUST = ("value", "weight")


class UserEdge(NamedTuple):  # a tuple, as it is made in a quarter of the time, and an answer may read hundreds
    """An edge of the user: its type, whether it starts at the user, label and id of the other node, its properties."""

    relation: str
    outgoing: bool
    label: str
    id: str
    properties: Mapping[str, Any]

    def number(self, names: Iterable[str], default: float) -> float:
        """The value of the first of some properties that the edge has, as a number."""
        values = (self.properties[name] for name in names if self.properties.get(name) is not None)
        return float(next(values, default))


@dataclass(frozen=True)
class UserContext:
    """A user of the live graph; `edges` and `properties` are empty if the graph does not have the user."""

    user: str
    edges: tuple[UserEdge, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)

    def behaviour(self, relation: str) -> list[UserEdge]:
        """The user's edges of a behaviour."""
        return [edge for edge in self.edges if edge.relation == relation and edge.label == ITEM and edge.outgoing]

    def excluded_items(self, now: float | None = None) -> set[str]:
        """The items that the user has excluded from recommendations, at a time in Unix seconds, by default now."""
        moment = time.time() if now is None else now
        return {
            edge.id
            for edge in self.edges
            if edge.relation in EXCLUDING_BEHAVIOURS
            and edge.label == ITEM
            and edge.outgoing
            and edge.number(["timestamp"], math.inf) > moment - EXCLUDING_BEHAVIOURS[edge.relation]
        }

    def friend_ids(self) -> list[str]:
        """The ids of the users whom the user is a friend of, follows or trusts, each once."""
        friends = (edge.id for edge in self.edges if edge.label == USER and edge.number(_TRUST, 1.0) > 0)
        return list(dict.fromkeys(friends))

    def attribute_ids(self) -> dict[str, list[str]]:
        """The ids of the user's attribute nodes (genres, towns, groups), by label."""
        by_label: dict[str, list[str]] = {}
        for edge in self.edges:
            if edge.label not in {USER, ITEM, ""} | SYSTEM_LABELS:
                by_label.setdefault(edge.label, []).append(edge.id)
        return by_label


def exclusion_parameters() -> dict[str, list[list[object]]]:
    """The parameters of `EXCLUDES`: each relationship type with the Unix seconds since which it excludes, or null."""
    now = int(time.time())
    return {
        "excluding": [
            [relation, None if math.isinf(seconds) else now - int(seconds)]
            for relation, seconds in EXCLUDING_BEHAVIOURS.items()
        ]
    }


def read_user_context(store: Store, user_id: str) -> UserContext:
    """A user's edges and properties, read in one query."""
    rows = store.read(_CONTEXT, {"user_id": user_id, **PARAMETERS})
    return build_context(user_id, rows[0]) if rows else UserContext(user_id)


def build_context(user_id: str, row: Row) -> UserContext:
    """The context of a record that has `properties` and the columns of `EDGES`."""
    edges = [
        UserEdge(relation, outgoing, main_label(labels), str(other), properties)
        for outgoing in (True, False)
        for relation, labels, other, properties in row["outgoing" if outgoing else "incoming"]
    ]
    return UserContext(user_id, tuple(edges), row["properties"])
