"""The bytes of a file that are looked at: its beginning, and places further on where the file is large."""

from pathlib import Path
from typing import Literal

from graphrec.tabular import archives
from graphrec.errors import DataError

_NAMES = {".parquet": "parquet", ".pq": "parquet", ".ods": "ods"}
Kind = Literal["parquet", "xlsx", "ods", "sqlite", "text"]


def kind_of(path: Path) -> Kind:
    """Whether a file is a table of a typed form, a workbook, a database or text, by its content.

    Raises:
        DataError: there is no such file.
    """
    if not path.is_file() and archives.archive_of(path) is None:
        raise DataError(f"there is no file {path}; check the path")
    with archives.opened(path) as stream:
        start = stream.read(64)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"SQLite format 3"):
        return "sqlite"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return "xlsx"  # an Excel file of before 2007
    if start.startswith(b"PK") and archives.archive_of(path) is None:
        return archives.workbook(path) or "text"
    return "text"


def beginning(path: Path, size: int) -> tuple[bytes, bool]:
    """At most `size` bytes of a file, decompressed, and whether these are all."""
    with archives.opened(path) as stream:
        found = stream.read(size + 1)
    return found[:size], len(found) <= size


def later_parts(path: Path, size: int, places: int, unit: int = 1) -> list[bytes]:
    """Parts of a file that is not compressed, evenly spread, each from the beginning of a line to the end of one.

    `unit` is how many bytes a character of the encoding has.
    """
    if archives.archive_of(path) is not None or archives.compression(path) is not None or unit > 1:
        return []
    length = path.stat().st_size
    parts = []
    with archives.reading(path), path.open("rb") as stream:
        for place in range(1, places + 1):
            stream.seek(max(0, place * (length - size) // places))
            part = stream.read(size)
            parts.append(part[part.find(b"\n") + 1 : part.rfind(b"\n") + 1])
    return parts
