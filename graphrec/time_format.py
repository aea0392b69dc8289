"""Times in words."""

from datetime import UTC, datetime

_SECONDS_A_YEAR = 31_556_952


def moment_text(seconds: int) -> str:
    """Unix seconds as a date and a time of day in UTC; as the year alone, if no calendar has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"the year {1970 + seconds // _SECONDS_A_YEAR:,}"
