"""Moments written as ISO 8601 in any of its forms, and the names of time zones that stand behind them."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()

#: Hours from UTC by the abbreviations that mean one zone only, those of RFC 2822 among them; IST, BST or AST do not.
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
    """What a clock shows, as seconds since 1970 if it were a clock of UTC; with its offset in seconds, or its zone."""

    clock: int
    offset: int | None = None
    zone: str | None = None


def parse_iso8601(text: str) -> ParsedTime | None:
    """The moment that a text writes, None if it is none; fractions of a second are cut off.

    The date may have the extended or the basic form (2024-02-13, 20240213), be one of a week (2024-W07-2) or of a year
    (2024-044), or lack its day or month, which are the first then. The time may lack seconds and minutes, end the day
    (24:00) and be a leap second (23:59:60, the next second). An offset, "Z", the abbreviation of a zone or its name may
    follow; where an offset and a name do, the offset counts.
    """
    found = _MOMENT.fullmatch(text.strip().replace("\u2212", "-"))
    if not found:
        return None
    if (found["offset"] or found["zone"]) and not (found["hour"] or found["day"]):
        return None  # of "2024-0213" the end is no offset
    try:
        return ParsedTime(_days(found) * _DAY + _seconds(found), *_zone(found))
    except (ValueError, OverflowError, KeyError, OSError):
        return None


def find_offset(name: str) -> int | None:
    """Seconds east of UTC of an abbreviation such as CET, None if it has no single meaning."""
    hours = ZONES.get(name.upper())
    return None if hours is None else int(hours * 3600)


def _days(found: re.Match[str]) -> int:
    year = int(found["year"])
    if found["week"]:
        return date.fromisocalendar(year, int(found["week"]), int(found["weekday"] or 1)).toordinal() - _EPOCH
    if found["ordinal"]:
        day = date(year, 1, 1) + timedelta(days=int(found["ordinal"]) - 1)
        if day.year != year:
            raise ValueError
        return day.toordinal() - _EPOCH
    month, day_of_month = found["month"] or found["month2"] or 1, found["day"] or found["day2"] or 1
    return date(year, int(month), int(day_of_month)).toordinal() - _EPOCH


def _seconds(found: re.Match[str]) -> int:
    """Seconds of the day; a fraction is one of the smallest part that is written."""
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    leap = second == 60 and minute in (29, 59)  # 29: in zones that are half an hour off
    if hour > 24 or minute > 59 or (second > 59 and not leap) or (hour == 24 and (minute or second)):
        raise ValueError
    size = 1 if found["second"] else 60 if found["minute"] else 3600
    fraction = int(Fraction(f"0.{found['fraction'] or 0}") * size)
    if hour == 24 and fraction:
        raise ValueError
    return hour * 3600 + minute * 60 + second + fraction


def _zone(found: re.Match[str]) -> tuple[int | None, str | None]:
    """The offset in seconds, or the name of the zone; neither if none is written."""
    if found["offset"]:
        digits = found["offset"].replace(":", "").ljust(7, "0")
        hours, minutes, seconds = (int(digits[at : at + 2]) for at in (1, 3, 5))
        if hours > 23 or minutes > 59 or seconds > 59:
            raise ValueError
        return (hours * 3600 + minutes * 60 + seconds) * (-1 if digits[0] == "-" else 1), None
    name = found["zone"]
    if not name:
        return None, None
    known = find_offset(name)
    if known is None and "/" not in name:
        raise ValueError  # a word, or an abbreviation that means several zones
    return known, None if known is not None else ZoneInfo(name).key
