"""Infers the format of a time column: strptime format or unit since 1970, and whether times include their zone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from graphrec.cleaning.casting import convert
from graphrec.tabular.spec import TimeColumn
from graphrec.tabular.timestamps import to_unix_seconds

Unit = Literal["s", "ms", "us", "ns"]

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?")
_CLOCK = re.compile(
    r"(?<!\d)\d{1,2}:\d{2}(?P<seconds>:\d{2}(?P<fraction>\.\d{1,6})?)?(?P<half>\s?[AaPp][Mm])?(?![\d:])"
)
_OFFSET = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$|(?<= )[+-]\d{4}(?= )")
_DATES = (
    (re.compile(r"(?<!\d)\d{4}([-/.])\d{1,2}\1\d{1,2}(?!\d)"), ("%Y{0}%m{0}%d",)),
    (re.compile(r"(?<!\d)\d{1,2}([-/.])\d{1,2}\1\d{4}(?!\d)"), ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y")),
    (re.compile(r"(?<!\d)\d{1,2}([-/.])\d{1,2}\1\d{2}(?!\d)"), ("%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d")),
    (re.compile(r"(?<!\d)\d{1,2}([-/ ])[A-Za-z]{3}\1\d{4}(?!\d)"), ("%d{0}%b{0}%Y",)),
    (re.compile(r"(?<!\d)\d{1,2}([-/ ])[A-Za-z]{3}\1\d{2}(?!\d)"), ("%d{0}%b{0}%y",)),
    (re.compile(r"(?<!\d)\d{1,2}( )[A-Za-z]{4,9}\1\d{4}(?!\d)"), ("%d{0}%B{0}%Y",)),
    (re.compile(r"(?<![A-Za-z])[A-Za-z]{3,9}( )\d{1,2}, \d{4}(?!\d)"), ("%b{0}%d, %Y", "%B{0}%d, %Y")),
    (re.compile(r"(?<![A-Za-z])[A-Za-z]{3,9}( )\d{1,2} \d{4}(?!\d)"), ("%b{0}%d %Y", "%B{0}%d %Y")),
    (re.compile(r"(?<!\d)\d{1,2}( )\d{1,2}, \d{4}(?!\d)"), ("%m{0}%d, %Y",)),
    (re.compile(r"(?<!\d)(19|20)\d{6}(?!\d)"), ("%Y%m%d",)),
)
_WEEKDAY = re.compile(r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?P<long>[a-z]+)?(?=,? )")
#: Tue Apr 03 18:00:09 +0000 2012, the format of Twitter and Foursquare.
_TWITTER = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d{1,2} \d{2}:\d{2}:\d{2} ([+-]\d{4}) \d{4}")
_COMPACT = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_COMPACT_TIME = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d")
_PER_SECOND: dict[Unit, int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
#: Range of plausible times of behaviour in Unix seconds: 1990 to 2040.
_EARLIEST, _LATEST = 631_152_000, 2_208_988_800


@dataclass(frozen=True)
class TimeFormat:
    """The format or unit of a time column, as in `TimeColumn`; `zoned` if each time includes its zone.

    `shown` describes it in words; `question` is set if two formats fit.
    """

    format: str | None
    unit: Unit | None
    zoned: bool
    shown: str
    question: str = ""

    def time(self, column: str) -> TimeColumn:
        """The time column of a table specification."""
        return TimeColumn(column, self.format, self.unit)


def infer_time_format(values: "pd.Series[str]", named: bool, day_first: bool = True) -> TimeFormat | None:
    """The time format of texts; None if they are not times.

    Args:
        values: texts without missing values.
        named: whether the column name means a time, which is required for plain numbers.
        day_first: which format is used if both 03/04 and 04/03 are possible.
    """
    if values.empty:
        return None
    texts = values.str.strip()
    first = texts.iloc[0]
    if re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", first):
        return _infer_number_format(texts, named)
    if len(first) > 48 or sum(letter.isdigit() for letter in first) < 3:
        return None
    if texts.str.fullmatch(_ISO.pattern).all() and _reads(texts, TimeColumn("x")):
        zoned = bool(texts.str.contains(_OFFSET.pattern, regex=True).all())
        return TimeFormat(None, None, zoned, "ISO 8601")
    fitting = [form for form in dict.fromkeys(_candidate_formats(texts)) if _reads(texts, TimeColumn("x", form))]
    if not fitting:
        return TimeFormat(None, None, False, "ISO 8601") if named and _reads(texts, TimeColumn("x")) else None
    form, ask = fitting[0], ""
    if len(fitting) > 1 and {form.replace("%d", "%m").replace("%m", "%x") for form in fitting}:
        swapped = [other for other in fitting if other != form and sorted(other) == sorted(form)]
        if swapped:
            if not day_first and "%m" in swapped[0]:
                form, swapped = swapped[0], [form]
            ask = f"'{first}' can be read as {form} and as {swapped[0]}: which of them is the day?"
    zoned = "%z" in form or bool(re.search(r"\b(UTC|GMT)\b", form))
    return TimeFormat(form, None, zoned, form, ask)


def _infer_number_format(texts: "pd.Series[str]", named: bool) -> TimeFormat | None:
    """The format of numbers: 20240213, 20240213101500 or a unit since 1970."""
    if all(map(_COMPACT.fullmatch, texts)) and (named or texts.nunique() > 1):
        if not named and not _look_like_days(texts):
            return None
        return TimeFormat("%Y%m%d", None, False, "%Y%m%d") if _reads(texts, TimeColumn("x", "%Y%m%d")) else None
    if all(map(_COMPACT_TIME.fullmatch, texts)) and _reads(texts, TimeColumn("x", "%Y%m%d%H%M%S")):
        return TimeFormat("%Y%m%d%H%M%S", None, False, "%Y%m%d%H%M%S")
    try:
        numbers = sorted(map(float, texts))
    except ValueError:
        return None
    typical = numbers[len(numbers) // 2]
    for unit, factor in _PER_SECOND.items():
        low, high = (numbers[int(share * (len(numbers) - 1))] / factor for share in (0.05, 0.95))
        if _EARLIEST <= typical / factor <= _LATEST and low >= 0 and high <= 2 * _LATEST and (named or unit != "s"):
            words = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}[unit]
            return TimeFormat(None, unit, True, f"{words} since 1970")
    return None


def looks_like_seconds(texts: "pd.Series[str]") -> bool:
    """Whether all numbers of a nameless column are Unix seconds from 1990 to 2040."""
    numbers, bad = convert(texts, "float")
    return not bad.any() and len(numbers) > 0 and bool(numbers.between(_EARLIEST, _LATEST).all())


def _look_like_days(texts: "pd.Series[str]") -> bool:
    """Whether eight digits are days, not ids: all years are from 1970 to 2040."""
    years = texts.str[:4].astype(int)
    return bool(years.between(1970, 2040).all())


def _candidate_formats(texts: "pd.Series[str]") -> Iterator[str]:
    """Candidate formats from the first, the shortest and the longest text."""
    known = texts.tolist()
    for text in dict.fromkeys([known[0], max(known, key=len), min(known, key=len)]):
        yield from _guess_candidate_formats(text)


def _guess_candidate_formats(text: str) -> Iterator[str]:
    if _TWITTER.fullmatch(text):
        yield "%a %b %d %H:%M:%S %z %Y"
        return
    spans: list[tuple[int, int, tuple[str, ...]]] = []
    day = _WEEKDAY.search(text)
    if day:
        spans.append((day.start(), day.end(), ("%A" if day["long"] else "%a",)))
    clock = _CLOCK.search(text)
    if clock:
        hours = "%I" if clock["half"] else "%H"
        form = f"{hours}:%M" + (":%S" if clock["seconds"] else "") + (".%f" if clock["fraction"] else "")
        if clock["half"]:
            form += " %p" if clock["half"][0].isspace() else "%p"
        spans.append((clock.start(), clock.end(), (form,)))
    start = clock.end() if clock else len(text)
    offset = re.search(r" ?([+-]\d{2}:?\d{2})\b", text[start:])
    if clock and offset:
        at = start + offset.start(1)
        spans.append((at, start + offset.end(1), ("%z",)))
    for pattern, forms in _DATES:
        covered = text if not day else " " * day.end() + text[day.end() :]
        found = pattern.search(covered)
        if found and not any(found.start() < end and begin < found.end() for begin, end, _ in spans):
            sign = found[1] if not forms[0].startswith("%Y%m%d") else ""
            spans.append((found.start(), found.end(), tuple(form.format(sign) for form in forms)))
            break
    else:
        return
    yield from _fill_spans(text, sorted(spans))


def _fill_spans(text: str, spans: list[tuple[int, int, tuple[str, ...]]]) -> Iterator[str]:
    """Formats of a text: each span replaced by each of its directives, the text between as literals."""
    made, end = [""], 0
    for begin, after, forms in spans:
        between = text[end:begin].replace("%", "%%")
        made = [f"{before}{between}{form}" for before in made for form in forms]
        end = after
    rest = text[end:].replace("%", "%%")
    if len(re.sub(r"\W", "", rest)) <= 4:
        yield from (f"{form}{rest}" for form in made)


def _reads(texts: "pd.Series[Any]", time: TimeColumn) -> bool:
    found, bad = to_unix_seconds(texts, time)
    return not bad.any() and bool(found.dropna().between(-5 * 10**9, 10**10).all())
