"""Values as text, formatted the same in the page, in Markdown and in figures."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from graphrec.evaluation.result import Estimate, ReasonPath

MINUS, DASH, MISSING = "−", "–", "–"

#: Range of times that can be printed as a date, in Unix seconds: the years 1 to 9999.
EARLIEST, LATEST = -62_135_596_800, 253_402_300_799


def number(value: float, signed: bool = False) -> str:
    """The value with four decimals, two from 10 on; a dash if it is missing."""
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return ("" if value > 0 else MINUS) + "∞"
    decimals = 4 if abs(value) < 10 else 2
    text = f"{value:{'+' if signed else ''},.{decimals}f}"
    return text.replace("-", MINUS)


def interval(estimate: Estimate, signed: bool = False) -> str:
    """`low to high`, or "" if the estimate has no bounds."""
    ends = bounds(estimate)
    return f"{number(ends[0], signed)} to {number(ends[1], signed)}" if ends else ""


def bounds(estimate: Estimate) -> tuple[float, float] | None:
    """The bounds of the interval, None if one of them is missing."""
    low, high = estimate.low, estimate.high
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return None
    return low, high


def effect(value: float) -> str:
    """An effect size with its sign and two decimals."""
    return number(value, signed=True) if not math.isfinite(value) else f"{value:+.2f}".replace("-", MINUS)


def probability(p: float) -> str:
    """Three decimals, and `< 0.001` below."""
    if math.isnan(p):
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def share(value: float) -> str:
    """A share from 0 to 1 in percent, with one decimal below 10 %."""
    return f"{value:.0%}" if value >= 0.0995 or value == 0 else f"{value:.1%}"


def seconds(value: float) -> str:
    """`0.04 s`, `3.2 s`, `95 s`, `12 min 5 s`."""
    if value < 1:
        return f"{value:.2f} s"
    if value < 9.95:
        return f"{value:.1f} s"
    if value < 600:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def count(value: int, noun: str = "") -> str:
    """`1,234`, or `1,234 users` with a noun in the plural, which loses its s for 1."""
    if not noun:
        return f"{value:,}"
    return f"{value:,} {noun if value != 1 else noun.removesuffix('s')}"


def day(moment: int | None) -> str:
    """The day in UTC of Unix seconds; a dash for None, the number if it is not a valid date."""
    if moment is None:
        return MISSING
    if not EARLIEST <= moment <= LATEST:
        return str(moment)
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def span(first: int | None, last: int | None) -> str:
    """`2015-01-03 to 2017-05-09`; with times of day if both are on one day."""
    if first is None or last is None:
        return "no times"
    if day(first) != day(last) or not EARLIEST <= first <= LATEST:
        return f"{day(first)} to {day(last)}"
    times = [datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S") for moment in (first, last)]
    return f"{day(first)}, {times[0]} to {times[1]}"


def setting(value: Any) -> str:  # int, float, str or bool, as a model's config has it
    """The value of a setting: floats with at most six significant digits, an empty text as `""`."""
    return f"{value:g}" if isinstance(value, float) else str(value) or '""'


def settings(config: Mapping[str, Any]) -> str:  # as a model's config has it
    """`top_k = 50, shrink = 2.5`."""
    return ", ".join(f"{name} = {setting(value)}" for name, value in config.items()) or "no settings"


def name_steps(reason: ReasonPath, titles: Mapping[str, str]) -> tuple[str, ...]:
    """The steps of a reason as text, items by their titles if they have any."""
    return tuple(
        titles.get(step, step) if index in reason.items else step if index else name_user(step)
        for index, step in enumerate(reason.steps)
    )


def name_user(id_: str) -> str:
    """A user as text: the id with a prefix, to distinguish it from the id of an item."""
    return f"user {id_}"


def count_of_total(shown: int, total: int) -> str:
    """`45`, or `12 of 45` if not all are shown."""
    return count(total) if shown == total else f"{count(shown)} of {count(total)}"
