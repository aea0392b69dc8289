"""Strict reading of text tables for loaders: a defect is told with its line numbers, and nothing is repaired."""

import csv
import gzip
import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from graphrec.errors import DataError, examples, nearest

#: What a column holds; with a question mark an empty field (for numbers also NA) is allowed and becomes missing.
Kind = Literal["str", "int", "float", "str?", "int?", "float?"]

_ARROW = {"str": pa.large_string(), "int": pa.int64(), "float": pa.float64()}
_NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.float64(): pd.Float64Dtype()}
_MEANING = {"str": "text", "int": "a whole number", "float": "a number"}
_WHOLE = re.compile(r"[+-]?\d+")
_GZIP_MAGIC = b"\x1f\x8b"
#: Stands in for a separator of several characters ("::"), which neither pyarrow nor csv can split at.
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


@dataclass
class _Tally:
    """How often one defect was met, and the first places."""

    count: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, place: str) -> None:
        self.count += 1
        if len(self.places) < 6:  # one more than examples() shows, so that it can tell there are more
            self.places.append(place)


def has(folder: Path, name: str) -> bool:
    """Whether the folder holds the file, plain or gzip-compressed; DataError where there is no such folder."""
    _need_folder(folder)
    return (folder / name).is_file() or (folder / f"{name}.gz").is_file()


def find(folder: Path, name: str) -> Path:
    """The path of a file in a folder, plain (`u.data`) or compressed (`u.data.gz`); DataError if neither is there."""
    if has(folder, name):
        plain = folder / name
        return plain if plain.is_file() else folder / f"{name}.gz"
    there = sorted(path.name for path in folder.iterdir() if path.is_file())
    raise DataError(
        f"folder {folder} has no file {name} and no {name}.gz; "
        f"{f'it has {examples(there, 10)}' if there else 'it is empty'}"
    )


def read_table(
    path: Path,
    columns: Mapping[str, Kind],
    separator: str = ",",
    encoding: str = "utf-8",
    header: bool | Sequence[str] = True,
    quoting: bool = True,
) -> pd.DataFrame:
    """The wanted columns of a text file (plain or .gz), in the order wanted, exactly as they stand there.

    Text has dtype str ("007" stays "007"), numbers int64 and float64, kinds with a question mark Int64, Float64
    or str with missing values. Without a header line, `header` names all fields of a row. Blank lines do not count.
    A separator of several characters ("::") goes without quoting.

    Raises:
        DataError: the file is missing, empty, cut off or in another encoding, a column is missing, or a row has
            too few or too many fields or a value that is not of its kind.
    """
    path = Path(path)
    if not path.exists():
        find(path.parent, path.name)
    quoting = quoting and len(separator) == 1
    form = _Form(path, columns, separator, encoding, None if isinstance(header, bool) else header, quoting)
    names = _names(form)
    try:
        table = _parse(form)
    except (pa.ArrowException, OSError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise _diagnose(form, names) or DataError(f"{path} cannot be read: {first}") from error
    if not table.num_rows:
        raise DataError(f"{path} holds a header and no rows; copy or download it again")
    problem = _diagnose(form, names) if _suspicious(table, form) else None
    if problem:
        raise problem
    return _frame(table, columns)


def _parse(form: _Form) -> Any:  # a pyarrow.Table: pyarrow ships no types
    """The wanted columns by the fast parser, which stops at the first defect without saying where it is."""
    whole = len(form.separator) > 1
    source: Any = str(form.path)
    if whole:
        with _open(form.path) as stream:
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
            column_types={name: _ARROW[kind.rstrip("?")] for name, kind in form.columns.items()},
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
            # A quote that is never closed swallows the lines after it into one value.
            swallowed = form.quoting and pc.any(pc.match_substring(column, "\n")).as_py()
            wrong = swallowed or (kind == "str" and pc.any(pc.equal(column, "")).as_py())
        else:
            finite = kind.startswith("int") or pc.all(pc.is_finite(column)).as_py() is not False
            wrong = not finite or (column.null_count and not kind.endswith("?"))
        if wrong:
            return True
    return False


def _frame(table: Any, columns: Mapping[str, Kind]) -> pd.DataFrame:  # a pyarrow.Table
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
                f"names {examples(names, 12)}{f' (is {close[0]} meant?)' if close and close[0] != wanted else ''}"
            )
    return names


def _diagnose(form: _Form, names: list[str]) -> DataError | None:
    """What is wrong with the file and on which lines, by reading it slowly; None if nothing is."""
    undecodable = _undecodable(form)
    if undecodable.count:
        return DataError(
            f"{form.path} is not {form.encoding} on {_lines_text(undecodable)}; "
            f"save it as {form.encoding}, or name its encoding (latin-1 reads any byte)"
        )
    widths = _Tally()
    values = {name: _Tally() for name in form.columns}
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
            f"{form.path}: {widths.count:,} of the rows have not the {len(names)} fields of the others "
            f"({examples(widths.places)}); correct or remove these lines"
        )
    for name, tally in values.items():
        if tally.count:
            meaning = _MEANING[form.columns[name].rstrip("?")]
            return DataError(
                f"{form.path}: column {name} is not {meaning} in {tally.count:,} of the rows "
                f"({examples(tally.places)}); correct or remove these lines"
            )
    return None


def _undecodable(form: _Form) -> _Tally:
    tally = _Tally()
    for number, line in _lines(form.path):
        try:
            line.decode(form.encoding)
        except UnicodeDecodeError as error:
            tally.add(f"line {number} (byte {error.start + 1}: 0x{line[error.start]:02x})")
    return tally


def _lines_text(tally: _Tally) -> str:
    return f"{tally.count:,} line{'' if tally.count == 1 else 's'}: {examples(tally.places)}"


def _fits(kind: Kind, text: str) -> bool:
    base = kind.rstrip("?")
    if text == "" or (text == "NA" and base != "str"):
        return kind.endswith("?")
    if base == "int":
        return _WHOLE.fullmatch(text.strip()) is not None and -(2**63) <= int(text) < 2**63
    try:
        return base == "str" or ("_" not in text and math.isfinite(float(text)))
    except ValueError:
        return False


def _rows(form: _Form) -> Iterator[tuple[int, list[str]]]:
    """The number of its first line and the fields, for each row that is not blank; bytes not decodable become �."""
    texts = (line.decode(form.encoding, errors="replace") for _, line in _lines(form.path))
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


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line; DataError where the file cannot be read to its end."""
    number = 0
    try:
        with _open(path) as stream:
            for number, line in enumerate(stream, 1):
                if number == 1 and line.startswith(_GZIP_MAGIC):
                    raise DataError(f"{path} is gzip-compressed; rename it to {path.name}.gz, or decompress it")
                yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is cut off or damaged after line {number:,}; copy or download it again") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}; check the file and its rights") from error


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _need_folder(folder: Path) -> None:
    if not folder.exists():
        raise DataError(f"there is no folder {folder}; check the path")
    if not folder.is_dir():
        raise DataError(f"{folder} is a file, but the folder that holds the source's files is needed")
