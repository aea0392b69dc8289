"""A user's published list and edges in the live graph, read in one query for a run that is known beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphrec.schema import ITEM, RECOMMENDED, RUN, USER, WITHDRAWN
from graphrec.serving.published_list import ListedItem
from graphrec.serving.user_context import EDGES, PARAMETERS, UserContext, build_context
from graphrec.store import Store
from graphrec.store.active_run import ActiveRun

_LIVE_USER = f"""
MATCH (user:{USER} {{id: $user_id}})
RETURN properties(user) AS properties, EXISTS {{ (user)-[:{WITHDRAWN}]->(:{RUN} {{id: $run}}) }} AS is_withdrawn,
    [(user)-[edge:{RECOMMENDED}]->(item:{ITEM}) WHERE edge.version IN $layers
        | [edge.version, edge.rank, item.id, edge.score]] AS listed,{EDGES}
"""


@dataclass(frozen=True)
class LiveUser:
    """A user of the live graph with the list that a run published for them; both empty if there is no such user."""

    context: UserContext
    exists: bool = False
    listed: tuple[ListedItem, ...] = ()


def read_live_user(store: Store, user_id: str, run: ActiveRun | None, titles: Mapping[str, Any]) -> LiveUser:
    """A user, and the list of a run, best first; items that are not in `titles` have left the graph."""
    layers = [] if run is None else list(run.layers)
    rows = store.read(
        _LIVE_USER, {"user_id": user_id, "run": "" if run is None else run.id, "layers": layers, **PARAMETERS}
    )
    if not rows:
        return LiveUser(UserContext(user_id))
    context = build_context(user_id, rows[0])
    if run is None or rows[0]["is_withdrawn"]:
        return LiveUser(context, True)
    seen = {edge.id for edge in context.behaviour(run.relation)} | context.excluded_items()
    return LiveUser(context, True, _build_list(rows[0]["listed"], layers, titles, seen))


def _build_list(
    rows: Sequence[Sequence[Any]], layers: Sequence[int], titles: Mapping[str, Any], seen: set[str]
) -> tuple[ListedItem, ...]:
    """The list of the newest layer that has one, from rows of version, rank, item and score."""
    layer = min((row[0] for row in rows), key=layers.index, default=None)
    chosen = sorted((row for row in rows if row[0] == layer), key=lambda row: row[1])
    return tuple(ListedItem(i, titles.get(i), float(score), rank, i in seen) for _, rank, i, score in chosen)
