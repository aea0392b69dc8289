"""Fallback strategies on the graph alone, without a model: friends, attributes, segment, trending, popular."""

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphrec.schema import ITEM, USER
from graphrec.schema_names import is_usable
from graphrec.serving.answer import Strategy
from graphrec.serving.candidates import Candidate, from_records
from graphrec.serving.user_context import UserContext
from graphrec.store import Store
from graphrec.store.connection import Row, quote

DAY = 86_400

#: Window of the trending strategy: days before the last event of the graph.
WINDOW_DAYS = 30

#: Cap on the friends, or the most similar users (ties by id), whose items are counted.
MAX_USERS = 500

#: Cap on the cached trending and popular items, and the default number of seconds after which they are read again.
CACHED_ITEMS, CACHE_SECONDS = 1000, 60.0

#: A place of a statement for quoted names.
_PLACE = re.compile(r"\{(\w+)\}")

_CHOSEN_BY = f"""
UNWIND $ids AS id
MATCH (other:{USER} {{id: id}})-[:{{relation}}]->(item:{ITEM})
WITH item, count(DISTINCT other) AS score
WHERE NOT item.id IN $seen
RETURN item.id AS item, item.title AS title, score ORDER BY score DESC, item LIMIT $limit
"""

_ATTRIBUTES = f"""
MATCH (value:{{label}})--(item:{ITEM}) WHERE value.id IN $ids AND NOT item.id IN $seen
WITH item, count(DISTINCT value) AS score
RETURN item.id AS item, item.title AS title, score, COUNT {{ (item)<-[:{{relation}}]-() }} AS popularity
ORDER BY score DESC, popularity DESC, item LIMIT $limit
"""

_SAME_ATTRIBUTES = f"""
MATCH (value:{{label}})--(other:{USER}) WHERE value.id IN $ids AND other.id <> $user_id
RETURN other.id AS id, count(DISTINCT value) AS num_same ORDER BY num_same DESC, id LIMIT {MAX_USERS}
"""

_SAME_PROPERTIES = f"""
MATCH (other:{USER}) WHERE other.id <> $user_id AND ({{same}})
RETURN other.id AS id, {{num_same}} AS num_same ORDER BY num_same DESC, id LIMIT {MAX_USERS}
"""

_LAST_EVENT = f"""
MATCH (:{USER})-[edge:{{relation}}]->(:{ITEM}) WHERE edge.timestamp <= $now RETURN max(edge.timestamp) AS last
"""

_TRENDING = f"""
MATCH (:{USER})-[edge:{{relation}}]->(item:{ITEM}) WHERE edge.timestamp > $since AND edge.timestamp <= $now
WITH item, count(edge) AS score
RETURN item.id AS item, item.title AS title, score ORDER BY score DESC, item LIMIT {CACHED_ITEMS}
"""

_POPULAR = f"""
MATCH (item:{ITEM})
WITH item, COUNT {{ (item)<-[:{{relation}}]-() }} AS score WHERE score > 0
RETURN item.id AS item, item.title AS title, score ORDER BY score DESC, item LIMIT {CACHED_ITEMS}
"""


class Fallbacks:
    """Fallback strategies that need no model, for one behaviour.

    Trending and popular lists are cached for `cache_seconds`; a server that calls `refresh` in the background passes
    infinity, so that no request waits for the scan of all events.
    """

    def __init__(self, store: Store, relation: str, cache_seconds: float = CACHE_SECONDS) -> None:
        self.relation = relation
        self.store, self._cache_seconds = store, cache_seconds
        self._cache: dict[Strategy, tuple[float, list[Candidate]]] = {}

    def candidates(self, user: UserContext, seen: set[str], limit: int) -> Iterator[list[Candidate]]:
        """At most `limit` candidates of each strategy in turn, the most personal first; a list may be empty."""
        if friends := user.friend_ids()[:MAX_USERS]:
            yield self._read_chosen_by(friends, seen, limit, Strategy.FRIENDS, self.relation)
        for label, ids in user.attribute_ids().items():
            parameters = {"ids": ids, "seen": sorted(seen), "limit": limit}
            yield from_records(self._read(_ATTRIBUTES, parameters, label=quote(label)), Strategy.ATTRIBUTES, label)
        for similar_in, users in self._find_segments(user):
            yield self._read_chosen_by(users, seen, limit, Strategy.SEGMENT, similar_in)
        for items in (self.trending(), self.popular()):
            yield [each for each in items if each.item not in seen][:limit]

    def trending(self) -> list[Candidate]:
        """The items with the most events in the last `WINDOW_DAYS`; empty if the behaviour has no timestamps."""
        return self._read_cached(Strategy.TRENDING, self._read_trending)

    def popular(self) -> list[Candidate]:
        """The items with the most events."""
        return self._read_cached(Strategy.POPULAR, self._read_popular)

    def refresh(self) -> None:
        """Read the trending and popular items now."""
        for strategy, read in ((Strategy.TRENDING, self._read_trending), (Strategy.POPULAR, self._read_popular)):
            self._cache[strategy] = (time.monotonic(), from_records(read(), strategy, self.relation))

    def _read_chosen_by(
        self, users: list[str], seen: set[str], limit: int, strategy: Strategy, detail: str
    ) -> list[Candidate]:
        rows = self._read(_CHOSEN_BY, {"ids": users, "seen": sorted(seen), "limit": limit})
        return from_records(rows, strategy, detail)

    def _find_segments(self, user: UserContext) -> Iterator[tuple[str, list[str]]]:
        """Yield a label of attribute nodes and the users who share most of them; then property names and such users."""
        for label, ids in user.attribute_ids().items():
            rows = self._read(_SAME_ATTRIBUTES, {"ids": ids, "user_id": user.user}, label=quote(label))
            yield label, [str(row["id"]) for row in rows]
        properties = {name: value for name, value in sorted(user.properties.items()) if _is_segment(name, value)}
        if not properties:
            return
        same = [f"other.{quote(name)} = $p{k}" for k, name in enumerate(properties)]
        num_same = " + ".join(f"CASE WHEN {each} THEN 1 ELSE 0 END" for each in same)
        parameters = {f"p{k}": value for k, value in enumerate(properties.values())} | {"user_id": user.user}
        rows = self._read(_SAME_PROPERTIES, parameters, same=" OR ".join(same), num_same=num_same)
        yield ", ".join(properties), [str(row["id"]) for row in rows]

    def _read_trending(self) -> list[Row]:
        now = int(time.time()) + DAY  # an event with a wrong time in the future would make all others old
        (row,) = self._read(_LAST_EVENT, {"now": now})
        if row["last"] is None:
            return []
        return self._read(_TRENDING, {"since": row["last"] - WINDOW_DAYS * DAY, "now": now})

    def _read_popular(self) -> list[Row]:
        return self._read(_POPULAR, {})

    def _read_cached(self, strategy: Strategy, read: Callable[[], list[Row]]) -> list[Candidate]:
        read_at, items = self._cache.get(strategy, (-math.inf, []))
        if time.monotonic() - read_at >= self._cache_seconds:
            items = from_records(read(), strategy, self.relation)
            self._cache[strategy] = (time.monotonic(), items)
        return items

    def _read(self, statement: str, parameters: Mapping[str, Any], **names: str) -> list[Row]:
        texts = {"relation": quote(self.relation), **names}
        # in one pass: a property's name in a text may look like a place, and its quotes would end there
        statement = _PLACE.sub(lambda place: texts.get(place[1], place[0]), statement)
        return self.store.read(statement, parameters)


def _is_segment(name: str, value: object) -> bool:
    """Whether a property may define a segment: not an id, nor a property of a single source (`source:name`)."""
    excluded = name in ("id", "keys") or ":" in name or not is_usable(name)
    return not excluded and isinstance(value, str | int | bool)
