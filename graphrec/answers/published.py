"""The active run and its list for a user, read by the contract of publishing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphrec.schema import ITEM, RECOMMENDED, RUN, USER
from graphrec.store import Store
from graphrec.store.connection import quote

#: A user's list in a run stands in the first of its layers that has edges of this user.
_LIST = f"""
MATCH (run:{RUN} {{id: $run}})
MATCH (user:{USER} {{id: $user_id}})-[edge:{RECOMMENDED}]->(item:{ITEM})
WHERE edge.run IN $layers AND NOT EXISTS {{ (user)-[:WITHDRAWN]->(run) }}
RETURN edge.run AS layer, item.id AS item, item.title AS title, edge.score AS score, edge.rank AS rank,
       EXISTS {{ (user)-[:{{relation}}]->(item) }} AS seen
ORDER BY rank
"""

_ACTIVE = f"""
MATCH (run:{RUN}) WHERE run.activated_at IS NOT NULL
RETURN run.id AS id, run.model AS model, run.relation AS relation, run.layers AS layers
ORDER BY run.activated_at DESC LIMIT 1
"""


@dataclass(frozen=True)
class ActiveRun:
    """The run whose recommendations count, the behaviour that it predicts, and its layers, newest first."""

    id: str
    model: str
    relation: str
    layers: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """One place of a published list, and whether the user has met the item meanwhile."""

    item: str
    title: str | None
    score: float
    rank: int
    seen: bool


def active_run(store: Store) -> ActiveRun | None:
    """The run that was activated last; None where nothing is published."""
    for row in store.read(_ACTIVE):
        return ActiveRun(str(row["id"]), str(row["model"]), str(row["relation"]), tuple(row["layers"] or [row["id"]]))
    return None


def published_list(store: Store, run: ActiveRun, user_id: str) -> list[Listed]:
    """The whole list of a user in a run, best first; empty where there is none."""
    statement = _LIST.replace("{relation}", quote(run.relation))
    rows = store.read(statement, {"run": run.id, "user_id": user_id, "layers": list(run.layers)})
    layer = min((row["layer"] for row in rows), key=run.layers.index, default=None)
    return [_listed(row) for row in rows if row["layer"] == layer]


def _listed(row: Mapping[str, Any]) -> Listed:
    return Listed(row["item"], row["title"], float(row["score"]), int(row["rank"]), bool(row["seen"]))
