"""Inspects the beginning of a text file: whether it is text, and its column names."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from graphrec.errors import DataError
from graphrec.tabular.archives import open_file as open_file  # source_rows opens files with it, too
from graphrec.tabular.spec import FileInput

#: Block size in bytes.
_BLOCK = 1 << 20
#: Number of rows read to determine the usual number of fields.
_SAMPLE_ROWS = 1000
#: Maximum length of a line, in characters.
LONGEST_LINE = 16_000_000

#: Magic bytes of files that are not text tables, with the kind of file and the remedy.
_FOREIGN = {
    b"PK\x03\x04": 'is a workbook or a zip archive; write format = "xlsx" or "ods", or leave format out',
    b"PK\x05\x06": "is a zip archive without anything in it; copy or download it again",
    b"\xd0\xcf\x11\xe0": 'is a workbook of an older form; write format = "xlsx", or leave format out',
    b"PAR1": 'is a Parquet file; write format = "parquet", or leave format out',
    b"SQLite format 3": 'is a SQLite database; write sql = "select …" and url = "sqlite:///FILE"',
    b"7z\xbc\xaf\x27\x1c": "is a 7z archive; unpack it first",
    b"Rar!": "is a rar archive; unpack it first",
    b"\x04\x22\x4d\x18": "is compressed with lz4; decompress it, or compress it with zstd",
    b"%PDF": "is a PDF; convert the table in it to CSV first",
}


def require_text(path: Path, encoding: str) -> None:
    """Raise DataError with the kind of file and a remedy if it is empty, in an unsupported archive, or not text."""
    with open_file(path) as stream:
        start = stream.read(1 << 16)
    if not start:
        raise DataError(f"{path} is empty; copy or download it again")
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise DataError(f"{path} {what}")
    if start[257:262] == b"ustar":
        raise DataError(f"{path} is a tar archive; unpack it first")
    if start[:64].lstrip().lower().startswith((b"<!doctype html", b"<html", b"<table")):
        raise DataError(f"{path} is a web page, probably of a failed download; download it again")
    if "16" in encoding or "32" in encoding:
        return
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f'{path} is UTF-16; write encoding = "utf-16"')
    if start.count(0) * 20 > len(start):
        raise DataError(
            f"{path} is not text: {start.count(0):,} of its first {len(start):,} bytes are NUL; export it again"
        )


def read_column_names(path: Path, files: FileInput) -> list[str]:
    """The unique column names of a CSV file, in order.

    A duplicate name gets a number (`name_2`); a column without a name is `column_N`, N from 1. Nameless columns at the
    end are omitted if most rows do not have them.
    """
    return make_unique(read_raw_names(path, files))


def read_raw_names(path: Path, files: FileInput) -> list[str]:
    """The column names of a CSV file as written in its header; DataError if there is no header line."""
    if files.header is not None:
        return list(files.header)
    with open_file(path) as stream:
        rows = _read_records(path, files, io.TextIOWrapper(stream, files.encoding, errors="replace"))
        names = next(rows, None)
        if names is None:
            after = f" after the {files.skip:,} that skip leaves out; lower skip" if files.skip else "; copy it again"
            raise DataError(f"{path} has only blank lines{after}")
        if names[-1].strip():
            return names
        widths: Counter[int] = Counter()
        with suppress(DataError):  # unreadable rows are reported when rows are read
            widths.update(len(row) for row in islice(rows, _SAMPLE_ROWS) if row)
    width = widths.most_common(1)[0][0] if widths else len(names)
    while len(names) > max(width, 1) and not names[-1].strip():
        names.pop()
    return names


def make_unique(names: Sequence[str]) -> list[str]:
    """The names with numbers appended to duplicates, and `column_N` for blank ones.

    >>> make_unique(["user", "", "user"])
    ['user', 'column_2', 'user_2']
    """
    original, result = set(names), dict[str, None]()
    counts: Counter[str] = Counter()
    for number, name in enumerate(names, 1):
        plain = unique = name if name.strip() else f"column_{number}"
        counts[plain] += 1
        while unique in result or (unique != name and unique in original):
            counts[plain] += unique != plain
            unique = f"{plain}_{max(counts[plain], 2)}"
        result[unique] = None
    return list(result)


def has_mixed_line_endings(path: Path) -> bool:
    """Whether a file mixes line endings, which DuckDB cannot read; the whole file is read.

    Raises DataError if the file is truncated.
    """
    feeds = returns = both = 0
    last = b""
    with open_file(path) as stream:
        while block := stream.read(_BLOCK):
            feeds += block.count(b"\n")
            returns += block.count(b"\r")
            both += block.count(b"\r\n") + (last == b"\r" and block[:1] == b"\n")
            last = block[-1:]
    return sum(count > 0 for count in (feeds - both, returns - both, both)) > 1


def count_lines_before(path: Path, skip: int) -> int:
    """Number of lines before the header or first row: `skip` and the blank lines after them."""
    with open_file(path) as stream:
        text = io.TextIOWrapper(stream, "latin-1")  # accepts any bytes, and line endings are those of UTF-8
        number = 0
        while (line := text.readline(LONGEST_LINE)) and (number < skip or not line.removeprefix("ï»¿").strip("\n")):
            number += line.endswith("\n")
    return number


def _read_records(path: Path, files: FileInput, text: io.TextIOWrapper) -> Iterator[list[str]]:
    """The fields of each line that is not blank, after `skip` lines."""
    for _ in range(files.skip):
        while (skipped := text.readline(LONGEST_LINE)) and not skipped.endswith("\n"):
            pass
    first = text.readline(LONGEST_LINE).removeprefix("\ufeff") if not files.skip else ""
    lines = (line for line in _chain_lines(first, text) if line.strip("\n"))
    if files.comment:
        lines = (line for line in lines if not line.startswith(files.comment))
    try:
        if len(files.separator) > 1 or not files.quote:
            yield from (line.rstrip("\n").split(files.separator) for line in lines)
        else:
            yield from csv.reader(
                lines,
                delimiter=files.separator,
                quotechar=files.quote,
                escapechar=files.escape or None,
                doublequote=not files.escape,
            )
    except csv.Error as error:
        raise DataError(
            f"{path}: the header line cannot be read ({error}); correct it, or set separator and quote"
        ) from error


def _chain_lines(first: str, text: io.TextIOWrapper) -> Iterator[str]:
    if first:
        yield first
    while line := text.readline(LONGEST_LINE):
        yield line
