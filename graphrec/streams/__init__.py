"""Streams of events: records of a growing folder, Redis Streams or Kafka become edges, each exactly once."""

from graphrec.streams.consuming import Consumed, Consumer, retry_all
from graphrec.streams.options import ConsumeOptions
from graphrec.streams.parsing import parse, parse_mapping
from graphrec.streams.positions import Position, read_positions
from graphrec.streams.rejected import RejectedEvent, delete_rejected, read_rejected
from graphrec.streams.spec import StreamSpec
from graphrec.streams.status import PartitionStatus, StreamStatus, read_status

__all__ = [
    "ConsumeOptions",
    "Consumed",
    "Consumer",
    "PartitionStatus",
    "Position",
    "RejectedEvent",
    "StreamSpec",
    "StreamStatus",
    "delete_rejected",
    "parse",
    "parse_mapping",
    "read_positions",
    "read_rejected",
    "read_status",
    "retry_all",
]
