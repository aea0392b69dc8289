"""Reads topics of Kafka; each partition of a topic is one, and a position is an offset.

Processes of one group divide the partitions. A partition that is assigned to a process is read from the position in the
graph; the offsets of the group are committed too, for tools that show its lag, but never read.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from graphrec.errors import GraphrecError, format_value
from graphrec.streams.record import MAX_BYTES, InputUnavailableError, LostRecordsError, ReadPositions, Record
from graphrec.streams.spec import KafkaInputSpec

logger = logging.getLogger(__name__)

#: Timeout in seconds of a request to the cluster.
SECONDS_TO_ANSWER = 5.0

#: Maximum seconds of one wait for records, so that the end of the process is noticed.
_SECONDS_WAITED = 0.5

#: Seconds after which a process that the group gives no partition counts as done.
SECONDS_ALONE = 30.0

#: Cap on the kilobytes that librdkafka reads ahead.
_KILOBYTES_AHEAD = 16_384

#: Errors after which the client tries again by itself.
_PASSING = {
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._PARTITION_EOF,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
}


class KafkaInput:
    """The records of the partitions that the group gives to this process."""

    def __init__(self, spec: KafkaInputSpec, read_positions: ReadPositions, ended: threading.Event) -> None:
        self._spec, self._read_positions, self._ended = spec, read_positions, ended
        self._failed: GraphrecError | None = None
        self._is_assigned = False
        self._opened = time.monotonic()
        self._consumer = self._open()

    def _open(self) -> Consumer:
        try:
            consumer = Consumer({**_build_options(self._spec), "group.id": self._spec.group}, logger=logger)
        except KafkaException as error:
            raise GraphrecError(f"the table [input] does not fit Kafka's client: {_describe(error)}") from error
        consumer.subscribe(list(self._spec.topics), on_assign=self._assign)
        return consumer

    def _assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Read the partitions from the positions in the graph."""
        try:
            known = self._read_positions()
        except GraphrecError as error:  # the graph does not answer: without positions nothing may be read
            self._failed = error
            consumer.assign([])
            return
        for each in partitions:
            position = known.get(_name(each))
            each.offset = int(position) if position else OFFSET_BEGINNING
        consumer.assign(partitions)
        self._is_assigned = True

    def poll(self, limit: int, seconds: float) -> Sequence[Record]:
        """The next records of all partitions; see `RecordInput.poll`."""
        if self._ended.is_set():
            return []
        try:
            messages = self._consumer.consume(1, min(seconds, _SECONDS_WAITED))
            if messages and limit > 1:
                self._is_assigned = False
                more = self._consumer.consume(limit - 1, 0.005)  # what is there; a longer wait would delay the first
                messages = more if self._is_assigned else messages + more  # assigned anew, it is read again
        except KafkaException as error:
            raise GraphrecError(f"Kafka refuses: {_describe(error)}; correct the table [input]") from error
        if self._failed is not None:
            failed, self._failed = self._failed, None
            self._consumer.close()
            self._consumer = self._open()
            raise failed
        records = []
        for message in messages:
            failure = message.error()
            if failure is None:
                records.append(_build(message))
            else:
                _check(failure, message)
        return records

    def seek(self, positions: Mapping[str, str]) -> None:
        """Read on from these positions, if the partitions are still of this process."""
        own = {_name(each) for each in self._consumer.assignment()}
        for name, position in positions.items():
            topic, _, number = name.rpartition("/")
            if name in own:
                offset = int(position) if position else OFFSET_BEGINNING
                try:
                    self._consumer.seek(TopicPartition(topic, int(number), offset))
                except KafkaException as error:
                    raise InputUnavailableError(f"Kafka does not seek: {_describe(error)}") from error

    def committed(self, positions: Mapping[str, str]) -> None:
        """Commit the offsets to the group, for tools that show its lag."""
        offsets = [
            TopicPartition(name.rpartition("/")[0], int(name.rpartition("/")[2]), int(position))
            for name, position in positions.items()
        ]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            logger.debug("the group's offsets were not committed: %s", error)

    def wait(self, seconds: float) -> None:
        """Wait with all partitions paused, so that the group does not take them away."""
        own = self._consumer.assignment()
        try:
            self._consumer.pause(own)
            message = self._consumer.poll(seconds)
            if message is not None and message.error() is None:  # of a partition that was assigned meanwhile
                name = f"{message.topic()}/{message.partition()}"
                self.seek({name: str(message.offset())})
            self._consumer.resume(own)
        except KafkaException as error:  # the partitions were given to another process
            logger.debug("pausing failed: %s", error)

    def is_drained(self, positions: Mapping[str, str]) -> bool:
        """Whether the partitions of this process have no record left; after SECONDS_ALONE also if it has none."""
        own = [_name(each) for each in self._consumer.assignment()]
        if not own:
            if time.monotonic() - self._opened <= SECONDS_ALONE:
                return False
            if left := sum(self.measure_lag(self._read_positions()).values()):
                logger.warning(
                    "the group %s gave this process no partition in %.0f s, and %d records are not read; if no "
                    "other process of the group reads them, run the command again",
                    self._spec.group,
                    SECONDS_ALONE,
                    left,
                )
            return True
        lag = self.measure_lag(positions)
        return not any(lag.get(name, 0) for name in own)

    def measure_lag(self, positions: Mapping[str, str]) -> dict[str, int]:
        """The records of each partition after its position."""
        lag = {}
        try:
            for topic in self._spec.topics:
                found = self._consumer.list_topics(topic, timeout=SECONDS_TO_ANSWER).topics.get(topic)
                for number in sorted(found.partitions if found is not None else ()):
                    low, high = self._consumer.get_watermark_offsets(
                        TopicPartition(topic, number), timeout=SECONDS_TO_ANSWER
                    )
                    position = positions.get(f"{topic}/{number}")
                    lag[f"{topic}/{number}"] = max(0, high - (int(position) if position else low))
        except KafkaException as error:
            raise InputUnavailableError(f"Kafka does not answer: {_describe(error)}") from error
        return lag

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()


def find_lost(spec: KafkaInputSpec, positions: Mapping[str, str]) -> list[str]:
    """The partitions whose positions are not between the oldest and the newest record.

    Raises InputUnavailableError if the cluster does not answer.
    """
    consumer = Consumer({**_build_options(spec), "group.id": spec.group}, logger=logger)
    try:
        lost = []
        for name, position in positions.items():
            topic, _, number = name.rpartition("/")
            if not position:  # nothing of it was read
                continue
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, int(number)), timeout=SECONDS_TO_ANSWER)
            if not low <= int(position) <= high:
                lost.append(name)
        return lost
    except KafkaException as error:
        raise InputUnavailableError(f"Kafka does not answer: {_describe(error)}") from error
    finally:
        consumer.close()


def _build_options(spec: KafkaInputSpec) -> dict[str, Any]:  # Any: values of librdkafka's options
    return {
        "queued.max.messages.kbytes": _KILOBYTES_AHEAD,
        "fetch.wait.max.ms": 20,
        "session.timeout.ms": 10_000,
        "partition.assignment.strategy": "range",
        **spec.options,
        "bootstrap.servers": spec.servers,
        "enable.auto.commit": False,
        "auto.offset.reset": "error",  # lost records are an error, and never skipped silently
        "isolation.level": "read_committed",
    }


def _build(message: Any) -> Record:
    value = message.value()
    kind, milliseconds = message.timestamp()
    return Record(
        f"{message.topic()}/{message.partition()}",
        message.topic(),
        str(message.offset()),
        str(message.offset() + 1),
        value if value is not None and len(value) <= MAX_BYTES else None,
        milliseconds if kind else None,
    )


def _check(error: KafkaError, message: Any) -> None:
    """Raise the error of a message unless the client tries again by itself."""
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
        raise LostRecordsError(
            f"Kafka no longer has the records of {message.topic()}/{message.partition()} that are next "
            f"({format_value(error.str())}): they expired, or the topic was made anew; let it keep records longer, and "
            "read on from its oldest record with --skip-lost"
        )
    if error.code() not in _PASSING:
        raise InputUnavailableError(f"Kafka: {format_value(error.str())}")
    logger.debug("Kafka: %s", error)


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"


def _describe(error: KafkaException) -> str:
    found = error.args[0]
    return format_value(found.str() if isinstance(found, KafkaError) else found)
