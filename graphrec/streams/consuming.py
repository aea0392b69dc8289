"""The one loop that reads records of any input and writes them to the graph, each exactly once."""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from graphrec.cache import Cache
from graphrec.errors import GraphrecError, StoreError
from graphrec.events import Event, EventPolicy, EventSink, Outcome
from graphrec.schema import REJECTED_EVENT, STREAM_POSITION
from graphrec.store import Store
from graphrec.store.connection import RunStatement
from graphrec.store.nodes import ensure_constraint
from graphrec.streams import positions, rejected
from graphrec.streams.decoding import Decoded, Rejection, decode
from graphrec.streams.metrics import StreamMetrics
from graphrec.streams.opening import find_lost, open_input
from graphrec.streams.options import DEFAULT_OPTIONS, ConsumeOptions
from graphrec.streams.positions import FencedError
from graphrec.streams.record import InputUnavailableError, Record, RecordInput
from graphrec.streams.spec import StreamSpec

logger = logging.getLogger(__name__)

#: Shortest and longest wait in seconds after an input or the graph did not answer; it doubles each time.
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 10.0

#: Seconds of one wait for records; with `once`, seconds for which input and graph may be away.
SECONDS_TO_POLL, SECONDS_AWAY = 0.5, 30.0

#: Intervals in seconds: of writing held events whose users and items exist now, and of measuring the lag.
HELD_INTERVAL, LAG_INTERVAL = 10.0, 5.0

#: Batch size: held events that are tried at once.
HELD_AT_ONCE = 500

#: Cap on rejected events that are kept of one stream; the consumer stops there, as the stream is probably another one.
MAX_REJECTED = 100_000

#: Parts of error codes that mean contention, not a record that the database refuses.
_CONTENDED = ("Transient", "Terminated", "TimedOut", "Deadlock", "LockClient")


@dataclass
class Consumed:
    """Numbers of records by outcome, the seconds in all, and those from the first batch to the end of the last one."""

    accepted: int = 0
    repeated: int = 0
    rejected: int = 0
    ignored: int = 0
    seconds: float = 0.0
    seconds_writing: float = 0.0


class Consumer:
    """Reads one stream. `open_store` opens the graph, again after it was away: the embedded server may have moved."""

    def __init__(
        self,
        spec: StreamSpec,
        open_store: Callable[[], Store],
        cache: Cache,
        options: ConsumeOptions = DEFAULT_OPTIONS,
        ended: threading.Event | None = None,
    ) -> None:
        self._spec, self._open_store, self._cache, self._options = spec, open_store, cache, options
        self.ended = ended or threading.Event()
        self.metrics = StreamMetrics(spec.name)
        self.consumed = Consumed()
        policy = EventPolicy(spec.users == "create", spec.items == "create")
        self._sink = EventSink(policy, [edge.relation for edge in spec.edges])
        self._store: Store | None = None
        self._positions: dict[str, str] = {}
        self._num_rejected = 0
        self._next_held = 0.0
        self._pending: Sequence[Record] = ()
        self._size = options.batch
        self._is_reassigned = False
        self._made: set[str] = set()
        self._first_batch: float | None = None

    def run(self) -> Consumed:
        """Read and write until `ended` is set, or with `once` until all records are written.

        Raises:
            GraphrecError: the input is not there or refuses, or too many records were rejected.
            LostRecordsError: records were deleted before they were read.
            StoreError, InputUnavailableError: at the start, or with `once`, graph or input do not answer.
        """
        start = time.monotonic()
        self._prepare(self._open())
        with asyncio.Runner() as runner:
            try:
                source = open_input(self._spec, self._read_positions, self.ended)
                try:
                    self._loop(source, runner)
                finally:
                    source.close()
            finally:
                runner.run(self._cache.close())
                self._close()
        self.consumed.seconds = time.monotonic() - start
        return self.consumed

    def _prepare(self, store: Store) -> None:
        for label in (STREAM_POSITION, REJECTED_EVENT):
            ensure_constraint(store, label)
        if self._options.from_start:
            positions.reset(store, self._spec.name)
        if self._options.skip_lost and (lost := find_lost(self._spec, self._read_positions())):
            logger.warning("records were lost; %s is read from its oldest record", ", ".join(lost))
            positions.reset(store, self._spec.name, lost)
        self._num_rejected = rejected.count_rejected(store, self._spec.name)[0]

    def _open(self) -> Store:
        if self._store is None:
            self._store = self._open_store()
        return self._store

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _read_positions(self) -> Mapping[str, str]:
        """The positions in the graph, which the next batch expects: the input must read on from all of them."""
        found = positions.read_positions(self._open(), self._spec.name)
        self._positions = {name: each.next for name, each in found.items()}
        self._is_reassigned = True
        return self._positions

    def _loop(self, source: RecordInput, runner: asyncio.Runner) -> None:
        failures, since, next_lag = 0, 0.0, 0.0
        while not (self.ended.is_set() and not self._pending):
            try:
                is_empty = False
                if not self._pending:
                    self._write_held(runner)
                    self._is_reassigned = False
                    self._pending = source.poll(self._options.batch, SECONDS_TO_POLL)
                    is_empty = not self._pending
                while self._pending:
                    self._write_pending(source, runner)
                if self._options.metrics_port is not None and time.monotonic() >= next_lag:
                    self.metrics.set_lag(source.measure_lag(self._positions))
                    next_lag = time.monotonic() + LAG_INTERVAL
                failures = 0
                if self._options.once and is_empty and source.is_drained(self._positions):
                    return
            except FencedError as error:
                logger.info("%s; reading on after them", error)
                partitions, self._pending = {record.partition for record in self._pending}, ()
                # all of them: what the next batch expects must be where the input reads
                source.seek(dict.fromkeys(partitions, "") | dict(self._read_positions()))
            except (StoreError, InputUnavailableError) as error:
                since = since if failures else time.monotonic()
                failures += 1
                if self.ended.is_set() or (self._options.once and time.monotonic() - since > SECONDS_AWAY):
                    raise
                if failures == 1 or failures % 10 == 0:
                    logger.warning("%s; nothing is read until it answers", error)
                if isinstance(error, StoreError):
                    self._close()
                source.wait(min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** min(failures - 1, 10)) * random.uniform(0.5, 1.0))
                if self._is_reassigned:  # the input begins again at the positions of the graph
                    self._pending, self._is_reassigned = (), False

    def _write_pending(self, source: RecordInput, runner: asyncio.Runner) -> None:
        """Write the first pending records in one transaction: all, but fewer after the database refused a batch."""
        size = min(self._size, len(self._pending))
        records = self._pending[:size]
        started = time.perf_counter()
        self._first_batch = started if self._first_batch is None else self._first_batch
        decoded = decode(records, self._spec, time.time())
        try:
            counts = self._write(records, decoded, runner)
        except StoreError as error:
            if isinstance(error, FencedError) or not _is_refusal(error):
                raise
            if size > 1:
                self._size = size // 2
                return
            event = decoded[0]
            ids = (event.user, event.item) if isinstance(event, Event | Rejection) else (None, None)
            counts = self._write(records, [Rejection(f"the database refuses: {error.reason or error}", *ids)], runner)
        self._pending = self._pending[size:]
        self._size = min(2 * self._size, self._options.batch)
        ended = time.perf_counter()
        self.consumed.seconds_writing = ended - self._first_batch
        self._note(records, counts, ended - started)
        source.committed({record.partition: record.next for record in records})

    def _write(
        self, records: Sequence[Record], decoded: Sequence[Decoded], runner: asyncio.Runner
    ) -> dict[str, dict[str, int]]:
        """Write one transaction; return the numbers of records by partition and outcome."""
        self._make_positions({record.partition for record in records})
        moves = {record.partition: (self._positions.get(record.partition, ""), record.next) for record in records}
        numbers = [number for number, each in enumerate(decoded) if isinstance(each, Event)]
        events = [event for event in decoded if isinstance(event, Event)]
        now = time.time_ns() // 1_000_000
        counts: dict[str, dict[str, int]] = {}
        failed = 0

        def before(run: RunStatement) -> None:
            positions.claim(run, self._spec.name, moves)

        def after(run: RunStatement, outcomes: Sequence[Outcome]) -> None:
            nonlocal failed
            counts.clear()  # the transaction may be repeated
            by_number = dict(zip(numbers, outcomes, strict=True))
            found = [
                rejected.build(self._spec.name, record, *reason, now)
                for number, record in enumerate(records)
                if (reason := self._find_reason(decoded[number], by_number.get(number))) is not None
            ]
            for number, record in enumerate(records):
                each = decoded[number]
                outcome = "ignored" if each is None else "rejected"
                if number in by_number:
                    outcome = by_number[number].status
                part = counts.setdefault(record.partition, {})
                part[outcome] = part.get(outcome, 0) + 1
            rejected.save(run, found)
            positions.add_counts(run, self._spec.name, counts, now)
            failed = len(found)

        if self._num_rejected >= MAX_REJECTED:
            raise GraphrecError(
                f"{self._num_rejected:,} records of the stream {self._spec.name} were rejected, so it stops: "
                "`graphrec rejected list` says why; correct the TOML file, then retry or delete them"
            )
        store = self._open()
        runner.run(
            self._write_marked([event.user for event in events], lambda: self._sink.write(store, events, before, after))
        )
        self._positions |= {name: new for name, (_, new) in moves.items()}
        self._num_rejected += failed
        return counts

    def _make_positions(self, partitions: set[str]) -> None:
        """Create the nodes of new partitions, outside of the transaction: another process may do the same."""
        if new := partitions - self._made:
            positions.create(self._open(), self._spec.name, new)
            self._made |= new

    async def _write_marked(self, users: Sequence[str], write: Callable[[], object]) -> None:
        """Write while no cached answer of the users is read or stored."""
        async with self._cache.writing(users):
            write()

    def _find_reason(
        self, event: Decoded, outcome: Outcome | None
    ) -> tuple[str, bool, tuple[str | None, str | None]] | None:
        """Why a record is rejected, whether it is held, and its user and item; None if it is not rejected."""
        if isinstance(event, Rejection):
            return event.reason, False, (event.user, event.item)
        if event is None or outcome is None or outcome.status != "rejected":
            return None
        held = (outcome.unknown == "user" and self._spec.users == "hold") or (
            outcome.unknown == "item" and self._spec.items == "hold"
        )
        return outcome.reason, held, (event.user, event.item)

    def _note(
        self,
        records: Sequence[Record],
        counts: Mapping[str, Mapping[str, int]],
        seconds: float,
    ) -> None:
        for outcomes in counts.values():
            for outcome, number in outcomes.items():
                setattr(self.consumed, outcome, getattr(self.consumed, outcome) + number)
                self.metrics.count(outcome, number)
        now = time.time()
        newest = max((record.time / 1000 for record in records if record.time is not None), default=None)
        self.metrics.observe_batch(len(records), seconds, None if newest is None else max(0.0, now - newest))
        self.metrics.set_rejected(self._num_rejected)

    def _write_held(self, runner: asyncio.Runner) -> None:
        """Write held events whose users and items exist now."""
        if "hold" not in (self._spec.users, self._spec.items) or time.monotonic() < self._next_held:
            return
        store, spec, started = self._open(), self._spec, time.monotonic()
        creates = (spec.users == "create", spec.items == "create")
        while found := rejected.read_writable(store, spec.name, *creates, HELD_AT_ONCE):
            if self.retry(found, runner).rejected:
                break
        now = time.monotonic()
        self._next_held = now + max(HELD_INTERVAL, 20 * (now - started))  # many held events do not slow the stream

    def retry(self, found: Sequence[rejected.RejectedEvent], runner: asyncio.Runner) -> Consumed:
        """Write rejected events again, and delete those that became edges or are ignored now."""
        store, records = self._open(), [each.to_record() for each in found]
        decoded: list[Decoded] = [
            Rejection("the record was too long to be kept", each.user, each.item) if each.cut else event
            for each, event in zip(found, decode(records, self._spec, time.time()), strict=True)
        ]
        numbers = [number for number, each in enumerate(decoded) if isinstance(each, Event)]
        events = [event for event in decoded if isinstance(event, Event)]
        now, result = time.time_ns() // 1_000_000, Consumed()

        def before(run: RunStatement) -> None:
            if not rejected.take(run, [each.id for each in found], now):
                raise FencedError("another process retries the same rejected events")

        def after(run: RunStatement, outcomes: Sequence[Outcome]) -> None:
            nonlocal result
            by_number, again, result = dict(zip(numbers, outcomes, strict=True)), [], Consumed()
            for number, each in enumerate(found):
                outcome = by_number[number].status if number in by_number else "ignored"
                reason = self._find_reason(decoded[number], by_number.get(number))
                if reason is not None:
                    outcome = "rejected"
                    new = rejected.build(self._spec.name, records[number], *reason, each.rejected_at)
                    again.append(each if each.cut else new)
                setattr(result, outcome, getattr(result, outcome) + 1)
            rejected.save(run, again)

        users = [event.user for event in events]
        try:
            runner.run(self._write_marked(users, lambda: self._sink.write(store, events, before, after)))
        except FencedError:
            return Consumed()
        self._num_rejected -= result.accepted + result.repeated + result.ignored
        return result


def retry_all(spec: StreamSpec, open_store: Callable[[], Store], cache: Cache, reread: int = HELD_AT_ONCE) -> Consumed:
    """Write all rejected events of a stream again, as its TOML file says now; raises as the database."""
    consumer = Consumer(spec, open_store, cache)
    total, after, start = Consumed(), "", time.monotonic()
    with asyncio.Runner() as runner, _closing(consumer, runner, cache) as store:
        while found := rejected.read_rejected(store, spec.name, limit=reread, after=after):
            done = consumer.retry(found, runner)
            for name in ("accepted", "repeated", "rejected", "ignored"):
                setattr(total, name, getattr(total, name) + getattr(done, name))
            after = found[-1].id
    total.seconds = time.monotonic() - start
    return total


@contextmanager
def _closing(consumer: Consumer, runner: asyncio.Runner, cache: Cache) -> Iterator[Store]:
    try:
        yield consumer._open()
    finally:
        runner.run(cache.close())
        consumer._close()


def _is_refusal(error: StoreError) -> bool:
    """Whether the database refuses the content of a batch, so that a smaller one may succeed."""
    if isinstance(error.__cause__, OverflowError | UnicodeEncodeError):
        return True
    code = str(getattr(error.__cause__, "code", None) or "")
    if any(part in code for part in _CONTENDED):
        return False
    return bool(error.reason) or type(error).__name__ in ("TooLargeError", "ConstraintError")
