"""What a text file begins with: whether it is text at all, compressed or not, and the names of its columns."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, cast

from graphrec.errors import DataError
from graphrec.tabular.spec import Files

GZIP_MAGIC = b"\x1f\x8b"
_SAMPLE = 1 << 20
#: Longer than this no line is read.
LONGEST_LINE = 16_000_000

#: First bytes of what is no table of text, and what to do.
_FOREIGN = {
    b"PK\x03\x04": "is a zip archive or an Excel file; unpack it, or save the sheet as CSV",
    b"PAR1": 'is a Parquet file; write format = "parquet"',
    b"SQLite format 3": 'is a SQLite database; write sql = "select …" and url = "sqlite:///FILE"',
    b"\x28\xb5\x2f\xfd": "is compressed with zstd; decompress it, or compress it with gzip",
    b"BZh": "is compressed with bzip2; decompress it, or compress it with gzip",
    b"\xfd7zXZ": "is compressed with xz; decompress it, or compress it with gzip",
}


def is_gzip(path: Path) -> bool:
    """Whether the content is gzip-compressed, whatever the name says."""
    with reading(path), path.open("rb") as stream:
        return stream.read(2) == GZIP_MAGIC


def need_text(path: Path, encoding: str) -> None:
    """Nothing; DataError saying what the file is where it is empty, compressed in another way, or no text."""
    start = _beginning(path, 1 << 16)
    if not start:
        raise DataError(f"{path} is empty; copy or download it again")
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise DataError(f"{path} {what}")
    if start[:64].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise DataError(f"{path} is a web page, as a failed download leaves one; download it again")
    if "16" in encoding or "32" in encoding:
        return
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f'{path} is UTF-16; write encoding = "utf-16"')
    if start.count(0) * 20 > len(start):
        raise DataError(
            f"{path} is no text: {start.count(0):,} of its first {len(start):,} bytes are NUL; export it again"
        )


def column_names(path: Path, files: Files) -> list[str]:
    """The names in the header line of a CSV file, in order, as they stand there."""
    text = _beginning(path, _SAMPLE).decode(files.encoding, errors="replace").removeprefix("\ufeff")
    lines = [line for line in islice(text.splitlines(keepends=True), 1000) if line.strip("\r\n")]
    if not lines:
        raise DataError(f"{path} holds blank lines only; copy or download it again")
    if len(files.separator) > 1 or not files.quote:
        return lines[0].rstrip("\r\n").split(files.separator)
    try:
        return next(csv.reader(lines, delimiter=files.separator, quotechar=files.quote))
    except (csv.Error, StopIteration) as error:
        raise DataError(
            f"{path}: the header line cannot be read ({error}); correct it, or set separator and quote"
        ) from error


def has_mixed_ends(path: Path) -> bool:
    """Whether some lines end in another way than others, which DuckDB does not read; the file is read to its end.

    Raises DataError where the file is cut off.
    """
    feeds = returns = both = 0
    last = b""
    with opened(path) as stream:
        while block := stream.read(_SAMPLE):
            feeds += block.count(b"\n")
            returns += block.count(b"\r")
            both += block.count(b"\r\n") + (last == b"\r" and block[:1] == b"\n")
            last = block[-1:]
    return sum(count > 0 for count in (feeds - both, returns - both, both)) > 1


def blank_lines(path: Path) -> int:
    """How many blank lines stand before the first other one."""
    start = _beginning(path, 1 << 16)
    return next((i for i, line in enumerate(start.splitlines()) if line.strip(b"\xef\xbb\xbf")), 0)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, decompressed, in a `with` block; DataError where they cannot be read to the end."""
    compressed = is_gzip(path)
    with reading(path), cast(IO[bytes], gzip.open(path, "rb")) if compressed else path.open("rb") as stream:
        yield stream


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """A `with` block in which the system's word about a file becomes a DataError."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is cut off or damaged; copy or download it again") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}; check the file and its rights") from error


def _beginning(path: Path, size: int) -> bytes:
    with opened(path) as stream:
        return stream.read(size)
