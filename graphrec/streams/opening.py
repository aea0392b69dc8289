"""Open the input that a stream's TOML file names."""

import threading
from collections.abc import Mapping

from graphrec.errors import GraphrecError
from graphrec.streams import folder
from graphrec.streams.record import ReadPositions, RecordInput
from graphrec.streams.spec import FolderInputSpec, RedisInputSpec, StreamSpec


def open_input(spec: StreamSpec, read_positions: ReadPositions, ended: threading.Event) -> RecordInput:
    """The input of a stream; it stops waiting for records when `ended` is set.

    Raises GraphrecError if the package of its client is not installed, or the input is not there.
    """
    source = spec.input
    if isinstance(source, FolderInputSpec):
        return folder.FolderInput(source, read_positions, ended)
    if isinstance(source, RedisInputSpec):
        try:
            from graphrec.streams.redis_streams import RedisInput
        except ImportError as error:
            raise _explain(error, "serve", "Redis Streams need") from error
        return RedisInput(source, read_positions, ended)
    try:
        from graphrec.streams.kafka import KafkaInput
    except ImportError as error:
        raise _explain(error, "kafka", "Kafka needs") from error
    return KafkaInput(source, read_positions, ended)


def find_lost(spec: StreamSpec, positions: Mapping[str, str]) -> list[str]:
    """The partitions whose next record is no longer in the input.

    Raises GraphrecError as `open_input`, InputUnavailableError if the broker does not answer.
    """
    source = spec.input
    if isinstance(source, FolderInputSpec):
        return folder.find_lost(source, positions)
    if isinstance(source, RedisInputSpec):
        try:
            from graphrec.streams import redis_streams
        except ImportError as error:
            raise _explain(error, "serve", "Redis Streams need") from error
        return redis_streams.find_lost(source, positions)
    try:
        from graphrec.streams import kafka
    except ImportError as error:
        raise _explain(error, "kafka", "Kafka needs") from error
    return kafka.find_lost(source, positions)


def _explain(error: ImportError, extra: str, what: str) -> GraphrecError:
    return GraphrecError(f"{what} `pip install 'graphrec[{extra}]'` ({error.name} is missing)")
