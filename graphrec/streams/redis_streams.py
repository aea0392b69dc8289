"""Reads Redis Streams, also of Valkey; each stream is a partition.

A position is the id of the last entry with its number, such as 1700000000000-0#17: 17 entries were ever added up to it.
By the number it is known whether entries were trimmed before they were read, which the id does not.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, RedisError, ResponseError
from redis.retry import Retry

from graphrec.errors import GraphrecError, format_value
from graphrec.streams.record import MAX_BYTES, InputUnavailableError, LostRecordsError, ReadPositions, Record
from graphrec.streams.spec import RedisInputSpec

#: The position before the first entry.
BEGIN = "0-0"

#: Timeout in seconds of a connection and of a command, beyond the time that it waits for entries.
SECONDS_TO_ANSWER = 5.0

#: Maximum seconds of one blocking read, so that the end of the process is noticed.
_SECONDS_BLOCKED = 0.5


class RedisInput:
    """The entries of some streams, read with XREAD from the positions of the graph.

    A consumer group would keep a second position, which could differ from that of the graph.
    """

    def __init__(self, spec: RedisInputSpec, read_positions: ReadPositions, ended: threading.Event) -> None:
        self._spec, self._ended = spec, ended
        self._client = _connect(spec.url)
        known = read_positions()
        self._next = {name: _parse(known.get(name, "")) for name in spec.streams}
        self._unchecked = set(spec.streams)

    def poll(self, limit: int, seconds: float) -> Sequence[Record]:
        """The next entries of all streams; see `RecordInput.poll`."""
        if self._ended.is_set():
            return []
        try:
            if self._unchecked:
                self._check_lost()
            blocked = max(1, round(1000 * min(seconds, _SECONDS_BLOCKED)))
            found = self._client.xread({name: entry for name, (entry, _) in self._next.items()}, limit, blocked)
        except (AuthenticationError, AuthorizationError) as error:
            raise GraphrecError(f"Redis refuses the login: {format_value(error)}; correct the key redis") from error
        except ResponseError as error:
            if "LOADING" in str(error):
                raise InputUnavailableError("Redis is loading its data") from error
            raise GraphrecError(f"Redis refuses: {format_value(error)}; correct the table [input]") from error
        except (RedisError, OSError) as error:
            self._unchecked = set(self._spec.streams)  # a server that comes back may have lost entries
            raise InputUnavailableError(f"Redis does not answer: {format_value(error)}") from error
        pairs = found.items() if isinstance(found, dict) else found or ()
        entries = [(_decode(key), batch) for key, batch in pairs]
        records: list[Record] = []
        for name, batch in entries:
            batch = batch[0] if len(batch) == 1 and isinstance(batch[0], list) else batch  # RESP3
            for entry, fields in batch[: max(0, limit - len(records))]:
                number = self._next[name][1] + 1
                self._next[name] = _decode(entry), number
                records.append(self._build(name, _decode(entry), number, fields))
        return records

    def _build(self, name: str, entry: str, number: int, fields: Mapping[bytes, bytes] | None) -> Record:
        body: bytes | Mapping[str, Any] | None = None
        if fields is not None:
            size = sum(len(key) + len(value) for key, value in fields.items())
            if self._spec.json:
                body = fields.get(self._spec.json.encode(), b"")
            else:
                body = {_decode(key): value.decode("utf-8", "surrogateescape") for key, value in fields.items()}
            body = body if size <= MAX_BYTES else None
        return Record(name, name, entry, f"{entry}#{number}", body, int(entry.partition("-")[0]))

    def _check_lost(self) -> None:
        """Raise LostRecordsError if entries after a position were deleted before they were read."""
        for name in sorted(self._unchecked):
            entry, number = self._next[name]
            state = _read_state(self._client, name)
            if entry == BEGIN:
                self._next[name] = entry, state.num_deleted
            elif lost := state.count_lost(entry, number):
                raise LostRecordsError(
                    f"{lost:,} entries of the stream {format_value(name)} were deleted before they were read, the last "
                    f"one read is {entry}; let producers keep more entries, --skip-lost reads on"
                )
        self._unchecked = set()

    def seek(self, positions: Mapping[str, str]) -> None:
        """Read on from these positions."""
        self._next |= {name: _parse(position) for name, position in positions.items()}

    def committed(self, positions: Mapping[str, str]) -> None:
        """With `trim`, delete the entries that were written."""
        if not self._spec.trim:
            return
        try:
            for name, position in positions.items():
                milliseconds, _, number = _parse(position)[0].partition("-")
                self._client.xtrim(name, minid=f"{milliseconds}-{int(number) + 1}", approximate=False)
        except (RedisError, OSError) as error:
            raise InputUnavailableError(f"Redis does not answer: {format_value(error)}") from error

    def wait(self, seconds: float) -> None:
        """Wait, at most until the end of the process is wished."""
        self._ended.wait(seconds)

    def is_drained(self, positions: Mapping[str, str]) -> bool:  # noqa: ARG002  # a RecordInput's signature
        """True: Redis gives entries at once."""
        return True

    def measure_lag(self, positions: Mapping[str, str]) -> dict[str, int]:
        """The entries of each stream after its position."""
        try:
            states = {name: _read_state(self._client, name) for name in self._spec.streams}
        except (RedisError, OSError) as error:
            raise InputUnavailableError(f"Redis does not answer: {format_value(error)}") from error
        return {name: state.measure_lag(*_parse(positions.get(name, ""))) for name, state in states.items()}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def find_lost(spec: RedisInputSpec, positions: Mapping[str, str]) -> list[str]:
    """The streams of which entries were deleted before they were read.

    Raises InputUnavailableError if Redis does not answer.
    """
    client = _connect(spec.url)
    try:
        places = {name: _parse(position) for name, position in positions.items()}
        return [name for name, place in places.items() if _read_state(client, name).count_lost(*place)]
    except (RedisError, OSError) as error:
        raise InputUnavailableError(f"Redis does not answer: {format_value(error)}") from error
    finally:
        client.close()


def _connect(url: str) -> Any:  # the type hints of its client are not precise
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=SECONDS_TO_ANSWER + _SECONDS_BLOCKED,
            socket_connect_timeout=SECONDS_TO_ANSWER,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:  # its text may have the password
        raise GraphrecError("the key redis is no address; write redis://HOST:PORT/0 or unix:///PATH") from error


@dataclass(frozen=True)
class _StreamState:
    """A stream: entries that it has, ever had, and no longer has; ids of the first and the last one."""

    length: int
    num_added: int
    num_deleted: int
    first: str
    last: str

    def count_lost(self, entry: str, number: int) -> int:
        """Entries after the one read last, the `number`th, that are gone."""
        if self.length and _sort_key(self.first) <= _sort_key(entry):
            return 0
        return max(0, self.num_deleted - number)

    def measure_lag(self, entry: str, number: int) -> int:
        """Entries after the one read last, the `number`th."""
        if _sort_key(entry) >= _sort_key(self.last):
            return 0
        return max(0, min(self.length, self.num_added - number))


def _read_state(client: Any, name: str) -> _StreamState:
    try:
        state = client.xinfo_stream(name)
    except ResponseError as error:
        if "no such key" not in str(error):
            raise
        return _StreamState(0, 0, 0, BEGIN, BEGIN)
    length, added = int(state["length"]), int(state.get("entries-added", 0))  # Redis 6 does not count
    first = state["first-entry"]
    return _StreamState(
        length,
        added,
        max(0, added - length),
        _decode(first[0]) if first else BEGIN,
        _decode(state["last-generated-id"]),
    )


def _parse(position: str) -> tuple[str, int]:
    """The id of the last entry that was read, and its number."""
    entry, _, number = position.partition("#")
    return entry or BEGIN, int(number or 0)


def _sort_key(position: str) -> tuple[int, int]:
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number or 0)


def _decode(value: bytes | str) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
