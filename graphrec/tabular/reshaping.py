"""Reshapes baskets (lines of items) and wide tables (one column per item) into one row per pair."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from graphrec.errors import DataError, first_few
from graphrec.tabular import archives, duckdb_engine, file_format, frames, table_files
from graphrec.tabular.spec import FileInput, FrameInput
from graphrec.tabular.table_files import BadLine

#: Columns of a melted wide table.
WIDE_COLUMNS = ("row", "column", "value")
#: Number of basket lines per batch.
_LINES = 20_000


def basket_columns(source: FileInput) -> tuple[str, ...]:
    """Columns of exploded baskets: those of the header, by default `basket`, and `item`."""
    return (*(("basket",) if source.header is None else source.header), "item")


def explode_baskets(source: FileInput, columns: Sequence[str]) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    """One row for each item of each line, with the leading fields that the header names; missing items are left out.

    If the header is empty, `basket` is the line number. Raises DataError if a file is empty, damaged or not text, or a
    column does not exist.
    """
    names = basket_columns(source)
    leading = len(names) - 1
    known = names if leading else ("basket", *names)
    for name in columns:
        if name not in known:
            raise duckdb_engine.missing_column_error(f'shape = "basket" of {first_few(source.paths, 1)}', name, known)
    for path in source.paths:
        file_format.require_text(path, source.encoding)
        lines = _read_lines(path, source)
        while block := list(islice(lines, _LINES)):
            yield from (line for line in block if isinstance(line, BadLine))
            yield _explode([line for line in block if not isinstance(line, BadLine)], leading, source, columns)


def melt_wide(source: FileInput | FrameInput, columns: Sequence[str]) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    """One row for each non-empty cell: `row` (the first column), `column` (the column's name) and `value` (the cell).

    Raises DataError as `table_files.read_batches` does, and for columns other than `row`, `column` and `value`.
    """
    for name in columns:
        if name not in WIDE_COLUMNS:
            raise duckdb_engine.missing_column_error('a table of shape = "wide"', name, WIDE_COLUMNS)
    if isinstance(source, FrameInput):
        yield from _melt(frames.read_batches(source), source.table.column_names, frames.FRAME_NAME, columns)
        return
    for path in source.paths:
        file = replace(source, paths=(path,))
        names = file_format.read_raw_names(path, file) if source.format == "csv" else None
        yield from _melt(table_files.read_batches(file), names, str(path), columns)


def _melt(
    pieces: Iterator[Any], names: Sequence[str] | None, place: str, columns: Sequence[str]
) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    for piece in pieces:
        if isinstance(piece, BadLine):
            yield piece
            continue
        column_names = names or piece.column_names
        if len(column_names) < 2:
            raise DataError(f"{place} has one column, but a wide table has one for each item; set separator")
        parts: list[dict[str, Any]] = []
        for number, name in enumerate(column_names[1:], 1):
            column = piece.column(number)
            rows = np.flatnonzero(column.is_valid().to_numpy())
            if not len(rows):
                continue
            if not name.strip():
                raise DataError(f"{place}: column {number + 1} has values but no name; name it in the header")
            parts.append({"row": rows, "column": np.full(len(rows), number), "value": column.take(pa.array(rows))})
        if not parts:
            continue
        row_numbers = np.concatenate([p["row"] for p in parts])
        column_numbers = np.concatenate([p["column"] for p in parts])
        order = np.lexsort((column_numbers, row_numbers))
        values = _concatenate([p["value"] for p in parts]).take(pa.array(order))
        melted = {
            "row": piece.column(0).take(pa.array(row_numbers[order])),
            "column": pa.array(column_names, pa.large_string()).take(pa.array(column_numbers[order])),
            "value": values,
        }
        yield pa.table([melted[name] for name in columns], list(columns))


def _concatenate(parts: Sequence[Any]) -> Any:  # of pyarrow.ChunkedArray, to one
    """The concatenated parts, as numbers if all are numbers, else as text."""
    kinds = {part.type for part in parts}
    if len(kinds) > 1:
        numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds)
        kind = pa.float64() if numbers else pa.large_string()
        parts = [part.cast(kind) for part in parts]
    return pa.chunked_array([chunk for part in parts for chunk in part.chunks])


def _explode(
    lines: Sequence[list[str]], leading: int, source: FileInput, columns: Sequence[str]
) -> Any:  # a pyarrow.Table
    missing = {"", *(source.missing or ())}
    cells_of: dict[str, list[str | None]] = {name: [] for name in columns}
    names = basket_columns(source)[:-1] or ("basket",)
    for line in lines:
        first = [None if text in missing else text for text in line[: max(leading, 1)]]
        known = dict(zip(names, first, strict=False))
        if any(known.get(name) not in values for name, values in source.where.items()):
            continue
        items = [text for text in (each.strip() for each in line[max(leading, 1) :]) if text not in missing]
        for name, cells in cells_of.items():
            cells += items if name == "item" else [known.get(name)] * len(items)
    return pa.table([pa.array(cells, pa.large_string()) for cells in cells_of.values()], list(columns))


def _read_lines(path: Path, source: FileInput) -> Iterator[list[str] | BadLine]:
    """The fields of each line that is not blank, preceded by the line number if the header is empty."""
    numbered = source.header == ()
    with archives.open_file(path) as stream:
        text = io.TextIOWrapper(stream, source.encoding, errors="surrogateescape")
        number = 0
        try:
            for line in iter(lambda: text.readline(file_format.LONGEST_LINE), ""):
                number += 1
                if number == 1:
                    line = line.removeprefix("\ufeff")
                line = line.rstrip("\n")
                if number <= source.skip or not line.strip() or (source.comment and line.startswith(source.comment)):
                    continue
                yield _split_fields(path, source, line, number, numbered)
        except UnicodeError as error:
            raise DataError(f"{path} is not {source.encoding}: {error}; name its encoding") from error


def _split_fields(path: Path, source: FileInput, line: str, number: int, numbered: bool) -> list[str] | BadLine:
    if len(line) >= file_format.LONGEST_LINE - 1:
        return BadLine("length", f"it is longer than {file_format.LONGEST_LINE // 1_000_000} MB", path.name, number, "")
    if not line.isprintable() and any("\udc80" <= character <= "\udcff" for character in line):
        text = line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return BadLine("encoding", "it has bytes that are invalid in the file's encoding", path.name, number, text)
    if not source.quote or source.quote not in line or len(source.separator) > 1:
        fields = line.split(source.separator)
    else:
        try:
            (fields,) = csv.reader(
                [line],
                delimiter=source.separator,
                quotechar=source.quote,
                escapechar=source.escape or None,
                doublequote=not source.escape,
                strict=True,
            )
        except (csv.Error, ValueError):
            reason = "a quote is not closed, or not doubled inside a quoted text"
            return BadLine("quote", reason, path.name, number, line)
    return [str(number), *fields] if numbered else fields
