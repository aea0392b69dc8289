"""A user's published list and edges in the live graph, read in one query for a run that is known beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphrec.schema import ITEM, RECOMMENDED, RUN, USER, WITHDRAWN
from graphrec.serving.published_list import ListedItem
from graphrec.serving.user_context import EDGES, PARAMETERS, UserContext, UserEdge, build_context
from graphrec.store import Store
from graphrec.store.active_run import ActiveRun

_LIST = f"""
MATCH (user:{USER} {{id: $user_id}})
RETURN EXISTS {{ (user)-[:{WITHDRAWN}]->(:{RUN} {{id: $run}}) }} AS is_withdrawn,
    [(user)-[edge:{RECOMMENDED}]->(item:{ITEM}) WHERE edge.version IN $layers
        | [edge.version, edge.rank, item.id, edge.score]] AS listed,"""

_LIVE_USER = f"{_LIST} properties(user) AS properties,{EDGES}"

#: Properties of edges in a brief context: they show whether the user has done something since a time.
_BRIEF = ("timestamp", "received")

#: Names and values of few properties, since all of them take longer to send and to decode than the rest of the answer.
_BRIEF_USER = f"""{_LIST}
    [(user)-[edge]->(item:{ITEM}) WHERE NOT type(edge) IN $system AND item.id IS NOT NULL
        | [type(edge), item.id, {", ".join(f"edge.{name}" for name in _BRIEF)}]] AS edges
"""


@dataclass(frozen=True)
class LiveUser:
    """A user of the live graph with the list that a run published for them; both empty if there is no such user."""

    context: UserContext
    exists: bool = False
    listed: tuple[ListedItem, ...] = ()


def read_live_user(
    store: Store, user_id: str, run: ActiveRun | None, titles: Mapping[str, Any], brief: bool = False
) -> LiveUser:
    """A user, and the list of a run, best first; items that are not in `titles` have left the graph.

    If `brief`, the context has the user's edges to items only, with `timestamp` and `received` as their properties:
    enough to know whether the list is still valid, for a third of the processor time.
    """
    layers = [] if run is None else list(run.layers)
    parameters = {"user_id": user_id, "run": "" if run is None else run.id, "layers": layers, **PARAMETERS}
    rows = store.read(_BRIEF_USER if brief else _LIVE_USER, parameters)
    if not rows:
        return LiveUser(UserContext(user_id))
    context = _build_brief(user_id, rows[0]["edges"]) if brief else build_context(user_id, rows[0])
    if run is None or rows[0]["is_withdrawn"]:
        return LiveUser(context, True)
    seen = {edge.id for edge in context.behaviour(run.relation)} | context.excluded_items()
    return LiveUser(context, True, _build_list(rows[0]["listed"], layers, titles, seen))


def _build_brief(user_id: str, edges: Sequence[Sequence[Any]]) -> UserContext:
    """The context of rows of relationship type, item and the properties of `_BRIEF`."""
    found = (
        UserEdge(relation, True, ITEM, str(item), {n: v for n, v in zip(_BRIEF, values, strict=True) if v is not None})
        for relation, item, *values in edges
    )
    return UserContext(user_id, tuple(found))


def _build_list(
    rows: Sequence[Sequence[Any]], layers: Sequence[int], titles: Mapping[str, Any], seen: set[str]
) -> tuple[ListedItem, ...]:
    """The list of the newest layer that has one, from rows of version, rank, item and score."""
    layer = min((row[0] for row in rows), key=layers.index, default=None)
    chosen = sorted((row for row in rows if row[0] == layer), key=lambda row: row[1])
    return tuple(ListedItem(i, titles.get(i), float(score), rank, i in seen) for _, rank, i, score in chosen)
