"""Files with one list a line, "owner member member …", read without a Python object per member."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from graphrec.errors import DataError
from graphrec.reading.files import Tally, lines, lines_text, open_file, refuse_foreign, require_file, undecodable

_MARK = b"\xef\xbb\xbf"
_BLOCK = 1 << 24
_NEWLINE = 10
#: Which bytes divide: space, tab and the ends of lines.
_BLANK = np.isin(np.arange(256), [9, 10, 13, 32])


@dataclass(frozen=True)
class Lists:
    """What a file of lists holds.

    Attributes:
        owners: the first word of each line that is not blank, in the order of the file; also of those alone on a line.
        rows: columns owner and member (strings), one row for each further word of a line, in the order of the file.
    """

    owners: "pd.Series[str]"
    rows: pd.DataFrame


def read_lists(path: Path) -> Lists:
    """The lists of a text file (plain or .gz): words divided by spaces or tabs, of which the first owns the others.

    Ids are text ("007" stays "007"); nothing is sorted, and duplicates are kept.

    Raises:
        DataError: the file is missing, cut off or not UTF-8, or no line has a second word.
    """
    path = require_file(Path(path))
    owners, members, lists = [], [], []
    try:
        for block in _blocks(path):
            if b"\0" in block:
                raise _with_nul(path)
            words, first = _words(block)
            own = np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))
            owners.append(words.take(pa.array(own[~first])))
            members.append(words.filter(pa.array(~first)))
            lists.append(words.filter(pa.array(first)))
    except (pa.ArrowInvalid, EOFError, zlib.error, gzip.BadGzipFile, OSError) as error:
        _diagnose(path)
        raise DataError(f"{path} cannot be read: {error}; copy or download it again") from error
    if not sum(len(part) for part in members):
        raise DataError(
            f"{path} has no line with an owner and a member, as `7 12 40` is; its words must be "
            "divided by spaces or tabs"
        )
    text = pa.large_string()
    rows = pa.table({"owner": pa.chunked_array(owners, text), "member": pa.chunked_array(members, text)})
    return Lists(pa.table({"owner": pa.chunked_array(lists, text)}).to_pandas()["owner"], rows.to_pandas())


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of the file in blocks that end where a line does."""
    rest = b""
    with open_file(path) as stream:
        start = stream.read(64)
        refuse_foreign(path, start)
        rest = start.removeprefix(_MARK)
        while block := stream.read(_BLOCK):
            whole, newline, tail = (rest + block).rpartition(b"\n")
            rest = tail
            if newline:
                yield whole + newline
    if rest:
        yield rest


def _words(block: bytes) -> tuple[Any, "np.ndarray[Any, np.dtype[np.bool]]"]:
    """The words of a block as a pyarrow array, and which of them are the first of a line."""
    buffer = np.frombuffer(block, np.uint8)
    blank = _BLANK[buffer]
    before, after = np.append(True, blank[:-1]), np.append(blank[1:], True)
    starts, ends = np.flatnonzero(~blank & before), np.flatnonzero(~blank & after) + 1
    offsets = np.append(0, np.cumsum(ends - starts)).astype(np.int64)
    letters = pa.py_buffer(buffer[~blank])
    words = pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(offsets), letters)
    words.validate(full=True)  # that it is UTF-8
    line = np.searchsorted(np.flatnonzero(buffer == _NEWLINE), starts)
    return words, np.append(True, line[1:] != line[:-1])[: len(starts)]


def _diagnose(path: Path) -> None:
    """Raise the DataError with the lines at which the file is not UTF-8 or is cut off, if it is."""
    tally = undecodable(path)
    if tally.count:
        raise DataError(f"{path} is not utf-8 on {lines_text(tally)}; save it as utf-8")


def _with_nul(path: Path) -> DataError:
    tally = Tally()
    for number, line in lines(path):
        if b"\0" in line:
            tally.add(f"line {number}")
    return DataError(f"{path} has NUL bytes on {lines_text(tally)}; copy or download it again")
