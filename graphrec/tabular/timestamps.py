"""Converts times in any notation to Unix seconds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from graphrec.cleaning.casting import as_text, convert, to_arrow
from graphrec.cleaning.numbers import whole_numbers
from graphrec.errors import DataError
from graphrec.tabular.iso8601 import ZONES, find_offset, parse_iso8601
from graphrec.tabular.spec import TimeColumn

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
#: Upper limits for numbers without a unit: the first unit with a larger limit is used, so that years are 1973 to 5138.
_LIMITS = {"s": 10**11, "ms": 10**14, "us": 10**17}
#: Dates written as one number: minimum, maximum and format. Only those of 14 digits cannot be Unix times.
_CALENDAR = (
    (1900, 2100, "%Y"),
    (1900001, 2100366, "%Y%j"),
    (19000101, 21001231, "%Y%m%d"),
    (190001010000, 210012312359, "%Y%m%d%H%M"),
    (19000101000000, 21001231235959, "%Y%m%d%H%M%S"),
)
#: Threshold: smaller numbers are times before 1973 in seconds, or dates if most of them can be dates.
_SMALL = 10**8
_COUNT = r"^[+-]?\d*\.?\d*(?:[eE][+-]?\d+)?$"
_YEAR_9999 = 253_402_300_799
#: Number of distinct times tried for a format suggestion.
_NUM_TRIED = 20
#: Replacements (RE2 pattern, text) that normalise notations to a form that pandas parses vectorised.
_REWRITES = (
    (r"\x{2212}", "-"),
    (r"^(\d{4})[/.](\d{2})[/.](\d{2})([Tt ]|$)", r"\1-\2-\3\4"),
    (r"^(\d{4})(\d{2})(\d{2})[Tt ](\d{2})(\d{2})(\d{2})", r"\1-\2-\3T\4:\5:\6"),
    (r"^(\d{4}-\d{2}-\d{2})t", r"\1T"),
    (r"(:\d{2}:\d{2})[.,]\d+", r"\1"),  # only whole seconds are needed, and nanoseconds limit the range of years
    (r"(:\d{2}) ?[zZ]$", r"\1Z"),
    (r"(:\d{2}) ?([+-]\d{2})$", r"\1\2:00"),
    (r"(:\d{2}) ([+-]\d{2}:?\d{2})$", r"\1\2"),
)
_EXTENDED = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?)?$"
_WITH_OFFSET = r":\d{2}(?:Z|[+-]\d{2}:?\d{2})$"
_ZONE_WORD = re.compile(r"\b(?:" + "|".join(sorted(ZONES, key=len, reverse=True)) + r")\b", re.IGNORECASE)
_LITERAL_ZONE = re.compile(r"(?<![A-Za-z])(?:" + "|".join(ZONES) + r")$|[+-]\d{2}:?\d{2}$")
#: Formats tried for a suggestion if times cannot be read; all that fit equally well are suggested.
_COMMON = (
    *("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d.%m.%y"),
    *("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d/%m/%y"),
    *("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%m/%d/%y", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p"),
    *("%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d-%m-%Y", "%m-%d-%Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y"),
    *("%b %d, %Y", "%B %d, %Y", "%m %d, %Y", "%b %d, %Y %H:%M", "%a, %d %b %Y %H:%M:%S %z", "%a %b %d %H:%M:%S %z %Y"),
    *("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %Z %Y", "%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%d-%H:%M", "%H:%M %d-%m-%Y"),
)


@dataclass(frozen=True)
class ReadingNote:
    """How undeclared numbers were interpreted: the reading, number of rows, an example, and what to declare."""

    reading: str
    rows: int
    example: str
    hint: str = ""


@dataclass(frozen=True)
class ParsedTimes:
    """Unix seconds (Int64), a mask of values that are not times, and notes on the interpretation."""

    seconds: "pd.Series[Any]"
    bad: "pd.Series[bool]"
    notes: tuple[ReadingNote, ...] = ()


def to_unix_seconds(values: "pd.Series[Any]", time: TimeColumn) -> tuple["pd.Series[Any]", "pd.Series[bool]"]:
    """The Unix seconds and the mask of invalid values of `read_times`."""
    times = read_times(values, time)
    return times.seconds, times.bad


def read_times(values: "pd.Series[Any]", time: TimeColumn) -> ParsedTimes:  # Any: a column of any type
    """The times of a column; empty values are missing, and invalid values do not affect others.

    Numbers are in `time.unit`; without a unit, each is read in the unit that gives a year after 1973, and 20240213 is a
    date. Text is read in `time.format`, else as ISO 8601; without an offset or zone it is in `time.zone`. Ambiguous
    local times are the first of the two, nonexistent ones the first time after the gap. Fractions of a second are
    truncated.

    Raises:
        DataError: the format is invalid.
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return ParsedTimes(_to_seconds(_to_utc(values, time.zone)), pd.Series(False, index=values.index))
    if time.format is None and time.unit:
        return ParsedTimes(*_scale_numbers(values, _PER_SECOND[time.unit]))
    if time.format is None and pd.api.types.is_numeric_dtype(values.dtype):
        return _read_numbers(values, time.zone)
    text = as_text(values).str.strip()
    text = text.mask(text == "")
    if time.format is not None:
        seconds = _parse_format(text, time.format, time.zone)
        return ParsedTimes(seconds, text.notna() & seconds.isna())
    numbers = _read_numbers(text, time.zone)
    not_numbers = numbers.bad
    if not not_numbers.any():
        return numbers
    parsed = _parse_iso8601(text[not_numbers], time.zone).reindex(text.index)
    seconds = numbers.seconds.where(~not_numbers, parsed)
    return ParsedTimes(seconds, text.notna() & seconds.isna(), numbers.notes)


def suggest_format(values: "pd.Series[Any]", time: TimeColumn) -> str:  # Any: a column of any type
    """What to declare so that invalid times can be read; "" if no common format reads most of them."""
    text = as_text(values).str.strip().dropna().drop_duplicates().head(_NUM_TRIED)
    if text.empty:
        return ""
    if (time.format or time.unit) and read_times(text, TimeColumn(time.column, zone=time.zone)).bad.mean() < 0.5:
        return f"leave out {'format' if time.format else 'unit'}: they are ISO 8601 or numbers"
    texts = [_ZONE_WORD.sub(lambda match: _format_offset(match[0]), value) for value in text]
    num_read = {form: sum(_matches_format(value, form.replace("%Z", "%z")) for value in texts) for form in _COMMON}
    best = max(num_read.values())
    forms = [f'format = "{form}"' for form, number in num_read.items() if number == best and 2 * number > len(texts)]
    return f"write {' or '.join(forms)}" if forms else ""


def _matches_format(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True


def _read_numbers(values: "pd.Series[Any]", zone: str) -> ParsedTimes:
    """Times of numbers without a unit: dates such as 20240213, else a unit by size; with notes."""
    if pd.api.types.is_string_dtype(values.dtype) and not values.str.contains(_COUNT, regex=True).any():
        return ParsedTimes(pd.Series(pd.NA, index=values.index, dtype="Int64"), values.notna())
    whole, is_not_whole = convert(values, "int")
    whole = whole.astype("Int64")
    fractional, bad = convert(values.where(is_not_whole), "float")
    size = whole.abs().astype("Float64").where(~is_not_whole, fractional.astype("Float64").abs())
    if size.isna().all():
        return ParsedTimes(whole, bad)
    seconds, invalid_dates, notes = _read_calendar_numbers(whole, zone)
    size = size.mask(seconds.notna() | invalid_dates)
    low = 0.0
    for unit, limit in (*_LIMITS.items(), ("ns", float("inf"))):
        chosen = ((size >= low) & (size < limit)).fillna(False).astype("bool")
        low = float(limit)
        if chosen.any():
            scaled, invalid = _scale_numbers(values[chosen], _PER_SECOND[unit])
            invalid |= (scaled.abs() > _YEAR_9999).fillna(False).astype("bool")
            scaled = scaled.mask(invalid)
            seconds.loc[chosen] = scaled
            bad |= invalid.reindex(bad.index, fill_value=False)
            if unit != "s" and scaled.notna().any():
                hint = f'if that is right, write unit = "{unit}"'
                notes.append(
                    ReadingNote(f"read as {_UNITS[unit]}", int(chosen.sum()), _format_example(values, scaled), hint)
                )
    if not notes and (early := _explain_early(whole[chosen_early := (size < _SMALL).fillna(False).astype("bool")])):
        notes.append(
            ReadingNote(
                "read as seconds", int(chosen_early.sum()), _format_example(values, seconds[chosen_early]), early
            )
        )
    return ParsedTimes(seconds, bad | invalid_dates, tuple(notes))


def _explain_early(whole: "pd.Series[Any]") -> str:
    """What numbers probably are that would be seconds in the first months of 1970; "" if unknown."""
    known = whole.dropna().astype("int64")
    if ((known >= 190001) & (known <= 210012) & (known % 100).between(1, 12)).mean() > 0.5:
        return 'they look like months; write format = "%Y%m"'
    if known.between(20_000, 80_000).mean() > 0.5:
        return "they look like day numbers of a spreadsheet; export the column as dates such as 2024-02-13"
    return ""


def _read_calendar_numbers(
    whole: "pd.Series[Any]", zone: str
) -> tuple["pd.Series[Any]", "pd.Series[bool]", list[ReadingNote]]:
    """Seconds of numbers that are dates (20240213), a mask of invalid ones (20240230), and notes.

    Numbers may also be Unix seconds of the months after 1970, so they are dates only if most numbers of their size are.
    """
    seconds = pd.Series(pd.NA, index=whole.index, dtype="Int64")
    invalid = pd.Series(False, index=whole.index)
    notes = []
    for low, high, form in _CALENDAR:
        in_range = ((whole >= low) & (whole <= high)).fillna(False).astype("bool")
        if not in_range.any():
            continue
        dates = _parse_format(whole[in_range].astype("str"), form, zone)
        num_similar = (
            (whole.abs() < _SMALL).sum() if high < _SMALL else (in_range.sum() if form != "%Y%m%d%H%M%S" else 0)
        )
        if dates.notna().sum() * 2 < num_similar or not dates.notna().any():
            continue
        seconds.loc[in_range] = dates
        invalid |= in_range & seconds.isna()
        example = _format_example(whole, seconds[in_range])
        hint = f'if that is right, write format = "{form}"'
        notes.append(ReadingNote("read as dates", int(in_range.sum()), example, hint))
    return seconds, invalid, notes


def _scale_numbers(values: "pd.Series[Any]", per_second: int) -> tuple["pd.Series[Any]", "pd.Series[bool]"]:
    whole, is_not_whole = convert(values, "int")
    whole = whole.astype("Int64") // per_second
    if not is_not_whole.any():
        return whole, is_not_whole
    fractional, bad = convert(values.where(is_not_whole), "float")
    fractional = (fractional.astype("Float64") / per_second) // 1
    too_large = (fractional.abs() >= 2**62).fillna(False).astype("bool")
    return whole.where(~is_not_whole, fractional.mask(too_large).astype("Int64")), bad | too_large


def _parse_iso8601(text: "pd.Series[str]", zone: str) -> "pd.Series[Any]":
    """Seconds of texts in any variant of ISO 8601; missing if the text is not a time."""
    column = to_arrow(text)
    for pattern, replacement in (*_REWRITES, *_find_trailing_zones(column)):
        column = pc.replace_substring_regex(column, pattern, replacement)
    is_extended = pc.fill_null(pc.match_substring_regex(column, _EXTENDED), False).to_numpy()
    has_offset = pc.fill_null(pc.match_substring_regex(column, _WITH_OFFSET), False).to_numpy()
    rewritten = pd.Series(column.to_pandas().to_numpy(), index=text.index, dtype="str")
    parts = [
        pd.to_datetime(rewritten[is_extended & has_offset], format="ISO8601", errors="coerce", utc=True),
        _to_utc(pd.to_datetime(rewritten[is_extended & ~has_offset], format="ISO8601", errors="coerce"), zone),
    ]
    filled = [_to_seconds(part) for part in parts if len(part)]
    parsed: pd.Series[Any] = pd.concat([pd.Series(dtype="Int64"), *filled]).reindex(text.index)
    rest = text[parsed.isna() & text.notna()]
    if rest.empty:
        return parsed
    distinct = rest.drop_duplicates()
    moments = pd.Series([parse_iso8601(value) for value in distinct], index=pd.Index(distinct), dtype=object).dropna()
    seconds: pd.Series[Any] = pd.concat([pd.Series(dtype="Int64"), *_localise(moments, zone)])
    places = pd.Index(seconds.index).get_indexer(pd.Index(rest))
    others = pd.Series(seconds.array.take(places, allow_fill=True), index=rest.index)
    return parsed.where(parsed.notna(), others.reindex(text.index))


def _find_trailing_zones(column: Any) -> list[tuple[str, str]]:  # of a pyarrow.ChunkedArray of text
    """Replacements of zone abbreviations after a time ("10:11:12 CET") by offsets."""
    ends = pc.extract_regex(column, r":\d{2} ?(?P<zone>[A-Za-z]{2,4})$")
    names = [name for name in pc.unique(pc.struct_field(ends, "zone")).to_pylist() if name and name.upper() in ZONES]
    return [(rf"(:\d{{2}}) ?{name}$", rf"\1{_format_offset(name)}") for name in names]


def _localise(moments: "pd.Series[Any]", zone: str) -> "Iterator[pd.Series[Any]]":  # Any: of ParsedTime
    """Seconds of parsed times by their text: those with an offset first, then by zone."""
    offsets = moments.map(lambda each: each.offset)
    known = moments[offsets.notna()]
    if len(known):
        yield pd.Series([each.clock - each.offset for each in known], index=known.index, dtype="Int64")
    rest = moments[offsets.isna()]
    for name, group in rest.groupby(rest.map(lambda each: each.zone or zone)):
        clocks = np.array([each.clock for each in group], dtype="datetime64[s]")
        yield _to_seconds(_to_utc(pd.Series(clocks, index=group.index), str(name)))


def _parse_format(text: "pd.Series[str]", form: str, zone: str) -> "pd.Series[Any]":
    """Seconds of texts in a format; missing if a text does not match.

    Only the format determines whether there is an offset: by %z or %Z, or by a literal zone in it.
    """
    known = text.dropna()
    known = known[known.str.contains(r"\d", regex=True)]  # pandas also parses "now" and "today"
    if "." not in form:
        whole = whole_numbers(known)
        known = known if whole is None else whole
    if known.empty:
        return pd.Series(pd.NA, index=text.index, dtype="Int64")
    distinct = known.drop_duplicates()
    texts, has_zone, literal = distinct, "%z" in form or "%Z" in form, None
    if has_zone:
        texts = texts.str.replace(_ZONE_WORD, lambda match: _format_offset(match[0]), regex=True)
        texts = texts.str.replace("\u2212", "-")
        texts = texts.str.replace(r"([ \d][+-]\d{2})$", r"\1:00", regex=True)
    else:
        literal = _LITERAL_ZONE.search(re.sub(r"%.", "\0", form))
    moments = _parse_with_pandas(texts, form.replace("%Z", "%z"), has_zone)
    seconds = _to_seconds(_to_utc(moments, _parse_literal_zone(literal[0]) if literal else zone))
    return _look_up(known, distinct, seconds).reindex(text.index)


def _look_up(values: "pd.Series[str]", distinct: "pd.Series[str]", seconds: "pd.Series[Any]") -> "pd.Series[Any]":
    """The seconds of each value, looked up by its distinct text."""
    places = pd.Index(distinct).get_indexer(pd.Index(values))
    return pd.Series(seconds.array.take(places), index=values.index)


def _parse_with_pandas(texts: "pd.Series[str]", form: str, has_zone: bool) -> "pd.Series[Any]":
    """Parsed texts; if one text makes pandas fail for all, each is parsed separately."""
    try:
        return pd.to_datetime(texts, format=form, errors="coerce", utc=has_zone)
    except (ValueError, OverflowError, TypeError):
        _require_format(form)
        return pd.Series([_parse_one(text, form, has_zone) for text in texts], index=texts.index)


def _parse_one(text: str, form: str, has_zone: bool) -> Any:  # pandas' Timestamp or NaT
    try:
        return pd.to_datetime(text, format=form, errors="coerce", utc=has_zone)
    except (ValueError, OverflowError, TypeError):
        return pd.NaT


def _require_format(form: str) -> None:
    """Raise DataError if a format has an invalid directive."""
    try:
        datetime.strptime("", form)
    except ValueError as error:
        if "does not match" not in str(error):
            raise DataError(f"time format '{form}' is invalid: {error}; write one such as %d.%m.%Y %H:%M") from error


def _format_offset(name: str) -> str:
    """The offset of an abbreviation as text: "+01:00" for CET."""
    seconds = find_offset(name) or 0
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _parse_literal_zone(text: str) -> Any:  # a time zone of pandas
    return datetime.strptime(text if text[0] in "+-" else _format_offset(text), "%z").tzinfo


def _to_utc(moments: "pd.Series[Any]", zone: Any) -> "pd.Series[Any]":  # Any: a name, or a tzinfo
    """Times in UTC; times without a zone are in `zone`."""
    moments = moments.astype("datetime64[us]") if moments.dtype == object else moments
    if moments.dt.tz is None:
        first = np.ones(len(moments), dtype=bool)  # True: ambiguous times are summer time, the first of the two
        moments = moments.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return cast("pd.Series[Any]", moments.dt.tz_convert("UTC"))


def _to_seconds(moments: "pd.Series[Any]") -> "pd.Series[Any]":
    """Unix seconds as Int64."""
    micros = moments.astype("datetime64[us, UTC]").astype("int64").astype("Int64")
    return micros.mask(moments.isna()) // 1_000_000


def _format_example(values: "pd.Series[Any]", seconds: "pd.Series[Any]") -> str:
    """The first value with its interpretation: "1688212800000 is 2023-07-01 12:00:00 UTC"."""
    known = seconds.dropna()
    if known.empty:
        return ""
    time = str(np.datetime64(int(known.iloc[0]), "s")).replace("T", " ")  # pandas cannot print all years
    return f"{values[known.index[0]]} is {time} UTC"
