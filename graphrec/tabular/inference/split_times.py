"""Combines date and time-of-day columns, or year, month and day columns, into one time column by SQL."""

import re
from collections.abc import Mapping
from dataclasses import replace

from graphrec.tabular.inference import name_semantics
from graphrec.tabular.inference.column_profile import ColumnProfile, profile_column
from graphrec.tabular.inference.table_queries import make_query_names, quote_column
from graphrec.tabular.sniffing import TableProfile
from graphrec.tabular.spec import FileInput, FileQueryInput

_CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(\s?[AaPp]\.?[Mm]\.?)?")
_PARTS = (
    frozenset(["year", "yyyy", "yr", "jahr", "annee", "ano", "anno", "jaar", "rok"]),
    frozenset(["month", "mm", "mon", "monat", "mois", "mes", "mese", "maand"]),
    frozenset(["day", "dd", "tag", "jour", "dia", "giorno", "dag", "dayofmonth"]),
)
_RANGES = ((1970, 2100), (1, 12), (1, 31))


def combine_time_columns(table: TableProfile, time: str | None) -> TableProfile | None:
    """The table with date and time-of-day columns combined into one by SQL; None if it has no such columns.

    The parts are a day and a time of day, or year, month and day. `time` is the time column inferred so far.
    """
    if not isinstance(table.input, FileInput | FileQueryInput) or (
        isinstance(table.input, FileInput) and _is_shaped(table.input)
    ):
        return None
    columns = table.columns
    clock = [name for name, found in columns.items() if _is_clock(found)]
    days = [time] if time and _is_day(columns[time]) else []
    expression, used = "", []
    if days:
        expression, used = quote_column(days[0]), days
        texts = columns[days[0]].values
    elif time is None and (parts := _day_parts(columns)):
        year, month, day = (quote_column(name) for name in parts)
        expression = f"concat({year}, '-', lpad({month}, 2, '0'), '-', lpad({day}, 2, '0'))"
        used = list(parts)
        series = [columns[name].values.str.strip() for name in parts]
        texts = series[0] + "-" + series[1].str.zfill(2) + "-" + series[2].str.zfill(2)
    if not used or (days and len(clock) != 1):
        return None
    if len(clock) == 1:
        expression = f"{expression} || ' ' || {quote_column(clock[0])}"
        used.append(clock[0])
        texts = texts + " " + columns[clock[0]].values
    called = "_".join(used) if len(used) == 2 else "date_time" if len(clock) == 1 else "date"
    called = re.sub(r"\W+", "_", called).casefold()
    while called in {name.casefold() for name in columns}:
        called += "_"
    whole = profile_column(called, [value if isinstance(value, str) else None for value in texts])
    if whole.time_format is None:
        return None
    if isinstance(table.input, FileInput):
        (name,) = make_query_names([table])
        source = FileQueryInput(f"select *, {expression} as {called} from {name}", {name: table.input})
    else:
        source = replace(table.input, sql=f"select *, {expression} as {called} from ({table.input.sql}) as whole")
    kept = {name: found for name, found in columns.items() if name not in used}
    note = f"{', '.join(used)} are combined into {called}"
    return replace(table, input=source, columns={**kept, called: whole}, headerless=False, notes=(*table.notes, note))


def _is_shaped(files: FileInput) -> bool:
    return files.shape != "table" or files.format not in ("csv", "jsonl", "json")


def _is_clock(found: ColumnProfile) -> bool:
    if found.kind != "str" or not found.num_filled:
        return False
    return all(map(_CLOCK.fullmatch, found.values.dropna().str.strip().unique()[:2000]))


def _is_day(found: ColumnProfile) -> bool:
    """Whether a time column has days without a time of day."""
    if found.time_format is None or found.time_format.unit:
        return False
    return (
        not found.values.dropna().str.contains(r"\d:\d", regex=True).any() and len(found.values.dropna().iloc[0]) < 14
    )


def _day_parts(columns: Mapping[str, ColumnProfile]) -> tuple[str, str, str] | None:
    """Columns of year, month and day whose names have the same other words; None if they are not unique."""
    found: dict[tuple[str, ...], dict[int, str]] = {}
    for name, values in columns.items():
        parts = name_semantics.tokenize(name)
        for place, (called, (low, high)) in enumerate(zip(_PARTS, _RANGES, strict=True)):
            at = [part for part in parts if part in called]
            if at and values.kind == "int" and bool(values.numbers.between(low, high).all()):
                rest = tuple(part for part in parts if part != at[0])
                found.setdefault(rest, {}).setdefault(place, name)
    whole = [parts for parts in found.values() if len(parts) == 3]
    return (whole[0][0], whole[0][1], whole[0][2]) if len(whole) == 1 else None
