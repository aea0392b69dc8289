"""The active run and its list for a user, read by the contract of publishing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphrec.schema import ITEM, RECOMMENDED, RUN, USER
from graphrec.store import Store
from graphrec.store.active_run import ACTIVE_RUN, COLUMNS, ActiveRun, require_readable_lists
from graphrec.store.connection import Row

#: An item that a user has not met and that is not in a list of ids.
_OTHER = f"""
MATCH (user:{USER} {{id: $user_id}}), (item:{ITEM})
WHERE NOT item.id IN $listed AND NOT EXISTS {{ MATCH (user)-[met]->(item) WHERE type(met) = $relation }}
RETURN item.id AS item LIMIT 1
"""

#: A user's list stands in the first of the run's layers that has edges of this user. One query, as most answers need no
#: other, and each takes a way to the server and back.
_LIST = f"""{ACTIVE_RUN}
OPTIONAL MATCH (user:{USER} {{id: $user_id}})
OPTIONAL MATCH (user)-[edge:{RECOMMENDED}]->(item:{ITEM})
WHERE edge.version IN run.layers AND NOT EXISTS {{ (user)-[:WITHDRAWN]->(run) }}
RETURN {COLUMNS}, user.id AS user, edge.version AS layer, item.id AS item, item.title AS title, edge.score AS score,
       edge.rank AS rank, EXISTS {{ MATCH (user)-[met]->(item) WHERE type(met) = run.relation }} AS seen
ORDER BY rank
"""


#: As above, for many users and a run that is known; the caller sorts the rows.
_LISTS = f"""
MATCH (run:{RUN} {{id: $run}})
UNWIND $ids AS user_id
MATCH (user:{USER} {{id: user_id}})
OPTIONAL MATCH (user)-[edge:{RECOMMENDED}]->(item:{ITEM})
WHERE edge.version IN run.layers AND NOT EXISTS {{ (user)-[:WITHDRAWN]->(run) }}
RETURN user.id AS user, edge.version AS layer, item.id AS item, item.title AS title, edge.score AS score,
       edge.rank AS rank, EXISTS {{ MATCH (user)-[met]->(item) WHERE type(met) = run.relation }} AS seen
"""


@dataclass(frozen=True)
class Listed:
    """One place of a published list, and whether the user has met the item meanwhile."""

    item: str
    title: str | None
    score: float
    rank: int
    seen: bool


@dataclass(frozen=True)
class PublishedList:
    """The active run (None where nothing is published), whether the graph has the user, and the user's list in it."""

    run: ActiveRun | None
    has_user: bool = False
    places: tuple[Listed, ...] = ()


def published_list(store: Store, user_id: str) -> PublishedList:
    """The whole list of a user in the active run, best first; empty where there is none."""
    rows = store.read(_LIST, {"user_id": user_id})
    if not rows:
        require_readable_lists(store)
        found = store.read(f"MATCH (user:{USER} {{id: $user_id}}) RETURN 1 AS one", {"user_id": user_id})
        return PublishedList(None, bool(found))
    run = ActiveRun.from_row(rows[0])
    return PublishedList(run, rows[0]["user"] is not None, _places(run, rows))


def published_lists(store: Store, run: ActiveRun, user_ids: Sequence[str]) -> dict[str, tuple[Listed, ...]]:
    """The whole lists of users in a run, best first, by user; users that the graph does not have are left out."""
    found: dict[str, list[Row]] = {}
    for row in store.read(_LISTS, {"run": run.id, "ids": list(user_ids)}):
        found.setdefault(row["user"], []).append(row)
    return {user: _places(run, rows) for user, rows in found.items()}


def _places(run: ActiveRun, rows: Sequence[Row]) -> tuple[Listed, ...]:
    """The list of one user: the edges of the newest of the run's layers that has any."""
    listed = [row for row in rows if row["item"] is not None]
    layer = min((row["layer"] for row in listed), key=run.layers.index, default=None)
    places = (_listed(row) for row in listed if row["layer"] == layer)
    return tuple(sorted(places, key=lambda place: place.rank))


def has_other_items(store: Store, user_id: str, run: ActiveRun, listed: Sequence[Listed]) -> bool:
    """Whether the graph has an item that the user has not met and that the user's list does not show."""
    ids = [place.item for place in listed]
    return bool(store.read(_OTHER, {"user_id": user_id, "listed": ids, "relation": run.relation}))


def _listed(row: Mapping[str, Any]) -> Listed:
    return Listed(row["item"], row["title"], float(row["score"]), int(row["rank"]), bool(row["seen"]))
