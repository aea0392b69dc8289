"""Answers of the graph alone, without a model: friends, attributes, the segment, what is trending, what is popular."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from graphrec.schema import ITEM, USER
from graphrec.schema_names import usable
from graphrec.serving.answer import ATTRIBUTES, FRIENDS, POPULAR, SEGMENT, TRENDING
from graphrec.serving.candidates import Candidate, of_rows
from graphrec.serving.user_context import UserContext
from graphrec.store import Store
from graphrec.store.connection import Row, quote

DAY = 86_400

#: What happened in so many days before the last event of the graph is recent.
WINDOW_DAYS = 30

#: At most so many friends and alike users are asked, the first by id of those who are most alike.
ASKED = 500

#: So many trending and popular items are kept, and for so many seconds.
KEPT, SECONDS_KEPT = 1000, 60.0

_FRIENDS = f"""
UNWIND $ids AS id
MATCH (friend:{USER} {{id: id}})-[:{{relation}}]->(item:{ITEM})
WITH item, count(DISTINCT friend) AS score
WHERE NOT item.id IN $seen
RETURN item.id AS item, item.title AS title, score ORDER BY score DESC, item LIMIT $limit
"""

_ATTRIBUTES = f"""
MATCH (value:{{label}})--(item:{ITEM}) WHERE value.id IN $ids AND NOT item.id IN $seen
WITH item, count(DISTINCT value) AS score
RETURN item.id AS item, item.title AS title, score, COUNT {{ (item)<-[:{{relation}}]-() }} AS popularity
ORDER BY score DESC, popularity DESC, item LIMIT $limit
"""

_SAME_VALUES = f"""
MATCH (value:{{label}})--(other:{USER}) WHERE value.id IN $ids AND other.id <> $user_id
RETURN other.id AS id, count(DISTINCT value) AS alike ORDER BY alike DESC, id LIMIT {ASKED}
"""

_SAME_PROPERTIES = f"""
MATCH (other:{USER}) WHERE other.id <> $user_id AND ({{same}})
RETURN other.id AS id, {{alike}} AS alike ORDER BY alike DESC, id LIMIT {ASKED}
"""

_LAST = f"MATCH (:{USER})-[edge:{{relation}}]->(:{ITEM}) RETURN max(edge.timestamp) AS last"

_TRENDING = f"""
MATCH (:{USER})-[edge:{{relation}}]->(item:{ITEM}) WHERE edge.timestamp > $since
WITH item, count(edge) AS score
RETURN item.id AS item, item.title AS title, score ORDER BY score DESC, item LIMIT {KEPT}
"""

_POPULAR = f"""
MATCH (item:{ITEM})
WITH item, COUNT {{ (item)<-[:{{relation}}]-() }} AS score WHERE score > 0
RETURN item.id AS item, item.title AS title, score ORDER BY score DESC, item LIMIT {KEPT}
"""


class Fallbacks:
    """What a graph answers without a model, for one behaviour; trending and popular items are kept for a minute."""

    def __init__(self, store: Store, relation: str) -> None:
        self.relation = relation
        self._store = store
        self._kept: dict[str, tuple[float, list[Candidate]]] = {}

    def of(self, life: UserContext, seen: set[str], limit: int) -> Iterator[list[Candidate]]:
        """The candidates of each way in turn, the most personal first; a way that leads nowhere gives none."""
        if friends := life.friends()[:ASKED]:
            yield self._of_users(friends, seen, limit, FRIENDS)
        for label, ids in life.values().items():
            more = {"ids": ids, "seen": sorted(seen), "limit": limit}
            yield of_rows(self._read(_ATTRIBUTES, more, label=quote(label)), ATTRIBUTES)
        for alike in self._segments(life):
            yield self._of_users(alike, seen, limit, SEGMENT)
        for kept in (self.trending(), self.popular()):
            yield [each for each in kept if each.item not in seen][:limit]

    def trending(self) -> list[Candidate]:
        """The items of most events in the last days; none where the behaviour has no times."""
        return self._keep(TRENDING, self._trending)

    def popular(self) -> list[Candidate]:
        """The items of most events."""
        return self._keep(POPULAR, lambda: self._read(_POPULAR, {}))

    def _of_users(self, ids: list[str], seen: set[str], limit: int, way: str) -> list[Candidate]:
        return of_rows(self._read(_FRIENDS, {"ids": ids, "seen": sorted(seen), "limit": limit}), way)

    def _segments(self, life: UserContext) -> Iterator[list[str]]:
        """The ids of users who share attribute values with a user, then of those who share properties."""
        for label, ids in life.values().items():
            rows = self._read(_SAME_VALUES, {"ids": ids, "user_id": life.user}, label=quote(label))
            yield [str(row["id"]) for row in rows]
        telling = {name: value for name, value in sorted(life.properties.items()) if _tells(name, value)}
        if not telling:
            return
        same = [f"other.{quote(name)} = $p{k}" for k, name in enumerate(telling)]
        alike = " + ".join(f"CASE WHEN {each} THEN 1 ELSE 0 END" for each in same)
        parameters = {f"p{k}": value for k, value in enumerate(telling.values())} | {"user_id": life.user}
        rows = self._read(_SAME_PROPERTIES, parameters, same=" OR ".join(same), alike=alike)
        yield [str(row["id"]) for row in rows]

    def _trending(self) -> list[Row]:
        (row,) = self._read(_LAST, {})
        return [] if row["last"] is None else self._read(_TRENDING, {"since": row["last"] - WINDOW_DAYS * DAY})

    def _keep(self, way: str, read: Any) -> list[Candidate]:
        made, found = self._kept.get(way, (-SECONDS_KEPT, []))
        if time.monotonic() - made >= SECONDS_KEPT:
            found = of_rows(read(), way)
            self._kept[way] = (time.monotonic(), found)
        return found

    def _read(self, statement: str, parameters: Mapping[str, Any], **names: str) -> list[Row]:
        for name, text in {"relation": quote(self.relation), **names}.items():
            statement = statement.replace(f"{{{name}}}", text)
        return self._store.read(statement, parameters)


def _tells(name: str, value: object) -> bool:
    """Whether a property may say whom a user is like: not what identifies them, nor what one source says beside."""
    known = name in ("id", "keys") or ":" in name or not usable(name)
    return not known and isinstance(value, str | int | bool)
