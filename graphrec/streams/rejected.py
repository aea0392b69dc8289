"""Rejected events (dead letters): nodes of the graph with the record and the reason, until they are retried or deleted.

They are written in the transaction that moves the position, so that each is kept once.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from graphrec.errors import format_value
from graphrec.schema import ITEM, REJECTED_EVENT, USER
from graphrec.store import Store
from graphrec.store.connection import RunStatement
from graphrec.store.counts import known_labels
from graphrec.streams.record import Record

#: Cap on the characters of a record that is kept; a longer one cannot be retried.
MAX_KEPT = 65_536

#: Batch size of deletions.
_DELETED_AT_ONCE = 10_000

#: Width of positions in ids, so that ids are sorted as positions are.
_WIDTH = 20

_COLUMNS = (
    "r.id AS id, r.stream AS stream, r.partition AS partition, r.position AS position, r.topic AS topic, "
    "r.reason AS reason, r.held AS held, r.user AS user, r.item AS item, r.record AS record, r.cut AS cut, "
    "r.time AS time, r.rejected_at AS rejected_at"
)

_SAVE = f"UNWIND $rows AS row MERGE (r:{REJECTED_EVENT} {{id: row.id}}) SET r += row"

#: SET locks the nodes before they are deleted, so that of two processes that retry them one finds none.
_TAKE = f"""
UNWIND $ids AS id
MATCH (r:{REJECTED_EVENT} {{id: id}}) SET r.taken = $now
DELETE r RETURN count(*) AS number
"""


@dataclass(frozen=True)
class RejectedEvent:
    """A record that became no edge.

    held: whether it waits for a user or an item that the graph does not have, and is written when that exists.
    user, item: if they could be read. record: the text of the record, cut off if `cut`.
    time: milliseconds since 1970 at which the broker received it, if known; rejected_at: likewise, of the rejection.
    """

    id: str
    stream: str
    partition: str
    position: str
    topic: str
    reason: str
    held: bool
    user: str | None
    item: str | None
    record: str
    cut: bool
    time: int | None
    rejected_at: int

    def to_record(self) -> Record:
        """The record, to be decoded again."""
        return Record(self.partition, self.topic, self.position, "", self.record.encode("utf-8", "replace"), self.time)


def build(
    stream: str, record: Record, reason: str, held: bool, ids: tuple[str | None, str | None], now: int
) -> RejectedEvent:
    """The rejected event of a record; `ids` are those of user and item, `now` is in milliseconds since 1970."""
    body = record.body
    if body is None:
        text = ""
    elif isinstance(body, bytes):
        text = body[: 4 * MAX_KEPT].decode("utf-8", "backslashreplace")
    else:
        text = json.dumps(dict(body), ensure_ascii=False, default=str)
    cut = body is None or len(text) > MAX_KEPT
    text = text.encode("utf-8", "backslashreplace").decode()  # without halves of characters, which no database stores
    return RejectedEvent(
        f"{stream}/{record.partition}@{record.position.zfill(_WIDTH)}",
        stream,
        record.partition,
        record.position,
        record.topic,
        format_value(reason, 500),
        held and not cut,
        *ids,
        text[:MAX_KEPT],
        cut,
        record.time,
        now,
    )


def save(run: RunStatement, rejected: Sequence[RejectedEvent]) -> None:
    """Write rejected events in a transaction; one that is there already is replaced."""
    if rejected:
        run(_SAVE, {"rows": [asdict(each) for each in rejected]})


def take(run: RunStatement, ids: Sequence[str], now: int) -> bool:
    """Delete rejected events in a transaction that writes them again; False if another process has taken some."""
    (row,) = run(_TAKE, {"ids": list(ids), "now": now})
    return int(row["number"]) == len(ids)


def read_rejected(
    store: Store, stream: str | None = None, user: str | None = None, limit: int = 1_000, after: str = ""
) -> list[RejectedEvent]:
    """Rejected events by id, at most `limit`, with an id after `after`; of a stream or a user if one is named."""
    return _read(store, "true", {"stream": stream, "user": user, "limit": limit, "after": after})


def read_writable(store: Store, stream: str, create_users: bool, create_items: bool, limit: int) -> list[RejectedEvent]:
    """Held events whose user and item exist now, or would be created."""
    tests = ["r.held"]
    tests += [] if create_users else [f"EXISTS {{ MATCH (n:{USER}) WHERE n.id = r.user }}"]
    tests += [] if create_items else [f"EXISTS {{ MATCH (n:{ITEM}) WHERE n.id = r.item }}"]
    return _read(store, " AND ".join(tests), {"stream": stream, "user": None, "limit": limit, "after": ""})


def count_rejected(store: Store, stream: str) -> tuple[int, int]:
    """The numbers of rejected events of a stream, and of those that are held."""
    if REJECTED_EVENT not in known_labels(store):
        return 0, 0
    (row,) = store.read(
        f"MATCH (r:{REJECTED_EVENT}) WHERE r.stream = $stream "
        "RETURN count(r) AS number, sum(CASE WHEN r.held THEN 1 ELSE 0 END) AS held",
        {"stream": stream},
    )
    return int(row["number"]), int(row["held"] or 0)


def delete_rejected(store: Store, stream: str | None = None, user: str | None = None) -> int:
    """Delete rejected events, of a stream or a user if one is named; return their number."""
    if REJECTED_EVENT not in known_labels(store):
        return 0
    statement = (
        f"MATCH (r:{REJECTED_EVENT}) WHERE ($stream IS NULL OR r.stream = $stream) "
        "AND ($user IS NULL OR r.user = $user) WITH r LIMIT $limit DELETE r RETURN count(*) AS number"
    )
    return store.write_repeatedly(statement, {"stream": stream, "user": user}, _DELETED_AT_ONCE)


def _read(store: Store, test: str, parameters: dict[str, Any]) -> list[RejectedEvent]:
    if REJECTED_EVENT not in known_labels(store):
        return []
    rows = store.read(
        f"MATCH (r:{REJECTED_EVENT}) WHERE r.id > $after AND ($stream IS NULL OR r.stream = $stream) "
        f"AND ($user IS NULL OR r.user = $user) AND {test} RETURN {_COLUMNS} ORDER BY id LIMIT $limit",
        parameters,
    )
    return [RejectedEvent(**row) for row in rows]
