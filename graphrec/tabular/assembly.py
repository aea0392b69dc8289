"""Assembles the batches of an input into one working table with ids, properties and times; rejects invalid rows."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.cleaning.casting import as_text, to_arrow
from graphrec.cleaning.load_context import current_load
from graphrec.cleaning.rules import CleaningRules, Kind
from graphrec.cleaning.values import require_types
from graphrec.cleaning.working_table import ROW, WorkingTable, add_rule_count, set_rejection_dtypes, shorten
from graphrec.cleaning_report import REJECTED, RuleCount
from graphrec.errors import DataError, first_few
from graphrec.tables import replace_columns
from graphrec.tabular import batches, files, invalid_ids
from graphrec.tabular.source_rows import InputPart, SourceRows
from graphrec.tabular.spec import FileInput, FrameInput, TableSpec
from graphrec.tabular.timestamps import read_times, suggest_format

#: Batch sizes: malformed lines, and batches of rows, that are combined at a time.
_LINES = 10_000
_PACKED = 10
_NULLABLE: dict[Any, Any] = {  # nullable pandas types by pyarrow type
    pa.int64(): pd.Int64Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


@dataclass
class _Accumulator:
    """State of assembling one table: combined and `fresh` batches, rule counts and rejected rows so far."""

    tables: list[Any] = field(default_factory=list)  # of pyarrow.Table
    fresh: list[Any] = field(default_factory=list)  # of pyarrow.Table
    rules: tuple[RuleCount, ...] = ()
    rejected: list[pd.DataFrame] = field(default_factory=list)
    lines: list[tuple[str, int | None, str, str, str]] = field(default_factory=list)
    rows: int = 0
    read: int = 0


def assemble(table: TableSpec) -> WorkingTable:
    """The working table of a specification; malformed lines and rows with values of a wrong type are rejected.

    Raises:
        DataError: there are no rows; and for the reasons of `batches.read_batches`.
        GraphrecError: a database driver is missing.
    """
    state, source_rows = _Accumulator(), SourceRows(table)
    for part, piece in _read_parts(table):
        if not source_rows.parts or source_rows.parts[-1] is not part:
            source_rows.parts.append(part)
        if isinstance(piece, files.BadLine):
            _add_line(state, table.name, piece)
            _count_bad_line(part, piece)
        else:
            _add_rows(state, _to_working_table(piece, table, state.read))
            part.rows += piece.num_rows
            state.read += piece.num_rows
    _flush(state, table.name)
    if not state.tables and not state.fresh:
        _add_rows(
            state,
            _to_working_table(
                pa.table({name: pa.array([], pa.large_string()) for name in _list_columns(table)}), table, 0
            ),
        )
    _pack(state)
    if not state.rows:
        _require_rows(table, state.read)
    whole = _concatenate(state.tables)
    state.tables.clear()
    return WorkingTable(table.type, _to_pandas(whole), state.rows, state.rules, tuple(state.rejected), source_rows)


def _require_rows(table: TableSpec, read: int) -> None:
    """Raise DataError with the reason why a table has no rows, unless the current load allows empty tables."""
    load = current_load()
    if load.allow_removal or (load.append and not read):
        return
    source = "the frame" if isinstance(table.input, FrameInput) else "the query"
    if isinstance(table.input, FileInput):
        source = first_few(path.name for path in table.input.paths)
    why = "it has no rows"
    if read:
        why = f"split of {table.ids[-1]} gives no value in any of its {read:,} rows"
    elif isinstance(table.input, FileInput) and table.input.where:
        condition = first_few(f"{name} = {' or '.join(values)}" for name, values in table.input.where.items())
        why = f"where keeps no rows: none has {condition}"
    raise DataError(f"{table.place}, {source}: {why}; nothing is written; {load.remedy}")


def _read_parts(table: TableSpec) -> Iterator[tuple[InputPart, Any]]:  # of pyarrow.Table or BadLine
    source, columns = table.input, _list_columns(table)
    if not isinstance(source, FileInput):
        part = InputPart(None)
        yield from ((part, piece) for piece in batches.read_batches(source, columns))
        return
    for path in source.paths:
        part = InputPart(path)
        yield from ((part, piece) for piece in batches.read_batches(replace(source, paths=(path,)), columns))


def _list_columns(table: TableSpec) -> list[str]:
    """The columns that the table uses, each once."""
    mapped = [*table.ids, *(column.column for column in table.columns)]
    return list(dict.fromkeys([*mapped, *([table.time.column] if table.time else [])]))


def _count_bad_line(part: InputPart, line: files.BadLine) -> None:
    """Count a malformed line of a part."""
    part.bad += 1
    if line.line:
        part.bad_lines.add(line.line)
    else:
        part.bad_texts.add(line.text)


def _to_working_table(piece: Any, table: TableSpec, first: int) -> WorkingTable:  # a pyarrow.Table
    """A batch with the columns and types of the graph; `first` is the number of its first row."""
    frame = piece.to_pandas(types_mapper=_NULLABLE.get)
    if isinstance(table.input, FileInput) and table.input.missing and table.input.format != "csv":
        frame = _mask_missing(frame, table.input.missing)
    columns: dict[str, pd.Series[Any]] = {
        name: as_text(frame[column]) for name, column in zip(table.id_names, table.ids, strict=True)
    }
    columns |= {column.name: frame[column.column] for column in table.columns}
    if table.time:
        columns["timestamp"] = frame[table.time.column]
    columns[ROW] = pd.Series(np.arange(first, first + piece.num_rows), index=frame.index)
    batch = WorkingTable(table.type, pd.DataFrame(columns), piece.num_rows)
    for name, column in zip(table.id_names, table.ids, strict=True):
        batch = invalid_ids.note_inexact_floats(batch, name, frame[column])
    if table.split is not None:
        batch = _split_ids(batch, table.split)
    batch = invalid_ids.reject_missing_words(batch, table.input)
    kinds: dict[str, Kind] = {column.name: column.kind for column in table.columns if column.kind}
    source = table.input
    batch = require_types(batch, CleaningRules(types=kinds, decimal=source.decimal, thousands=source.thousands))
    return _parse_times(batch, table)


def _mask_missing(frame: pd.DataFrame, missing: Sequence[str]) -> pd.DataFrame:
    """The frame with null for texts that represent missing values; in CSV files DuckDB has replaced them."""
    texts = [name for name in frame.columns if pd.api.types.is_string_dtype(frame[name].dtype)]
    return replace_columns(frame, {name: frame[name].mask(frame[name].isin(list(missing))) for name in texts})


def _parse_times(batch: WorkingTable, table: TableSpec) -> WorkingTable:
    if table.time is None:
        return batch
    values = batch.frame["timestamp"]
    times = read_times(values, table.time)
    form = table.time.format or ("a number" if table.time.unit else "ISO 8601 or a number of seconds")
    hint = suggest_format(values[times.bad], table.time) if times.bad.any() else ""
    reason = f"timestamp is not a time in the format {form}" + (f"; {hint}" if hint else "")
    hint = hint and f"column {table.time.column}: {hint}"
    batch = batch.reject(times.bad, "time", reason, "timestamp", hint)
    for note in times.notes:
        note_hint = f"column {table.time.column}: {note.hint}"
        batch = batch.log(f"time, {note.reading}", "noted", note.rows, [note.example], note_hint)
    return replace(batch, frame=batch.frame.assign(timestamp=times.seconds[~times.bad].reset_index(drop=True)))


def _split_ids(batch: WorkingTable, split: str) -> WorkingTable:
    """One row for each value of the last id, split at `split`; rows without a value are left out."""
    end = batch.ids[-1]
    values = batch.frame[end].dropna()
    if split == "[]":
        lists = values.map(_parse_list).reindex(batch.frame.index)
        bad = batch.frame[end].notna() & lists.isna()
        batch = batch.reject(bad, "type", f"{end} is not a list of texts", end)
        parts = lists[~bad].reset_index(drop=True)
    else:
        parts = batch.frame[end].str.split(split, regex=False)
    batch = replace(batch, frame=batch.frame.assign(**{end: parts}))
    long = batch.frame.explode(end, ignore_index=True)
    long[end] = long[end].astype("str").str.strip()
    long = long[long[end].notna() & (long[end] != "")].reset_index(drop=True)
    return replace(batch, frame=long, rows=len(long) + batch.count.dropped)


def _parse_list(text: str) -> list[str] | None:
    """The elements of a JSON list of texts and numbers, as text; None for anything else."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list) or any(isinstance(value, dict | list) for value in values):
        return None
    return [str(value) for value in values if value is not None]


def _add_rows(state: _Accumulator, batch: WorkingTable) -> None:
    state.rows += batch.rows
    for rule in batch.rules:
        state.rules = add_rule_count(state.rules, rule)
    state.rejected += batch.rejected
    if len(batch.frame) or not (state.tables or state.fresh):  # the first for its columns, if there are no rows
        state.fresh.append(_to_arrow(batch.frame))
    if len(state.fresh) >= _PACKED:
        _pack(state)


def _pack(state: _Accumulator) -> None:
    """Combine the newest batches into one, because DuckDB's batches take twice the memory of their text."""
    same_schema = all(part.schema.equals(state.fresh[0].schema) for part in state.fresh)
    state.tables += [pa.concat_tables(state.fresh).combine_chunks()] if state.fresh and same_schema else state.fresh
    state.fresh = []


def _add_line(state: _Accumulator, table: str, line: files.BadLine) -> None:
    place = f"{line.file} line {line.line:,}" if line.line else line.file
    state.rows += 1
    state.rules = add_rule_count(state.rules, RuleCount(line.rule, "dropped", 1, (f"{place}: {shorten(line.text)!r}",)))
    state.lines.append((line.file, line.line or None, line.rule, line.reason, line.text))
    if len(state.lines) >= _LINES:
        _flush(state, table)


def _flush(state: _Accumulator, table: str) -> None:
    """Convert collected malformed lines to a frame, which takes a fifth of the memory of tuples."""
    if state.lines:
        lines = [(table, *line[:-1], json.dumps(line[-1], ensure_ascii=False)) for line in state.lines]
        state.rejected.append(set_rejection_dtypes(pd.DataFrame(lines, columns=REJECTED)))
        state.lines = []


def _to_arrow(frame: pd.DataFrame) -> Any:  # a pyarrow.Table
    return pa.table([_cast_column(frame[name]) for name in frame.columns], list(frame.columns))


def _cast_column(values: "pd.Series[Any]") -> Any:  # Any: of any type, to a pyarrow.ChunkedArray
    """The column as one of the property types int64, float64, boolean and text.

    Decimals become numbers, or text if a number would lose a digit before the point.
    """
    array = to_arrow(values)
    kind = array.type
    if pa.types.is_decimal(kind):
        whole = kind.scale <= 0
        limit = 2**63 - 1 if whole else 2**53
        if pc.all(pc.less_equal(pc.abs(array), pa.scalar(Decimal(limit)))).as_py() is False:
            return to_arrow(as_text(values))
        return array.cast(pa.int64() if whole else pa.float64())
    if pa.types.is_integer(kind):
        if kind == pa.uint64() and (pc.max(array).as_py() or 0) >= 2**63:
            return to_arrow(as_text(values))
        return array.cast(pa.int64())
    if pa.types.is_floating(kind):
        return array.cast(pa.float64())
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return array
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return to_arrow(as_text(values))
    return array.cast(pa.large_string())


def _concatenate(tables: Sequence[Any]) -> Any:  # of pyarrow.Table
    """The concatenated batches; a column with several types gets the narrowest type that can represent all."""
    names = tables[0].column_names
    kinds = {name: _find_common_type({part.schema.field(name).type for part in tables}) for name in names}
    schema = pa.schema([(name, kinds[name]) for name in names])
    return pa.concat_tables([_cast(part, schema) for part in tables])


def _cast(table: Any, schema: Any) -> Any:  # a pyarrow.Table and Schema
    if table.schema.equals(schema):
        return table
    columns = []
    for name, kind in zip(schema.names, schema.types, strict=True):
        column = table[name]
        if column.type != kind and pa.types.is_large_string(kind) and not pa.types.is_null(column.type):
            column = to_arrow(as_text(column.to_pandas(types_mapper=_NULLABLE.get)))
        columns.append(column.cast(kind, safe=kind != pa.float64()))  # ids are never floats
    return pa.table(columns, schema=schema)


def _find_common_type(kinds: set[Any]) -> Any:  # of pyarrow.DataType
    known = {kind for kind in kinds if not pa.types.is_null(kind)}
    if len(known) == 1:
        return known.pop()
    return pa.float64() if known and known <= {pa.int64(), pa.float64()} else pa.large_string()


def _to_pandas(table: Any) -> pd.DataFrame:  # of a pyarrow.Table
    """The table as a pandas frame; columns without missing values are int64, float64 and bool."""
    columns = {}
    for name in table.column_names:
        column = table[name]
        columns[name] = column.to_pandas(types_mapper=_NULLABLE.get if column.null_count else None)
    return pd.DataFrame(columns)
