"""Rules on single values: required values, types, ranges and valid times."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from graphrec.cleaning.casting import MEANING, as_text, convert, to_plain_dtype
from graphrec.cleaning.numbers import number_hint
from graphrec.cleaning.rules import CleaningRules, Kind
from graphrec.cleaning.working_table import Rejection, WorkingTable
from graphrec.tables import replace_columns
from graphrec.time_format import moment_text

_DAY = 86_400


def ids_as_text(working: WorkingTable) -> WorkingTable:
    """The working table with ids as text of dtype str; the number 7 is "7"."""
    return _assign(working, {column: as_text(working.frame[column]) for column in working.ids})


def require_values(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """The working table without rows in which an id, an end or a needed value is missing."""
    for column in dict.fromkeys([*working.ids, *rules.needed]):
        values = working.frame[column]
        missing = values.isna()
        if pd.api.types.is_string_dtype(values.dtype):
            missing |= values == ""
        working = working.reject(missing.astype("bool"), "missing", f"{column} is missing", column)
    return working


def require_types(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """The working table with columns of their declared types, without rows with a value of another type.

    A row with several such values is rejected with the reason of the first.
    """
    numeric = [*rules.ranges, *rules.times, *(rules.combined if rules.repeated == "sum" else ())]
    kinds: dict[str, Kind] = {name: "float" for name in numeric if not _is_numeric(working, name)}
    kinds |= dict.fromkeys((name for name in rules.times if name in kinds), "int")
    kinds |= rules.types
    # All columns are converted before a frame is made: a frame for each would cost columns squared.
    columns: dict[str, pd.Series[Any]] = {}  # Any: of any type
    rejections: list[Rejection] = []
    for column, kind in kinds.items():
        columns[column], bad = convert(working.frame[column], kind, rules.decimal, rules.thousands)
        if bad.any():
            hint = number_hint(working.frame[column][bad], kind) if kind in ("int", "float") else ""
            reason = f"{column} is not {MEANING[kind]}" + (f"; {hint}" if hint else "")
            rejections.append(Rejection(bad, "type", reason, column, hint and f"{column}: {hint}"))
    kept = working.reject_each(rejections)
    if kept is not working:
        remaining = ~pd.concat([each.bad for each in rejections], axis=1).any(axis=1)
        columns = {name: to_plain_dtype(values[remaining].reset_index(drop=True)) for name, values in columns.items()}
    return _assign(kept, columns)


def require_ranges(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """The working table without rows with a number outside its range; missing numbers are accepted."""
    for column, (low, high) in rules.ranges.items():
        values = working.frame[column]
        bad = pd.Series(False, index=values.index)
        if low is not None:
            bad |= (values < low).fillna(False).astype("bool")
        if high is not None:
            bad |= (values > high).fillna(False).astype("bool")
        working = working.reject(
            bad, "range", f"{column} is not {_describe_range(low, high, column in rules.times)}", column
        )
    return working


def require_possible_times(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """The working table without rows with a time before `rules.earliest` or in the future."""
    latest = int(time.time()) + _DAY
    first = datetime.fromtimestamp(rules.earliest, UTC).date()
    for column in rules.times:
        values = working.frame[column]
        bad = ((values < rules.earliest) | (values > latest)).fillna(False).astype("bool")
        reason = f"{column} is no Unix time in seconds between {first} and tomorrow"
        working = working.reject(bad, "time", reason, column)
    return working


def require_no_self_loops(working: WorkingTable, rules: CleaningRules) -> WorkingTable:
    """The working table without edges from a node to itself, if `rules.itself` is "drop"."""
    if rules.itself == "keep" or len(working.ids) == 1:
        return working
    same = working.frame["source_id"] == working.frame["target_id"]
    return working.reject(same.astype("bool"), "itself", "the edge leads from a node to itself")


def _assign(working: WorkingTable, columns: Mapping[str, "pd.Series[Any]"]) -> WorkingTable:  # Any: of any type
    return replace(working, frame=replace_columns(working.frame, columns))


def _is_numeric(working: WorkingTable, column: str) -> bool:
    dtype = working.frame[column].dtype
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)


def _describe_range(low: float | None, high: float | None, is_time: bool) -> str:
    ends = [None if end is None else moment_text(int(end)) if is_time else f"{end:g}" for end in (low, high)]
    if low is None:
        return f"at most {ends[1]}"
    return f"at least {ends[0]}" if high is None else f"between {ends[0]} and {ends[1]}"
