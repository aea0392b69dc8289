"""How the system fares, read from the graph: its events and their last times, and the click rate of each run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphrec.errors import GraphrecError
from graphrec.schema import ITEM, SHOWN, SYSTEM_RELATIONS, USER
from graphrec.store import Store, counts
from graphrec.store.connection import quote

if TYPE_CHECKING:  # it imports scipy
    from graphrec.evaluation.off_policy import RunFeedback

#: Time limit of a query, in seconds.
SECONDS = 5.0

_EVENTS = f"""
MATCH (:{USER})-[edge:{{relation}}]->(:{ITEM})
RETURN count(edge) AS number, max(edge.timestamp) AS last, max(edge.received) AS received
"""


@dataclass(frozen=True)
class Events:
    """The edges of one behaviour: their number, the time of the last one in Unix seconds, and when the server received
    the last one, in milliseconds; None for what is not known."""

    relation: str
    number: int
    last: int | None
    received: int | None


@dataclass(frozen=True)
class GraphStatus:
    """Events by behaviour, most first, and the click rate of each run; `note` says why there is no click rate."""

    events: tuple[Events, ...]
    feedback: tuple["RunFeedback", ...]
    note: str


def read_status(store: Store) -> GraphStatus:
    """The status of a graph. It reads all events, which takes seconds on a graph of millions."""
    events = []
    for relation in sorted(set(counts.known_relations(store)) - SYSTEM_RELATIONS):
        row = store.read(_EVENTS.replace("{relation}", quote(relation)), None, SECONDS)[0]
        if row["number"]:
            events.append(Events(relation, row["number"], _whole(row["last"]), _whole(row["received"])))
    events.sort(key=lambda each: (-each.number, each.relation))
    if not any(each.relation == SHOWN for each in events):
        return GraphStatus(tuple(events), (), "no impressions were reported; events SHOWN with their run and rank do")
    try:
        return GraphStatus(tuple(events), _measure(store), "")
    except GraphrecError as error:
        return GraphStatus(tuple(events), (), str(error))


def _measure(store: Store) -> "tuple[RunFeedback, ...]":
    import numpy as np

    from graphrec.evaluation.off_policy import AttributionWindow
    from graphrec.pipeline.feedback import measure_feedback

    return measure_feedback(store, (), AttributionWindow(), np.random.default_rng(0)).runs


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None
