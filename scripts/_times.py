"""Times formatted for tables; JSON and CSV keep the numbers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

#: Threshold from which numbers are milliseconds; as seconds they would be after the year 5138.
MILLISECONDS = 100_000_000_000


def is_time(column: str) -> bool:
    """Whether a column holds times, by its name: `timestamp`, or one that ends in `_at`."""
    return column == "timestamp" or column.endswith("_at")


def shown(value: object) -> object:
    """A time in UTC such as `2018-09-24 13:05:10`, or `2018-09-24` at midnight, from Unix seconds or milliseconds or
    from ISO 8601; other values are returned unchanged."""
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


def with_times(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Records for a table: columns of times are formatted, and their names end in (UTC)."""
    heads = {name: f"{name} (UTC)" for row in rows[:1] for name in row if is_time(name)}
    return [{heads.get(name, name): shown(row[name]) if name in heads else row[name] for name in row} for row in rows]
