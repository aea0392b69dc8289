"""Turns records into events, or into the reason why they are rejected."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

import pandas as pd

from graphrec.errors import GraphrecError, format_value
from graphrec.events import Event
from graphrec.streams.record import MAX_BYTES, Record
from graphrec.streams.spec import EdgeSpec, StreamSpec
from graphrec.tabular.json_pointer import unescape_key
from graphrec.tabular.spec import TimeColumn
from graphrec.tabular.timestamps import read_times

#: Cap on the characters of an id, as in the HTTP server.
MAX_ID = 1_000

#: Cap on Unix seconds: the end of the year 9999.
_MAX_SECONDS = 253_402_300_799

#: Numbers in one second of each unit, and the size from which a number without a unit is in the next smaller unit.
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_LIMITS = ((10**11, "s"), (10**14, "ms"), (10**17, "us"))


@dataclass(frozen=True)
class Rejection:
    """Why a record is no event; user and item if they could be read."""

    reason: str
    user: str | None = None
    item: str | None = None


#: A record that no edge specification takes, and that is to be skipped.
IGNORED = None

Decoded: TypeAlias = Event | Rejection | None


class _InvalidError(Exception):
    """A record that is no event; its text is the reason."""


def decode(records: Sequence[Record], spec: StreamSpec, now: float) -> list[Decoded]:
    """The event, rejection or IGNORED of each record; `now` is in Unix seconds.

    The result of a record does not depend on the others.
    """
    fields = [_parse_body(record) for record in records]
    found: list[Decoded] = []
    texts: dict[TimeColumn, list[int]] = {}
    for number, (record, values) in enumerate(zip(records, fields, strict=True)):
        if isinstance(values, Rejection):
            found.append(values)
            continue
        edge = next((each for each in spec.edges if _fits(each, record, values)), None)
        if edge is None:
            found.append(
                IGNORED if spec.ignore_others else Rejection("no [edges.…] of the TOML file takes this record")
            )
            continue
        event = _build_event(spec.name, edge, record, values, now)
        if isinstance(event, Event) and edge.time is not None and event.timestamp < 0:
            texts.setdefault(edge.time, []).append(number)
        found.append(event)
    for time, numbers in texts.items():
        _set_times(found, fields, time, numbers)
    return [_check_age(event, spec, now) if isinstance(event, Event) else event for event in found]


def _parse_body(record: Record) -> Mapping[str, Any] | Rejection:  # Any: values of JSON
    if record.body is None:
        return Rejection(f"the record has more than {MAX_BYTES:,} bytes, or no content")
    if not isinstance(record.body, bytes):
        return record.body
    try:
        values = json.loads(record.body)
    except (ValueError, RecursionError) as error:
        return Rejection(f"the record is not JSON: {format_value(error)}")
    return values if isinstance(values, dict) else Rejection("the record is JSON, but no object")


def _fits(edge: EdgeSpec, record: Record, values: Mapping[str, Any]) -> bool:
    if edge.streams and not any(fnmatchcase(record.topic, name) for name in edge.streams):
        return False
    return all(_as_text(_find(values, name)) in wanted for name, wanted in edge.where.items())


def _as_text(value: object) -> str:
    """A value as the key `where` compares it: true and false as in JSON."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _find(values: Mapping[str, Any], name: str) -> Any:
    """The value of a key, or at a JSON pointer such as /user/id; None if there is no such value."""
    if not name.startswith("/"):
        return values.get(name)
    found: Any = values
    for part in name[1:].split("/"):
        if isinstance(found, list):
            found = found[int(part)] if part.isdecimal() and int(part) < len(found) else None
        else:
            found = found.get(unescape_key(part)) if isinstance(found, dict) else None
    return found


def _build_event(
    stream: str, edge: EdgeSpec, record: Record, values: Mapping[str, Any], now: float
) -> Event | Rejection:
    """The event, its time -1 if it is a text that is still to be read."""
    user = item = None
    try:
        user, item = _read_id(values, edge.user), _read_id(values, edge.item)
        if edge.id is None:
            identifier = f"{stream}/{record.partition}@{record.position}"[-MAX_ID:]
        else:
            identifier = _read_id(values, edge.id)
        timestamp = int(now if record.time is None else record.time // 1000)
        if edge.time is not None:
            timestamp = _read_time(_find(values, edge.time.column), edge.time)
        weight = None if edge.weight is None else _find(values, edge.weight.column)
        return Event(
            identifier,
            edge.relation,
            user,
            item,
            timestamp,
            {}
            if edge.weight is None or weight is None
            else {edge.weight.name: _read_number(weight, edge.weight.column)},
            None if edge.run is None else _read_id(values, edge.run),
            None if edge.rank is None else _read_rank(_find(values, edge.rank), edge.rank),
            None if edge.recommendation_id is None else _read_optional_id(values, edge.recommendation_id),
            None if edge.propensity is None else _read_propensity(_find(values, edge.propensity), edge.propensity),
        )
    except _InvalidError as error:
        return Rejection(str(error), user, item)


def _read_id(values: Mapping[str, Any], name: str) -> str:
    value = _find(values, name)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**100 else None
    if not isinstance(value, str) or not value:
        raise _InvalidError(f"{format_value(name)} is no id: {format_value(repr(value))}")
    if len(value) > MAX_ID:
        raise _InvalidError(f"{format_value(name)} has more than {MAX_ID:,} characters")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _InvalidError(f"{format_value(name)} has bytes that are no UTF-8, or half a character") from None
    return value


def _read_optional_id(values: Mapping[str, Any], name: str) -> str | None:
    return None if _find(values, name) in (None, "") else _read_id(values, name)


def _read_number(value: object, name: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]  # others raise
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _InvalidError(f"{format_value(name)} is no number: {format_value(repr(value))}")
    return number


def _read_rank(value: object, name: str) -> int:
    number = _read_number(value, name)
    if number != int(number) or not 1 <= number <= 1_000_000:
        raise _InvalidError(f"{format_value(name)} is a whole number from 1, not {format_value(repr(value))}")
    return int(number)


def _read_propensity(value: object, name: str) -> float | None:
    if value is None:
        return None
    number = _read_number(value, name)
    if not 0 < number <= 1:
        raise _InvalidError(
            f"{format_value(name)} is a probability above 0 and at most 1, not {format_value(repr(value))}"
        )
    return number


def _read_time(value: object, time: TimeColumn) -> int:
    """The Unix seconds of a number, or of digits; -1 for another text."""
    number = value
    if isinstance(value, str) and time.format is None:
        try:
            number = int(value)
        except ValueError:
            try:
                number = float(value)
            except ValueError:
                number = value
    if isinstance(number, bool) or not isinstance(number, int | float):
        if isinstance(value, str) and value.strip() and time.unit is None:
            return -1
        raise _InvalidError(f"{format_value(time.column)} is no time: {format_value(repr(value))}")
    if time.format is not None or not math.isfinite(number):
        raise _InvalidError(
            f"{format_value(time.column)} is no text in the declared format: {format_value(repr(value))}"
        )
    unit: str = time.unit or next((unit for limit, unit in _LIMITS if abs(number) < limit), "ns")
    return _require_seconds(int(number // _PER_SECOND[unit]), time, value)


def _require_seconds(seconds: int, time: TimeColumn, value: object) -> int:
    if not 0 <= seconds <= _MAX_SECONDS:
        raise _InvalidError(
            f"{format_value(time.column)} is out of the years 1970 to 9999: {format_value(repr(value))}"
        )
    return seconds


def _set_times(
    found: list[Decoded], fields: Sequence[Mapping[str, Any] | Rejection], time: TimeColumn, numbers: Sequence[int]
) -> None:
    """Replace the events of these numbers by events with the times that their texts say."""
    texts = [str(_find(fields[number], time.column)) for number in numbers]  # type: ignore[arg-type]  # they have fields
    try:
        times = read_times(pd.Series(texts, dtype="str"), time)
    except GraphrecError as error:  # an invalid format, which is the reason of every record
        times = None
        reason = str(error)
    for place, number in enumerate(numbers):
        event = found[number]
        assert isinstance(event, Event)
        try:
            if times is None:
                raise _InvalidError(reason)
            if times.bad.iloc[place] or pd.isna(times.seconds.iloc[place]):
                raise _InvalidError(f"{format_value(time.column)} is no time: {format_value(repr(texts[place]))}")
            seconds = _require_seconds(int(times.seconds.iloc[place]), time, texts[place])
            found[number] = replace(event, timestamp=seconds)
        except _InvalidError as error:
            found[number] = Rejection(str(error), event.user, event.item)


def _check_age(event: Event, spec: StreamSpec, now: float) -> Event | Rejection:
    """The event, or its rejection by the rules of [times]."""
    if event.timestamp > now + spec.future:
        reason = f"its time is {format_value(event.timestamp)}, more than {spec.future:,} s in the future"
        return Rejection(reason, event.user, event.item)
    if spec.late is not None and event.timestamp < now - spec.late:
        reason = f"its time is {format_value(event.timestamp)}, more than {spec.late:,} s ago"
        return Rejection(reason, event.user, event.item)
    return event
