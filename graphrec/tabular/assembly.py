"""The pieces of a file or query become one draft: ids, properties and times by their names, bad rows told."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
import pyarrow as pa

from graphrec.cleaning.conversion import arrow, as_text
from graphrec.cleaning.draft import Draft, noted, shortened
from graphrec.cleaning.rules import Kind, Rules
from graphrec.cleaning.values import need_types
from graphrec.defects import REJECTED, RuleCount
from graphrec.errors import DataError, examples
from graphrec.tabular import files, rows
from graphrec.tabular.spec import Files, TableSpec
from graphrec.tabular.times import unix_seconds

_LINES = 10_000
_PACKED = 10
_NULLABLE: dict[Any, Any] = {  # pyarrow's types to those of pandas
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


@dataclass
class _Heap:
    """What was gathered so far of one table; the one place where something grows."""

    tables: list[Any] = field(default_factory=list)  # of pyarrow.Table
    fresh: list[Any] = field(default_factory=list)  # of pyarrow.Table
    rules: tuple[RuleCount, ...] = ()
    rejected: list[pd.DataFrame] = field(default_factory=list)
    lines: list[tuple[str, str, str]] = field(default_factory=list)
    rows: int = 0


def draft(table: TableSpec) -> Draft:
    """All rows of a table with the columns of its type, what is no row or has values of a wrong type rejected.

    Raises:
        DataError: nothing is there, or nothing can be kept; and as `files.pieces` and `sql.pieces` say.
        GraphrecError: a driver of the database is missing.
    """
    heap = _Heap()
    for piece in _pieces(table):
        if isinstance(piece, files.BadLine):
            _add_line(heap, table.name, piece)
        else:
            _add_rows(heap, _shaped(piece, table))
    _flush(heap, table.name)
    _pack(heap)
    kept = sum(part.num_rows for part in heap.tables)
    if not kept:
        shown = [f"{rule.rule}: {text}" for rule in heap.rules for text in rule.examples]
        why = f"none of its {heap.rows:,} rows can be kept ({examples(shown)})" if heap.rows else "it has no rows"
        of = examples(path.name for path in table.origin.paths) if isinstance(table.origin, Files) else "the query"
        raise DataError(f"{table.place}, {of}: {why}; check the file and how it is described")
    whole = _unified(heap.tables)
    heap.tables.clear()
    return Draft(table.type, _frame(whole), heap.rows, heap.rules, tuple(heap.rejected))


def _pieces(table: TableSpec) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    named = [*table.ids, *(column.column for column in table.columns)]
    wanted = list(dict.fromkeys([*named, *([table.time.column] if table.time else [])]))
    return rows.pieces(table.origin, wanted)


def _shaped(piece: Any, table: TableSpec) -> Draft:  # a pyarrow.Table
    """A batch with the names and types of the graph."""
    found = piece.to_pandas(types_mapper=_NULLABLE.get)
    columns = {name: as_text(found[column]) for name, column in zip(table.id_names, table.ids, strict=True)}
    columns |= {column.name: found[column.column] for column in table.columns}
    if table.time:
        columns["timestamp"] = found[table.time.column]
    batch = Draft(table.type, pd.DataFrame(columns), piece.num_rows)
    if table.split is not None:
        batch = _divided(batch, table.split)
    kinds: dict[str, Kind] = {column.name: column.kind for column in table.columns if column.kind}
    batch = need_types(batch, Rules(types=kinds))
    return _timed(batch, table)


def _timed(batch: Draft, table: TableSpec) -> Draft:
    if table.time is None:
        return batch
    seconds, bad = unix_seconds(batch.frame["timestamp"], table.time)
    form = table.time.format or ("a number" if table.time.unit else "ISO 8601 or Unix seconds")
    batch = batch.without(bad, "time", f"timestamp is no time of the form {form}", "timestamp")
    return replace(batch, frame=batch.frame.assign(timestamp=seconds[~bad].reset_index(drop=True)))


def _divided(batch: Draft, split: str) -> Draft:
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
    return replace(batch, frame=long, rows=len(long) + sum(rule.rows for rule in batch.rules))


def _listed(text: str) -> list[str] | None:
    """The texts and numbers of a JSON list as text; None where it is none."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list) or any(isinstance(value, dict | list) for value in values):
        return None
    return [str(value) for value in values if value is not None]


def _add_rows(heap: _Heap, batch: Draft) -> None:
    heap.rows += batch.rows
    for rule in batch.rules:
        heap.rules = noted(heap.rules, rule)
    heap.rejected += batch.rejected
    if len(batch.frame):
        heap.fresh.append(_arrow(batch.frame))
    if len(heap.fresh) >= _PACKED:
        _pack(heap)


def _pack(heap: _Heap) -> None:
    """The newest batches as one: as DuckDB makes them, they take twice the memory that their text needs."""
    alike = all(part.schema.equals(heap.fresh[0].schema) for part in heap.fresh)
    heap.tables += [pa.concat_tables(heap.fresh).combine_chunks()] if heap.fresh and alike else heap.fresh
    heap.fresh = []


def _add_line(heap: _Heap, table: str, line: files.BadLine) -> None:
    place = f"{line.file} line {line.line:,}" if line.line else line.file
    heap.rows += 1
    heap.rules = noted(heap.rules, RuleCount(line.rule, "dropped", 1, (f"{place}: {shortened(line.text)!r}",)))
    heap.lines.append((line.rule, f"{place}: {line.reason}", line.text))
    if len(heap.lines) >= _LINES:
        _flush(heap, table)


def _flush(heap: _Heap, table: str) -> None:
    """The bad lines so far as a frame: text in columns takes a fifth of what it takes in tuples."""
    if heap.lines:
        rows = [(table, rule, reason, json.dumps(text, ensure_ascii=False)) for rule, reason, text in heap.lines]
        heap.rejected.append(pd.DataFrame(rows, columns=REJECTED, dtype="str"))
        heap.lines = []


def _arrow(frame: pd.DataFrame) -> Any:  # a pyarrow.Table
    return pa.table([_plain(arrow(frame[name])) for name in frame.columns], list(frame.columns))


def _plain(array: Any) -> Any:  # a pyarrow.ChunkedArray, twice
    """The array as one of the types that properties have: whole numbers, numbers, yes and no, text."""
    kind = array.type
    if pa.types.is_integer(kind):
        return array.cast(pa.int64())
    if pa.types.is_floating(kind):
        return array.cast(pa.float64())
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return array
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
        columns.append(column.cast(kind))
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
