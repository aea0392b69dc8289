"""Format times as text."""

from datetime import UTC, datetime

_SECONDS_A_YEAR = 31_556_952


def moment_text(seconds: int) -> str:
    """Unix seconds as date and time in UTC; as the year alone, if datetime cannot represent them."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"the year {1970 + seconds // _SECONDS_A_YEAR:,}"
