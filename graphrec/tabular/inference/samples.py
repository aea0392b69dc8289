"""Reads samples of files: the beginning, later positions of large files, and first rows of sheets."""

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
    """The basic format of a file by its content: Parquet, workbook, SQLite or text.

    Raises:
        DataError: the file does not exist.
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
        return "xlsx"  # Excel before 2007
    if start.startswith(b"PK") and archives.find_archive(path) is None:
        return archives.detect_workbook(path) or "text"
    return "text"


def read_sheet_names(path: Path) -> list[str]:
    """The sheet names of an xlsx workbook; [""] (the first sheet) for other formats."""
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
    """Header and first rows of a sheet as text, the kind of each column, and whether each column has times."""
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
    """The first `size` bytes of a decompressed file, and whether these are all."""
    with archives.open_file(path) as stream:
        found = stream.read(size + 1)
    return found[:size], len(found) <= size


def read_later_parts(path: Path, size: int, places: int, unit: int = 1) -> list[bytes]:
    """Evenly spaced parts of an uncompressed file, each of whole lines; `unit` is the character size in bytes."""
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
