"""Times whose day, or whose year, month and day, and time of day are columns of their own: put together by SQL."""

import re
from collections.abc import Mapping
from dataclasses import replace

from graphrec.tabular.inference import words
from graphrec.tabular.inference.columns import Column, column
from graphrec.tabular.inference.keys import query_name, quoted
from graphrec.tabular.sniffing import Sniffed
from graphrec.tabular.spec import FileQuery, Files

_CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(\s?[AaPp]\.?[Mm]\.?)?")
_PARTS = (
    frozenset(["year", "yyyy", "yr", "jahr", "annee", "ano", "anno", "jaar", "rok"]),
    frozenset(["month", "mm", "mon", "monat", "mois", "mes", "mese", "maand"]),
    frozenset(["day", "dd", "tag", "jour", "dia", "giorno", "dag", "dayofmonth"]),
)
_RANGES = ((1970, 2100), (1, 12), (1, 31))


def with_whole_times(table: Sniffed, time: str | None) -> Sniffed | None:
    """The table with one column of times in the place of its parts; None if it has no such parts.

    `time` is the column that is taken for the time. The parts are a day and a time of day, or year, month and day.
    """
    if not isinstance(table.origin, Files | FileQuery) or (
        isinstance(table.origin, Files) and _is_shaped(table.origin)
    ):
        return None
    columns = table.columns
    clock = [name for name, found in columns.items() if _is_clock(found)]
    days = [time] if time and _is_day(columns[time]) else []
    expression, used = "", []
    if days:
        expression, used = quoted(days[0]), days
        texts = columns[days[0]].values
    elif time is None and (parts := _day_parts(columns)):
        year, month, day = (quoted(name) for name in parts)
        expression = f"concat({year}, '-', lpad({month}, 2, '0'), '-', lpad({day}, 2, '0'))"
        used = list(parts)
        series = [columns[name].values.str.strip() for name in parts]
        texts = series[0] + "-" + series[1].str.zfill(2) + "-" + series[2].str.zfill(2)
    if not used or (days and len(clock) != 1):
        return None
    if len(clock) == 1:
        expression = f"{expression} || ' ' || {quoted(clock[0])}"
        used.append(clock[0])
        texts = texts + " " + columns[clock[0]].values
    called = "_".join(used) if len(used) == 2 else "date_time" if len(clock) == 1 else "date"
    called = re.sub(r"\W+", "_", called).casefold()
    while called in {name.casefold() for name in columns}:
        called += "_"
    whole = column(called, [value if isinstance(value, str) else None for value in texts])
    if whole.moment is None:
        return None
    if isinstance(table.origin, Files):
        name = query_name(table)
        origin = FileQuery(f"select *, {expression} as {called} from {name}", {name: table.origin})
    else:
        origin = replace(table.origin, sql=f"select *, {expression} as {called} from ({table.origin.sql}) as whole")
    kept = {name: found for name, found in columns.items() if name not in used}
    note = f"{', '.join(used)} are one time, {called}"
    return replace(table, origin=origin, columns={**kept, called: whole}, headerless=False, notes=(*table.notes, note))


def _is_shaped(files: Files) -> bool:
    return files.shape != "table" or files.format not in ("csv", "jsonl", "json")


def _is_clock(found: Column) -> bool:
    if found.kind != "str" or not found.filled:
        return False
    return all(map(_CLOCK.fullmatch, found.values.dropna().str.strip().unique()[:2000]))


def _is_day(found: Column) -> bool:
    """Whether the times of a column are days, without a time of day."""
    if found.moment is None or found.moment.unit:
        return False
    return (
        not found.values.dropna().str.contains(r"\d:\d", regex=True).any() and len(found.values.dropna().iloc[0]) < 14
    )


def _day_parts(columns: Mapping[str, Column]) -> tuple[str, str, str] | None:
    """The columns of year, month and day that have the same words beside."""
    found: dict[tuple[str, ...], dict[int, str]] = {}
    for name, values in columns.items():
        parts = words.tokens(name)
        for place, (called, (low, high)) in enumerate(zip(_PARTS, _RANGES, strict=True)):
            at = [part for part in parts if part in called]
            if at and values.kind == "int" and bool(values.numbers.between(low, high).all()):
                rest = tuple(part for part in parts if part != at[0])
                found.setdefault(rest, {}).setdefault(place, name)
    whole = [parts for parts in found.values() if len(parts) == 3]
    return (whole[0][0], whole[0][1], whole[0][2]) if len(whole) == 1 else None
