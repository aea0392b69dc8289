"""Times of any notation as Unix seconds."""

from typing import Any, cast

import numpy as np
import pandas as pd

from graphrec.cleaning.conversion import as_text, converted
from graphrec.tabular.spec import Time

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_WITH_OFFSET = r"(?:[zZ]|[+-]\d{2}:?\d{2})$"


def unix_seconds(values: "pd.Series[Any]", time: Time) -> tuple["pd.Series[Any]", "pd.Series[bool]"]:
    """Whole seconds since 1970 in UTC (Int64), and which values are no times; an empty one is missing.

    Numbers are counted in the time's unit, fractions of a second cut off. Text without a unit is read in the time's
    format, else as ISO 8601 or as a number of seconds; without an offset of its own it is of the time's zone. An hour
    that the clocks go through twice is the first, one that they leave out is the next.
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _seconds(_in_zone(values, time.zone)), pd.Series(False, index=values.index)
    if time.format is None and (time.unit or pd.api.types.is_numeric_dtype(values.dtype)):
        return _counted(values, _PER_SECOND[time.unit or "s"])
    text = as_text(values).str.strip()
    text = text.mask(text == "")
    if time.format is None:
        numbers, no_number = _counted(text, 1)
        moments = _seconds(_parsed(text.where(no_number), "ISO8601", time.zone))
        found = numbers.where(~no_number, moments)
    else:
        found = _seconds(_parsed(text, time.format, time.zone))
    return found, text.notna() & found.isna()


def _counted(values: "pd.Series[Any]", per_second: int) -> tuple["pd.Series[Any]", "pd.Series[bool]"]:
    whole, no_whole = converted(values, "int")
    whole = whole.astype("Int64") // per_second
    if not no_whole.any():
        return whole, no_whole
    broken, bad = converted(values.where(no_whole), "float")
    broken = (broken.astype("Float64") / per_second) // 1
    far = (broken.abs() >= 2**62).fillna(False).astype("bool")
    return whole.where(~no_whole, broken.mask(far).astype("Int64")), bad | far


def _parsed(text: "pd.Series[str]", form: str, zone: str) -> "pd.Series[Any]":
    """The moments in UTC; NaT where the text is none."""
    known = text.dropna()
    own = known.str.contains(_WITH_OFFSET, regex=True)
    try:
        with_offset = pd.to_datetime(known[own], format=form, errors="coerce", utc=True)
        without = pd.to_datetime(known[~own], format=form, errors="coerce")
        if without.dtype == object or getattr(without.dt, "tz", None) is not None:
            without = pd.to_datetime(known[~own], format=form, errors="coerce", utc=True)
    except (ValueError, OverflowError, TypeError):
        return pd.Series(pd.NaT, index=text.index, dtype="datetime64[us, UTC]")
    parts = [part.astype("datetime64[us, UTC]") for part in (with_offset, _in_zone(without, zone)) if len(part)]
    if not parts:
        return pd.Series(pd.NaT, index=text.index, dtype="datetime64[us, UTC]")
    return pd.concat(parts).reindex(text.index)


def _in_zone(moments: "pd.Series[Any]", zone: str) -> "pd.Series[Any]":
    """Moments in UTC; those without a zone are of this one."""
    if moments.dt.tz is None:
        first = np.ones(len(moments), dtype=bool)  # is it summer time? then it is the first of the two
        moments = moments.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return cast("pd.Series[Any]", moments.dt.tz_convert("UTC"))


def _seconds(moments: "pd.Series[Any]") -> "pd.Series[Any]":
    """Whole seconds since 1970, Int64."""
    micros = moments.astype("datetime64[us, UTC]").astype("int64").astype("Int64")
    return micros.mask(moments.isna()) // 1_000_000
