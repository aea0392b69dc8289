"""Strict reader of text tables, with a fast parser, and a slow one that locates defects."""

import csv
import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from graphrec.errors import DataError, first_few, nearest
from graphrec.reading.files import Tally, describe_lines, find_undecodable_lines, open_file, read_lines, require_file

#: The type of a column; with a question mark, an empty field (for numbers also NA) is allowed and is missing.
Kind = Literal["str", "int", "float", "str?", "int?", "float?"]

#: The pyarrow type of a kind.
ARROW = {"str": pa.large_string(), "int": pa.int64(), "float": pa.float64()}
_NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.float64(): pd.Float64Dtype()}
MEANING = {"str": "text", "int": "a whole number", "float": "a number"}
_WHOLE = re.compile(r"[+-]?\d+")
#: Replacement of a separator of several characters ("::"), which neither pyarrow nor csv can split at.
_UNIT = "\x1f"


@dataclass(frozen=True)
class _Format:
    """The format of a file and the columns to read."""

    path: Path
    columns: Mapping[str, Kind]
    separator: str
    encoding: str
    header: Sequence[str] | None
    quoting: bool


def read_table(
    path: Path,
    columns: Mapping[str, Kind],
    separator: str = ",",
    encoding: str = "utf-8",
    header: bool | Sequence[str] = True,
    quoting: bool = True,
) -> pd.DataFrame:
    """The selected columns of a text file (plain or .gz), in the order of `columns`, with unchanged values.

    Text has dtype str ("007" stays "007"), numbers int64 and float64, kinds with a question mark Int64, Float64
    or str with missing values. Without a header line, `header` names all fields of a row. Blank lines are skipped.
    A separator of several characters ("::") implies no quoting.

    Raises:
        DataError: the file is missing, empty, cut off or in another encoding, a column is missing, or a row has
            too few or too many fields or a value that is not of its kind.
    """
    path = require_file(Path(path))
    quoting = quoting and len(separator) == 1
    form = _Format(path, columns, separator, encoding, None if isinstance(header, bool) else header, quoting)
    names = _read_names(form)
    try:
        table = _parse(form)
    except (pa.ArrowException, OSError, EOFError, zlib.error, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise _find_defects(form, names) or DataError(
            f"{path} cannot be read: {first}; export or download it again"
        ) from error
    if not table.num_rows:
        raise DataError(f"{path} holds a header and no rows; copy or download it again")
    problem = _find_defects(form, names) if _has_invalid_values(table, form) else None
    if problem:
        raise problem
    return to_frame(table, columns)


def _parse(form: _Format) -> Any:  # a pyarrow.Table: pyarrow ships no types
    """The selected columns by the fast parser, whose errors do not locate the defect."""
    is_replaced = len(form.separator) > 1
    source: Any = str(form.path)
    if is_replaced:
        with open_file(form.path) as stream:
            source = pa.BufferReader(stream.read().replace(form.separator.encode(), _UNIT.encode()))
    return pyarrow.csv.read_csv(
        source,
        pyarrow.csv.ReadOptions(encoding=form.encoding, column_names=form.header),
        pyarrow.csv.ParseOptions(
            delimiter=_UNIT if is_replaced else form.separator,
            quote_char='"' if form.quoting else False,
            newlines_in_values=form.quoting,
        ),
        pyarrow.csv.ConvertOptions(
            column_types={name: ARROW[kind.rstrip("?")] for name, kind in form.columns.items()},
            include_columns=list(form.columns),
            null_values=["", "NA"],
            strings_can_be_null=False,
        ),
    )


def _has_invalid_values(table: Any, form: _Format) -> bool:  # a pyarrow.Table
    """Whether the fast parser accepted a value that its kind does not allow."""
    for name, kind in form.columns.items():
        column = table[name]
        if kind.startswith("str"):
            # An unclosed quote reads the following lines into one value; text has no NUL bytes.
            forbidden = "\n\0" if form.quoting else "\0"
            has_forbidden = any(pc.any(pc.match_substring(column, sign)).as_py() for sign in forbidden)
            wrong = has_forbidden or (kind == "str" and pc.any(pc.equal(column, "")).as_py())
        else:
            finite = kind.startswith("int") or pc.all(pc.is_finite(column)).as_py() is not False
            wrong = not finite or (column.null_count and not kind.endswith("?"))
        if wrong:
            return True
    return False


def to_frame(table: Any, columns: Mapping[str, Kind]) -> pd.DataFrame:  # a pyarrow.Table
    """A pyarrow table as a frame with the dtypes of the kinds."""
    for position, (name, kind) in enumerate(columns.items()):
        if kind == "str?":
            column = table[name]
            filled = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.large_string()), column)
            table = table.set_column(position, name, filled)
    frame = cast(pd.DataFrame, table.to_pandas(types_mapper=_NULLABLE.get))
    strict = {name: f"{kind}64" for name, kind in columns.items() if kind in ("int", "float")}
    return frame.astype(strict)


def _read_names(form: _Format) -> list[str]:
    """The names of all fields. Raises DataError if the file is empty or a selected column is not named exactly once."""
    first = next(_iter_rows(form), None)
    if first is None:
        raise DataError(f"{form.path} is empty; copy or download it again")
    names = list(form.header or first[1])
    for name in form.columns:
        if names.count(name) != 1:
            close = nearest(name, names, 1)
            raise DataError(
                f"{form.path}: the header names column {name} {names.count(name)} times, but it must once; it "
                f"names {first_few(names, 12)}{f' (is {close[0]} meant?)' if close and close[0] != name else ''}"
            )
    return names


def _find_defects(form: _Format, names: list[str]) -> DataError | None:
    """The DataError with the defects of the file and their lines, found by the slow parser, or None."""
    bad = find_undecodable_lines(form.path, form.encoding)
    if bad.count:
        return DataError(
            f"{form.path} is not {form.encoding} on {describe_lines(bad)}; "
            f"save it as {form.encoding}, or name its encoding (latin-1 reads any byte)"
        )
    widths = Tally()
    values = {name: Tally() for name in form.columns}
    rows = _iter_rows(form)
    if form.header is None:
        next(rows)
    for number, row in rows:
        if len(row) != len(names):
            widths.add(f"line {number} has {len(row)}")
            continue
        for name, text in zip(names, row, strict=True):
            if name in values and not _fits(form.columns[name], text):
                values[name].add(f"line {number}: {text!r}")
    if widths.count:
        return DataError(
            f"{form.path}: {widths.count:,} of the rows do not have the {len(names)} fields of the others "
            f"({first_few(widths.places)}); correct or remove these lines"
        )
    for name, tally in values.items():
        if tally.count:
            meaning = MEANING[form.columns[name].rstrip("?")]
            return DataError(
                f"{form.path}: column {name} is not {meaning} in {tally.count:,} of the rows "
                f"({first_few(tally.places)}); correct or remove these lines"
            )
    return None


def _fits(kind: Kind, text: str) -> bool:
    base = kind.rstrip("?")
    if text == "" or (text == "NA" and base != "str"):
        return kind.endswith("?")
    if base == "int":
        return _WHOLE.fullmatch(text.strip()) is not None and len(text) < 30 and -(2**63) <= int(text) < 2**63
    try:
        return "\0" not in text if base == "str" else ("_" not in text and math.isfinite(float(text)))
    except ValueError:
        return False


def _iter_rows(form: _Format) -> Iterator[tuple[int, list[str]]]:
    """The first line number and the fields of each row that is not blank; bytes that cannot be decoded become �."""
    texts = (line.decode(form.encoding, errors="replace") for _, line in read_lines(form.path))
    if not form.quoting:
        for number, text in enumerate(texts, 1):
            if line := text.rstrip("\r\n"):
                yield number, line.removeprefix("\ufeff").split(form.separator)
        return
    reader = csv.reader((text.removeprefix("\ufeff") for text in texts), delimiter=form.separator, strict=True)
    number = 1
    try:
        for row in reader:
            if row:
                yield number, row
            number = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{form.path}: line {number} has a quote that is not closed, or not doubled inside a quoted text; "
            "correct this line"
        ) from error
