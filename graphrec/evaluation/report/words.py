"""How values are written: the same in the page, in Markdown, and on the pictures."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from graphrec.evaluation.result import Estimate, ReasonPath

MINUS, DASH, NOTHING = "−", "–", "–"

#: Years 1 to 9999 in Unix seconds: what can be written as a date.
EARLIEST, LATEST = -62_135_596_800, 253_402_300_799


def number(value: float, signed: bool = False) -> str:
    """The value with four decimals, two from 10 on; a dash if it is missing."""
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return ("" if value > 0 else MINUS) + "∞"
    decimals = 4 if abs(value) < 10 else 2
    text = f"{value:{'+' if signed else ''},.{decimals}f}"
    return text.replace("-", MINUS)


def interval(estimate: Estimate, signed: bool = False) -> str:
    """`low to high`, or nothing where the estimate has no bounds."""
    found = bounds(estimate)
    return f"{number(found[0], signed)} to {number(found[1], signed)}" if found else ""


def bounds(estimate: Estimate) -> tuple[float, float] | None:
    """Both bounds of the interval, None where one is missing."""
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
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def share(value: float) -> str:
    """A share of 1 as percent: a whole number from 10 % on, one decimal below."""
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
    """`1,234`, or `1,234 users` with a noun in the plural, of which a single one loses its s."""
    if not noun:
        return f"{value:,}"
    return f"{value:,} {noun if value != 1 else noun.removesuffix('s')}"


def day(moment: int | None) -> str:
    """The day in UTC of Unix seconds; a dash for None, the number itself where it is no date."""
    if moment is None:
        return NOTHING
    if not EARLIEST <= moment <= LATEST:
        return str(moment)
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def span(first: int | None, last: int | None) -> str:
    """`2015-01-03 to 2017-05-09`; with the time of day where both are on one day."""
    if first is None or last is None:
        return "no times"
    if day(first) != day(last) or not EARLIEST <= first <= LATEST:
        return f"{day(first)} to {day(last)}"
    times = [datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S") for moment in (first, last)]
    return f"{day(first)}, {times[0]} to {times[1]}"


def setting(value: Any) -> str:  # int, float, str or bool, as a model's config has it
    """The value of a setting: floats with at most six digits that count, an empty text as `""`."""
    return f"{value:g}" if isinstance(value, float) else str(value) or '""'


def settings(config: Mapping[str, Any]) -> str:  # as a model's config has it
    """`top_k = 50, shrink = 2.5`."""
    return ", ".join(f"{name} = {setting(value)}" for name, value in config.items()) or "no settings"


def steps(reason: ReasonPath, titles: Mapping[str, str]) -> tuple[str, ...]:
    """The steps of a reason, items by their titles where they have any."""
    return tuple(
        titles.get(step, step) if place in reason.items else step if place else user(step)
        for place, step in enumerate(reason.steps)
    )


def user(id_: str) -> str:
    """What a user is called: their id alone could be taken for that of an item."""
    return f"user {id_}"


def some(shown: int, total: int) -> str:
    """`45`, or `12 of 45` where not all are shown."""
    return count(total) if shown == total else f"{count(shown)} of {count(total)}"
