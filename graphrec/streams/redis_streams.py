"""Reads Redis Streams, also of Valkey; each stream is a partition, and a position is the id of an entry."""

import threading
from collections.abc import Mapping, Sequence
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

#: Cap on the entries that are counted for the lag.
_MAX_COUNTED = 10_000


class RedisInput:
    """The entries of some streams, read with XREAD from the positions of the graph.

    A consumer group would keep a second position, which could differ from that of the graph.
    """

    def __init__(self, spec: RedisInputSpec, read_positions: ReadPositions, ended: threading.Event) -> None:
        self._spec, self._ended = spec, ended
        self._client = _connect(spec.url)
        known = read_positions()
        self._next = {name: known.get(name) or BEGIN for name in spec.streams}
        self._unchecked = set(spec.streams)

    def poll(self, limit: int, seconds: float) -> Sequence[Record]:
        """The next entries of all streams; see `RecordInput.poll`."""
        if self._ended.is_set():
            return []
        try:
            if self._unchecked:
                self._check_lost()
            blocked = max(1, round(1000 * min(seconds, _SECONDS_BLOCKED)))
            found = self._client.xread(self._next, count=limit, block=blocked)
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
                position = _decode(entry)
                self._next[name] = position
                records.append(self._build(name, position, fields))
        return records

    def _build(self, name: str, position: str, fields: Mapping[bytes, bytes] | None) -> Record:
        body: bytes | Mapping[str, Any] | None = None
        if fields is not None:
            size = sum(len(key) + len(value) for key, value in fields.items())
            if self._spec.json:
                body = fields.get(self._spec.json.encode(), b"")
            else:
                body = {_decode(key): value.decode("utf-8", "surrogateescape") for key, value in fields.items()}
            body = body if size <= MAX_BYTES else None
        return Record(name, name, position, position, body, int(position.partition("-")[0]))

    def _check_lost(self) -> None:
        """Raise LostRecordsError if entries after a position were deleted before they were read."""
        for name in sorted(self._unchecked):
            if self._next[name] != BEGIN and (lost := _find_deleted(self._client, name, self._next[name])):
                raise LostRecordsError(
                    f"entries of the stream {format_value(name)} up to {lost} were deleted before they were read, the "
                    f"last one read is {self._next[name]}; let producers keep more; --skip-lost reads on"
                )
        self._unchecked = set()

    def seek(self, positions: Mapping[str, str]) -> None:
        """Read on from these positions."""
        self._next |= {name: position or BEGIN for name, position in positions.items()}

    def committed(self, positions: Mapping[str, str]) -> None:
        """With `trim`, delete the entries that were written."""
        if not self._spec.trim:
            return
        try:
            for name, position in positions.items():
                milliseconds, _, number = position.partition("-")
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
        """The entries of each stream after its position, estimated by its length if some were read."""
        lag = {}
        for name in self._spec.streams:
            try:
                state = self._client.xinfo_stream(name)
            except ResponseError:  # there is no such stream yet
                lag[name] = 0
                continue
            except (RedisError, OSError) as error:
                raise InputUnavailableError(f"Redis does not answer: {format_value(error)}") from error
            last = _decode(state["last-generated-id"])
            position = positions.get(name) or BEGIN
            if _sort_key(position) >= _sort_key(last):
                lag[name] = 0
            elif position == BEGIN:
                lag[name] = int(state["length"])
            else:
                lag[name] = self._count_after(name, position)
        return lag

    def _count_after(self, name: str, position: str) -> int:
        """The number of entries after a position, counted in the server without their content."""
        script = "return #redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])"
        return int(self._client.eval(script, 1, name, position, _MAX_COUNTED))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def find_lost(spec: RedisInputSpec, positions: Mapping[str, str]) -> list[str]:
    """The streams of which entries were deleted before they were read.

    Raises InputUnavailableError if Redis does not answer.
    """
    client = _connect(spec.url)
    try:
        return [name for name, position in positions.items() if _find_deleted(client, name, position)]
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


def _find_deleted(client: Any, name: str, position: str) -> str:
    """The greatest id of a deleted entry, if it is after a position; else ""."""
    try:
        state = client.xinfo_stream(name)
    except ResponseError:  # there is no such stream
        return ""
    deleted = _decode(state.get("max-deleted-entry-id", b"0-0"))
    return deleted if _sort_key(deleted) > _sort_key(position) else ""


def _sort_key(position: str) -> tuple[int, int]:
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number or 0)


def _decode(value: bytes | str) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
