"""The positions of a stream, as nodes of the graph that are written in the transaction of the edges.

A partition has one node. A batch first writes to the nodes of its partitions and then compares: so it waits for, or is
refused by, another process that writes the same records, and only one of them commits. Comparing before the first
write would let both pass on a database with read-committed isolation.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from graphrec.errors import StoreError
from graphrec.schema import STREAM_POSITION
from graphrec.store import Store
from graphrec.store.connection import ConstraintError, RunStatement
from graphrec.store.counts import known_labels

_READ = f"""
MATCH (p:{STREAM_POSITION} {{stream: $stream}})
RETURN p.partition AS partition, coalesce(p.next, '') AS next, coalesce(p.accepted, 0) AS accepted,
       coalesce(p.repeated, 0) AS repeated, coalesce(p.rejected, 0) AS rejected, coalesce(p.ignored, 0) AS ignored,
       p.updated AS updated
ORDER BY partition
"""

_CREATE = f"MERGE (p:{STREAM_POSITION} {{id: $id}}) ON CREATE SET p.stream = $stream, p.partition = $partition"

_CLAIM = f"""
UNWIND $rows AS row
MATCH (p:{STREAM_POSITION} {{id: row.id}}) SET p.lock = $lock
WITH p, row WHERE coalesce(p.next, '') = row.expected
SET p.next = row.next
RETURN p.id AS id
"""

_COUNT = f"""
UNWIND $rows AS row
MATCH (p:{STREAM_POSITION} {{id: row.id}})
SET p.accepted = coalesce(p.accepted, 0) + row.accepted, p.repeated = coalesce(p.repeated, 0) + row.repeated,
    p.rejected = coalesce(p.rejected, 0) + row.rejected, p.ignored = coalesce(p.ignored, 0) + row.ignored,
    p.updated = $now
"""

#: The outcomes of records that positions count.
OUTCOMES = ("accepted", "repeated", "rejected", "ignored")


class FencedError(StoreError):
    """Another process has written these records, or the positions were reset."""


@dataclass(frozen=True)
class Position:
    """Up to where a partition was read, numbers of records by outcome, and the time of the last write in milliseconds
    since 1970."""

    partition: str
    next: str
    accepted: int
    repeated: int
    rejected: int
    ignored: int
    updated: int | None


def read_positions(store: Store, stream: str) -> dict[str, Position]:
    """The positions of a stream by partition."""
    if STREAM_POSITION not in known_labels(store):
        return {}
    return {row["partition"]: Position(**row) for row in store.read(_READ, {"stream": stream})}


def create(store: Store, stream: str, partitions: Iterable[str]) -> None:
    """Create the nodes of partitions that have none; another process may create the same ones at the same time."""
    for partition in sorted(partitions):
        with suppress(ConstraintError):  # it was created meanwhile
            store.write(_CREATE, {"id": f"{stream}/{partition}", "stream": stream, "partition": partition})


def claim(run: RunStatement, stream: str, moves: Mapping[str, tuple[str, str]]) -> None:
    """Move the positions of partitions, whose nodes were created, from their expected to their next values; "" is
    expected of a new partition.

    Raises FencedError if one is not as expected; the transaction is to be rolled back.
    """
    rows = [
        {"id": f"{stream}/{partition}", "expected": expected, "next": new}
        for partition, (expected, new) in sorted(moves.items())
    ]
    found = run(_CLAIM, {"rows": rows, "lock": secrets.token_hex(8)})
    if len(found) < len(rows):
        raise FencedError(f"another process reads the stream {stream} too, and has written these records")


def add_counts(run: RunStatement, stream: str, counts: Mapping[str, Mapping[str, int]], now: int) -> None:
    """Add numbers of records by outcome to the positions of partitions, in the transaction of `claim`."""
    rows = [
        {"id": f"{stream}/{partition}", **{name: number.get(name, 0) for name in OUTCOMES}}
        for partition, number in sorted(counts.items())
    ]
    run(_COUNT, {"rows": rows, "now": now})


def reset(store: Store, stream: str, partitions: Sequence[str] | None = None) -> int:
    """Delete the positions of a stream, so that it is read from its oldest records; return their number."""
    wanted = "" if partitions is None else " AND p.partition IN $partitions"
    (row,) = store.write(
        f"MATCH (p:{STREAM_POSITION}) WHERE p.stream = $stream{wanted} DELETE p RETURN count(*) AS number",
        {"stream": stream, "partitions": list(partitions or ())},
    )
    return int(row["number"])
