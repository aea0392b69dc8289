"""Text tables with one row a line, read strictly: by a fast parser, and by a slow one to report a defect."""

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
from graphrec.reading.files import Tally, lines, lines_text, open_file, require_file, undecodable

#: What a column holds; with a question mark an empty field (for numbers also NA) is allowed and becomes missing.
Kind = Literal["str", "int", "float", "str?", "int?", "float?"]

#: The pyarrow type of a kind.
ARROW = {"str": pa.large_string(), "int": pa.int64(), "float": pa.float64()}
_NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.float64(): pd.Float64Dtype()}
MEANING = {"str": "text", "int": "a whole number", "float": "a number"}
_WHOLE = re.compile(r"[+-]?\d+")
#: Replacement of a separator of several characters ("::"), which neither pyarrow nor csv can split at.
_UNIT = "\x1f"


@dataclass(frozen=True)
class _Form:
    """How a file is written and which columns are wanted of it."""

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
    """The wanted columns of a text file (plain or .gz), in the order wanted, with unchanged values.

    Text has dtype str ("007" stays "007"), numbers int64 and float64, kinds with a question mark Int64, Float64
    or str with missing values. Without a header line, `header` names all fields of a row. Blank lines do not count.
    A separator of several characters ("::") goes without quoting.

    Raises:
        DataError: the file is missing, empty, cut off or in another encoding, a column is missing, or a row has
            too few or too many fields or a value that is not of its kind.
    """
    path = require_file(Path(path))
    quoting = quoting and len(separator) == 1
    form = _Form(path, columns, separator, encoding, None if isinstance(header, bool) else header, quoting)
    names = _names(form)
    try:
        table = _parse(form)
    except (pa.ArrowException, OSError, EOFError, zlib.error, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise _diagnose(form, names) or DataError(
            f"{path} cannot be read: {first}; export or download it again"
        ) from error
    if not table.num_rows:
        raise DataError(f"{path} holds a header and no rows; copy or download it again")
    problem = _diagnose(form, names) if _suspicious(table, form) else None
    if problem:
        raise problem
    return to_frame(table, columns)


def _parse(form: _Form) -> Any:  # a pyarrow.Table: pyarrow ships no types
    """The wanted columns by the fast parser, which stops at the first defect without saying where it is."""
    whole = len(form.separator) > 1
    source: Any = str(form.path)
    if whole:
        with open_file(form.path) as stream:
            source = pa.BufferReader(stream.read().replace(form.separator.encode(), _UNIT.encode()))
    return pyarrow.csv.read_csv(
        source,
        pyarrow.csv.ReadOptions(encoding=form.encoding, column_names=form.header),
        pyarrow.csv.ParseOptions(
            delimiter=_UNIT if whole else form.separator,
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


def _suspicious(table: Any, form: _Form) -> bool:  # a pyarrow.Table
    """Whether a value came through the fast parser that its kind does not allow."""
    for name, kind in form.columns.items():
        column = table[name]
        if kind.startswith("str"):
            # A quote that is never closed swallows the lines after it into one value; no text has NUL bytes.
            foreign = "\n\0" if form.quoting else "\0"
            found = any(pc.any(pc.match_substring(column, sign)).as_py() for sign in foreign)
            wrong = found or (kind == "str" and pc.any(pc.equal(column, "")).as_py())
        else:
            finite = kind.startswith("int") or pc.all(pc.is_finite(column)).as_py() is not False
            wrong = not finite or (column.null_count and not kind.endswith("?"))
        if wrong:
            return True
    return False


def to_frame(table: Any, columns: Mapping[str, Kind]) -> pd.DataFrame:  # a pyarrow.Table
    """A pyarrow table as a frame whose columns have the dtypes of their kinds."""
    for position, (name, kind) in enumerate(columns.items()):
        if kind == "str?":
            column = table[name]
            filled = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.large_string()), column)
            table = table.set_column(position, name, filled)
    frame = cast(pd.DataFrame, table.to_pandas(types_mapper=_NULLABLE.get))
    strict = {name: f"{kind}64" for name, kind in columns.items() if kind in ("int", "float")}
    return frame.astype(strict)


def _names(form: _Form) -> list[str]:
    """The names of all fields of a row, once the file has a first row and every wanted column a name."""
    first = next(_rows(form), None)
    if first is None:
        raise DataError(f"{form.path} is empty; copy or download it again")
    names = list(form.header or first[1])
    for wanted in form.columns:
        if names.count(wanted) != 1:
            close = nearest(wanted, names, 1)
            raise DataError(
                f"{form.path}: the header names column {wanted} {names.count(wanted)} times, but it must once; it "
                f"names {first_few(names, 12)}{f' (is {close[0]} meant?)' if close and close[0] != wanted else ''}"
            )
    return names


def _diagnose(form: _Form, names: list[str]) -> DataError | None:
    """What is wrong with the file and on which lines, by reading it slowly; None if nothing is."""
    bad = undecodable(form.path, form.encoding)
    if bad.count:
        return DataError(
            f"{form.path} is not {form.encoding} on {lines_text(bad)}; "
            f"save it as {form.encoding}, or name its encoding (latin-1 reads any byte)"
        )
    widths = Tally()
    values = {name: Tally() for name in form.columns}
    rows = _rows(form)
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


def _rows(form: _Form) -> Iterator[tuple[int, list[str]]]:
    """The number of its first line and the fields, for each row that is not blank; bytes not decodable become �."""
    texts = (line.decode(form.encoding, errors="replace") for _, line in lines(form.path))
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
