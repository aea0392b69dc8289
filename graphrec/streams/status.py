"""How far a stream was read, and what is left."""

import threading
from dataclasses import asdict, dataclass

from graphrec.errors import GraphrecError
from graphrec.store import Store
from graphrec.streams import rejected
from graphrec.streams.opening import open_input
from graphrec.streams.positions import Position, read_positions
from graphrec.streams.spec import StreamSpec


@dataclass(frozen=True)
class PartitionStatus(Position):
    """The position of a partition, and the records (of files: bytes) that are left; None: the input did not answer."""

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
    positions = [known.get(name, Position(name, "", 0, 0, 0, 0, None)) for name in sorted({*known, *lag})]
    partitions = [PartitionStatus(**asdict(each), lag=lag.get(each.partition)) for each in positions]
    return StreamStatus(spec.name, tuple(partitions), *rejected.count_rejected(store, spec.name), problem)
