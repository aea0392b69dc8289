"""Format times for tables; JSON and CSV keep the numbers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

#: Threshold from which numbers are read as milliseconds; as seconds it is in the year 5138.
MILLISECONDS = 100_000_000_000


def is_time(column: str) -> bool:
    """Whether the name of a column is that of times: `timestamp`, or a name that ends in `_at`."""
    return column == "timestamp" or column.endswith("_at")


def format_time(value: object) -> object:
    """The text of a time in UTC, such as `2018-09-24 13:05:10`, or `2018-09-24` at midnight.

    The value is a number of Unix seconds or milliseconds, or a text in ISO 8601; other values are returned unchanged.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment
        else:
            moment = datetime.fromtimestamp(value / 1000 if abs(value) >= MILLISECONDS else value, UTC)
    except (OverflowError, ValueError, OSError):
        return value
    midnight = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    return f"{moment:%Y-%m-%d}" if midnight else f"{moment:%Y-%m-%d %H:%M:%S}"


def format_times(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The records with times formatted, in columns whose names end in (UTC)."""
    heads = {name: f"{name} (UTC)" for row in rows[:1] for name in row if is_time(name)}
    return [
        {heads.get(name, name): format_time(value) if name in heads else value for name, value in row.items()}
        for row in rows
    ]
