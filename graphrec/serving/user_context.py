"""What the live graph knows of one user: what they did, whom they know, and what describes them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphrec.schema import ITEM, SHOWN, SYSTEM_LABELS, SYSTEM_RELATIONS, UNDIRECTED, USER
from graphrec.store import Store
from graphrec.store.read import main_label

_SYSTEM = [*sorted(SYSTEM_RELATIONS), SHOWN, "WITHDRAWN"]

_TIE = "[type(edge), labels(other), other.id, properties(edge)]"

#: Of what leads to a user only what the user is part of: a celebrity's followers say nothing of the celebrity's taste.
_LIFE = f"""
MATCH (user:{USER} {{id: $user_id}})
RETURN properties(user) AS properties,
    [(user)-[edge]->(other) WHERE NOT type(edge) IN $system AND other.id IS NOT NULL | {_TIE}] AS outgoing,
    [(user)<-[edge]-(other) WHERE NOT type(edge) IN $system AND other.id IS NOT NULL
        AND (type(edge) IN $undirected OR NOT other:{USER}) | {_TIE}] AS incoming
"""

#: Properties of a social edge that say how much it is worth; one that is not positive is no friendship.
_TRUST = ("value", "weight")


@dataclass(frozen=True)
class UserEdge:
    """An edge of the user: its type, whether it leads away from the user, the node at its other end, its properties."""

    relation: str
    outgoing: bool
    label: str
    id: str
    properties: Mapping[str, Any]

    def number(self, names: Iterable[str], default: float) -> float:
        """The first of some properties that the edge has, as a number."""
        found = next((self.properties[name] for name in names if self.properties.get(name) is not None), default)
        return float(found)


@dataclass(frozen=True)
class UserContext:
    """A user of the live graph; of a user who is not there all is empty."""

    user: str
    ties: tuple[UserEdge, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)

    def did(self, relation: str) -> list[UserEdge]:
        """The edges of a behaviour."""
        return [tie for tie in self.ties if tie.relation == relation and tie.label == ITEM and tie.outgoing]

    def friends(self) -> list[str]:
        """The ids of those whom the user is a friend of, follows or trusts, each once."""
        friendly = (tie.id for tie in self.ties if tie.label == USER and tie.number(_TRUST, 1.0) > 0)
        return list(dict.fromkeys(friendly))

    def values(self) -> dict[str, list[str]]:
        """The ids of the nodes that describe the user (genres, towns, groups), by label."""
        found: dict[str, list[str]] = {}
        for tie in self.ties:
            if tie.label not in {USER, ITEM, ""} | SYSTEM_LABELS:
                found.setdefault(tie.label, []).append(tie.id)
        return found


def read_life(store: Store, user_id: str) -> UserContext:
    """What the graph knows of a user, in one query."""
    rows = store.read(_LIFE, {"user_id": user_id, "system": _SYSTEM, "undirected": sorted(UNDIRECTED)})
    if not rows:
        return UserContext(user_id)
    ties = [
        UserEdge(relation, outgoing, main_label(labels), str(other), properties)
        for outgoing in (True, False)
        for relation, labels, other, properties in rows[0]["outgoing" if outgoing else "incoming"]
    ]
    return UserContext(user_id, tuple(ties), rows[0]["properties"])
