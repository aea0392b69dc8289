"""The bytes of a file that are looked at: its beginning, and places further on where the file is large."""

import html
import re
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pyarrow as pa

from graphrec.cleaning.rules import Kind
from graphrec.errors import DataError
from graphrec.tabular import archives, sheets
from graphrec.tabular.spec import FileInput

Form = Literal["parquet", "xlsx", "ods", "sqlite", "text"]


def detect_form(path: Path) -> Form:
    """Whether a file is a table of a typed form, a workbook, a database or text, by its content.

    Raises:
        DataError: there is no such file.
    """
    if not path.is_file() and archives.find_archive(path) is None:
        raise DataError(f"there is no file {path}; check the path")
    with archives.open_file(path) as stream:
        start = stream.read(64)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"SQLite format 3"):
        return "sqlite"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return "xlsx"  # an Excel file of before 2007
    if start.startswith(b"PK") and archives.find_archive(path) is None:
        return archives.detect_workbook(path) or "text"
    return "text"


def read_sheet_names(path: Path) -> list[str]:
    """The names of the sheets of a workbook of the newer form; [""] for the first sheet of another."""
    if archives.detect_compression(path) != "zip":
        return [""]
    with archives.translate_errors(path), zipfile.ZipFile(path) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            return [""]
        with archive.open("xl/workbook.xml") as stream:
            text = stream.read(1 << 20).decode("utf-8", errors="replace")
    found = re.findall(r"<(?:\w+:)?sheet\b[^>]*?\bname=(\"[^\"]*\"|'[^']*')", text)
    names = [html.unescape(name[1:-1]) for name in found]
    return names or [""]


def read_sheet_rows(
    path: Path, files: FileInput, num_rows: int
) -> tuple[list[list[str]], list[Kind | None], list[bool]]:
    """The header and the first rows of a sheet as text, and of each column the kind that all of its cells have.

    The last of the three says which columns hold times.
    """
    with (
        TemporaryDirectory(prefix="graphrec-") as scratch,
        sheets.open_sheet(path, path, files, Path(scratch)) as sheet,
    ):
        rows = [list(sheet.raw_names)]
        kinds: list[Kind | None] = []
        times: list[bool] = []
        for batch in sheet.batches():
            if not kinds:
                kinds = [_kind_of(field.type) for field in batch.schema]
                times = [pa.types.is_temporal(field.type) for field in batch.schema]
            columns = [column.cast(pa.large_string()).to_pylist() for column in batch.columns]
            rows += [[text or "" for text in row] for row in zip(*columns, strict=True)]
            if len(rows) > num_rows:
                break
    if not kinds:
        kinds, times = [None] * len(rows[0]), [False] * len(rows[0])
    return rows[: num_rows + 1], kinds, times


def _kind_of(kind: Any) -> Kind | None:  # a pyarrow.DataType
    if pa.types.is_integer(kind):
        return "int"
    if pa.types.is_floating(kind):
        return "float"
    return "bool" if pa.types.is_boolean(kind) else None


def read_start(path: Path, size: int) -> tuple[bytes, bool]:
    """At most `size` bytes of a file, decompressed, and whether these are all."""
    with archives.open_file(path) as stream:
        found = stream.read(size + 1)
    return found[:size], len(found) <= size


def read_later_parts(path: Path, size: int, places: int, unit: int = 1) -> list[bytes]:
    """Parts of a file that is not compressed, evenly spread, each from the beginning of a line to the end of one.

    `unit` is how many bytes a character of the encoding has.
    """
    if archives.find_archive(path) is not None or archives.detect_compression(path) is not None or unit > 1:
        return []
    length = path.stat().st_size
    parts = []
    with archives.translate_errors(path), path.open("rb") as stream:
        for place in range(1, places + 1):
            stream.seek(max(0, place * (length - size) // places))
            part = stream.read(size)
            parts.append(part[part.find(b"\n") + 1 : part.rfind(b"\n") + 1])
    return parts
