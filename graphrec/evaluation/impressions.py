"""What was shown to users and what they did, read from the graph."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from graphrec import preconditions
from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.schema import ITEM, SHOWN, USER, EdgeType, GraphSchema
from graphrec.store import Store, counts
from graphrec.store.read import read_edges, read_schema

#: The relationship type of a showing, and its properties; `propensity` may be missing.
PROPERTIES = ("run", "rank", "timestamp", "propensity")

#: How a showing is written.
EXAMPLE = (
    "MATCH (u:User {id: $user}), (i:Item {id: $item}) "
    "CREATE (u)-[:SHOWN {run: $run, rank: 1, timestamp: 1767225600}]->(i)"
)


@dataclass(frozen=True, eq=False)
class ImpressionLog:
    """Impressions (user_id, item_id, run, rank, timestamp, propensity), behaviour (user_id, item_id, timestamp) of some
    relations, and how much behaviour has no time and is left out."""

    shown: pd.DataFrame
    behaviour: pd.DataFrame
    relations: tuple[str, ...]
    num_untimed: int


def read_log(store: Store, relations: Sequence[str] = ()) -> ImpressionLog:
    """The impressions of a graph and the behaviour of some relations; by default of the strongest that has times.

    Raises:
        GraphrecError: nothing was shown yet; it says how a showing is written.
        DataError: there is no behaviour, or what is named has no times.
        UnknownNameError: there is no behaviour of a name.
    """
    if SHOWN not in counts.known_relations(store) or not counts.has_relation(store, [SHOWN]):
        raise GraphrecError(
            "the graph has no SHOWN edges, so nothing is known of what users were shown; write one, in Unix seconds, "
            f"whenever an item is put before a user: {EXAMPLE}"
        )
    chosen = _choose(read_schema(store), relations)
    shown = read_edges(store, EdgeType(USER, SHOWN, ITEM, PROPERTIES, key=None))
    parts = [read_edges(store, EdgeType(USER, name, ITEM, ("timestamp",), key=None)) for name in chosen]
    behaviour = pd.concat(parts, ignore_index=True)
    behaviour["timestamp"] = pd.to_numeric(behaviour["timestamp"], errors="coerce")
    timed = behaviour["timestamp"].notna()
    return ImpressionLog(_named(shown), _named(behaviour[timed]), chosen, int((~timed).sum()))


def _choose(schema: GraphSchema, relations: Sequence[str]) -> tuple[str, ...]:
    """The behaviours asked for, each once, or the strongest with times."""
    wanted: list[str | None] = [*relations]
    for relation in wanted or [None]:
        preconditions.require_behaviour(schema, relation)
    timed = [edge.relation for edge in schema.behaviours() if "timestamp" in edge.properties]
    untimed = [relation for relation in relations if relation not in timed]
    if untimed or not timed:
        raise DataError(
            f"{first_few(untimed) or 'the behaviour of the graph'} has no `timestamp`, so it is unknown what came "
            f"after a showing; {f'name another: {first_few(timed)}' if timed else 'load behaviour with times'}"
        )
    return tuple(dict.fromkeys(relations or timed[:1]))


def _named(edges: pd.DataFrame) -> pd.DataFrame:
    return edges.rename(columns={"source_id": "user_id", "target_id": "item_id"}).reset_index(drop=True)
