"""A strict reader of LightGCN's text format: one line `user item item …` for each user."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.vocabulary import IndexArray


def read_pairs(path: Path) -> Interactions:
    """The interactions of a file with one line `user item item …` for each user, plain or gzip.

    Numbers are positions from 0, separated by spaces or tabs. A user may have several lines, and
    a line may have no items. Raises DataError with the line number if a line has another form.
    """
    user_index, item_index = read_lines(path)
    num_users, num_items = (int(a.max()) + 1 if len(a) else 0 for a in (user_index, item_index))
    return Interactions(user_index, item_index, num_users, num_items)


def read_lines(path: Path) -> tuple[IndexArray, IndexArray]:
    """All pairs of a file: users [n], the first number of each line, and items [n], the other numbers of the line."""
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except FileNotFoundError as error:
        raise DataError(
            f"there is no file {path}; name a file with one line `user item item …` for each user"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    lines = content.split(b"\n")
    counts = np.array([len(line.split()) for line in lines], dtype=np.int64)
    try:
        numbers = np.array(content.split(), dtype=np.bytes_).astype(np.int64)
    except (ValueError, OverflowError):
        numbers = np.empty(0, dtype=np.int64)
    if len(numbers) != counts.sum() or (numbers < 0).any() or not _is_numeric(content):
        raise _find_wrong_line(path, lines)
    filled = counts > 0
    first = np.cumsum(counts)[filled] - counts[filled]
    is_item = np.ones(len(numbers), dtype=bool)
    is_item[first] = False
    return np.repeat(numbers[first], counts[filled] - 1), numbers[is_item]


def _is_numeric(content: bytes) -> bool:
    return not content.translate(None, b"0123456789 \t\r\n")


def _find_wrong_line(path: Path, lines: list[bytes]) -> DataError:
    """The error that names the first line with a word that is not a position."""
    for number, line in enumerate(lines, start=1):
        for word in line.split():
            if not word.isdigit() or len(word) > 18:
                shown = word[:40].decode("utf-8", "replace")
                return DataError(f"{path}, line {number}: '{shown}' is not a position (a whole number from 0)")
    return DataError(f"{path}: the numbers cannot be read")
