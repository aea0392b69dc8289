"""Write a batch of events as edges in one transaction: all of them or none, and each event once."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from graphrec.errors import StoreError, first_few
from graphrec.events.event import KNOWN, ONE_PER_PAIR, SOURCE_NAME, Event, EventPolicy
from graphrec.events.source import declare
from graphrec.schema import ITEM, SOURCE, USER
from graphrec.store import Store, counts
from graphrec.store.connection import RunStatement, quote
from graphrec.store.nodes import ensure_constraint

#: MERGE makes an edge unless the pair has one of the same event. On Neo4j it locks both nodes before it looks, and on
#: the embedded store all but one of two concurrent transactions fail and are repeated, so that no event is written
#: twice.
_WRITE = f"""
UNWIND $rows AS row
MATCH (user:{USER} {{id: row.user}}) MATCH (item:{ITEM} {{id: row.item}})
MERGE (user)-[edge:{{relation}} {{event: row.event}}]->(item)
ON CREATE SET edge += row.properties
RETURN collect(row.number) AS numbers, collect(CASE WHEN edge.received = $received THEN row.number END) AS new
"""

_LOCK_PAIRS = f"""
UNWIND $rows AS row
MATCH (user:{USER} {{id: row.user}}) MATCH (item:{ITEM} {{id: row.item}})
MERGE (user)-[edge:{{relation}} {{source: '{SOURCE_NAME}'}}]->(item)
SET edge.source = '{SOURCE_NAME}'
RETURN row.number AS number, edge.event AS event, edge.timestamp AS timestamp
"""

_SET_PAIRS = f"""
UNWIND $rows AS row
MATCH (:{USER} {{id: row.user}})-[edge:{{relation}} {{source: '{SOURCE_NAME}'}}]->(:{ITEM} {{id: row.item}})
SET edge = row.properties
"""

#: What else a batch does in its transaction: before its edges are written, and after, with the outcome of each event.
Before = Callable[[RunStatement], None]
After = Callable[[RunStatement, "Sequence[Outcome]"], None]


_DECLARED = f"MATCH (source:{SOURCE} {{id: '{SOURCE_NAME}'}}) RETURN 1 AS one"


@dataclass(frozen=True)
class Outcome:
    """What became of an event; `reason` says why it was rejected, and `unknown` what the graph does not have."""

    status: Literal["accepted", "repeated", "rejected"]
    reason: str = ""
    unknown: Literal["", "behaviour", "user", "item"] = ""


class EventSink:
    """Writes events to a store. Behaviours are declared in a Source node, so that loads keep the edges."""

    def __init__(self, policy: EventPolicy, behaviours: Iterable[str] = ()) -> None:
        """`behaviours` may be written although neither the graph nor graphrec knows them."""
        self._policy = policy
        self._always_known = KNOWN | frozenset(behaviours)
        self._received = 0
        self._declared: frozenset[str] = frozenset()
        self._behaviours: frozenset[str] = frozenset()

    def write(
        self, store: Store, events: Sequence[Event], before: Before | None = None, after: After | None = None
    ) -> list[Outcome]:
        """The outcome of each event, after the transaction is committed.

        `before` and `after` run in the same transaction; if one of them raises, it is rolled back.

        Raises StoreError if the database refuses or goes away; then no event of the batch is written.
        """
        known = self._find_behaviours(store, {event.behaviour for event in events})
        used = {event.behaviour for event in events if event.behaviour in known}
        if not self._declared:
            for label in (SOURCE, USER, ITEM):
                ensure_constraint(store, label)
        received = self._received = max(time.time_ns() // 1_000_000, self._received + 1)  # unique, to find new edges

        def work(run: RunStatement) -> list[Outcome]:
            if before is not None:
                before(run)
            if used and (not used <= self._declared or not run(_DECLARED)):  # `unlink events` may have deleted it
                declare(run, used)
            outcomes: dict[int, Outcome] = {}
            _write(run, dict(enumerate(events)), outcomes, received, known)
            rest = {n: event for n, event in enumerate(events) if n not in outcomes}
            if rest:  # their users or items are missing, or their behaviours unknown
                outcomes |= self._reject(run, rest, known)
                _write(run, rest, outcomes, received, known)
            if len(outcomes) < len(events):
                raise StoreError(
                    "another writer changed users or items of these events at the same time; send them again"
                )
            found = [outcomes[number] for number in range(len(events))]
            if after is not None:
                after(run, found)
            return found

        outcomes = store.transact(work)
        self._declared |= used
        return outcomes

    def _find_behaviours(self, store: Store, names: Iterable[str]) -> frozenset[str]:
        """The behaviours that events may have: the known ones and those that the graph has."""
        known = self._always_known | self._behaviours
        if not known.issuperset(names):
            triples = [name for name in counts.known_relations(store) if _is_behaviour(store, name)]
            self._behaviours = frozenset(triples)
            known = self._always_known | self._behaviours
        return known

    def _reject(self, run: RunStatement, events: Mapping[int, Event], known: frozenset[str]) -> dict[int, Outcome]:
        """The outcomes of the events that cannot be written, after missing nodes were created as the policy says."""
        valid = [event for event in events.values() if event.behaviour in known]
        missing_users = _find_missing(run, USER, {event.user for event in valid})
        missing_items = _find_missing(run, ITEM, {event.item for event in valid})
        bad_users = set() if self._policy.create_users else missing_users
        bad_items = set() if self._policy.create_items else missing_items
        accepted = [event for event in valid if event.user not in bad_users and event.item not in bad_items]
        _create(run, USER, missing_users & {event.user for event in accepted})
        _create(run, ITEM, missing_items & {event.item for event in accepted})
        outcomes = {}
        for number, event in events.items():
            if event.behaviour not in known:
                reason = f"there is no behaviour {first_few([event.behaviour])}; the graph and graphrec know others"
                outcomes[number] = Outcome("rejected", reason, "behaviour")
            elif event.user in bad_users:
                reason = f"there is no user {first_few([event.user])}; PUT /v1/users/ID creates one"
                outcomes[number] = Outcome("rejected", reason, "user")
            elif event.item in bad_items:
                reason = f"there is no item {first_few([event.item])}; PUT /v1/items/ID creates one"
                outcomes[number] = Outcome("rejected", reason, "item")
        return outcomes


def _find_missing(run: RunStatement, label: str, ids: set[str]) -> set[str]:
    """The ids that no node of a label has."""
    found = run(f"UNWIND $ids AS id MATCH (n:{label} {{id: id}}) RETURN n.id AS id", {"ids": sorted(ids)})
    return ids - {row["id"] for row in found}


def _create(run: RunStatement, label: str, ids: set[str]) -> None:
    """Create nodes of a label; a concurrent transaction may have created some."""
    if ids:
        run(f"UNWIND $ids AS id MERGE (n:{label} {{id: id}})", {"ids": sorted(ids)})


def _write(
    run: RunStatement,
    events: Mapping[int, Event],
    outcomes: dict[int, Outcome],
    received: int,
    known: frozenset[str],
) -> None:
    """Write the events without an outcome, and add theirs; those whose user or item is missing get none."""
    open_events = {n: event for n, event in events.items() if n not in outcomes and event.behaviour in known}
    for relation in sorted({event.behaviour for event in open_events.values()}):
        write = _write_latest if relation in ONE_PER_PAIR else _write_each
        chosen = {n: event for n, event in open_events.items() if event.behaviour == relation}
        outcomes |= write(run, relation, chosen, received)


def _write_each(run: RunStatement, relation: str, events: Mapping[int, Event], received: int) -> dict[int, Outcome]:
    """Write an edge for each event, unless there is one."""
    rows = [_build_row(number, event, received) for number, event in events.items()]
    (found,) = run(_WRITE.replace("{relation}", quote(relation)), {"rows": rows, "received": received})
    outcomes: dict[int, Outcome] = {}
    new = set(found["new"])
    written: set[tuple[str, str, str]] = set()
    for number in sorted(found["numbers"]):
        event = events[number]
        name = (event.user, event.item, event.id)
        is_new = number in new and name not in written  # the batch may have it twice
        written.add(name)
        outcomes[number] = Outcome("accepted" if is_new else "repeated")
    return outcomes


def _write_latest(run: RunStatement, relation: str, events: Mapping[int, Event], received: int) -> dict[int, Outcome]:
    """Write one edge for each pair: that of the latest event by time, then by id."""
    rows = {number: _build_row(number, event, received) for number, event in events.items()}
    stored = run(_LOCK_PAIRS.replace("{relation}", quote(relation)), {"rows": list(rows.values())})
    latest: dict[tuple[str, str], tuple[int, str]] = {}
    for row in stored:
        event = events[row["number"]]
        if row["event"] is not None:
            latest[event.user, event.item] = (row["timestamp"], row["event"])
    outcomes: dict[int, Outcome] = {}
    winners: dict[tuple[str, str], dict[str, object]] = {}
    for number in sorted(row["number"] for row in stored):
        event = events[number]
        pair, stamp = (event.user, event.item), (event.timestamp, event.id)
        before = latest.get(pair)
        outcomes[number] = Outcome("repeated" if before == stamp else "accepted")
        if before is None or stamp > before:
            latest[pair], winners[pair] = stamp, rows[number]
    if winners:
        run(_SET_PAIRS.replace("{relation}", quote(relation)), {"rows": list(winners.values())})
    return outcomes


def _build_row(number: int, event: Event, received: int) -> dict[str, object]:
    return {
        "number": number,
        "user": event.user,
        "item": event.item,
        "event": event.id,
        "properties": event.properties(received),
    }


def _is_behaviour(store: Store, relation: str) -> bool:
    """Whether the graph has an edge of a relationship type from a user to an item."""
    return bool(store.read(f"MATCH (:{USER})-[:{quote(relation)}]->(:{ITEM}) RETURN 1 AS one LIMIT 1"))
