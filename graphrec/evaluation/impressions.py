"""Impressions and the behaviour of users, read from the graph."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from graphrec import preconditions
from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.schema import ITEM, SHOWN, USER, EdgeType, GraphSchema
from graphrec.store import Store, counts
from graphrec.store.connection import quote
from graphrec.store.read import read_edges, read_schema

#: Properties of a SHOWN edge; `propensity` may be missing.
PROPERTIES = ("run", "rank", "timestamp", "propensity")

#: Cypher that writes an impression, for the error message.
WRITE_EXAMPLE = (
    "MATCH (u:User {id: $user}), (i:Item {id: $item}) "
    "CREATE (u)-[:SHOWN {run: $run, rank: 1, timestamp: 1767225600}]->(i)"
)


_SHOWN_BY_RUNS = f"""
MATCH (user:{USER})-[edge:{SHOWN}]->(item:{ITEM})
WHERE edge.run IN $runs AND edge.timestamp >= $since AND edge.timestamp <= $until AND edge.rank IS NOT NULL
RETURN user.id AS user_id, item.id AS item_id, edge.run AS run, edge.rank AS rank, edge.timestamp AS timestamp,
       edge.propensity AS propensity
"""

_BEHAVIOUR = f"""
MATCH (user:{USER})-[edge:{{}}]->(item:{ITEM}) WHERE edge.timestamp >= $since
RETURN user.id AS user_id, item.id AS item_id, edge.timestamp AS timestamp
"""


@dataclass(frozen=True, eq=False)
class ImpressionLog:
    """Impressions and the behaviour that may be their clicks.

    shown: columns user_id, item_id, run, rank, timestamp and propensity.
    behaviour: columns user_id, item_id and timestamp, of the edges of `relations` with a time.
    num_untimed: number of edges of `relations` without a time, which are left out.
    """

    shown: pd.DataFrame
    behaviour: pd.DataFrame
    relations: tuple[str, ...]
    num_untimed: int


def read_log(store: Store, relations: Sequence[str] = ()) -> ImpressionLog:
    """The impressions of a graph and the behaviour of some relations, by default the strongest with times.

    Raises:
        GraphrecError: the graph has no impressions; the message has an example that writes one.
        DataError: there is no behaviour, or a named relation has no times.
        UnknownNameError: a named behaviour does not exist.
    """
    if SHOWN not in counts.known_relations(store) or not counts.has_relation(store, [SHOWN]):
        raise GraphrecError(
            "the graph has no SHOWN edges, so no impressions are known; write one, with the time in Unix seconds, "
            f"whenever an item is shown to a user: {WRITE_EXAMPLE}"
        )
    chosen = _choose_behaviours(read_schema(store), relations)
    shown = read_edges(store, EdgeType(USER, SHOWN, ITEM, PROPERTIES, key=None))
    parts = [read_edges(store, EdgeType(USER, name, ITEM, ("timestamp",), key=None)) for name in chosen]
    behaviour = pd.concat(parts, ignore_index=True)
    behaviour["timestamp"] = pd.to_numeric(behaviour["timestamp"], errors="coerce")
    timed = behaviour["timestamp"].notna()
    return ImpressionLog(_name_columns(shown), _name_columns(behaviour[timed]), chosen, int((~timed).sum()))


def read_log_of_runs(
    store: Store, runs: Sequence[str], since: int, until: int, relations: Sequence[str] = ()
) -> ImpressionLog:
    """The impressions of some runs from `since` to `until` (Unix seconds), and the behaviour from `since` on.

    It is empty if the graph has no impressions. Raises as `read_log` for the behaviour.
    """
    chosen = _choose_behaviours(read_schema(store), relations)
    shown = pd.DataFrame(columns=["user_id", "item_id", *PROPERTIES])
    if SHOWN in counts.known_relations(store):
        values = {"runs": list(runs), "since": since, "until": until}
        shown = pd.DataFrame(store.read(_SHOWN_BY_RUNS, values), columns=shown.columns)
    parts = [store.read(_BEHAVIOUR.format(quote(name)), {"since": since}) for name in chosen]
    behaviour = pd.DataFrame([row for part in parts for row in part], columns=["user_id", "item_id", "timestamp"])
    return ImpressionLog(shown, behaviour, chosen, 0)


def _choose_behaviours(schema: GraphSchema, relations: Sequence[str]) -> tuple[str, ...]:
    """The requested behaviours, each once, or the strongest with times."""
    requested: list[str | None] = [*relations]
    for relation in requested or [None]:
        preconditions.require_behaviour(schema, relation)
    timed = [edge.relation for edge in schema.behaviours() if "timestamp" in edge.properties]
    untimed = [relation for relation in relations if relation not in timed]
    if untimed or not timed:
        raise DataError(
            f"{first_few(untimed) or 'the behaviour of the graph'} has no `timestamp`, so clicks cannot be "
            f"assigned to impressions; {f'name another: {first_few(timed)}' if timed else 'load behaviour with times'}"
        )
    return tuple(dict.fromkeys(relations or timed[:1]))


def _name_columns(edges: pd.DataFrame) -> pd.DataFrame:
    return edges.rename(columns={"source_id": "user_id", "target_id": "item_id"}).reset_index(drop=True)
