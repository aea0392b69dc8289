"""Records of a stream, and the contract of all inputs: folder, Redis and Kafka."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from graphrec.errors import GraphrecError

#: Cap on the bytes of a record; longer ones are rejected unread.
MAX_BYTES = 2**20

#: The position after the last record that was written, by partition; a partition without one starts at its oldest
#: record. Called again when a partition is assigned to this process.
ReadPositions: TypeAlias = Callable[[], Mapping[str, str]]


class InputUnavailableError(GraphrecError):
    """The broker does not answer at the moment; it is asked again."""


class LostRecordsError(GraphrecError):
    """The input no longer has records that were not read yet."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a stream.

    partition: the part of the input with an order of its own: a file, a Redis stream, or TOPIC/NUMBER.
    topic: the name that the key `stream` of the TOML file may choose: file, Redis stream or topic.
    position: where the record is in its partition; with the partition it is unique.
    next: the position from which the next record is read.
    body: the bytes of a JSON object, or its fields; None if it is longer than MAX_BYTES, or was deleted.
    time: milliseconds since 1970 at which the broker received it, if known.
    """

    partition: str
    topic: str
    position: str
    next: str
    body: bytes | Mapping[str, Any] | None  # Any: values of JSON
    time: int | None = None


class RecordInput(Protocol):
    """Reads the records of all partitions that this process has, in the order of each partition."""

    def poll(self, limit: int, seconds: float) -> Sequence[Record]:
        """At most `limit` records, as soon as there are some, none after `seconds`.

        Raises InputUnavailableError if the broker does not answer, LostRecordsError if records are gone.
        """

    def seek(self, positions: Mapping[str, str]) -> None:
        """Read on from these positions, because another process wrote the records before them."""

    def committed(self, positions: Mapping[str, str]) -> None:
        """The graph has all records before these positions; only the broker's own statistics need it."""

    def wait(self, seconds: float) -> None:
        """Wait without reading, and keep the partitions, because the graph cannot be written."""

    def is_drained(self, positions: Mapping[str, str]) -> bool:
        """Whether this process has no record left to read, after a `poll` gave none."""

    def measure_lag(self, positions: Mapping[str, str]) -> dict[str, int]:
        """The number of records of each partition after its position; of files the number of bytes."""

    def close(self) -> None:
        """Close all connections."""
