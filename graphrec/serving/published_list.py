"""The active run, and its published lists for one user or many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphrec.schema import ITEM, RECOMMENDED, RUN, USER
from graphrec.serving.user_context import EXCLUDES, exclusion_parameters
from graphrec.store import Store
from graphrec.store.active_run import ACTIVE_RUN, COLUMNS, ActiveRun, require_readable_lists
from graphrec.store.connection import Row
from graphrec.store.experiment import IS_COMPARED

#: One item that is not in a list of ids and that the user has not interacted with.
_OTHER = f"""
MATCH (user:{USER} {{id: $user_id}}), (item:{ITEM})
WHERE NOT item.id IN $listed AND NOT EXISTS {{ MATCH (user)-[met]->(item) WHERE type(met) = $relation }}
RETURN item.id AS item LIMIT 1
"""

#: A user's list is in the first of the run's layers that has edges of the user. One query reads run and list, because
#: most answers need no other and each query costs a round trip to the server.
_LIST = f"""{ACTIVE_RUN}
OPTIONAL MATCH (user:{USER} {{id: $user_id}})
OPTIONAL MATCH (user)-[edge:{RECOMMENDED}]->(item:{ITEM})
WHERE edge.version IN run.layers AND NOT EXISTS {{ (user)-[:WITHDRAWN]->(run) }}
RETURN {COLUMNS}, user.id AS user, edge.version AS layer, item.id AS item, item.title AS title, edge.score AS score,
       edge.rank AS rank, {IS_COMPARED} AS is_compared, EXISTS {{
           MATCH (user)-[met]->(item) WHERE type(met) = run.relation OR {EXCLUDES} }} AS seen
ORDER BY rank
"""


#: The same for many users and a given run; the caller sorts the rows.
_LISTS = f"""
MATCH (run:{RUN} {{id: $run}})
UNWIND $ids AS user_id
MATCH (user:{USER} {{id: user_id}})
OPTIONAL MATCH (user)-[edge:{RECOMMENDED}]->(item:{ITEM})
WHERE edge.version IN run.layers AND NOT EXISTS {{ (user)-[:WITHDRAWN]->(run) }}
RETURN user.id AS user, edge.version AS layer, item.id AS item, item.title AS title, edge.score AS score,
       edge.rank AS rank, EXISTS {{
           MATCH (user)-[met]->(item) WHERE type(met) = run.relation OR {EXCLUDES} }} AS seen
"""


@dataclass(frozen=True)
class ListedItem:
    """One item of a published list, and whether the user has it by the run's behaviour, or has excluded it."""

    item: str
    title: str | None
    score: float
    rank: int
    seen: bool


@dataclass(frozen=True)
class PublishedList:
    """The active run (None if nothing is published), whether the graph has the user, the user's list, and whether the
    run is compared with another one in an experiment."""

    run: ActiveRun | None
    has_user: bool = False
    items: tuple[ListedItem, ...] = ()
    is_compared: bool = False


def read_published_list(store: Store, user_id: str) -> PublishedList:
    """The whole list of a user in the active run, best first; empty if the run has no list for the user."""
    rows = store.read(_LIST, {"user_id": user_id, **exclusion_parameters()})
    if not rows:
        require_readable_lists(store)
        users = store.read(f"MATCH (user:{USER} {{id: $user_id}}) RETURN 1 AS one", {"user_id": user_id})
        return PublishedList(None, bool(users))
    run = ActiveRun.from_row(rows[0])
    return PublishedList(run, rows[0]["user"] is not None, _build_list(run, rows), bool(rows[0]["is_compared"]))


def read_published_lists(store: Store, run: ActiveRun, user_ids: Sequence[str]) -> dict[str, tuple[ListedItem, ...]]:
    """The whole lists of users in a run, best first, by user; users who are not in the graph are left out."""
    rows_of: dict[str, list[Row]] = {}
    for row in store.read(_LISTS, {"run": run.id, "ids": list(user_ids), **exclusion_parameters()}):
        rows_of.setdefault(row["user"], []).append(row)
    return {user: _build_list(run, rows) for user, rows in rows_of.items()}


def _build_list(run: ActiveRun, rows: Sequence[Row]) -> tuple[ListedItem, ...]:
    """The list of one user: the edges of the newest of the run's layers that has any."""
    rows = [row for row in rows if row["item"] is not None]
    layer = min((row["layer"] for row in rows), key=run.layers.index, default=None)
    items = (_build_item(row) for row in rows if row["layer"] == layer)
    return tuple(sorted(items, key=lambda each: each.rank))


def has_other_items(store: Store, user_id: str, run: ActiveRun, listed: Sequence[ListedItem]) -> bool:
    """Whether the graph has an item that is not in the user's list and that the user has not interacted with."""
    ids = [each.item for each in listed]
    return bool(store.read(_OTHER, {"user_id": user_id, "listed": ids, "relation": run.relation}))


def _build_item(row: Mapping[str, Any]) -> ListedItem:
    return ListedItem(row["item"], row["title"], float(row["score"]), int(row["rank"]), bool(row["seen"]))
