"""Parses ISO 8601 times in all variants, with offsets, time zone names and abbreviations."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()

#: UTC offset in hours of unambiguous time zone abbreviations, including those of RFC 2822; not IST, BST or AST.
ZONES = {
    **dict.fromkeys(("Z", "UT", "UTC", "GMT", "WET"), 0),
    **dict.fromkeys(("CET", "MEZ", "WEST"), 1),
    **dict.fromkeys(("CEST", "MESZ", "EET"), 2),
    **dict.fromkeys(("EEST", "MSK"), 3),
    **dict.fromkeys(("JST", "KST"), 9),
    **{"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7},
    **{"AKST": -9, "AKDT": -8, "HST": -10, "AEST": 10, "AEDT": 11, "ACST": 9.5, "AWST": 8, "NZST": 12, "NZDT": 13},
}

_DATE = r"""
    (?P<year>\d{4})
    (?: (?P<sep>[-/.]) (?P<month>\d{1,2}) (?: (?P=sep) (?P<day>\d{1,2}) )?
      | (?P<month2>\d{2}) (?P<day2>\d{2})
      | -? W (?P<week>\d{2}) (?: -? (?P<weekday>[1-7]) )?
      | -? (?P<ordinal>\d{3})
    )?"""
_TIME = r"(?P<hour>\d{2}) (?: :? (?P<minute>\d{2}) (?: :? (?P<second>\d{2}) )? )? (?: [.,] (?P<fraction>\d+) )?"
_ZONE = r"(?P<offset> [+-]\d{2} (?: :? \d{2} (?: :? \d{2} )? )? )? \s* \[? (?P<zone> [A-Z][A-Z0-9_+/-]* )? \]?"
_MOMENT = re.compile(
    rf"{_DATE} (?: (?: \s* T \s* | \s+ ) {_TIME} )? \s* {_ZONE}", re.VERBOSE | re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True)
class ParsedTime:
    """A local time as seconds since 1970 on a UTC clock, with its offset in seconds or its zone (None: unknown)."""

    clock: int
    offset: int | None = None
    zone: str | None = None


def parse_iso8601(text: str) -> ParsedTime | None:
    """The time that a text represents, None if it is not a time; fractions of a second are truncated.

    Dates may be extended or basic (2024-02-13, 20240213), week dates (2024-W07-2) or ordinal dates (2024-044); a
    missing day or month is the first. Times may lack minutes and seconds, end the day (24:00) or be a leap second
    (23:59:60, the next second). An offset, "Z", a zone abbreviation or a zone name may follow; if an offset and a name
    do, the offset is used.
    """
    match = _MOMENT.fullmatch(text.strip().replace("\u2212", "-"))
    if not match:
        return None
    if (match["offset"] or match["zone"]) and not (match["hour"] or match["day"]):
        return None  # the end of "2024-0213" is not an offset
    try:
        return ParsedTime(_count_days(match) * _DAY + _count_seconds(match), *_parse_zone(match))
    except (ValueError, OverflowError, KeyError, OSError):
        return None


def find_offset(name: str) -> int | None:
    """UTC offset in seconds of an abbreviation such as CET, None if it is ambiguous or unknown."""
    hours = ZONES.get(name.upper())
    return None if hours is None else int(hours * 3600)


def _count_days(match: re.Match[str]) -> int:
    year = int(match["year"])
    if match["week"]:
        return date.fromisocalendar(year, int(match["week"]), int(match["weekday"] or 1)).toordinal() - _EPOCH
    if match["ordinal"]:
        day = date(year, 1, 1) + timedelta(days=int(match["ordinal"]) - 1)
        if day.year != year:
            raise ValueError
        return day.toordinal() - _EPOCH
    month, day_of_month = match["month"] or match["month2"] or 1, match["day"] or match["day2"] or 1
    return date(year, int(month), int(day_of_month)).toordinal() - _EPOCH


def _count_seconds(match: re.Match[str]) -> int:
    """Seconds of the day; a fraction refers to the smallest unit in the text."""
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    leap = second == 60 and minute in (29, 59)  # 29: zones with an offset of half an hour
    if hour > 24 or minute > 59 or (second > 59 and not leap) or (hour == 24 and (minute or second)):
        raise ValueError
    size = 1 if match["second"] else 60 if match["minute"] else 3600
    fraction = int(Fraction(f"0.{match['fraction'] or 0}") * size)
    if hour == 24 and fraction:
        raise ValueError
    return hour * 3600 + minute * 60 + second + fraction


def _parse_zone(match: re.Match[str]) -> tuple[int | None, str | None]:
    """The offset in seconds or the name of the zone; (None, None) if there is neither."""
    if match["offset"]:
        digits = match["offset"].replace(":", "").ljust(7, "0")
        hours, minutes, seconds = (int(digits[at : at + 2]) for at in (1, 3, 5))
        if hours > 23 or minutes > 59 or seconds > 59:
            raise ValueError
        return (hours * 3600 + minutes * 60 + seconds) * (-1 if digits[0] == "-" else 1), None
    name = match["zone"]
    if not name:
        return None, None
    known = find_offset(name)
    if known is None and "/" not in name:
        raise ValueError  # a word, or an ambiguous abbreviation
    return known, None if known is not None else ZoneInfo(name).key
