"""The pieces of a file or query become one draft: ids, properties and times by their names, bad rows told."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.cleaning.casting import arrow, as_text
from graphrec.cleaning.load_context import current_load
from graphrec.cleaning.rules import CleaningRules, Kind
from graphrec.cleaning.values import need_types
from graphrec.cleaning.working_table import ROW, WorkingTable, noted, shortened, typed_rejections
from graphrec.cleaning_report import REJECTED, RuleCount
from graphrec.errors import DataError, first_few
from graphrec.tabular import batches, files, invalid_ids
from graphrec.tabular.source_rows import InputPart, SourceRows
from graphrec.tabular.spec import FileInput, FrameInput, TableSpec
from graphrec.tabular.timestamps import read_times, suggest_format

_LINES = 10_000
_PACKED = 10
_NULLABLE: dict[Any, Any] = {  # pyarrow's types to those of pandas
    pa.int64(): pd.Int64Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


@dataclass
class _Accumulator:
    """What was gathered so far of one table; the one place where something grows."""

    tables: list[Any] = field(default_factory=list)  # of pyarrow.Table
    fresh: list[Any] = field(default_factory=list)  # of pyarrow.Table
    rules: tuple[RuleCount, ...] = ()
    rejected: list[pd.DataFrame] = field(default_factory=list)
    lines: list[tuple[str, int | None, str, str, str]] = field(default_factory=list)
    rows: int = 0
    read: int = 0


def assemble(table: TableSpec) -> WorkingTable:
    """All rows of a table with the columns of its type, what is no row or has values of a wrong type rejected.

    Raises:
        DataError: nothing is there, or nothing can be kept; and as `files.pieces` and `sql.pieces` say.
        GraphrecError: a driver of the database is missing.
    """
    heap, origin = _Accumulator(), SourceRows(table)
    for part, piece in _pieces(table):
        if not origin.parts or origin.parts[-1] is not part:
            origin.parts.append(part)
        if isinstance(piece, files.BadLine):
            _add_line(heap, table.name, piece)
            _note_bad(part, piece)
        else:
            _add_rows(heap, _shaped(piece, table, heap.read))
            part.rows += piece.num_rows
            heap.read += piece.num_rows
    _flush(heap, table.name)
    if not heap.tables and not heap.fresh:
        _add_rows(heap, _shaped(pa.table({name: pa.array([], pa.large_string()) for name in _wanted(table)}), table, 0))
    _pack(heap)
    if not heap.rows:
        _need_rows(table, heap.read)
    whole = _unified(heap.tables)
    heap.tables.clear()
    return WorkingTable(table.type, _frame(whole), heap.rows, heap.rules, tuple(heap.rejected), origin)


def _need_rows(table: TableSpec, read: int) -> None:
    """Raise DataError that says why a table has no rows, unless the load under way lets it be empty."""
    load = current_load()
    if load.allow_removal or (load.append and not read):
        return
    of = "the frame" if isinstance(table.input, FrameInput) else "the query"
    if isinstance(table.input, FileInput):
        of = first_few(path.name for path in table.input.paths)
    why = "it has no rows"
    if read:
        why = f"none of its {read:,} rows has a value in {table.ids[-1]} that split gives"
    elif isinstance(table.input, FileInput) and table.input.where:
        asked = first_few(f"{name} = {' or '.join(values)}" for name, values in table.input.where.items())
        why = f"it has no rows with {asked}, as where asks for"
    raise DataError(f"{table.place}, {of}: {why}; nothing is written; {load.remedy}")


def _pieces(table: TableSpec) -> Iterator[tuple[InputPart, Any]]:  # of pyarrow.Table or BadLine
    origin, wanted = table.input, _wanted(table)
    if not isinstance(origin, FileInput):
        part = InputPart(None)
        yield from ((part, piece) for piece in batches.read_batches(origin, wanted))
        return
    for path in origin.paths:
        part = InputPart(path)
        yield from ((part, piece) for piece in batches.read_batches(replace(origin, paths=(path,)), wanted))


def _wanted(table: TableSpec) -> list[str]:
    """The columns that the table reads, each once."""
    named = [*table.ids, *(column.column for column in table.columns)]
    return list(dict.fromkeys([*named, *([table.time.column] if table.time else [])]))


def _note_bad(part: InputPart, line: files.BadLine) -> None:
    """A line that is no row is no row of the part either."""
    part.bad += 1
    if line.line:
        part.bad_lines.add(line.line)
    else:
        part.bad_texts.add(line.text)


def _shaped(piece: Any, table: TableSpec, first: int) -> WorkingTable:  # a pyarrow.Table
    """A batch with the names and types of the graph; `first` is the number of its first row."""
    found = piece.to_pandas(types_mapper=_NULLABLE.get)
    if isinstance(table.input, FileInput) and table.input.missing and table.input.format != "csv":
        found = _with_gaps(found, table.input.missing)
    columns: dict[str, pd.Series[Any]] = {
        name: as_text(found[column]) for name, column in zip(table.id_names, table.ids, strict=True)
    }
    columns |= {column.name: found[column.column] for column in table.columns}
    if table.time:
        columns["timestamp"] = found[table.time.column]
    columns[ROW] = pd.Series(np.arange(first, first + piece.num_rows), index=found.index)
    batch = WorkingTable(table.type, pd.DataFrame(columns), piece.num_rows)
    for name, column in zip(table.id_names, table.ids, strict=True):
        batch = invalid_ids.note_inexact_floats(batch, name, found[column])
    if table.split is not None:
        batch = _divided(batch, table.split)
    batch = invalid_ids.reject_missing_words(batch, table.input)
    kinds: dict[str, Kind] = {column.name: column.kind for column in table.columns if column.kind}
    origin = table.input
    batch = need_types(batch, CleaningRules(types=kinds, decimal=origin.decimal, thousands=origin.thousands))
    return _timed(batch, table)


def _with_gaps(frame: pd.DataFrame, missing: Sequence[str]) -> pd.DataFrame:
    """The frame without the texts that stand for no value; of CSV files DuckDB has left them out."""
    texts = [name for name in frame.columns if pd.api.types.is_string_dtype(frame[name].dtype)]
    return frame.assign(**{name: frame[name].mask(frame[name].isin(list(missing))) for name in texts})


def _timed(batch: WorkingTable, table: TableSpec) -> WorkingTable:
    if table.time is None:
        return batch
    values = batch.frame["timestamp"]
    found = read_times(values, table.time)
    form = table.time.format or ("a number" if table.time.unit else "ISO 8601 or a number of seconds")
    hint = suggest_format(values[found.bad], table.time) if found.bad.any() else ""
    reason = f"timestamp is no time of the form {form}" + (f"; {hint}" if hint else "")
    hint = hint and f"column {table.time.column}: {hint}"
    batch = batch.without(found.bad, "time", reason, "timestamp", hint)
    for note in found.notes:
        said = f"column {table.time.column}: {note.hint}"
        batch = batch.did(f"time, {note.reading}", "noted", note.rows, [note.example], said)
    return replace(batch, frame=batch.frame.assign(timestamp=found.seconds[~found.bad].reset_index(drop=True)))


def _divided(batch: WorkingTable, split: str) -> WorkingTable:
    """A row for each value of the last end; a row without any gives none."""
    end = batch.ids[-1]
    values = batch.frame[end].dropna()
    if split == "[]":
        lists = values.map(_listed).reindex(batch.frame.index)
        bad = batch.frame[end].notna() & lists.isna()
        batch = batch.without(bad, "type", f"{end} is no list of texts", end)
        parts = lists[~bad].reset_index(drop=True)
    else:
        parts = batch.frame[end].str.split(split, regex=False)
    batch = replace(batch, frame=batch.frame.assign(**{end: parts}))
    long = batch.frame.explode(end, ignore_index=True)
    long[end] = long[end].astype("str").str.strip()
    long = long[long[end].notna() & (long[end] != "")].reset_index(drop=True)
    return replace(batch, frame=long, rows=len(long) + batch.count.dropped)


def _listed(text: str) -> list[str] | None:
    """The texts and numbers of a JSON list as text; None where it is none."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list) or any(isinstance(value, dict | list) for value in values):
        return None
    return [str(value) for value in values if value is not None]


def _add_rows(heap: _Accumulator, batch: WorkingTable) -> None:
    heap.rows += batch.rows
    for rule in batch.rules:
        heap.rules = noted(heap.rules, rule)
    heap.rejected += batch.rejected
    if len(batch.frame) or not (heap.tables or heap.fresh):  # the first for its columns, if there are no rows
        heap.fresh.append(_arrow(batch.frame))
    if len(heap.fresh) >= _PACKED:
        _pack(heap)


def _pack(heap: _Accumulator) -> None:
    """The newest batches as one: as DuckDB makes them, they take twice the memory that their text needs."""
    alike = all(part.schema.equals(heap.fresh[0].schema) for part in heap.fresh)
    heap.tables += [pa.concat_tables(heap.fresh).combine_chunks()] if heap.fresh and alike else heap.fresh
    heap.fresh = []


def _add_line(heap: _Accumulator, table: str, line: files.BadLine) -> None:
    place = f"{line.file} line {line.line:,}" if line.line else line.file
    heap.rows += 1
    heap.rules = noted(heap.rules, RuleCount(line.rule, "dropped", 1, (f"{place}: {shortened(line.text)!r}",)))
    heap.lines.append((line.file, line.line or None, line.rule, line.reason, line.text))
    if len(heap.lines) >= _LINES:
        _flush(heap, table)


def _flush(heap: _Accumulator, table: str) -> None:
    """The bad lines so far as a frame: text in columns takes a fifth of what it takes in tuples."""
    if heap.lines:
        lines = [(table, *line[:-1], json.dumps(line[-1], ensure_ascii=False)) for line in heap.lines]
        heap.rejected.append(typed_rejections(pd.DataFrame(lines, columns=REJECTED)))
        heap.lines = []


def _arrow(frame: pd.DataFrame) -> Any:  # a pyarrow.Table
    return pa.table([_plain(frame[name]) for name in frame.columns], list(frame.columns))


def _plain(values: "pd.Series[Any]") -> Any:  # Any: of any type, to a pyarrow.ChunkedArray
    """The column as one of the types that properties have: whole numbers, numbers, yes and no, text.

    Decimals are numbers, unless these would lose a digit before the point: then they are text.
    """
    array = arrow(values)
    kind = array.type
    if pa.types.is_decimal(kind):
        whole = kind.scale <= 0
        limit = 2**63 - 1 if whole else 2**53
        if pc.all(pc.less_equal(pc.abs(array), pa.scalar(Decimal(limit)))).as_py() is False:
            return arrow(as_text(values))
        return array.cast(pa.int64() if whole else pa.float64())
    if pa.types.is_integer(kind):
        if kind == pa.uint64() and (pc.max(array).as_py() or 0) >= 2**63:
            return arrow(as_text(values))
        return array.cast(pa.int64())
    if pa.types.is_floating(kind):
        return array.cast(pa.float64())
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return array
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return arrow(as_text(values))
    return array.cast(pa.large_string())


def _unified(tables: Sequence[Any]) -> Any:  # of pyarrow.Table
    """One table; a column that the batches have in several types gets the narrowest that holds them all."""
    names = tables[0].column_names
    kinds = {name: _common({part.schema.field(name).type for part in tables}) for name in names}
    schema = pa.schema([(name, kinds[name]) for name in names])
    return pa.concat_tables([_cast(part, schema) for part in tables])


def _cast(table: Any, schema: Any) -> Any:  # a pyarrow.Table and Schema
    if table.schema.equals(schema):
        return table
    columns = []
    for name, kind in zip(schema.names, schema.types, strict=True):
        column = table[name]
        if column.type != kind and pa.types.is_large_string(kind) and not pa.types.is_null(column.type):
            column = arrow(as_text(column.to_pandas(types_mapper=_NULLABLE.get)))
        columns.append(column.cast(kind, safe=kind != pa.float64()))  # a number with a fraction is no id
    return pa.table(columns, schema=schema)


def _common(kinds: set[Any]) -> Any:  # of pyarrow.DataType
    known = {kind for kind in kinds if not pa.types.is_null(kind)}
    if len(known) == 1:
        return known.pop()
    return pa.float64() if known and known <= {pa.int64(), pa.float64()} else pa.large_string()


def _frame(table: Any) -> pd.DataFrame:  # of a pyarrow.Table
    """The table for pandas; numbers without gaps are int64, float64 and bool."""
    columns = {}
    for name in table.column_names:
        column = table[name]
        columns[name] = column.to_pandas(types_mapper=_NULLABLE.get if column.null_count else None)
    return pd.DataFrame(columns)
