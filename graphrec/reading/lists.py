"""Strict reader of files with one list per line, "owner member member …", without a Python object per member."""

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
from graphrec.reading.files import (
    Tally,
    describe_lines,
    find_undecodable_lines,
    open_file,
    read_lines,
    refuse_foreign,
    require_file,
)

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: Bytes read at a time.
_BLOCK = 1 << 24
_NEWLINE = 10
#: Mask of the bytes that separate words: space, tab and line breaks.
_BLANK = np.isin(np.arange(256), [9, 10, 13, 32])


@dataclass(frozen=True)
class Lists:
    """The contents of a file of lists.

    Attributes:
        owners: the first word of each line that is not blank, in the order of the file, including empty lists.
        rows: columns owner and member (strings), one row for each further word of a line, in the order of the file.
    """

    owners: "pd.Series[str]"
    rows: pd.DataFrame


def read_lists(path: Path) -> Lists:
    """The lists of a text file (plain or .gz): words separated by spaces or tabs, owner first.

    Ids are text ("007" stays "007"). Order and duplicates are kept.

    Raises:
        DataError: the file is missing, cut off or not UTF-8, or no line has a second word.
    """
    path = require_file(Path(path))
    owners, members, lists = [], [], []
    try:
        for block in _iter_blocks(path):
            if b"\0" in block:
                raise _build_nul_error(path)
            words, first = _split_words(block)
            owner = np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))
            owners.append(words.take(pa.array(owner[~first])))
            members.append(words.filter(pa.array(~first)))
            lists.append(words.filter(pa.array(first)))
    except (pa.ArrowInvalid, EOFError, zlib.error, gzip.BadGzipFile, OSError) as error:
        _require_readable(path)
        raise DataError(f"{path} cannot be read: {error}; copy or download it again") from error
    if not sum(len(part) for part in members):
        raise DataError(
            f"{path} has no line with an owner and a member, as `7 12 40` is; its words must be "
            "divided by spaces or tabs"
        )
    text = pa.large_string()
    rows = pa.table({"owner": pa.chunked_array(owners, text), "member": pa.chunked_array(members, text)})
    return Lists(pa.table({"owner": pa.chunked_array(lists, text)}).to_pandas()["owner"], rows.to_pandas())


def _iter_blocks(path: Path) -> Iterator[bytes]:
    """The bytes of the file in blocks of whole lines."""
    rest = b""
    with open_file(path) as stream:
        start = stream.read(64)
        refuse_foreign(path, start)
        rest = start.removeprefix(_BYTE_ORDER_MARK)
        while block := stream.read(_BLOCK):
            whole, newline, tail = (rest + block).rpartition(b"\n")
            rest = tail
            if newline:
                yield whole + newline
    if rest:
        yield rest


def _split_words(block: bytes) -> tuple[Any, "np.ndarray[Any, np.dtype[np.bool]]"]:
    """The words of a block as a pyarrow array, and the mask of the first words of lines."""
    buffer = np.frombuffer(block, np.uint8)
    blank = _BLANK[buffer]
    before, after = np.append(True, blank[:-1]), np.append(blank[1:], True)
    starts, ends = np.flatnonzero(~blank & before), np.flatnonzero(~blank & after) + 1
    offsets = np.append(0, np.cumsum(ends - starts)).astype(np.int64)
    letters = pa.py_buffer(buffer[~blank])
    words = pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(offsets), letters)
    words.validate(full=True)  # raises ArrowInvalid if it is not UTF-8
    line = np.searchsorted(np.flatnonzero(buffer == _NEWLINE), starts)
    return words, np.append(True, line[1:] != line[:-1])[: len(starts)]


def _require_readable(path: Path) -> None:
    """Raise DataError with the lines in which the file is not UTF-8 or at which it is cut off, if it is."""
    tally = find_undecodable_lines(path)
    if tally.count:
        raise DataError(f"{path} is not utf-8 on {describe_lines(tally)}; save it as utf-8")


def _build_nul_error(path: Path) -> DataError:
    tally = Tally()
    for number, line in read_lines(path):
        if b"\0" in line:
            tally.add(f"line {number}")
    return DataError(f"{path} has NUL bytes on {describe_lines(tally)}; copy or download it again")
