"""How far a stream was read, and what is left."""

import threading
from dataclasses import dataclass

from graphrec.errors import GraphrecError
from graphrec.store import Store
from graphrec.streams import rejected
from graphrec.streams.opening import open_input
from graphrec.streams.positions import Position, read_positions
from graphrec.streams.spec import StreamSpec


@dataclass(frozen=True)
class PartitionStatus:
    """A partition: its position, numbers of records by outcome, the time of the last write in milliseconds since 1970,
    and the records (of files: bytes) that are left; lag None: the input did not answer."""

    partition: str
    next: str
    accepted: int
    repeated: int
    rejected: int
    ignored: int
    updated: int | None
    lag: int | None


@dataclass(frozen=True)
class StreamStatus:
    """A stream: its partitions, the rejected events that are kept, those of them that are held, and why the lag is
    unknown ("" if it is known)."""

    stream: str
    partitions: tuple[PartitionStatus, ...]
    num_rejected: int
    num_held: int
    problem: str = ""


def read_status(spec: StreamSpec, store: Store) -> StreamStatus:
    """The status of a stream, also while a consumer runs."""
    known = read_positions(store, spec.name)
    ended = threading.Event()
    ended.set()  # nothing is read
    lag: dict[str, int] = {}
    problem = ""
    places = {name: each.next for name, each in known.items()}
    try:
        source = open_input(spec, lambda: places, ended)
        try:
            lag = source.measure_lag(places)
        finally:
            source.close()
    except GraphrecError as error:
        problem = str(error)
    new = Position("", "", 0, 0, 0, 0, None)
    partitions = []
    for name in sorted({*known, *lag}):
        each = known.get(name, new)
        partitions.append(
            PartitionStatus(
                name, each.next, each.accepted, each.repeated, each.rejected, each.ignored, each.updated, lag.get(name)
            )
        )
    return StreamStatus(spec.name, tuple(partitions), *rejected.count_rejected(store, spec.name), problem)
